import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Router } from "@koa/router";
import { z } from "zod";
import type { Peer } from "../../auth/principal.ts";
import { Fault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import { MAIN_STREAM } from "../../bridge/camera.ts";
import type { Asking, Exports } from "../../bridge/client-side/exports/exports.ts";
import { LEAVABLE } from "../../recorder/export/film.ts";
import { jsonBody } from "../body.ts";
import { caller, doorOf, type WebState } from "../state.ts";

const instant = z.iso.datetime({ offset: true });

const wanted = z.strictObject({
  cameras: z.array(z.string().min(1).max(64)).min(1).max(64),
  /** By its name, of each of these. */
  stream: z.string().min(1).max(64).default(MAIN_STREAM),
  /** ISO 8601 with a zone. */
  from: instant,
  to: instant,
  reason: z.string().max(1000).default(""),
  without: z.array(z.enum(LEAVABLE)).default([]),
  /** As an encrypted ZIP file, whose password is told in the answer and never again. */
  encrypted: z.boolean().default(true),
});

/** What somebody exports: each sees, fetches and ends their own. The right is one over cameras and is decided for each of them. */
export function exportRoutes(o: {
  readonly exports: Exports;
  readonly peerOf: (ctx: { readonly req: IncomingMessage }) => Peer;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/exports" });
  const asking = (ctx: { readonly state: WebState; readonly req: IncomingMessage }): Asking => ({
    who: caller(ctx),
    door: doorOf(ctx),
    address: o.peerOf(ctx).address,
  });

  router.get("/", (ctx) => {
    ctx.body = { exports: o.exports.list(caller(ctx)) };
  });

  router.post("/", async (ctx) => {
    const by = asking(ctx);
    const { from, to, encrypted, ...rest } = await jsonBody(ctx.req, wanted);
    const range = { from: unixMillis(Date.parse(from)), to: unixMillis(Date.parse(to)) };
    const { id, password } = await o.exports.ask(by, { ...rest, ...range, isProtected: encrypted });
    ctx.status = 201;
    ctx.body = { id, ...(password === undefined ? {} : { password: password.reveal() }) };
  });

  router.delete("/:id", async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await o.exports.cancel(asking(ctx), id);
    ctx.status = 204;
  });

  router.get("/:id/file", (ctx) => {
    const by = asking(ctx);
    if (ctx.method !== "GET") throw new Fault("invalid", ctx.method, { tell: "Only GET here." });
    const { id = "" } = ctx["params"] as { id?: string };
    const { path, name, bytes, lease } = o.exports.fetch(by, id);
    const file = createReadStream(path);
    const end = (): void => void file.destroy(lease.ended.reason as Error);
    lease.ended.addEventListener("abort", end, { once: true });
    // However it ends: sent, broken off, or not there.
    file.once("close", () => lease.close());
    ctx.type = "application/zip";
    ctx.length = bytes;
    ctx.attachment(name);
    ctx.body = file;
  });
  return router;
}
