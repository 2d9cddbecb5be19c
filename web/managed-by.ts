import type { IncomingMessage } from "node:http";
import type { Accounts } from "../auth/accounts.ts";
import type { Asker, SecondPerson } from "../auth/approval.ts";
import type { Audit } from "../auth/audit.ts";
import { ManagedAccounts } from "../auth/managed.ts";
import { peerOf } from "../net/http.ts";
import { caller, doorOf, type WebState } from "./state.ts";

interface Request {
  readonly state: WebState;
  readonly req: IncomingMessage;
}

/** The caller of a request, as somebody who changes something. */
export function askerOf(ctx: Request): Asker {
  const principal = caller(ctx);
  return { principal, who: principal.name, interface: doorOf(ctx), address: peerOf(ctx.req.socket).address };
}

/** Accounts as the caller of a request changes them. */
export function managedBy(
  accounts: Accounts,
  audit: Audit,
  approvals: SecondPerson,
): (ctx: Request) => ManagedAccounts {
  return (ctx) => new ManagedAccounts(accounts, audit, approvals, askerOf(ctx));
}
