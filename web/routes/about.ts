import { Router } from "@koa/router";
import { caller, type WebState } from "../state.ts";

/** What this bridge is, as a client at `localAddress` should know it. */
export type About = (localAddress: string) => { readonly version: string; readonly onvif: string };

/** For whoever is logged in: the version, and where ONVIF clients connect. */
export function aboutRoutes(about: About): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  router.get("/about", (ctx) => {
    caller(ctx);
    ctx.body = about(ctx.req.socket.localAddress ?? "");
  });
  return router;
}
