import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { asFault } from "../../base/fault.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { prove, StepMissing } from "../log-in.ts";
import { callerAtPages, doorOf, type WebDoor, type WebState } from "../state.ts";
import { SESSION_COOKIE } from "../visitor.ts";

export const oneTimeCode = z.string().min(1).max(64);

const named = z.strictObject({ name: z.string().min(1).max(128), password: z.string().min(1).max(1024) });
const logIn = named.extend({ code: oneTimeCode.optional() });
const setUp = named.extend({ token: z.string().min(1).max(128) });

/** Log-in, log-out, and the first administrator; each is audited, those that fail too, except while attempts are throttled. */
export function sessionRoutes(o: {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly factors: SecondFactors;
  readonly sessions: WebSessions;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const audited = async <T>(action: string, who: string, { address }: Peer, act: () => Promise<T>): Promise<T> => {
    const entry = { action, who, interface: "web", address } as const;
    const result = await attempt(o.audit, entry, act, (error) =>
      error instanceof StepMissing ? error.message : asFault(error).kind,
    );
    o.audit.record({ ...entry, outcome: "allowed" });
    return result;
  };
  router.get("/session", (ctx) => {
    const { principal } = ctx.state;
    ctx.body = {
      setUpNeeded: o.accounts.setUpNeeded,
      account:
        principal === undefined
          ? null
          : {
              name: principal.name,
              // Undefined without a second factor.
              recoveryCodesLeft: o.factors.recoveryLeft(principal.accountId),
              ...(o.accounts.demandsFactor(principal.accountId) ? { mustHaveFactor: true } : {}),
              rights: RIGHTS.filter((right) => holds(principal, right, doorOf(ctx))),
            },
    };
  });

  router.post("/session", async (ctx) => {
    const input = await jsonBody(ctx.req, logIn);
    const peer = o.peerOf(ctx);
    try {
      const { who, recoveryCodes } = await audited("log-in", input.name, peer, () => prove(o, input, peer));
      begin(ctx, o.sessions, who);
      ctx.status = recoveryCodes === undefined ? 204 : 200;
      if (recoveryCodes !== undefined) ctx.body = { recoveryCodes: recoveryCodes.map((one) => one.reveal()) };
    } catch (error) {
      if (!(error instanceof StepMissing)) throw error;
      ctx.status = 202;
      ctx.body = error.needs;
    }
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
    begin(ctx, o.sessions, principal);
    ctx.status = 201;
    ctx.body = { name: principal.name };
  });
  return router;
}

/** Whether the pages should offer it at all: over the product, or over some camera. */
function holds(who: Principal, right: Right, door: WebDoor): boolean {
  if (!isCameraRight(right)) return decide(who, { right, interface: door }).allowed;
  return who.grants.some((grant) => grant.right === right && grant.deny !== true);
}

/** A new session, whose cookie the answer brings. */
export function begin(
  ctx: { cookies: { set(name: string, value: string, options: object): unknown } },
  sessions: WebSessions,
  who: Principal,
): void {
  ctx.cookies.set(SESSION_COOKIE, sessions.begin(who).reveal(), {
    httpOnly: true,
    secure: true,
    sameSite: "strict",
    path: "/",
    overwrite: true,
  });
}
