import { Router } from "@koa/router";
import { z } from "zod";
import { decide } from "../../auth/access.ts";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { Fault } from "../../base/fault.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { movableOf } from "../../bridge/client-side/ptz-requests.ts";
import { streamOf, type Watch } from "../../bridge/client-side/watch.ts";
import { keptForSchema } from "../../bridge/kept-for.ts";
import type { Discovery } from "../../bridge/ports.ts";
import { type RecordingPlan, recordingChange, recordingPlanSchema } from "../../bridge/recording-plan.ts";
import type { Archive } from "../../recorder/archive.ts";
import { UPSTREAM_TRANSPORTS } from "../../rtsp/wire/transport.ts";
import { jsonBody } from "../body.ts";
import { recordCameraChange } from "../camera-change.ts";
import { askerOf } from "../managed-by.ts";
import { caller, doorOf, type Need, type WebState } from "../state.ts";

/** How a camera may be asked to send. */
export const transport = z.enum(["auto", ...UPSTREAM_TRANSPORTS]);

const change = z
  .strictObject({ transport: transport.optional(), retention: keptForSchema.optional() })
  .refine((chosen) => Object.keys(chosen).length > 0, "nothing to change");
const streamChange = z
  .strictObject({ pulling: z.enum(["always", "on-demand"]).optional(), recording: recordingPlanSchema.optional() })
  .refine((change) => Object.keys(change).length > 0, "nothing to change");

/** RTSP addresses of one camera, as a client at `localAddress` would dial them. */
export interface AddressesOf {
  live(camera: string, stream: string, localAddress: string): string;
  recorded(camera: string, localAddress: string): string;
}

/** The cameras that the caller may see, with the addresses at which other systems play them. */
export function cameraRoutes(o: {
  readonly watch: Watch;
  readonly discovery: Discovery;
  readonly archive: Pick<Archive, "volumes">;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly need: Need;
  readonly addressesOf: AddressesOf;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });
  /** For who manages all of them. */
  const adopted = (id: string): BridgedCamera => {
    const camera = o.watch.all().find(({ info }) => info.id === id);
    if (camera === undefined) throw new Fault("not-found", `no camera ${id}`);
    return camera;
  };

  router.get("/", (ctx) => {
    const who = caller(ctx);
    const door = doorOf(ctx);
    const local = ctx.req.socket.localAddress ?? "";
    // When nothing is recorded is not for everybody to know.
    const setsUp = decide(who, { right: "adopt-camera", interface: door }).allowed;
    const viewOf = (camera: BridgedCamera): object => {
      const { info } = camera;
      const head = camera.control.controls.ptz;
      const may = (right: "live" | "audio" | "playback" | "export" | "ptz" | "presets"): boolean =>
        decide(who, { right, camera: info.id, interface: door }).allowed;
      return {
        id: info.id,
        name: info.name,
        maker: [info.manufacturer, info.model].filter(Boolean).join(" "),
        connection: info.connection,
        transport: info.transport,
        ...(setsUp ? { retention: info.retention } : {}),
        streams: info.streams.map(({ tracks, recording: { plan, ...recording }, ...stream }) => ({
          ...stream,
          recording: setsUp ? { plan, ...recording } : recording,
          tracks: tracks.map(({ kind, encoding }) => ({ kind, encoding })),
          address: o.addressesOf.live(info.id, stream.name, local),
        })),
        unrecordable: info.unrecordable,
        quirks: info.quirks,
        mayWatch: may("live"),
        mayHear: may("live") && may("audio"),
        mayPlayBack: may("playback"),
        mayHearRecorded: may("playback") && may("audio"),
        mayExport: may("export"),
        mayMove: may("ptz"),
        mayKeepPresets: may("presets"),
        ...(head === undefined ? {} : { moves: movableOf(head) }),
        recordedAddress: o.addressesOf.recorded(info.id, local),
      };
    };
    ctx.body = { cameras: o.watch.visible(who, door).map(viewOf) };
  });

  router.patch("/:id", o.need("adopt-camera"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { transport: way, retention } = await jsonBody(ctx.req, change);
    const { info } = adopted(id);
    // Before anything is changed.
    if (retention !== undefined)
      await o.approvals.pass(askerOf(ctx), "change-retention", () => ({
        params: { camera: id, retention },
        words: `keep recordings of ${id} as ${JSON.stringify(retention)} instead of ${JSON.stringify(info.retention)}`,
      }));
    if (way !== undefined) {
      await o.discovery.setTransport(id, way);
      const told = { before: info.transport, after: way };
      recordCameraChange(o.audit, ctx, { action: "set-transport", camera: id, why: way, ...told });
    }
    if (retention !== undefined) {
      await o.discovery.setRetention(id, retention);
      const told = { before: JSON.stringify(info.retention), after: JSON.stringify(retention) };
      recordCameraChange(o.audit, ctx, { action: "set-retention", camera: id, why: "recordings", ...told });
    }
    ctx.status = 204;
  });

  router.patch("/:id/streams/:stream", o.need("adopt-camera"), async (ctx) => {
    const { id = "", stream = "" } = ctx["params"] as { id?: string; stream?: string };
    const { pulling, recording } = await jsonBody(ctx.req, streamChange);
    const before = streamOf(adopted(id), stream).info;
    if (pulling !== undefined) {
      await o.discovery.setPulling(id, stream, pulling);
      const told = { before: before.pulling, after: pulling };
      recordCameraChange(o.audit, ctx, { action: "set-pulling", camera: id, why: `${stream} ${pulling}`, ...told });
    }
    if (recording !== undefined) {
      await assertVolume(o.archive, recording);
      await o.discovery.setRecording(id, stream, recording);
      recordCameraChange(o.audit, ctx, recordingChange(id, stream, before.recording.plan, recording));
    }
    ctx.status = 204;
  });

  router.delete("/:id", o.need("adopt-camera"), async (ctx) => {
    const { id = "" } = ctx["params"] as { id?: string };
    const { info } = adopted(id);
    await o.approvals.pass(askerOf(ctx), "remove-camera", () => ({
      params: { camera: id },
      words: `remove the camera ${id} ("${info.name}")`,
    }));
    await o.discovery.remove(id);
    recordCameraChange(o.audit, ctx, { action: "remove-camera", camera: id, why: "removed" });
    ctx.status = 204;
  });
  return router;
}

/** Fault `invalid` where there is no volume of the name that the plan says. */
async function assertVolume(archive: Pick<Archive, "volumes">, { volume }: RecordingPlan): Promise<void> {
  if (volume === undefined) return;
  const names = (await archive.volumes()).map(({ name }) => name);
  if (names.includes(volume)) return;
  const tell = `there is no volume ${volume}: there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
  throw new Fault("invalid", tell, { tell });
}
