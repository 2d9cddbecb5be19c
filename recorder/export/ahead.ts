/** Items of a stream, of which the next one can be looked at before it is taken. One user at a time. */
export class Ahead<T> {
  readonly #items: AsyncIterator<T>;
  #next: T | undefined;
  #ended = false;

  constructor(items: AsyncIterable<T>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  /** Undefined at the end. */
  async peek(): Promise<T | undefined> {
    if (this.#next === undefined && !this.#ended) {
      const { value, done } = await this.#items.next();
      if (done === true) this.#ended = true;
      else this.#next = value;
    }
    return this.#next;
  }

  async take(): Promise<T | undefined> {
    const taken = await this.peek();
    this.#next = undefined;
    return taken;
  }

  /** Gives back what the stream holds open. */
  async close(): Promise<void> {
    await this.#items.return?.();
  }
}
