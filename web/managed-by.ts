import type { IncomingMessage } from "node:http";
import type { Accounts } from "../auth/accounts.ts";
import type { Audit } from "../auth/audit.ts";
import { ManagedAccounts, type Manager } from "../auth/managed.ts";
import { peerOf } from "../net/http.ts";
import { caller, doorOf, type WebState } from "./state.ts";

interface Request {
  readonly state: WebState;
  readonly req: IncomingMessage;
}

/** The caller of a request, as somebody who changes something. */
export function managerOf(ctx: Request): Manager {
  return { who: caller(ctx).name, interface: doorOf(ctx), address: peerOf(ctx.req.socket).address };
}

/** Accounts as the caller of a request changes them. */
export function managedBy(accounts: Accounts, audit: Audit): (ctx: Request) => ManagedAccounts {
  return (ctx) => new ManagedAccounts(accounts, audit, managerOf(ctx));
}
