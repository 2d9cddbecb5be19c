import { Router } from "@koa/router";
import { z } from "zod";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Peer } from "../../auth/principal.ts";
import type { WebSessions } from "../../auth/sessions.ts";
import { Secret } from "../../base/secret.ts";
import { attempt } from "../attempt.ts";
import { jsonBody } from "../body.ts";
import { begin } from "../entrance.ts";
import { callerAtPages, type WebState } from "../state.ts";

const passwords = z.strictObject({ password: z.string().min(1).max(1024), next: z.string().min(1).max(1024) });

/** The caller's own password. */
export function passwordRoutes(o: {
  readonly accounts: Accounts;
  readonly sessions: WebSessions;
  readonly audit: Audit;
  readonly peerOf: (ctx: { readonly req: import("node:http").IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });

  // The present one is asked for: whoever finds the page open must not be able to make the account their own.
  router.put("/session/password", async (ctx) => {
    const { accountId, name } = callerAtPages(ctx);
    const { password, next } = await jsonBody(ctx.req, passwords);
    const peer = o.peerOf(ctx);
    const entry = { action: "change-password", who: name, interface: "web", address: peer.address } as const;
    // Looked at before the present one is: whoever manages accounts may give another meanwhile, which must stay.
    const generation = o.accounts.credentialOf(accountId);
    await attempt(o.audit, entry, async () => {
      await o.accounts.logIn(name, password, peer, "web");
      await o.accounts.choosePassword({ account: { id: accountId, name }, generation }, new Secret(next));
    });
    o.audit.record({ ...entry, outcome: "allowed" });
    // All other sessions have ended; this page goes on.
    const anew = o.accounts.principalOf(accountId);
    if (anew !== undefined) begin(ctx, o.sessions, anew);
    ctx.status = 204;
  });
  return router;
}
