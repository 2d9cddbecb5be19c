import { Router } from "@koa/router";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { peerOf } from "../../net/http.ts";
import type { Archive } from "../../recorder/archive.ts";
import { askerOf } from "../managed-by.ts";
import { caller, doorOf, type Need, type WebState } from "../state.ts";

/** The disks that recordings are on, how they are and what is on them, for who sets up what is recorded; a lost one is given up here. */
export function volumeRoutes(o: {
  readonly archive: Pick<Archive, "volumes" | "unnamedVolumes" | "forgetVolume">;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly need: Need;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/volumes" });
  router.get("/", o.need("adopt-camera"), async (ctx) => {
    const volumes = await o.archive.volumes();
    ctx.body = {
      volumes: volumes.map(({ maxBytes, ...volume }) => ({
        ...volume,
        maxBytes: Number.isFinite(maxBytes) ? maxBytes : null,
        freeBytes: volume.freeBytes ?? null,
        problem: volume.problem ?? null,
      })),
      unnamed: await o.archive.unnamedVolumes(),
    };
  });

  router.delete("/:name", o.need("adopt-camera"), async (ctx) => {
    const { name = "" } = ctx["params"] as { name?: string };
    await o.approvals.pass(askerOf(ctx), "forget-volume", () => ({
      params: { volume: name },
      words: `give up what is recorded on the volume ${name}: it is told as missing from then on`,
    }));
    const segments = await o.archive.forgetVolume(name);
    o.audit.record({
      who: caller(ctx).name,
      action: "forget-volume",
      interface: doorOf(ctx),
      address: peerOf(ctx.req.socket).address,
      outcome: "allowed",
      subject: name,
      why: `${segments} segments`,
    });
    ctx.status = 204;
  });
  return router;
}
