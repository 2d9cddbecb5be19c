import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { SecondPerson } from "../../auth/approval.ts";
import { ARMED_FOR, type Arming, isArmed, leftOf } from "../../auth/arming.ts";
import type { Audit } from "../../auth/audit.ts";
import { ManagedArming } from "../../auth/managed-arming.ts";
import { Fault } from "../../base/fault.ts";
import { isoOf, MINUTE, SECOND, type UnixMillis } from "../../base/units.ts";
import { jsonBody } from "../body.ts";
import { askerOf } from "../managed-by.ts";
import { caller, type Need, type WebState } from "../state.ts";

const demand = z.strictObject({ onlyWhileArmed: z.boolean() });
/** From when it is done. */
const time = z.strictObject({
  minutes: z
    .int()
    .min(ARMED_FOR.shortestMs / MINUTE)
    .max(ARMED_FOR.longestMs / MINUTE),
});

/** For the list of accounts: null where a system is let in at any time; `until` and `leftSeconds` are null where it is not armed. */
export function plainArming(arming: Arming | undefined, now: UnixMillis): object | null {
  if (arming === undefined) return null;
  const window = isArmed(arming, now) ? arming.window : undefined;
  return {
    until: window === undefined ? null : isoOf(window.until),
    // By our clock: that of the browser may be another.
    leftSeconds: window === undefined ? null : Math.ceil(leftOf(window, now) / SECOND),
  };
}

/** External systems that are let in only while they are armed: which, for how long, and the end. None arms itself. */
export function armingRoutes(o: {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/accounts/:id/arming" });
  const { accounts, audit, approvals, need } = o;
  const managed = (ctx: Parameters<typeof askerOf>[0]) => new ManagedArming(accounts, audit, approvals, askerOf(ctx));

  router.put("/", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { onlyWhileArmed } = await jsonBody(ctx.req, demand);
    assertNotOwn(ctx, id);
    await managed(ctx).demand(id, onlyWhileArmed);
    ctx.status = 204;
  });

  router.post("/", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { minutes } = await jsonBody(ctx.req, time);
    assertNotOwn(ctx, id);
    const { until } = await managed(ctx).arm(id, minutes * MINUTE);
    ctx.body = { until: isoOf(until) };
  });

  router.delete("/", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await managed(ctx).disarm(id);
    ctx.status = 204;
  });
  return router;
}

/** A system that lets itself in, or goes on to, would need nobody. */
function assertNotOwn(ctx: { readonly state: WebState }, id: string): void {
  const { accountId, name } = caller(ctx);
  if (id === accountId) throw new Fault("denied", `${name} arms itself`, { tell: "no external system arms itself" });
}
