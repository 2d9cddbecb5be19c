import type { IncomingMessage } from "node:http";
import type { Principal } from "../auth/principal.ts";
import type { SystemRight } from "../auth/right.ts";
import { Fault } from "../base/fault.ts";

/** What every route can know of the caller. */
export interface WebState {
  /** Absent before log-in. */
  principal?: Principal;
  /** How they come: by a log-in at the pages (where it is absent, too), or by a token. */
  door?: WebDoor;
}

export type WebDoor = "web" | "api";

/** The interface of a request, for its rights and for the audit log. */
export function doorOf(ctx: { readonly state: WebState }): WebDoor {
  return ctx.state.door ?? "web";
}

/** Who is logged in; `unauthenticated` for nobody. */
export function caller(ctx: { readonly state: WebState }): Principal {
  const { principal } = ctx.state;
  if (principal === undefined) throw new Fault("unauthenticated", "no session", { tell: "Log in first." });
  return principal;
}

/** Who is logged in at the pages; `denied` for who comes by a token, which is to change no credentials of its account. */
export function callerAtPages(ctx: { readonly state: WebState }): Principal {
  const who = caller(ctx);
  if (doorOf(ctx) !== "web")
    throw new Fault("denied", `${who.name} came by a token`, { tell: "This is done at the pages, not by a token." });
  return who;
}

/** `invalid` for the caller's own account: whoever finds a page open, or a token, must not be able to make the account their own. */
export function assertOthers(ctx: { readonly state: WebState }, id: string): void {
  const { accountId, name } = caller(ctx);
  if (id === accountId)
    throw new Fault("invalid", `${name} changes what their own account is known by`, {
      tell: "This is for accounts of others: what your own is known by, you change in the menu at your name.",
    });
}

/** Makes the check that stands in front of a route: `need("adopt-camera")`. */
export type Need = (
  right: SystemRight,
) => (ctx: { readonly state: WebState; readonly req: IncomingMessage }, next: () => Promise<void>) => Promise<void>;
