import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import { Fault } from "../../base/fault.ts";
import type { PtzOperation, PtzRequest } from "../../bridge/camera-control.ts";
import type { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import { askPtz, headOf } from "../../bridge/client-side/ptz-requests.ts";
import type { Watch } from "../../bridge/client-side/watch.ts";
import { peerOf } from "../../net/http.ts";
import { jsonBody } from "../body.ts";
import { caller, doorOf, type WebState } from "../state.ts";

/** What a place is called. Cameras have limits of their own, of which they say nothing. */
const named = z.strictObject({ name: z.string().trim().min(1).max(64) });

/** Places that a camera can be sent to (ONVIF presets), with its home, and what keeps and forgets them. */
export function presetRoutes(o: { readonly watch: Watch; readonly ptzHolders: PtzHolders }): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });
  type Context = Parameters<Parameters<typeof router.get>[1]>[0];
  const partsOf = (ctx: Context) => {
    const { id = "", preset = "" } = ctx["params"] as { id?: string; preset?: string };
    return { who: caller(ctx), id, preset };
  };
  const ask = <K extends PtzOperation>(
    ctx: Context,
    needs: "ptz" | "presets",
    operation: K,
    request: PtzRequest<K>,
  ): ReturnType<typeof askPtz<K>> => {
    const from = { interface: doorOf(ctx), address: peerOf(ctx.req.socket).address };
    const { who, id } = partsOf(ctx);
    return askPtz(o, { who, camera: id, from }, needs, operation, request);
  };

  router.get("/:id/presets", async (ctx) => {
    const { who, id } = partsOf(ctx);
    const camera = o.watch.see(who, id, doorOf(ctx));
    const may = (["ptz", "presets"] as const).some(
      (right) => decide(who, { right, camera: id, interface: doorOf(ctx) }).allowed,
    );
    if (!may) throw new Fault("denied", `${who.name} may not move ${id}`, { tell: "not allowed" });
    headOf(camera);
    const { Preset = [] } = await camera.control.ptz("GetPresets", {});
    ctx.body = {
      presets: Preset.flatMap(({ token, Name }) => (token === undefined ? [] : [{ id: token, name: Name ?? token }])),
    };
  });

  router.post("/:id/presets", async (ctx) => {
    caller(ctx);
    const { name } = await jsonBody(ctx.req, named);
    const { PresetToken } = await ask(ctx, "presets", "SetPreset", { PresetName: name });
    ctx.status = 201;
    ctx.body = { id: PresetToken };
  });

  /** The place where it looks now, under the same name or another one. */
  router.put("/:id/presets/:preset", async (ctx) => {
    const { preset } = partsOf(ctx);
    const { name } = await jsonBody(ctx.req, named);
    await ask(ctx, "presets", "SetPreset", { PresetName: name, PresetToken: preset });
    ctx.status = 204;
  });

  router.delete("/:id/presets/:preset", async (ctx) => {
    await ask(ctx, "presets", "RemovePreset", { PresetToken: partsOf(ctx).preset });
    ctx.status = 204;
  });

  router.post("/:id/presets/:preset/go", async (ctx) => {
    await ask(ctx, "ptz", "GotoPreset", { PresetToken: partsOf(ctx).preset });
    ctx.status = 204;
  });

  router.put("/:id/home", async (ctx) => {
    await ask(ctx, "presets", "SetHomePosition", {});
    ctx.status = 204;
  });

  router.post("/:id/home/go", async (ctx) => {
    await ask(ctx, "ptz", "GotoHomePosition", {});
    ctx.status = 204;
  });
  return router;
}
