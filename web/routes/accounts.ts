import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Grant } from "../../auth/principal.ts";
import { Fault } from "../../base/fault.ts";
import { jsonBody } from "../body.ts";
import { managedBy } from "../managed-by.ts";
import type { Need, WebState } from "../state.ts";

const cameras = z.union([z.literal("any"), z.array(z.string().min(1).max(64)).max(1000)]);

/** The rights that an administrator chooses here. The full model is richer. */
const CHOSEN = ["live", "playback", "audio", "metadata", "talk"] as const;

/** Which cameras, for each. */
const watching = z.strictObject({
  live: cameras.default([]),
  playback: cameras.default([]),
  audio: cameras.default([]),
  metadata: cameras.default([]),
  talk: cameras.default([]),
});

const newIntegration = z.strictObject({ name: z.string().trim().min(1).max(64), watching });
const change = z.strictObject({ enabled: z.boolean().optional(), watching: watching.optional() });

function grantsOf(chosen: z.output<typeof watching>): readonly Grant[] {
  const grants: Grant[] = [];
  for (const right of CHOSEN) {
    const which = chosen[right];
    if (which === "any" || which.length > 0)
      grants.push({ right, cameras: which === "any" ? "any" : new Set(which), interfaces: "any" });
  }
  return grants;
}

function watchingOf(grants: readonly Grant[]): z.output<typeof watching> {
  const camerasOf = (right: (typeof CHOSEN)[number]): "any" | string[] => {
    const of = grants.filter((grant) => grant.right === right && grant.deny !== true);
    if (of.some((grant) => grant.cameras === "any")) return "any";
    return [...new Set(of.flatMap((grant) => (grant.cameras === "any" ? [] : [...grant.cameras])))];
  };
  return {
    live: camerasOf("live"),
    playback: camerasOf("playback"),
    audio: camerasOf("audio"),
    metadata: camerasOf("metadata"),
    talk: camerasOf("talk"),
  };
}

/** Accounts of external systems: their secrets are shown once, when they are made. */
export function accountRoutes(accounts: Accounts, audit: Audit, need: Need): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/accounts" });
  const managed = managedBy(accounts, audit);
  /** A person has rights of other kinds too, which this choice would take away. */
  const assertIntegration = (id: string): void => {
    const account = accounts.list().find((one) => one.id === id);
    if (account?.kind !== "person") return;
    const tell = `What may be watched is chosen for external systems; ${account.name} is a person.`;
    throw new Fault("invalid", tell, { tell });
  };

  router.get("/", need("manage-accounts"), (ctx) => {
    ctx.body = {
      accounts: accounts.list().map(({ id, name, kind, enabled, grants }) => ({
        id,
        name,
        kind,
        enabled,
        watching: watchingOf(grants),
      })),
    };
  });

  router.post("/", need("manage-accounts"), async (ctx) => {
    const { name, watching: chosen } = await jsonBody(ctx.req, newIntegration);
    const { account, secret } = await managed(ctx).createIntegration({ name, grants: grantsOf(chosen) });
    ctx.status = 201;
    ctx.body = { id: account.id, name: account.name, secret: secret.reveal() };
  });

  router.patch("/:id", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { enabled, watching: chosen } = await jsonBody(ctx.req, change);
    if (chosen === undefined && enabled === undefined)
      throw new Fault("invalid", "empty change", { tell: "Say what to change: enabled, watching, or both." });
    if (chosen !== undefined) assertIntegration(id);
    await managed(ctx).change(id, { enabled, ...(chosen === undefined ? {} : { grants: grantsOf(chosen) }) });
    ctx.status = 204;
  });

  router.delete("/:id", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await managed(ctx).remove(id);
    ctx.status = 204;
  });
  return router;
}
