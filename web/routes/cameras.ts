import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import type { Watch } from "../../bridge/client-side/watch.ts";
import type { Discovery } from "../../bridge/ports.ts";
import { jsonBody } from "../body.ts";
import { caller, type Need, type WebState } from "../state.ts";

const change = z.strictObject({ transport: z.enum(["auto", "tcp", "udp"]) });

/** RTSP addresses of one camera, as a client at `localAddress` would dial them. */
export type AddressesOf = (
  camera: string,
  localAddress: string,
) => { readonly live: string; readonly recorded: string };

/** The cameras that the caller may see, with the addresses at which other systems play them. */
export function cameraRoutes(o: {
  readonly watch: Watch;
  readonly discovery: Discovery;
  readonly need: Need;
  readonly addressesOf: AddressesOf;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });

  router.get("/", (ctx) => {
    const who = caller(ctx);
    const viewOf = (camera: BridgedCamera): object => {
      const { info } = camera;
      const may = (right: "live" | "playback"): boolean =>
        decide(who, { right, camera: info.id, interface: "web" }).allowed;
      return {
        id: info.id,
        name: info.name,
        maker: [info.manufacturer, info.model].filter(Boolean).join(" "),
        connection: info.connection,
        transport: info.transport,
        tracks: info.tracks.map(({ kind, encoding }) => ({ kind, encoding })),
        unrecordable: info.unrecordable,
        quirks: info.quirks,
        mayWatch: may("live"),
        mayPlayBack: may("playback"),
        addresses: o.addressesOf(info.id, ctx.req.socket.localAddress ?? ""),
      };
    };
    ctx.body = { cameras: o.watch.visible(who, "web").map(viewOf) };
  });

  router.patch("/:id", o.need("adopt-camera"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { transport } = await jsonBody(ctx.req, change);
    await o.discovery.setTransport(id, transport);
    ctx.status = 204;
  });

  router.delete("/:id", o.need("adopt-camera"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    await o.discovery.remove(id);
    ctx.status = 204;
  });
  return router;
}
