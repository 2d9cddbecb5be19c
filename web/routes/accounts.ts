import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { decideAt } from "../../auth/decision.ts";
import { reachOf } from "../../auth/explain.ts";
import type { SecretsOf } from "../../auth/integration-log-ins.ts";
import type { LastUse } from "../../auth/last-use.ts";
import type { EffectiveGrant, Grant } from "../../auth/principal.ts";
import { type CameraRight, INTERFACES, isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { Fault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR, isoOf, type UnixMillis } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { jsonBody } from "../body.ts";
import { managedBy } from "../managed-by.ts";
import { assertOthers, type Need, type WebState } from "../state.ts";
import { plainArming } from "./arming.ts";

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

const newIntegration = z.strictObject({
  name: z.string().trim().min(1).max(64),
  watching,
  /** Id of the account of a person of a directory: it may what they may, too, and is out with them. */
  person: z.string().min(1).max(64).optional(),
  onlyWhileArmed: z.boolean().default(false),
});
/** Another password has to be chosen at the first log-in with it. */
const temporary = z.boolean().default(true);
/** Their rights come from roles. */
const newPerson = z.strictObject({
  name: z.string().trim().min(1).max(64),
  password: z.string().min(1).max(1024),
  roles: z.array(z.string().min(1).max(64)).max(100).default([]),
  temporary,
});
/** For how long the old secret holds beside the new one. */
const renewal = z.strictObject({ overlapHours: z.number().min(0).max(720).default(0) });
const newPassword = z.strictObject({ password: z.string().min(1).max(1024), temporary });
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

/** A grant of one of the chosen rights with nothing that narrows it: what is chosen here, and what takes its place. */
function isPlain(grant: Grant): boolean {
  return isChosen(grant.right) && grant.interfaces === "any" && Object.keys(grant).every((key) => PLAIN.has(key));
}

/** All that a grant has which nothing narrows. */
const PLAIN: ReadonlySet<string> = new Set<keyof Grant>(["right", "cameras", "interfaces"]);

function isChosen(right: Right): boolean {
  return CHOSEN.some((one) => one === right);
}

function byRight(camerasOf: (right: (typeof CHOSEN)[number]) => "any" | readonly string[]): object {
  return Object.fromEntries(CHOSEN.map((right) => [right, camerasOf(right)]));
}

function watchingOf(grants: readonly Grant[]): object {
  return byRight((right) => {
    const of = grants.filter((grant) => grant.right === right && isPlain(grant));
    if (of.some((grant) => grant.cameras === "any")) return "any";
    return [...new Set(of.flatMap((grant) => (grant.cameras === "any" ? [] : [...grant.cameras])))];
  });
}

/** Holds at certain times, through some interfaces, or for newer footage alone. */
function isNarrow({ hours, from, until, maxAgeMs, interfaces }: EffectiveGrant): boolean {
  return interfaces !== "any" || [hours, from, until, maxAgeMs].some((limit) => limit !== undefined);
}

function plainUse(use: LastUse | undefined): object | null {
  return use === undefined ? null : { at: isoOf(use.at), address: use.address };
}

function plainSecrets(of: SecretsOf | undefined): object | null {
  if (of === undefined) return null;
  const former = of.former && { until: isoOf(of.former.until), lastUse: plainUse(of.former.lastUse) };
  return { lastUse: plainUse(of.lastUse), former: former ?? null };
}

/** Accounts of people, with passwords, and of external systems, whose secrets are shown once, when they are made. */
export function accountRoutes(o: {
  readonly accounts: Accounts;
  readonly factors: Pick<SecondFactors, "has">;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly cameras: { all(): readonly BridgedCamera[] };
  readonly now: () => UnixMillis;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/accounts" });
  const { accounts, need } = o;
  const managed = managedBy(accounts, o.audit, o.approvals);
  /** Rights of people come from roles. */
  const assertIntegration = (id: string): void => {
    const account = accounts.find(id);
    if (account?.kind !== "person") return;
    const tell = `What may be watched is chosen for external systems; ${account.name} is a person.`;
    throw new Fault("invalid", tell, { tell });
  };

  router.get("/", need("manage-accounts"), (ctx) => {
    const at = o.now();
    const known = new Set(o.cameras.all().map(({ info }) => info.id));
    ctx.body = {
      accounts: accounts.list().map((account) => {
        const { id, name, kind, enabled, roles, grants, directory = null, arming, temporaryPassword = false } = account;
        const all = accounts.grantsOf(id) ?? [];
        const reach = (right: CameraRight) => reachOf(all, { right, interfaces: INTERFACES, at }, known);
        const may = (right: Right): boolean => {
          if (!isCameraRight(right))
            return INTERFACES.some((door) => decideAt(all, { right, interface: door, at }).allowed);
          const reached = reach(right);
          return reached === "any" || reached.length > 0;
        };
        return {
          id,
          name,
          kind,
          enabled,
          roles,
          // Of people: whether they have one, or are let in nowhere before.
          secondFactor: o.factors.has(id) ? "set up" : accounts.lacksFactor(id) ? "missing" : null,
          // Of people: it has to be changed at the next log-in, and nothing is open before.
          temporaryPassword,
          directory: directory && { name: directory.directory, roles: directory.roles, out: directory.out ?? null },
          // Of external systems: when they came last, and with which secret.
          secrets: plainSecrets(accounts.secretsOf(id)),
          // Of such as are let in only while they are armed.
          arming: plainArming(arming, at),
          // What can be changed here: the plain lines of its own.
          watching: watchingOf(grants),
          // What comes of all its lines and roles at this moment, through any interface, where it is enabled.
          effective: byRight(reach),
          others: RIGHTS.filter((right) => !isChosen(right) && may(right)),
          // Not by the end of being armed, which stands above.
          narrowed: accounts.policy.effective(account).some(isNarrow),
        };
      }),
    };
  });

  router.post("/", need("manage-accounts"), async (ctx) => {
    const { watching: chosen, ...asked } = await jsonBody(ctx.req, newIntegration);
    const { account, secret } = await managed(ctx).createIntegration({ ...asked, grants: grantsOf(chosen) });
    ctx.status = 201;
    ctx.body = { id: account.id, name: account.name, secret: secret.reveal() };
  });

  router.post("/people", need("manage-accounts"), async (ctx) => {
    const { password, ...asked } = await jsonBody(ctx.req, newPerson);
    const made = await managed(ctx).createPerson({ ...asked, password: new Secret(password), grants: [] });
    ctx.status = 201;
    ctx.body = { id: made.id, name: made.name };
  });

  router.patch("/:id", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { enabled, watching: chosen } = await jsonBody(ctx.req, change);
    if (chosen === undefined && enabled === undefined)
      throw new Fault("invalid", "empty change", { tell: "Say what to change: enabled, watching, or both." });
    if (chosen !== undefined) assertIntegration(id);
    await managed(ctx).change(id, ({ grants }) => ({
      enabled,
      // What is set elsewhere stays: other rights, denials, and whatever is narrowed.
      grants: chosen && [...grants.filter((grant) => !isPlain(grant)), ...grantsOf(chosen)],
    }));
    ctx.status = 204;
  });

  router.put("/:id/password", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { password, ...how } = await jsonBody(ctx.req, newPassword);
    assertOthers(ctx, id);
    await managed(ctx).setPassword(id, new Secret(password), how);
    ctx.status = 204;
  });

  router.post("/:id/secret", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    assertOthers(ctx, id);
    // Without a body, the old one ends at once.
    const asked = ctx.req.headers["content-type"] === undefined ? undefined : await jsonBody(ctx.req, renewal);
    const overlapHours = asked?.overlapHours ?? 0;
    const secret = await managed(ctx).renewSecret(id, overlapHours * HOUR);
    ctx.body = { secret: secret.reveal() };
  });

  router.delete("/:id/secret/former", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    assertOthers(ctx, id);
    await managed(ctx).endFormerSecret(id);
    ctx.status = 204;
  });

  router.delete("/:id", need("manage-accounts"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await managed(ctx).remove(id);
    ctx.status = 204;
  });
  return router;
}
