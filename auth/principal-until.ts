import type { UnixMillis } from "../base/units.ts";
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
  const { until, revoked, renew } = o;
  const borrowed = { ...of, revoked: AbortSignal.any([of.revoked, revoked]), renew };
  return until === undefined
    ? borrowed
    : { ...borrowed, until, grants: of.grants.map((grant) => grantEndedBy(grant, until)) };
}
