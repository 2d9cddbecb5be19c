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
