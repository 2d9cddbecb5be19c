import type { CameraFinding, CameraVerdict } from "./finding.ts";
import type { SignedUnit } from "./units.ts";
import { WHY } from "./why.ts";

/** What becomes of good that a message said which is signed with pictures; undefined: it holds. */
export type Vouched = Pick<CameraFinding, "verdict" | "why"> | undefined;
export const UNVOUCHED: Vouched = { verdict: "unknown", why: WHY.unvouched };

/** Says it of units, and, by `vouch` of their places, what the messages among them say. */
export function say(
  units: readonly SignedUnit[],
  verdict: CameraVerdict,
  why: string | undefined,
  into: CameraFinding[],
  vouch: (index: number) => Vouched = () => UNVOUCHED,
): void {
  if (units.length === 0) return;
  const fromUs = units.reduce((least, unit) => Math.min(least, unit.fromUs), Number.POSITIVE_INFINITY);
  const toUs = units.reduce((most, unit) => Math.max(most, unit.toUs), 0);
  into.push({ fromUs, toUs, verdict, ...(why === undefined ? {} : { why }) });
  for (const [index, { held = [] }] of units.entries())
    for (const one of held.slice()) into.push(one.verdict === "ok" ? { ...one, ...vouch(index) } : one);
}
