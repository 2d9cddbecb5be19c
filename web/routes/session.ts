import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { asFault, Fault } from "../../base/fault.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
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
      error instanceof CodeMissing ? "password right, code missing" : asFault(error).kind,
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
              rights: RIGHTS.filter((right) => holds(principal, right, doorOf(ctx))),
            },
    };
  });

  router.post("/session", async (ctx) => {
    const { name, password, code } = await jsonBody(ctx.req, logIn);
    const peer = o.peerOf(ctx);
    const principal = await audited("log-in", name, peer, async () => {
      const who = await o.accounts.logIn(name, password, peer, "web");
      if (!o.factors.has(who.accountId)) return who;
      if (code === undefined) throw new CodeMissing();
      const taken = await o.factors.check(who.accountId, code);
      // Somebody has lost their telephone, or somebody else has found their paper.
      if (taken === "recovery code")
        o.audit.record({
          action: "use-recovery-code",
          who: name,
          subject: name,
          interface: "web",
          address: peer.address,
          outcome: "allowed",
        });
      return who;
    }).catch((error: unknown) => {
      if (error instanceof CodeMissing) return undefined;
      throw error;
    });
    if (principal === undefined) {
      ctx.status = 202;
      ctx.body = { needs: "code" };
      return;
    }
    begin(ctx, o.sessions, principal);
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
    begin(ctx, o.sessions, principal);
    ctx.status = 201;
    ctx.body = { name: principal.name };
  });
  return router;
}

/** The password was right, and the second factor is still to come. */
class CodeMissing extends Fault {
  constructor() {
    super("unauthenticated", "the password was right, and no code of the second factor was given");
  }
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
