import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Approvals } from "../../auth/approvals.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { WaitingLogIns } from "../../auth/waiting-log-ins.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { KerberosLogIns } from "../../bridge/directory/kerberos.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { type Proved, prove, StepMissing } from "../log-in.ts";
import { bindingOf, negotiateToken } from "../negotiate.ts";
import { plainApproval } from "../plain-approval.ts";
import { callerAtPages, doorOf, type WebDoor, type WebState } from "../state.ts";
import { SESSION_COOKIE } from "../visitor.ts";

export const oneTimeCode = z.string().min(1).max(64);

const named = z.strictObject({ name: z.string().min(1).max(128), password: z.string().min(1).max(1024) });
const logIn = named.extend({ code: oneTimeCode.optional() });
const byKerberos = z.strictObject({ code: oneTimeCode.optional() });
const ticketOf = z.strictObject({ ticket: z.string().min(1).max(64) });
const setUp = named.extend({ token: z.string().min(1).max(128) });

const KERBEROS_OFF = "Log-in by Kerberos is not set up here.";

const NO_TICKET =
  "This computer has no Kerberos ticket for the bridge, or the browser does not give it to this address. Log in with name and password.";

/** Log-in, log-out, and the first administrator; each is audited, those that fail too, except while attempts are throttled. */
export function sessionRoutes(o: {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly factors: SecondFactors;
  readonly sessions: WebSessions;
  readonly approvals: Approvals;
  /** Absent where it is off. */
  readonly kerberos?: Pick<KerberosLogIns, "prove"> | undefined;
  readonly clock: Clock;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const logIns = new WaitingLogIns(o);
  const audited = async <T>(
    action: string,
    who: string,
    { address }: Peer,
    act: () => Promise<T>,
    whyOf: (error: unknown) => string = kindOf,
  ): Promise<T> =>
    attempt(o.audit, { action, who, interface: "web", address }, act, (error) =>
      error instanceof StepMissing ? error.message : whyOf(error),
    );
  const enter = (ctx: WithCookies, who: Principal, { address }: Peer, why?: string): void => {
    const how = why === undefined ? {} : { why };
    o.audit.record({ action: "log-in", who: who.name, interface: "web", address, outcome: "allowed", ...how });
    begin(ctx, o.sessions, who);
  };
  /** Answers a log-in: a session, or what it still needs. */
  const answer = async (
    ctx: WithCookies & { status: number; body: unknown },
    peer: Peer,
    proving: () => Promise<Proved>,
    why?: string,
  ): Promise<void> => {
    try {
      const { who, recoveryCodes } = await proving();
      const told = recoveryCodes && { recoveryCodes: recoveryCodes.map((one) => one.reveal()) };
      const waits = await logIns.begin(who, peer.address);
      if (waits === undefined) {
        enter(ctx, who, peer, why);
        ctx.status = told === undefined ? 204 : 200;
        if (told !== undefined) ctx.body = told;
        return;
      }
      ctx.status = 202;
      const { ticket, approval } = waits;
      ctx.body = { needs: "approval", ticket: ticket.reveal(), approval: plainApproval(approval), ...told };
    } catch (error) {
      if (!(error instanceof StepMissing)) throw error;
      ctx.status = 202;
      ctx.body = error.needs;
    }
  };
  router.get("/session", (ctx) => {
    const { principal } = ctx.state;
    ctx.body = {
      setUpNeeded: o.accounts.setUpNeeded,
      ...(o.kerberos === undefined ? {} : { kerberos: true }),
      account:
        principal === undefined
          ? null
          : {
              name: principal.name,
              // Where anything waits for a second person.
              ...(o.approvals.inUse ? { approvals: true } : {}),
              // Undefined without a second factor.
              recoveryCodesLeft: o.factors.recoveryLeft(principal.accountId),
              // By what its codes are sent, and by what codes can be sent at all.
              codesBy: o.factors.sendsBy(principal.accountId),
              ...(o.factors.canSend("mail") ? { mailCodes: true } : {}),
              ...(o.factors.canSend("sms") ? { smsCodes: true } : {}),
              ...(o.accounts.demandsFactor(principal.accountId) ? { mustHaveFactor: true } : {}),
              ...(o.accounts.find(principal.accountId)?.directory === undefined ? {} : { directory: true }),
              rights: RIGHTS.filter((right) => holds(principal, right, doorOf(ctx))),
            },
    };
  });

  router.post("/session", async (ctx) => {
    const { name, password, code } = await jsonBody(ctx.req, logIn);
    const peer = o.peerOf(ctx);
    const first = (): Promise<Principal> => o.accounts.logIn(name, password, peer, "web");
    await answer(ctx, peer, () => audited("log-in", name, peer, () => prove(o, { name, first, code }, peer)));
  });

  // RFC 4559. Not a GET, so that no page elsewhere can have a browser do it.
  router.post("/session/kerberos", async (ctx) => {
    const { kerberos } = o;
    const peer = o.peerOf(ctx);
    if (kerberos === undefined || !peer.tls) throw new Fault("not-found", "Kerberos is off", { tell: KERBEROS_OFF });
    const token = negotiateToken(ctx.req);
    if (token === undefined) {
      ctx.set("www-authenticate", "Negotiate");
      throw new Fault("unauthenticated", "no ticket yet", { tell: NO_TICKET });
    }
    const { code } = await jsonBody(ctx.req, byKerberos);
    const showing = () => kerberos.prove(token, bindingOf(ctx.req), peer);
    const shown = await audited("log-in", "bearer of a Kerberos ticket", peer, showing, wordsOf);
    ctx.set("www-authenticate", `Negotiate ${shown.answer.toString("base64")}`);
    const { principal: name, directory, id } = shown;
    const first = async (): Promise<Principal> => o.accounts.enter(directory, id);
    const proving = () => audited("log-in", name, peer, () => prove(o, { name, first, code }, peer), wordsOf);
    await answer(ctx, peer, proving, `Kerberos: ${name}`);
  });

  // Of a log-in that waits for a second person: asked again and again, until it is answered.
  router.put("/session", async (ctx) => {
    const { ticket } = await jsonBody(ctx.req, ticketOf);
    const { address } = o.peerOf(ctx);
    const found = await logIns.proceed(ticket, address);
    if ("state" in found) {
      ctx.status = 202;
      ctx.body = { needs: "approval", approval: plainApproval(found) };
      return;
    }
    enter(ctx, found, o.peerOf(ctx));
    ctx.status = 204;
  });

  router.delete("/session", (ctx) => {
    const { name } = callerAtPages(ctx);
    o.audit.record({
      action: "log-out",
      who: name,
      interface: "web",
      address: o.peerOf(ctx).address,
      outcome: "allowed",
    });
    o.sessions.end(ctx.cookies.get(SESSION_COOKIE) ?? "");
    ctx.cookies.set(SESSION_COOKIE, null, { secure: true, path: "/" });
    ctx.status = 204;
  });

  router.post("/setup", async (ctx) => {
    const { token, name, password } = await jsonBody(ctx.req, setUp);
    const peer = o.peerOf(ctx);
    const principal = await audited("set-up", name, peer, () => o.accounts.setUp(token, name, password, peer));
    o.audit.record({ action: "set-up", who: name, interface: "web", address: peer.address, outcome: "allowed" });
    begin(ctx, o.sessions, principal);
    ctx.status = 201;
    ctx.body = { name: principal.name };
  });
  return router;
}

const kindOf = (error: unknown): string => asFault(error).kind;

const wordsOf = (error: unknown): string => asFault(error).message;

/** Whether the pages should offer it at all: over the product, or over some camera. */
function holds(who: Principal, right: Right, door: WebDoor): boolean {
  if (!isCameraRight(right)) return decide(who, { right, interface: door }).allowed;
  return who.grants.some((grant) => grant.right === right && grant.deny !== true);
}

interface WithCookies {
  readonly cookies: { set(name: string, value: string, options: object): unknown };
}

/** A new session, whose cookie the answer brings. */
export function begin(ctx: WithCookies, sessions: WebSessions, who: Principal): void {
  ctx.cookies.set(SESSION_COOKIE, sessions.begin(who).reveal(), {
    httpOnly: true,
    secure: true,
    sameSite: "strict",
    path: "/",
    overwrite: true,
  });
}
