import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit, AuditEntry } from "../../auth/audit.ts";
import type { SentBy } from "../../auth/destination.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { Fault } from "../../base/fault.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { begin } from "../entrance.ts";
import { sendCode } from "../send-code.ts";
import { assertOthers, caller, callerAtPages, doorOf, type Need, type WebDoor, type WebState } from "../state.ts";
import { oneTimeCode } from "./session.ts";

const destination = z.string().min(1).max(254);
const password = z.string().min(1).max(1024);
/** Where codes are to be sent; an authenticator shows them where there is neither. */
const begun = z.union([
  z.strictObject({ password }),
  z.strictObject({ password, mail: destination }),
  z.strictObject({ password, sms: destination }),
]);
const withCode = z.strictObject({ code: oneTimeCode });

/** The caller's own second factor, and its removal by who manages accounts, for those who have lost theirs. */
export function factorRoutes(o: {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly sessions: WebSessions;
  readonly audit: Audit;
  readonly need: Need;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const { accounts, factors } = o;
  const record = (who: Principal, action: string, subject: string, { address }: Peer, door: WebDoor = "web"): void =>
    o.audit.record({ who: who.name, action, subject, interface: door, outcome: "allowed", address });
  /** Where one is demanded, nothing goes on without. */
  const remove = async (accountId: string): Promise<void> => {
    await factors.remove(accountId);
    if (accounts.demandsFactor(accountId)) accounts.endAll(accountId);
  };
  /** Of the caller's own; whoever guesses at an open page is seen in the audit log. */
  const attempted = <T>(action: string, who: Principal, peer: Peer, act: () => Promise<T>): Promise<T> =>
    attempt(o.audit, { action, ...ownEntry(who, peer) }, act);

  // Whoever finds a page open must not be able to lock its owner out: the password is asked for once more.
  router.post("/session/factor", async (ctx) => {
    const who = callerAtPages(ctx);
    const { password, ...asked } = await jsonBody(ctx.req, begun);
    const peer = o.peerOf(ctx);
    const again = await attempted("set-second-factor", who, peer, () =>
      accounts.logIn(who.name, password, peer, "web"),
    );
    const [wanted] = Object.entries(asked).map(([by, to]) => ({ by: by as SentBy, to }));
    if (wanted !== undefined) {
      const first = () => factors.beginSent(again.accountId, again.name, wanted, peer.address);
      const sent = await sendCode(o.audit, ownEntry(who, peer), first);
      ctx.body = { sent };
      return;
    }
    const { secret, uri } = factors.begin(again.accountId, again.name);
    ctx.body = { secret: secret.reveal(), uri: uri.reveal() };
  });

  router.put("/session/factor", async (ctx) => {
    const who = callerAtPages(ctx);
    const { code } = await jsonBody(ctx.req, withCode);
    const peer = o.peerOf(ctx);
    const codes = await attempted("set-second-factor", who, peer, () =>
      factors.confirm(who.accountId, code, peer.address),
    );
    record(who, "set-second-factor", who.name, peer);
    // Whoever came with the password alone is out, wherever they came in; this page goes on.
    accounts.endAll(who.accountId);
    const anew = accounts.principalOf(who.accountId);
    if (anew !== undefined) begin(ctx, o.sessions, anew);
    ctx.body = { recoveryCodes: codes.map((one) => one.reveal()) };
  });

  // For who is to prove themselves once more, to remove it or to make a token.
  router.post("/session/factor/code", async (ctx) => {
    const who = callerAtPages(ctx);
    const peer = o.peerOf(ctx);
    const send = () => factors.sendCode(who.accountId, peer.address);
    const sent = await sendCode(o.audit, ownEntry(who, peer), send);
    if (sent === undefined) throw new Fault("wrong-state", "no codes are sent", { tell: "no codes are sent to you" });
    ctx.body = { sent };
  });

  router.delete("/session/factor", async (ctx) => {
    const who = callerAtPages(ctx);
    const { code } = await jsonBody(ctx.req, withCode);
    const peer = o.peerOf(ctx);
    await attempted("remove-second-factor", who, peer, () => factors.check(who.accountId, code, peer.address));
    await remove(who.accountId);
    record(who, "remove-second-factor", who.name, peer);
    ctx.status = 204;
  });

  router.delete("/accounts/:id/factor", o.need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const account = accounts.find(id);
    assertOthers(ctx, id);
    if (account === undefined || !factors.has(id)) throw new Fault("not-found", `no second factor of ${id}`);
    await remove(id);
    record(caller(ctx), "remove-second-factor", account.name, o.peerOf(ctx), doorOf(ctx));
    ctx.status = 204;
  });
  return router;
}

function ownEntry({ name }: Principal, { address }: Peer): Pick<AuditEntry, "who" | "interface" | "address"> {
  return { who: name, interface: "web", address };
}
