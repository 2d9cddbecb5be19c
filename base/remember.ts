/**
 * A function of values that never change, worked out once for each of them: what it gives is kept as long as the value is there,
 * and no longer, so that nothing can be out of date. Not for functions that look at anything else, as the time, or who asks.
 */
export function remembered<K extends object, V>(make: (of: K) => V): (of: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before.value;
    const value = make(of);
    known.set(of, { value });
    return value;
  };
}

/** How many lists with the same first thing are remembered: as many ways there are in which somebody may see a part of all. */
const LISTS = 8;

/**
 * For lists of things that never change, made anew each time: gives the list that came before with the very same things in the same order,
 * where there was one, so that what is made of it need not be made again. It is kept as long as its first thing is.
 */
export function sameLists<T extends object>(): (list: readonly T[]) => readonly T[] {
  const known = new WeakMap<T, (readonly T[])[]>();
  return (list) => {
    const [first] = list;
    if (first === undefined) return list;
    const lists = known.get(first) ?? [];
    const at = lists.findIndex(
      (one) => one.length === list.length && one.every((thing, index) => thing === list[index]),
    );
    const [same = list] = at < 0 ? [] : lists.splice(at, 1);
    known.set(first, [same, ...lists].slice(0, LISTS));
    return same;
  };
}
