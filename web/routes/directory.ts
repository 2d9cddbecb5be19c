import { Router } from "@koa/router";
import { z } from "zod";
import type { Asker } from "../../auth/approval.ts";
import { Secret } from "../../base/secret.ts";
import type { DirectoryDesk } from "../../bridge/directory/desk.ts";
import { jsonBody } from "../body.ts";
import { parsed } from "../query.ts";
import type { Need, WebState } from "../state.ts";

const sync = z.strictObject({ full: z.boolean().optional(), confirm: z.string().max(64).optional() });
const password = z.strictObject({ password: z.string().min(1).max(1024) });
const user = z.object({ user: z.string().min(1).max(256) });

/** Directories: how they stand, what a sync would do, and doing it. */
export function directoryRoutes(o: {
  readonly desk: DirectoryDesk;
  readonly need: Need;
  readonly manager: (ctx: { readonly state: WebState; readonly req: import("node:http").IncomingMessage }) => Asker;
}): Router<WebState> {
  const { desk, need, manager } = o;
  const router = new Router<WebState>({ prefix: "/api/directory" });

  router.get("/", need("manage-directory"), async (ctx) => {
    ctx.body = { directories: await desk.list() };
  });

  router.post("/:name/test", need("manage-directory"), async (ctx) => {
    ctx.body = { findings: await desk.test(nameIn(ctx)) };
  });

  router.post("/:name/preview", need("manage-directory"), async (ctx) => {
    ctx.body = await desk.preview(nameIn(ctx));
  });

  router.post("/:name/sync", need("manage-directory"), async (ctx) => {
    ctx.body = await desk.sync(nameIn(ctx), manager(ctx), await jsonBody(ctx.req, sync));
  });

  router.get("/:name/explain", need("manage-directory"), async (ctx) => {
    ctx.body = await desk.explain(nameIn(ctx), parsed(user, ctx.query).user);
  });

  router.get("/:name/history", need("manage-directory"), async (ctx) => {
    ctx.body = { history: await desk.history(nameIn(ctx)) };
  });

  router.put("/:name/password", need("manage-directory"), async (ctx) => {
    const { password: given } = await jsonBody(ctx.req, password);
    await desk.setPassword(nameIn(ctx), new Secret(given), manager(ctx));
    ctx.status = 204;
  });
  return router;
}

function nameIn(ctx: object): string {
  return (ctx as { params: { name?: string } }).params.name ?? "";
}
