import { Router } from "@koa/router";
import { explained, ofClient } from "../../bridge/client-side/refusal-words.ts";
import type { Refusals } from "../../bridge/client-side/refusals.ts";
import type { Need, WebState } from "../state.ts";

/** What external systems were refused, in words, the newest first; of one with `?client=` and its account or address. */
export function refusalRoutes(refusals: Pick<Refusals, "list">, need: Need): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  router.get("/refusals", need("read-audit"), (ctx) => {
    const { client } = ctx.query;
    ctx.body = { refusals: ofClient(refusals.list(), [client].flat()[0]).map(explained) };
  });
  return router;
}
