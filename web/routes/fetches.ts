import type { IncomingMessage } from "node:http";
import { Router, type RouterContext } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { isoOf, SECOND, unixMillis } from "../../base/units.ts";
import { MAIN_STREAM } from "../../bridge/camera.ts";
import { reachOf } from "../../bridge/client-side/timeline.ts";
import type { Watch } from "../../bridge/client-side/watch.ts";
import type { EdgeFetch, EdgeFetches } from "../../bridge/edge-fetches.ts";
import { peerOf } from "../../net/http.ts";
import { jsonBody } from "../body.ts";
import { caller, doorOf, type WebState } from "../state.ts";

/** How long a command waits for the end of a fetch in one request. */
const WAIT_MS = 5 * SECOND;

/** ISO 8601 with zone. */
const instant = z.iso.datetime({ offset: true }).transform((text) => unixMillis(Date.parse(text)));

/** A stretch of a camera's stream, of the main one if none is named. */
const wantedStretch = z.strictObject({
  from: instant,
  to: instant,
  stream: z.string().min(1).max(64).default(MAIN_STREAM),
});

/** What is fetched from a camera's own recording, and was. */
export function fetchRoutes(o: {
  readonly fetches: EdgeFetches;
  readonly watch: Watch;
  readonly clock: Clock;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });

  router.get("/:id/fetches", (ctx) => {
    const [who, door, id] = [caller(ctx), doorOf(ctx), idOf(ctx)];
    o.watch.see(who, id, door);
    // A page asks every two seconds how it stands: the audit log is told of who may not, and of fetches.
    if (!decide(who, { right: "fetch", camera: id, interface: door }).allowed)
      o.watch.open(who, id, "fetch", door, peerOf(ctx.req.socket).address);
    ctx.body = { fetches: o.fetches.list(id).map(shownFetch) };
  });

  router.post("/:id/fetches", async (ctx) => {
    const [who, door, { address }] = [caller(ctx), doorOf(ctx), peerOf(ctx.req.socket)];
    const id = idOf(ctx);
    o.watch.open(who, id, "fetch", door, address);
    const stretch = await jsonBody(ctx.req, wantedStretch);
    // What is missing where they may find nothing is nothing to them.
    if (stretch.from < o.clock.now() - Math.max(0, reachOf(who, id, door)))
      throw new Fault("denied", `${who.name}: too old to fetch`, { tell: "not allowed" });
    ctx.body = shownFetch(await o.fetches.ask(id, stretch, { who: who.name, interface: door, address }));
    ctx.status = 202;
  });
  return router;
}

/** The same for the commands of this machine, whose owner may have everything fetched. */
export function commandFetchRoutes(o: {
  readonly fetches: EdgeFetches;
  readonly clock: Clock;
  readonly operatorOf: (ctx: { readonly req: IncomingMessage }) => string;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });

  // Answers when none of them runs any more, and a little later where one does.
  router.get("/:id/fetches", async (ctx) => {
    const list = (): readonly EdgeFetch[] => o.fetches.list(idOf(ctx));
    const until = o.clock.monotonic() + WAIT_MS;
    while (list().some(({ state }) => state === "running") && o.clock.monotonic() < until) await o.clock.sleep(SECOND);
    ctx.body = { fetches: list().map(shownFetch) };
  });

  router.post("/:id/fetches", async (ctx) => {
    const by = { who: o.operatorOf(ctx), interface: "cli" } as const;
    ctx.body = shownFetch(await o.fetches.ask(idOf(ctx), await jsonBody(ctx.req, wantedStretch), by));
    ctx.status = 202;
  });
  return router;
}

function idOf(ctx: RouterContext<WebState>): string {
  return (ctx["params"] as { id?: string }).id ?? "";
}

/** As JSON has it. */
function shownFetch({ id, camera, stream, from, to, by, state, begunAt, endedAt, why }: EdgeFetch): object {
  return {
    id,
    camera,
    stream,
    from: isoOf(from),
    to: isoOf(to),
    by: by.who,
    state,
    begunAt: isoOf(begunAt),
    endedAt: endedAt === undefined ? null : isoOf(endedAt),
    why: why ?? null,
  };
}
