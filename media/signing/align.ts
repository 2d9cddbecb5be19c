import { HASH_BYTES, type HashName } from "./document.ts";
import { linkedHash, type SignedUnit } from "./units.ts";

/** How the units of a group compare with the list of hashes that the camera signed. */
export interface Alignment {
  /** Units that stand where they were signed, by their places. */
  readonly matched: ReadonlySet<number>;
  /** Units in the list. */
  readonly listed: number;
  /** The same units, in another order. */
  readonly isReordered: boolean;
}

/** Compares in order: what stands behind something later in the list counts as another one. */
export function align(units: readonly SignedUnit[], list: Buffer, name: HashName): Alignment {
  return aligner(list, name)(units);
}

/** For one list and many groups: the list is read once, and what a group costs depends on the group alone. */
export function aligner(list: Buffer, name: HashName): (units: readonly SignedUnit[]) => Alignment {
  const hashBytes = HASH_BYTES[name];
  const listed: string[] = [];
  for (let at = 0; at + hashBytes <= list.length; at += hashBytes)
    listed.push(list.toString("latin1", at, at + hashBytes));
  const places = Map.groupBy(listed.keys(), (place) => listed[place]);
  const first = list.subarray(0, hashBytes);
  return (units) => {
    const asThere = units.map((unit) => linkedHash(unit, name)?.toString("latin1"));
    const found = matches(asThere, places);
    // Where the first picture is another one, all that were hashed with its hash differ: by the one in the list they can be told all the same.
    const asSigned = units.map((unit) => linkedHash(unit, name, first)?.toString("latin1"));
    const better = matches(asSigned, places);
    const [matched, hashes] = better.size > found.size ? [better, asSigned] : [found, asThere];
    const isReordered = matched.size < listed.length && isSame(hashes, listed);
    return { matched, listed: listed.length, isReordered };
  };
}

function matches(
  hashes: readonly (string | undefined)[],
  places: ReadonlyMap<string | undefined, readonly number[]>,
): ReadonlySet<number> {
  const matched = new Set<number>();
  let next = 0;
  for (const [index, one] of hashes.entries()) {
    const place = places.get(one)?.find((each) => each >= next);
    if (place === undefined) continue;
    matched.add(index);
    next = place + 1;
  }
  return matched;
}

/** Whether both hold the same, as often, in whatever order. */
function isSame(hashes: readonly (string | undefined)[], listed: readonly string[]): boolean {
  if (hashes.length !== listed.length) return false;
  const left = Map.groupBy(listed, (one) => one);
  return hashes.every((one) => one !== undefined && left.get(one)?.pop() !== undefined);
}
