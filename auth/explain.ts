import type { UnixMillis } from "../base/units.ts";
import type { Account } from "./account.ts";
import { isArmed } from "./arming.ts";
import { type Decision, decideAt, type Match, maySeeAt, type Question, traceOf } from "./decision.ts";
import { letsIn } from "./directory-link.ts";
import type { EffectiveGrant } from "./principal.ts";
import { type CameraRight, INTERFACES, type Interface, isCameraRight, RIGHTS, type Right } from "./right.ts";

/** Changes of a decision that are followed to find its real end: a week of hours has a few dozen. */
const MAX_STEPS = 200;

/** Why somebody may do something, or not: for the administrator who asks. */
export interface Explanation {
  readonly allowed: boolean;
  /** The nearest miss when denied. */
  readonly why: string;
  /** The camera would not be told from a missing one. False for a right over the product. */
  readonly hidden: boolean;
  /** When the answer becomes the other one; undefined where it does not in the next weeks. */
  readonly until: UnixMillis | undefined;
  /** The age of footage up to which it may be had; undefined where all of it may. */
  readonly maxAgeMs: number | undefined;
  /** Every grant of the right, those that deny first, and how it meets the question. */
  readonly grants: readonly { readonly source: string; readonly deny: boolean; readonly match: Match }[];
}

/** Of an account, what keeps it out whatever its rights are. */
interface Explained extends Pick<Account, "enabled" | "directory" | "arming" | "temporaryPassword"> {
  /** It must have a second factor, and has none. */
  readonly lacksFactor: boolean;
}

/** What the doors would answer the account at that instant, if its rights stayed as they are. */
export function explain(account: Explained, grants: readonly EffectiveGrant[], question: Question): Explanation {
  const { camera, interface: door, at } = question;
  const overCamera = camera !== undefined && isCameraRight(question.right);
  const out = whyOut(account, at);
  if (out !== undefined)
    return {
      allowed: false,
      why: out,
      hidden: overCamera,
      until: undefined,
      maxAgeMs: undefined,
      grants: [],
    };
  const { allowed, why, maxAgeMs } = decideAt(grants, question);
  return {
    allowed,
    why,
    hidden: overCamera && !maySeeAt(grants, { camera, interface: door, at }),
    until: endOf(grants, question),
    maxAgeMs: allowed && Number.isFinite(maxAgeMs) ? maxAgeMs : undefined,
    grants: traceOf(grants, question).map(({ grant, match }) => ({
      source: grant.source ?? "a grant",
      deny: grant.deny === true,
      match,
    })),
  };
}

/** Why nobody is let in by the account at that instant, whatever it may do; undefined where somebody is. */
export function whyOut(account: Explained, at: UnixMillis): string | undefined {
  const { enabled, directory, arming, lacksFactor, temporaryPassword } = account;
  if (!enabled) return "the account is disabled";
  if (letsIn(directory, at) && !isArmed(arming, at)) return "it is let in only while it is armed, and it is not";
  if (temporaryPassword === true) return "a password has to be chosen first in the place of the temporary one";
  if (letsIn(directory, at)) return lacksFactor ? "a second factor has to be set up first" : undefined;
  return directory?.out === undefined ? "it has expired in the directory" : `it is ${directory.out} in the directory`;
}

/** One line of what an account may do: with which cameras and through which doors, at that instant. */
export interface EffectiveRight {
  readonly right: Right;
  readonly interface: Interface;
  /** Of the cameras that were asked about; empty for a right over the product. */
  readonly cameras: readonly string[];
}

/** All that is allowed at that instant, by right and interface. */
export function effectiveRights(
  grants: readonly EffectiveGrant[],
  cameras: readonly string[],
  at: UnixMillis,
): readonly EffectiveRight[] {
  return RIGHTS.flatMap((right) =>
    INTERFACES.flatMap((door): readonly EffectiveRight[] => {
      if (!isCameraRight(right))
        return decideAt(grants, { right, interface: door, at }).allowed
          ? [{ right, interface: door, cameras: [] }]
          : [];
      const reached = reachOf(grants, { right, interfaces: [door], at }, new Set(cameras));
      if (reached === "any") return cameras.length === 0 ? [] : [{ right, interface: door, cameras }];
      return reached.length === 0 ? [] : [{ right, interface: door, cameras: reached }];
    }),
  );
}

/**
 * With which of the cameras it is allowed at that instant, through any of the interfaces; `any` where it is with all of them and with
 * those that come later. Decides for those that grants name, and once for all others.
 */
export function reachOf(
  grants: readonly EffectiveGrant[],
  what: { readonly right: CameraRight; readonly interfaces: readonly Interface[]; readonly at: UnixMillis },
  cameras: ReadonlySet<string>,
): "any" | readonly string[] {
  const { right, interfaces, at } = what;
  const may = (camera: string): boolean =>
    interfaces.some((door) => decideAt(grants, { right, camera, interface: door, at }).allowed);
  const named = new Set(
    grants
      .filter((grant) => grant.right === right || grant.right === "see")
      .flatMap((grant) => [...(grant.cameras === "any" ? [] : grant.cameras), ...(grant.except ?? [])]),
  );
  const unnamed = may("");
  if (!unnamed) return [...named].filter((camera) => cameras.has(camera) && may(camera));
  const allowed = [...cameras].filter((camera) => !named.has(camera) || may(camera));
  return allowed.length === cameras.size ? "any" : allowed;
}

function endOf(grants: readonly EffectiveGrant[], question: Question): UnixMillis | undefined {
  let decision: Decision = decideAt(grants, question);
  const { allowed } = decision;
  for (let step = 0; step < MAX_STEPS && Number.isFinite(decision.validUntil); step += 1) {
    const at = decision.validUntil;
    const ageMs = question.ageMs === undefined ? undefined : question.ageMs + at - question.at;
    decision = decideAt(grants, { ...question, at, ageMs });
    if (decision.allowed !== allowed) return at;
  }
  return undefined;
}
