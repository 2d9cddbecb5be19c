import { Networks } from "../base/address.ts";
import { Fault } from "../base/fault.ts";
import type { ApiToken } from "./api-token.ts";
import type { LastUse } from "./last-use.ts";
import type { Peer, Principal } from "./principal.ts";
import type { Interface } from "./right.ts";

/** A token in memory. */
export interface HeldToken {
  token: ApiToken;
  readonly networks: Networks | undefined;
  readonly revoke: AbortController;
  /** Made from the account's principal of a moment, as long as that is the present one. */
  made: { readonly of: Principal; readonly principal: Principal } | undefined;
  auditedUse: LastUse | undefined;
}

/** Fault `invalid` where a network makes no sense. */
export function heldOf(token: ApiToken): HeldToken {
  try {
    const networks = token.networks.length === 0 ? undefined : new Networks(token.networks);
    return { token, networks, revoke: new AbortController(), made: undefined, auditedUse: undefined };
  } catch (cause) {
    const tell = (cause as Error).message;
    throw new Fault("invalid", tell, { tell, cause });
  }
}

/** Why it is not taken from that address at that door; undefined where it is. */
export function whyNotAt({ token, networks }: HeldToken, { address }: Peer, door: Interface): string | undefined {
  if (networks?.has(address) === false) return `it is not for ${address}`;
  return token.interfaces.some((one) => one === door) ? undefined : `it is not for ${door}`;
}
