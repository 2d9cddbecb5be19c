import type { IncomingMessage } from "node:http";
import type { Accounts } from "../auth/accounts.ts";
import type { Audit } from "../auth/audit.ts";
import { ManagedAccounts } from "../auth/managed.ts";
import { peerOf } from "../net/http.ts";
import { caller, type WebState } from "./state.ts";

/** Accounts as the caller of a request changes them. */
export function managedBy(
  accounts: Accounts,
  audit: Audit,
): (ctx: { readonly state: WebState; readonly req: IncomingMessage }) => ManagedAccounts {
  return (ctx) =>
    new ManagedAccounts(accounts, audit, {
      who: caller(ctx).name,
      interface: "web",
      address: peerOf(ctx.req.socket).address,
    });
}
