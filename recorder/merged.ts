/** A stretch about which something is said. */
interface Said {
  readonly toUs: number;
  readonly verdict: string;
  readonly why?: string;
}

/** Neighbours with the same verdict become one stretch. */
export function merged<T extends Said>(judged: readonly T[]): readonly T[] {
  const found: T[] = [];
  for (const one of judged) {
    const last = found.at(-1);
    if (last !== undefined && last.verdict === one.verdict && last.why === one.why)
      found[found.length - 1] = { ...last, toUs: Math.max(last.toUs, one.toUs) };
    else found.push(one);
  }
  return found;
}
