import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { effectiveRights, explain, whyOut } from "../../auth/explain.ts";
import { plainGrants, readGrants } from "../../auth/grants.ts";
import { POLICY_KINDS, type PolicyKind, plainPart, readPart } from "../../auth/policy.ts";
import { CAMERA_RIGHTS, INTERFACES, isCameraRight, RIGHTS, SYSTEM_RIGHTS } from "../../auth/right.ts";
import { Fault } from "../../base/fault.ts";
import { isoOf, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { jsonBody } from "../body.ts";
import { managedBy } from "../managed-by.ts";
import { parsed } from "../query.ts";
import type { Need, WebState } from "../state.ts";

const instant = z.iso.datetime({ offset: true }).transform((text) => unixMillis(Date.parse(text)));
const question = z.object({
  right: z.enum(RIGHTS),
  camera: z.string().min(1).max(64).optional(),
  interface: z.enum(INTERFACES),
  /** ISO 8601 with zone; now if absent. */
  at: instant.optional(),
  /** Milliseconds. */
  age: z.coerce.number().int().nonnegative().optional(),
});
const moment = z.object({ at: instant.optional() });
const rights = z.strictObject({
  roles: z.array(z.string().max(64)).max(100),
  grants: z.unknown().transform(readGrants),
});

/** All rights, in the words in which pages say them. */
const VOCABULARY = RIGHTS.map((right) => ({
  right,
  words: isCameraRight(right) ? CAMERA_RIGHTS[right] : SYSTEM_RIGHTS[right],
  ofCamera: isCameraRight(right),
}));

/** Roles, camera groups and time profiles; the rights of accounts, and why they have them. */
export function rightsRoutes(o: {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly cameras: { all(): readonly BridgedCamera[] };
  readonly now: () => UnixMillis;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const { accounts, need } = o;
  const managed = managedBy(accounts, o.audit, o.approvals);
  const grantsOf = (id: string) => {
    const grants = accounts.grantsOf(id);
    const account = accounts.find(id);
    if (grants === undefined || account === undefined) throw new Fault("not-found", `no account ${id}`);
    return { account: { ...account, lacksFactor: accounts.lacksFactor(id) }, grants };
  };

  router.get("/policy", need("manage-accounts"), (ctx) => {
    const { policy } = accounts;
    const parts = POLICY_KINDS.map((kind) => [
      kind,
      policy.ids(kind).map((id) => ({ id, ...plainPart(kind, policy.part(kind, id) as never) })),
    ]);
    ctx.body = { ...Object.fromEntries(parts), rights: VOCABULARY, interfaces: INTERFACES };
  });

  router.put("/policy/:kind/:id", need("manage-accounts"), async (ctx) => {
    const { kind, id } = partOf(ctx["params"]);
    const part = readPart(kind, id, await jsonBody(ctx.req, z.unknown()));
    await managed(ctx).setPart(kind, id, part);
    ctx.status = 204;
  });

  router.delete("/policy/:kind/:id", need("manage-accounts"), async (ctx) => {
    const { kind, id } = partOf(ctx["params"]);
    await managed(ctx).removePart(kind, id);
    ctx.status = 204;
  });

  router.put("/accounts/:id/rights", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await managed(ctx).change(id, await jsonBody(ctx.req, rights));
    ctx.status = 204;
  });

  router.get("/accounts/:id/rights", need("manage-accounts"), (ctx) => {
    const { account, grants } = grantsOf((ctx["params"] as { id?: string }).id ?? "");
    const at = parsed(moment, ctx.query).at ?? o.now();
    const cameras = o.cameras.all().map(({ info }) => info.id);
    ctx.body = {
      at: isoOf(at),
      enabled: account.enabled,
      roles: account.roles,
      grants: plainGrants(account.grants),
      out: whyOut(account, at),
      rights: whyOut(account, at) === undefined ? effectiveRights(grants, cameras, at) : [],
    };
  });

  router.get("/accounts/:id/why", need("manage-accounts"), (ctx) => {
    const { account, grants } = grantsOf((ctx["params"] as { id?: string }).id ?? "");
    const { at = o.now(), age, ...asked } = parsed(question, ctx.query);
    const found = explain(account, grants, { ...asked, at, ageMs: age });
    ctx.body = { ...found, at: isoOf(at), ...(found.until === undefined ? {} : { until: isoOf(found.until) }) };
  });
  return router;
}

function partOf(params: unknown): { readonly kind: PolicyKind; readonly id: string } {
  const { kind = "", id = "" } = params as { kind?: string; id?: string };
  const known = POLICY_KINDS.find((one) => one === kind);
  if (known === undefined) throw new Fault("not-found", `no kind ${kind}`);
  return { kind: known, id };
}
