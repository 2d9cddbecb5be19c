import type { GroupStatement, HashName } from "./document.ts";
import { hashOf, linkedHash, type SignedUnit } from "./units.ts";

/** Units of one (partial) group among those that wait. */
export interface Place {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** No slice between them is left out of what was signed. */
  readonly isWhole: boolean;
}

/** What is looked for. */
export interface Sought extends GroupStatement {
  readonly name: HashName;
  /** Of its units, where the camera lists them. */
  readonly list: Buffer | undefined;
}

/** Where the units stand that a camera has signed as one (partial) group; undefined where they are not all here as they were. */
export function placeOf(units: readonly SignedUnit[], sought: Sought): Place | undefined {
  for (const [from, to] of sought.isPartial ? partsIn(units, sought) : groupsIn(units, sought)) {
    const found = placeAt(units, { from, to }, sought);
    if (found !== undefined) return found;
  }
  return undefined;
}

function placeAt(
  units: readonly SignedUnit[],
  { from, to }: { readonly from: number; readonly to: number },
  { hash, name }: Sought,
): Place | undefined {
  const all = units.slice(from, to);
  if (hashOfAll(all, name)?.equals(hash) === true) return { from, to, isWhole: true };
  const plain = all.filter((one) => one.isPlain);
  const isOther = plain.length < all.length;
  return isOther && hashOfAll(plain, name)?.equals(hash) === true ? { from, to, isWhole: false } : undefined;
}

function hashOfAll(units: readonly SignedUnit[], name: HashName): Buffer | undefined {
  const hashes = units.map((unit) => linkedHash(unit, name));
  return units.length > 0 && hashes.every((one) => one !== undefined) ? hashOf(hashes, name) : undefined;
}

/** Whole groups, and their last parts; the first as likeliest. Messages before a start may have been hashed with the group behind them. */
function* groupsIn(units: readonly SignedUnit[], sought: Sought): Generator<readonly [number, number]> {
  const starts = startsIn(units).filter((start) => start > 0);
  for (const [index, begin] of [0, ...starts].entries()) {
    const end = starts[index] ?? units.length;
    const tos = new Set([end, end === units.length ? end : messagesBefore(units, end)]);
    for (const to of tos) {
      const parts = lengthsOf(sought).map((length) => to - length);
      const froms = [begin, begin === 0 ? 0 : messagesBefore(units, begin), ...parts.filter((from) => from > begin)];
      for (const from of new Set(froms)) if (from < to) yield [from, to];
    }
  }
}

/** Parts of groups: as many units as were signed, from where one can begin. */
function* partsIn(units: readonly SignedUnit[], sought: Sought): Generator<readonly [number, number]> {
  const { list, hash, name } = sought;
  const first = list?.subarray(0, hash.length);
  const listedAt = first === undefined ? -1 : units.findIndex((unit) => linkedHash(unit, name)?.equals(first) === true);
  for (const from of new Set([0, ...startsIn(units), ...(listedAt > 0 ? [listedAt] : [])]))
    for (const length of lengthsOf(sought)) if (from + length <= units.length) yield [from, from + length];
}

function lengthsOf({ list, hash, counts }: Sought): readonly number[] {
  return list === undefined ? counts : [list.length / hash.length];
}

function messagesBefore(units: readonly SignedUnit[], start: number): number {
  let from = start;
  while (from > 0 && units[from - 1]?.held !== undefined) from -= 1;
  return from;
}

/** Where groups begin. */
export function startsIn(units: readonly SignedUnit[]): readonly number[] {
  return units.flatMap(({ isStart }, index) => (isStart ? [index] : []));
}

/** The group that ends at `end`: where it begins. */
export function startBefore(units: readonly SignedUnit[], end: number): number {
  return Math.max(
    0,
    units.findLastIndex(({ isStart }, index) => isStart && index < end),
  );
}

/** The hash that stands for none. */
export function isZero(hash: Buffer): boolean {
  return hash.every((byte) => byte === 0);
}
