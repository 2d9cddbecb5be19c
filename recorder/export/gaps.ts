import { isoOf, unixMillis } from "../../base/units.ts";
import type { GapRow } from "../catalog-rows.ts";
import type { Missing } from "./cut.ts";

/** Shorter than this is the step from one picture to the next. */
const LEAST_US = 1_500_000;

interface Stretch {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * What is not in an export of what was asked for, each with its reason: what could not be taken says it itself, what was not recorded
 * is told by the catalog, and of the rest nobody knows why. `films`: in order. Times in microseconds since 1970.
 */
export function gapsOf(
  asked: Stretch,
  films: readonly Stretch[],
  missing: readonly Missing[],
  known: readonly GapRow[],
): readonly Missing[] {
  const found: Missing[] = [...missing];
  const inside = [...films, ...missing].toSorted((a, b) => a.fromUs - b.fromUs);
  let endUs = asked.fromUs;
  for (const { fromUs, toUs } of [...inside, { fromUs: asked.toUs, toUs: asked.toUs }]) {
    if (fromUs - endUs > LEAST_US) found.push({ fromUs: endUs, toUs: fromUs, reason: reasonOf(endUs, fromUs, known) });
    endUs = Math.max(endUs, toUs);
  }
  return joined(found.toSorted((a, b) => a.fromUs - b.fromUs));
}

function reasonOf(fromUs: number, toUs: number, known: readonly GapRow[]): string {
  const reasons = known
    .filter((gap) => gap.fromUs < toUs && (gap.toUs ?? Number.POSITIVE_INFINITY) > fromUs)
    .map(({ reason }) => reason);
  if (reasons.length > 0) return `not recorded: ${[...new Set(reasons)].join("; ")}`;
  return "nothing is recorded: it was not recorded, or it was deleted since";
}

function joined(gaps: readonly Missing[]): readonly Missing[] {
  const found: Missing[] = [];
  for (const gap of gaps) addMissing(found, gap);
  return found;
}

/** Adds a stretch to those that are known: one that goes on with the last of them is one with it. */
export function addMissing(found: Missing[], gap: Missing): void {
  const last = found.at(-1);
  const follows = last !== undefined && gap.fromUs >= last.fromUs && gap.fromUs - last.toUs <= LEAST_US;
  if (follows && last.reason === gap.reason) found[found.length - 1] = { ...last, toUs: Math.max(last.toUs, gap.toUs) };
  else found.push(gap);
}

/** Where the first picture and the last are, beside what was asked for: films begin at key frames, and are not cut within a fragment. */
export function noteOf(asked: Stretch, films: readonly Stretch[]): string {
  const [first] = films;
  if (first === undefined) return "nothing of what was asked for is here";
  const endUs = Math.max(...films.map(({ toUs }) => toUs));
  return `begins ${apart(first.fromUs - asked.fromUs, "at a key frame")}, ends ${apart(endUs - asked.toUs, "with its fragment")}`;
}

function apart(us: number, why: string): string {
  const seconds = Math.abs(us / 1_000_000).toFixed(1);
  if (seconds === "0.0") return "as asked for";
  return us < 0 ? `${seconds} s before what was asked for, ${why}` : `${seconds} s after what was asked for, ${why}`;
}

/** Rounded down to a millisecond. */
export function timeOf(us: number): string {
  return isoOf(unixMillis(Math.floor(us / 1000)));
}
