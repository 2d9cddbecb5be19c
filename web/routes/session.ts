import type { IncomingMessage } from "node:http";
import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Approvals } from "../../auth/approvals.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { Secret } from "../../base/secret.ts";
import { jsonBody } from "../body.ts";
import { begin, type Entrance, type EntranceParts } from "../entrance.ts";
import { prove } from "../log-in.ts";
import { plainApproval } from "../plain-approval.ts";
import { callerAtPages, doorOf, type WebDoor, type WebState } from "../state.ts";
import { SESSION_COOKIE } from "../visitor.ts";

export const oneTimeCode = z.string().min(1).max(64);

const named = z.strictObject({ name: z.string().min(1).max(128), password: z.string().min(1).max(1024) });
const logIn = named.extend({
  code: oneTimeCode.optional(),
  /** In the place of a temporary password. */
  next: z.string().min(1).max(1024).optional(),
});
const ticketOf = z.strictObject({ ticket: z.string().min(1).max(64) });
const setUp = named.extend({ token: z.string().min(1).max(128) });

/** Log-in, log-out, and the first administrator; each is audited, those that fail too, except while attempts are throttled. */
export function sessionRoutes(
  o: EntranceParts & {
    readonly factors: SecondFactors;
    readonly approvals: Approvals;
    /** Absent where they are off. */
    readonly kerberos?: object | undefined;
    readonly ntlm?: object | undefined;
    readonly entrance: Entrance;
    readonly peerOf: (ctx: { readonly req: IncomingMessage }) => Peer;
  },
): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const { entrance } = o;
  router.get("/session", (ctx) => {
    const { principal } = ctx.state;
    ctx.body = {
      setUpNeeded: o.accounts.setUpNeeded,
      ...(o.kerberos === undefined ? {} : { kerberos: true }),
      ...(o.ntlm === undefined ? {} : { ntlm: true }),
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
    const { name, password, code, next } = await jsonBody(ctx.req, logIn);
    const peer = o.peerOf(ctx);
    const first = (): Promise<Principal> => o.accounts.logIn(name, password, peer, "web");
    await entrance.answer(ctx, peer, () =>
      entrance.audited("log-in", name, peer, () =>
        prove(o, { name, first, code, next: next === undefined ? undefined : new Secret(next) }, peer),
      ),
    );
  });

  // Of a log-in that waits for a second person: asked again and again, until it is answered.
  router.put("/session", async (ctx) => {
    const { ticket } = await jsonBody(ctx.req, ticketOf);
    const { address } = o.peerOf(ctx);
    const found = await entrance.logIns.proceed(ticket, address);
    if ("state" in found) {
      ctx.status = 202;
      ctx.body = { needs: "approval", approval: plainApproval(found) };
      return;
    }
    await entrance.enter(ctx, found, o.peerOf(ctx));
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
    const principal = await entrance.audited("set-up", name, peer, () => o.accounts.setUp(token, name, password, peer));
    o.audit.record({ action: "set-up", who: name, interface: "web", address: peer.address, outcome: "allowed" });
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
