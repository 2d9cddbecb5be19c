import type { GroupStatement, HashName } from "./document.ts";
import type { Effort } from "./effort.ts";
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

/** Of each unit, as it stands in a group; undefined of those that were not hashed. */
type Hashes = readonly (Buffer | undefined)[];

/**
 * Where the units stand that a camera has signed as one (partial) group; undefined where they are not all here as they were, or where
 * `effort` does not suffice to find them.
 */
export function placeOf(units: readonly SignedUnit[], sought: Sought, effort: Effort): Place | undefined {
  // What a message says goes over to the one that vouches for it, and so from one to the next.
  if (!effort.take(units.reduce((sum, { held = [] }) => sum + 1 + held.length, 0))) return undefined;
  const hashes = units.map((unit) => linkedHash(unit, sought.name));
  for (const [from, to] of sought.isPartial ? partsIn(units, hashes, sought) : groupsIn(units, sought)) {
    if (!effort.take(to - from)) return undefined;
    const isWhole = isOf(hashes.slice(from, to), sought);
    if (isWhole) return { from, to, isWhole };
    const plain = hashes.slice(from, to).filter((_, index) => units[from + index]?.isPlain);
    if (plain.length < to - from && isOf(plain, sought)) return { from, to, isWhole };
  }
  return undefined;
}

function isOf(hashes: Hashes, { hash, name, salt }: Sought): boolean {
  if (hashes.length === 0 || !hashes.every((one) => one !== undefined)) return false;
  return hashOf(salt === undefined ? hashes : [salt, ...hashes], name).equals(hash);
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
function* partsIn(units: readonly SignedUnit[], hashes: Hashes, sought: Sought): Generator<readonly [number, number]> {
  const { list, hash } = sought;
  const first = list?.subarray(0, hash.length);
  const listedAt = first === undefined ? -1 : hashes.findIndex((one) => one?.equals(first) === true);
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
  let start = Math.min(end, units.length) - 1;
  while (start > 0 && units[start]?.isStart === false) start -= 1;
  return Math.max(0, start);
}

/** Whether it is told to be the hash that stands for none. */
export function isZero(hash: Buffer | undefined): boolean {
  return hash?.every((byte) => byte === 0) === true;
}
