import type { IncomingMessage } from "node:http";
import type { Principal } from "../auth/principal.ts";
import type { SystemRight } from "../auth/right.ts";
import { Fault } from "../base/fault.ts";

/** What every route can know of the caller. */
export interface WebState {
  /** Absent before log-in. */
  principal?: Principal;
}

/** Who is logged in; `unauthenticated` for nobody. */
export function caller(ctx: { readonly state: WebState }): Principal {
  const { principal } = ctx.state;
  if (principal === undefined) throw new Fault("unauthenticated", "no session", { tell: "Log in first." });
  return principal;
}

/** Makes the check that stands in front of a route: `need("adopt-camera")`. */
export type Need = (
  right: SystemRight,
) => (ctx: { readonly state: WebState; readonly req: IncomingMessage }, next: () => Promise<void>) => Promise<void>;
