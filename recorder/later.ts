/** Items of a generator that has to be found first, which happens when somebody asks for the first one. To be iterated once. */
export function later<T>(find: () => Promise<AsyncGenerator<T>>): AsyncIterable<T> {
  let found: AsyncGenerator<T> | undefined;
  const first = async (): Promise<IteratorResult<T>> => {
    found = await find();
    return found.next();
  };
  const iterator: AsyncIterator<T> = {
    next: () => found?.next() ?? first(),
    return: async () => (await found?.return(undefined)) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
