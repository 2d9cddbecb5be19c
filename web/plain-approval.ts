import { ACTS } from "../auth/acts.ts";
import type { Approval } from "../auth/approval.ts";
import { isoOf } from "../base/units.ts";

/** A request for a second person in JSON, as who asked and who may answer see it. */
export function plainApproval(one: Approval): object {
  const { id, act, who, interface: door, address, words, askedAt, until, state, by, why } = one;
  return {
    id,
    act,
    does: ACTS[act],
    who,
    interface: door,
    address,
    words,
    askedAt: isoOf(askedAt),
    until: isoOf(until),
    state,
    by: by === undefined ? null : { who: by.who, at: isoOf(by.at) },
    why: why ?? null,
  };
}
