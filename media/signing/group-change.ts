import { align, aligner } from "./align.ts";
import type { CheckedSignature } from "./certificates.ts";
import type { CameraFinding, CameraVerdict } from "./finding.ts";
import { type Sought, startsIn } from "./group-search.ts";
import type { SignedUnit } from "./units.ts";
import { WHY } from "./why.ts";

const LIMITS = {
  /** Groups among which the one is looked for that a statement is about which holds for none: cameras sign within seconds. */
  compared: 64,
};

/** What a camera says of one (partial) group. */
export interface Statement extends Sought, CheckedSignature {
  readonly isSigned: boolean;
  /** Why it cannot be compared with pictures. */
  readonly unclear?: string | undefined;
  /** Where what is found goes to of one that has no signature: it counts when somebody vouches for it. */
  readonly held: CameraFinding[] | undefined;
}

/** What is said of units, and which of them are as they were signed all the same. */
export interface Change {
  readonly verdict: CameraVerdict;
  readonly why: string;
  readonly matched: ReadonlySet<number>;
}

/** Units by their places; the one at `to` is not among them. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const NONE: ReadonlySet<number> = new Set();

/** Where the units must be that are left of what was signed; empty where none are. `ahead`: statements that are not here. */
export function changedPlace(units: readonly SignedUnit[], given: Statement, ahead: number): Range {
  const starts = startsIn(units).filter((start) => start > 0);
  const ends = [...starts, units.length];
  const groups = [0, ...starts].map((from, index) => ({ from, to: ends[index] as number }));
  const alignment = given.list && aligner(given.list, given.name);
  const likeness = ({ from, to }: Range): number => alignment?.(units.slice(from, to)).matched.size ?? 0;
  const [like] = groups
    .slice(0, LIMITS.compared)
    .map((group) => ({ ...group, size: likeness(group) }))
    .toSorted((a, b) => b.size - a.size);
  const open = { from: starts.at(-1) ?? 0, to: units.length };
  // A signature stands behind its group, so that it is of none that has not ended, but for a part of one, or where the next start is gone.
  const isOpenMeant = given.isPartial || starts.length === 0;
  const complete = isOpenMeant ? groups : groups.slice(0, -1);
  const group = like !== undefined && like.size > 0 ? like : complete[ahead];
  if (group === undefined) return { from: open.from, to: open.from };
  const length = lengthOf(given);
  if (length === undefined || (ahead === 0 && !given.isPartial)) return group;
  if (!given.isPartial) return { from: Math.max(group.from, group.to - length), to: group.to };
  const to = Math.min(group.to, group.from + length);
  if (given.list === undefined) return { from: group.from, to };
  // What is missing in a part leaves its place to what follows.
  const matched = align(units.slice(group.from, group.to), given.list, given.name).matched;
  return matched.size === 0
    ? { from: group.from, to }
    : { from: group.from, to: group.from + Math.max(...matched) + 1 };
}

/** What was done to units that are not as the camera signed them. `isLost`: something of them was missed when they were recorded. */
export function changeOf(units: readonly SignedUnit[], given: Statement, isLost: boolean): Change {
  const { list, name, counts } = given;
  const unclear = whyNotCompared(units) ?? (isLost ? WHY.lost : given.unclear);
  const { matched, listed, isReordered } =
    list === undefined ? { matched: NONE, listed: 0, isReordered: false } : align(units, list, name);
  const said = (verdict: CameraVerdict, why: string): Change => ({ verdict, why, matched });
  if (unclear !== undefined) return said("unknown", unclear);
  if (given.isSigned && given.isGood === undefined) return said("unknown", WHY.noCertificate);
  if (given.isGood === false) return said("changed", WHY.badSignature);
  if (list === undefined) {
    const [count] = counts;
    const isAsLong = count === undefined || count === units.length;
    const size = isAsLong ? "" : `: it has ${units.length} parts, and the camera signed ${count}`;
    return said("changed", `it is not what the camera signed${size}`);
  }
  const foreign = units.length - matched.size;
  const absent = listed - matched.size;
  if (isReordered) return said("changed", WHY.reordered);
  if (foreign === 0) return said("missing", `${absent} of the ${listed} parts that the camera signed are not here`);
  return absent === 0
    ? said("changed", `${foreign} parts are in it that the camera did not sign`)
    : said("changed", `${foreign} of its ${units.length} parts are not as the camera signed them`);
}

/** Why units that are not as they were signed may be just that; undefined: they cannot. */
export function whyNotCompared(units: readonly SignedUnit[]): string | undefined {
  if (units.some(({ hashes }) => hashes === undefined)) return WHY.early;
  return units.some(({ isStart, held, anchor }) => !isStart && held === undefined && anchor === undefined)
    ? WHY.amid
    : undefined;
}

/** Units that were signed together; undefined where it is not told. */
export function lengthOf({ list, hash, counts }: Sought): number | undefined {
  return list === undefined ? counts[0] : list.length / hash.length;
}
