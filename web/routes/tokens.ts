import { Router } from "@koa/router";
import { z } from "zod";
import type { Account } from "../../auth/account.ts";
import type { Accounts } from "../../auth/accounts.ts";
import { TOKEN_INTERFACES } from "../../auth/api-token.ts";
import type { ApiTokens } from "../../auth/api-tokens.ts";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { managerOf } from "../../auth/managed.ts";
import { ManagedTokens, plainToken, wordsOfToken } from "../../auth/managed-tokens.ts";
import type { Peer } from "../../auth/principal.ts";
import type { SecondFactors } from "../../auth/second-factors.ts";
import { Fault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { askerOf, managedBy } from "../managed-by.ts";
import { assertOthers, callerAtPages, type Need, type WebState } from "../state.ts";
import { oneTimeCode } from "./session.ts";

const wanted = z.strictObject({
  name: z.string().min(1).max(64),
  interfaces: z.array(z.enum(TOKEN_INTERFACES)).max(TOKEN_INTERFACES.length).optional(),
  networks: z.array(z.string().trim().min(1).max(64)).max(64).optional(),
  /** ISO 8601 with zone; null: never; in a year if absent. */
  expires: z.iso
    .datetime({ offset: true })
    .transform((text) => unixMillis(Date.parse(text)))
    .nullish(),
  /** A client's own (PEM), in the place of a secret; good until it expires at most. */
  certificate: z
    .string()
    .max(16 * 1024)
    .optional(),
});
const ownWanted = wanted.extend({ password: z.string().min(1).max(1024), code: oneTimeCode.optional() });

/** Tokens for the API: of the caller's own account, and of accounts of external systems for who manages them. A token is shown once. */
export function tokenRoutes(o: {
  readonly accounts: Accounts;
  readonly tokens: ApiTokens;
  readonly factors: Pick<SecondFactors, "has" | "check">;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly need: Need;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  const { accounts, tokens, factors, audit, need } = o;
  const managed = (ctx: Parameters<typeof askerOf>[0]): ManagedTokens =>
    new ManagedTokens(tokens, audit, managerOf(askerOf(ctx)));
  const listed = (accountId: string): object => ({ tokens: tokens.list(accountId).map(plainToken) });
  const accountIn = (ctx: object): Account => {
    const { id = "" } = paramsOf(ctx);
    const account = accounts.find(id);
    if (account === undefined) throw new Fault("not-found", `no account ${id}`);
    return account;
  };

  router.get("/session/tokens", (ctx) => {
    ctx.body = listed(callerAtPages(ctx).accountId);
  });

  // A token outlives the session: whoever finds a page open must not be able to make one.
  router.post("/session/tokens", async (ctx) => {
    const who = callerAtPages(ctx);
    const { password, code, ...rest } = await jsonBody(ctx.req, ownWanted);
    const peer = o.peerOf(ctx);
    const entry = { action: "make-token", who: who.name, interface: "web", address: peer.address } as const;
    await attempt(audit, entry, async () => {
      await accounts.logIn(who.name, password, peer, "web");
      if (factors.has(who.accountId)) await factors.check(who.accountId, code ?? "", peer.address);
    });
    ctx.body = await made(managed(ctx), { id: who.accountId, name: who.name }, rest);
    ctx.status = 201;
  });

  router.delete("/session/tokens/:token", async (ctx) => {
    const who = callerAtPages(ctx);
    await managed(ctx).revoke({ id: who.accountId, name: who.name }, paramsOf(ctx).token ?? "");
    ctx.status = 204;
  });

  router.get("/accounts/:id/tokens", need("manage-accounts"), (ctx) => {
    ctx.body = listed(accountIn(ctx).id);
  });

  router.post("/accounts/:id/tokens", need("manage-accounts"), async (ctx) => {
    const account = accountIn(ctx);
    const rest = await jsonBody(ctx.req, wanted);
    if (account.kind === "person") {
      const tell = `${account.name} is a person, who makes tokens for themselves.`;
      throw new Fault("invalid", tell, { tell });
    }
    assertOthers(ctx, account.id);
    const words = wordsOfToken(rest, rest.certificate);
    await managedBy(accounts, audit, o.approvals)(ctx).passInPlaceOf(account.id, words, rest);
    ctx.body = await made(managed(ctx), account, rest);
    ctx.status = 201;
  });

  router.delete("/accounts/:id/tokens/:token", need("manage-accounts"), async (ctx) => {
    await managed(ctx).revoke(accountIn(ctx), paramsOf(ctx).token ?? "");
    ctx.status = 204;
  });
  return router;
}

/** The token, with its secret where it has one, for the answer. */
async function made(
  tokens: ManagedTokens,
  account: Pick<Account, "id" | "name">,
  { certificate, ...rest }: z.output<typeof wanted>,
): Promise<object> {
  if (certificate !== undefined) return plainToken(await tokens.register(account, rest, certificate));
  const { token, secret } = await tokens.make(account, rest);
  return { ...plainToken(token), token: secret.reveal() };
}

function paramsOf(ctx: object): { readonly id?: string; readonly token?: string } {
  return (ctx as { params: { id?: string; token?: string } }).params;
}
