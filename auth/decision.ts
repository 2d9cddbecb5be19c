import { type Millis, type UnixMillis, unixMillis } from "../base/units.ts";
import type { EffectiveGrant } from "./principal.ts";
import { type Interface, isCameraRight, type Right } from "./right.ts";

/** One question: may it be done, with this camera, through this door, at that instant? */
export interface Question {
  readonly right: Right;
  /** Needed for camera rights, without meaning for system rights. */
  readonly camera?: string | undefined;
  readonly interface: Interface;
  readonly at: UnixMillis;
  /** How old the footage is that is asked for. Without it, whoever is allowed holds {@link Decision.maxAgeMs}. */
  readonly ageMs?: Millis | undefined;
}

export interface Decision {
  readonly allowed: boolean;
  /** For the audit log and the administrator; the nearest miss when denied. Never told to the caller. */
  readonly why: string;
  /** Until then the answer stays the same for these grants. Ask again then. Infinite where no time has a part in it. */
  readonly validUntil: UnixMillis;
  /** When allowed: older footage may be neither found nor played. Infinite where all of it may. */
  readonly maxAgeMs: Millis;
}

/** How one grant meets a question: `matches`, or the first thing that keeps it from doing so. */
export type Match =
  | "matches"
  | "other camera"
  | "other interface"
  | "not yet in force"
  | "no longer in force"
  | "outside its hours"
  | "too old for it";

/** What a grant has to do with a question. */
export interface TraceLine {
  readonly grant: EffectiveGrant;
  readonly match: Match;
}

const EVER = unixMillis(Number.POSITIVE_INFINITY);

/** Grants by right, so that a decision looks at few of them. Lists of grants never change. */
const indexes = new WeakMap<readonly EffectiveGrant[], ReadonlyMap<Right, Lines>>();

interface Lines {
  readonly deny: readonly EffectiveGrant[];
  readonly allow: readonly EffectiveGrant[];
}

const NONE: Lines = { deny: [], allow: [] };

/**
 * Decides one question. Pure: no clock, no store, no log, so that a table of cases can say all of it. Denies by default: some
 * grant must match in every respect, and no denying one may. To deny `see` of a camera is to deny everything with it.
 */
export function decideAt(grants: readonly EffectiveGrant[], question: Question): Decision {
  const { right, camera } = question;
  const overCamera = isCameraRight(right);
  if (overCamera && camera === undefined) return refused("no camera named", EVER);
  let validUntil = EVER;
  const { deny, allow } = linesOf(grants, right);
  const hiding = overCamera && right !== "see" ? linesOf(grants, "see").deny : [];
  for (const lines of [deny, hiding])
    for (const grant of lines) {
      const match = matchOf(grant, question, overCamera);
      if (match === "matches") return refused(`denied by ${sourceOf(grant)}`, changeOf(grant, question, match));
      validUntil = earlier(validUntil, changeOf(grant, question, match));
    }
  let why = `no grant of ${right}`;
  let maxAgeMs = -1;
  for (const grant of allow) {
    const match = matchOf(grant, question, overCamera);
    if (match !== "other camera" && match !== "other interface")
      validUntil = earlier(validUntil, changeOf(grant, question, match));
    if (match !== "matches") why = WORDS[match](right);
    else if ((grant.maxAgeMs ?? Number.POSITIVE_INFINITY) > maxAgeMs)
      maxAgeMs = grant.maxAgeMs ?? Number.POSITIVE_INFINITY;
  }
  if (maxAgeMs < 0) return refused(why, validUntil);
  return { allowed: true, why: `grant of ${right}`, validUntil, maxAgeMs };
}

/**
 * Any right over the camera through this door makes it visible there, in its hours and out of them, unless seeing it is denied. A
 * camera that came and went with the hours would look removed to other systems.
 */
export function maySeeAt(
  grants: readonly EffectiveGrant[],
  question: { readonly camera: string; readonly interface: Interface; readonly at: UnixMillis },
): boolean {
  const see = { ...question, right: "see" } as const;
  if (linesOf(grants, "see").deny.some((grant) => matchOf(grant, see, true) === "matches")) return false;
  return grants.some((grant) => {
    if (grant.deny === true || !isCameraRight(grant.right)) return false;
    const match = matchOf(grant, { ...question, right: grant.right }, true);
    return match === "matches" || match === "outside its hours";
  });
}

/** What each grant of the right has to do with the question, those that deny first; for the simulator. */
export function traceOf(grants: readonly EffectiveGrant[], question: Question): readonly TraceLine[] {
  const overCamera = isCameraRight(question.right);
  const { deny, allow } = linesOf(grants, question.right);
  const hiding = overCamera && question.right !== "see" ? linesOf(grants, "see").deny : [];
  return [...deny, ...hiding, ...allow].map((grant) => ({ grant, match: matchOf(grant, question, overCamera) }));
}

function matchOf(grant: EffectiveGrant, question: Question, overCamera: boolean): Match {
  const { camera = "", at, ageMs } = question;
  if (overCamera && ((grant.cameras !== "any" && !grant.cameras.has(camera)) || grant.except?.has(camera) === true))
    return "other camera";
  if (grant.interfaces !== "any" && !grant.interfaces.has(question.interface)) return "other interface";
  if (grant.from !== undefined && at < grant.from) return "not yet in force";
  if (grant.until !== undefined && at >= grant.until) return "no longer in force";
  if (grant.hours?.at(at).open === false) return "outside its hours";
  if (grant.maxAgeMs !== undefined && ageMs !== undefined && ageMs > grant.maxAgeMs) return "too old for it";
  return "matches";
}

/** The next instant at which the match may be another one. */
function changeOf(grant: EffectiveGrant, { at, ageMs }: Question, match: Match): UnixMillis {
  if (match === "not yet in force") return grant.from ?? EVER;
  if (match !== "matches" && match !== "outside its hours") return EVER;
  const end = earlier(grant.hours?.at(at).until ?? EVER, grant.until ?? EVER);
  if (match !== "matches" || grant.maxAgeMs === undefined || ageMs === undefined) return end;
  // Footage grows old while it is played.
  return earlier(end, unixMillis(at + grant.maxAgeMs - ageMs + 1));
}

const WORDS: Readonly<Record<Match, (right: Right) => string>> = {
  matches: (right) => `grant of ${right}`,
  "other camera": (right) => `${right} is granted on other cameras`,
  "other interface": (right) => `${right} is granted on other interfaces`,
  "not yet in force": (right) => `the grant of ${right} is not yet in force`,
  "no longer in force": (right) => `the grant of ${right} is no longer in force`,
  "outside its hours": (right) => `${right} is granted at other hours`,
  "too old for it": (right) => `${right} is granted of newer footage`,
};

function sourceOf(grant: EffectiveGrant): string {
  return grant.source ?? "a grant";
}

function refused(why: string, validUntil: UnixMillis): Decision {
  return { allowed: false, why, validUntil, maxAgeMs: 0 };
}

function earlier(a: UnixMillis, b: UnixMillis): UnixMillis {
  return a < b ? a : b;
}

function linesOf(grants: readonly EffectiveGrant[], right: Right): Lines {
  let index = indexes.get(grants);
  if (index === undefined) {
    index = indexOf(grants);
    indexes.set(grants, index);
  }
  return index.get(right) ?? NONE;
}

function indexOf(grants: readonly EffectiveGrant[]): ReadonlyMap<Right, Lines> {
  const index = new Map<Right, { deny: EffectiveGrant[]; allow: EffectiveGrant[] }>();
  for (const grant of grants) {
    const lines = index.get(grant.right) ?? { deny: [], allow: [] };
    (grant.deny === true ? lines.deny : lines.allow).push(grant);
    index.set(grant.right, lines);
  }
  return index;
}
