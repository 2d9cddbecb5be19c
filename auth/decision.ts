import { type Millis, type UnixMillis, unixMillis } from "../base/units.ts";
import { type Line, linesAt, linesOf, showingLines } from "./grant-index.ts";
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
  for (const lines of overCamera && right !== "see" ? [deny, linesOf(grants, "see").deny] : [deny]) {
    let first: Line | undefined;
    for (const some of linesAt(lines, camera))
      for (const line of some) {
        const match = matchOf(line.grant, question, overCamera);
        if (match !== "matches") validUntil = earlier(validUntil, changeOf(line.grant, question, match));
        else if (first === undefined || line.place < first.place) first = line;
      }
    if (first !== undefined)
      return refused(`denied by ${sourceOf(first.grant)}`, changeOf(first.grant, question, "matches"));
  }
  let maxAgeMs = -1;
  for (const some of linesAt(allow, camera))
    for (const { grant } of some) {
      const match = matchOf(grant, question, overCamera);
      if (match !== "other camera" && match !== "other interface")
        validUntil = earlier(validUntil, changeOf(grant, question, match));
      if (match === "matches") maxAgeMs = Math.max(maxAgeMs, grant.maxAgeMs ?? Number.POSITIVE_INFINITY);
    }
  if (maxAgeMs >= 0) return { allowed: true, why: `grant of ${right}`, validUntil, maxAgeMs };
  const last = allow.all.at(-1);
  const why = last === undefined ? `no grant of ${right}` : WORDS[matchOf(last, question, overCamera)](right);
  return refused(why, validUntil);
}

/**
 * Any right over the camera through this door makes it visible there, in its hours and out of them, unless seeing it is denied. A
 * camera that came and went with the hours would look removed to other systems.
 */
export function maySeeAt(
  grants: readonly EffectiveGrant[],
  question: { readonly camera: string; readonly interface: Interface; readonly at: UnixMillis },
): boolean {
  const { camera } = question;
  const asked: Question = { ...question, right: "see" };
  const isDenied = ({ grant }: Line): boolean => matchOf(grant, asked, true) === "matches";
  if (linesAt(linesOf(grants, "see").deny, camera).some((some) => some.some(isDenied))) return false;
  const shows = ({ grant }: Line): boolean => {
    const match = matchOf(grant, asked, true);
    return match === "matches" || match === "outside its hours";
  };
  return linesAt(showingLines(grants), camera).some((some) => some.some(shows));
}

/** What each grant of the right has to do with the question, those that deny first; for the simulator. */
export function traceOf(grants: readonly EffectiveGrant[], question: Question): readonly TraceLine[] {
  const overCamera = isCameraRight(question.right);
  const { deny, allow } = linesOf(grants, question.right);
  const hiding = overCamera && question.right !== "see" ? linesOf(grants, "see").deny.all : [];
  return [...deny.all, ...hiding, ...allow.all].map((grant) => ({
    grant,
    match: matchOf(grant, question, overCamera),
  }));
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
