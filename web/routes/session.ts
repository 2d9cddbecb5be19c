import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { asFault } from "../../base/fault.ts";
import { jsonBody } from "../body.ts";
import { caller, type WebState } from "../state.ts";

/** The `__Host-` prefix makes browsers insist on Secure, no domain, and the whole site. */
export const SESSION_COOKIE = "__Host-viaduct";

const logIn = z.strictObject({ name: z.string().min(1).max(128), password: z.string().min(1).max(1024) });
const setUp = logIn.extend({ token: z.string().min(1).max(128) });

/** Log-in, log-out, and the first administrator; each is audited, those that fail too, except while attempts are throttled. */
export function sessionRoutes(o: {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly sessions: WebSessions;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const audited = async <T>(action: string, who: string, { address }: Peer, act: () => Promise<T>): Promise<T> => {
    const entry = { action, who, interface: "web", address } as const;
    try {
      const result = await act();
      o.audit.record({ ...entry, outcome: "allowed" });
      return result;
    } catch (error) {
      const { kind } = asFault(error);
      // A throttled attempt is refused unread: with a name of its own each time, a stranger could fill the disk with them.
      if (kind !== "busy") o.audit.record({ ...entry, outcome: "failed", why: kind });
      throw error;
    }
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
              rights: RIGHTS.filter((right) => holds(principal, right)),
            },
    };
  });

  router.post("/session", async (ctx) => {
    const { name, password } = await jsonBody(ctx.req, logIn);
    const peer = o.peerOf(ctx);
    const principal = await audited("log-in", name, peer, () => o.accounts.logIn(name, password, peer, "web"));
    begin(ctx, o.sessions.begin(principal).reveal());
    ctx.status = 204;
  });

  router.delete("/session", (ctx) => {
    const { name } = caller(ctx);
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
    begin(ctx, o.sessions.begin(principal).reveal());
    ctx.status = 201;
    ctx.body = { name: principal.name };
  });
  return router;
}

/** Whether the pages should offer it at all: over the product, or over some camera. */
function holds(who: Principal, right: Right): boolean {
  if (!isCameraRight(right)) return decide(who, { right, interface: "web" }).allowed;
  return who.grants.some((grant) => grant.right === right && grant.deny !== true);
}

function begin(
  ctx: { cookies: { set(name: string, value: string, options: object): unknown } },
  session: string,
): void {
  ctx.cookies.set(SESSION_COOKIE, session, {
    httpOnly: true,
    secure: true,
    sameSite: "strict",
    path: "/",
    overwrite: true,
  });
}
