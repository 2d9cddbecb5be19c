import { type UnixMillis, unixMillis } from "../base/units.ts";
import { grantEndedBy } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** Who comes in the place of `of` by something that expires (never if absent) or is taken back: with its rights, and no longer than that. */
export function principalUntil(
  of: Principal,
  o: {
    readonly until: UnixMillis | undefined;
    readonly revoked: AbortSignal;
    readonly renew: () => Principal | undefined;
  },
): Principal {
  const { revoked, renew } = o;
  // Whoever comes in the place of somebody whose time is limited stays no longer.
  const until = of.until === undefined ? o.until : unixMillis(Math.min(of.until, o.until ?? of.until));
  const borrowed = { ...of, revoked: AbortSignal.any([of.revoked, revoked]), renew };
  return until === undefined
    ? borrowed
    : { ...borrowed, until, grants: of.grants.map((grant) => grantEndedBy(grant, until)) };
}
