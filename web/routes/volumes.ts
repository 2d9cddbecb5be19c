import { Router } from "@koa/router";
import type { Archive } from "../../recorder/archive.ts";
import type { Need, WebState } from "../state.ts";

/** The disks that recordings are on, how they are and what is on them, for who sets up what is recorded. */
export function volumeRoutes(archive: Pick<Archive, "volumes">, need: Need): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api" });
  router.get("/volumes", need("adopt-camera"), async (ctx) => {
    const volumes = await archive.volumes();
    ctx.body = {
      volumes: volumes.map(({ maxBytes, ...volume }) => ({
        ...volume,
        maxBytes: Number.isFinite(maxBytes) ? maxBytes : null,
        freeBytes: volume.freeBytes ?? null,
        problem: volume.problem ?? null,
      })),
    };
  });
  return router;
}
