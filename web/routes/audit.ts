import { Router } from "@koa/router";
import { z } from "zod";
import { type AuditFilter, EXACT } from "../../auth/audit/filter.ts";
import { findEntries } from "../../auth/audit/find.ts";
import type { Audit } from "../../auth/audit.ts";
import { unixMillis } from "../../base/units.ts";
import type { AuditTrail } from "../../bridge/bridge.ts";
import { peerOf } from "../../net/http.ts";
import { parsed } from "../query.ts";
import { caller, doorOf, type Need, type WebState } from "../state.ts";

const word = z.string().min(1).max(256).optional();
const instant = z.iso.datetime({ offset: true }).transform((text) => unixMillis(Date.parse(text)));

const question = z.strictObject({
  ...(Object.fromEntries(EXACT.map((name) => [name, word])) as Record<(typeof EXACT)[number], typeof word>),
  text: word,
  /** ISO 8601 with zone. */
  from: instant.optional(),
  to: instant.optional(),
  /** Entries before this number. */
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

/** The audit log for who may read it, the newest first, page by page; what was looked for stands in it too. */
export function auditRoutes(o: {
  readonly audit: Audit;
  readonly auditTrail: AuditTrail;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/audit" });

  router.get("/", o.need("read-audit"), async (ctx) => {
    const { before, limit, ...given } = parsed(question, ctx.query);
    const filter = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as AuditFilter;
    o.audit.record({
      who: caller(ctx).name,
      action: "search-audit",
      interface: doorOf(ctx),
      outcome: "allowed",
      why: JSON.stringify(filter),
      address: peerOf(ctx.req.socket).address,
    });
    ctx.body = await findEntries(o.auditTrail.path, filter, { limit, before });
  });

  router.get("/state", o.need("read-audit"), (ctx) => {
    ctx.body = { failing: o.audit.failing === true, forwarding: o.auditTrail.forwarding() };
  });
  return router;
}
