import { Router } from "@koa/router";
import { z } from "zod";
import type { Audit } from "../../auth/audit.ts";
import { Secret } from "../../base/secret.ts";
import type { AdoptionTarget, Discovery } from "../../bridge/ports.ts";
import { jsonBody } from "../body.ts";
import { recordCameraChange } from "../camera-change.ts";
import type { Need, WebState } from "../state.ts";
import { transport } from "./cameras.ts";

const scan = z.strictObject({ targets: z.array(z.string().trim().min(1).max(64)).max(64).default([]) });

const adoption = z.strictObject({
  /** The id of a find, or an RTSP address, and that of the camera's smaller picture. */
  target: z.union([
    z.strictObject({ find: z.string().min(1).max(256) }),
    z.strictObject({ rtsp: z.string().min(1).max(512), sub: z.string().min(1).max(512).optional() }),
  ]),
  transport: transport.optional(),
  /** The installer allows this camera to be spoken to without TLS. */
  plainText: z.boolean().optional(),
  name: z.string().max(128).optional(),
  user: z.string().max(128).optional(),
  password: z.string().max(256).optional(),
});

/** What an installer sees: cameras that answered a probe, and the button that makes one ours. */
export function discoveryRoutes(o: {
  readonly discovery: Discovery;
  readonly audit: Audit;
  readonly need: Need;
}): Router<WebState> {
  const { discovery, need } = o;
  const router = new Router<WebState>({ prefix: "/api/discovery" });

  router.get("/", need("adopt-camera"), (ctx) => {
    ctx.body = { finds: discovery.list(), scan: discovery.scan };
  });

  router.post("/scan", need("adopt-camera"), async (ctx) => {
    const { targets } = await jsonBody(ctx.req, scan);
    // The scan goes on behind the answer; its progress and its end come as events.
    void discovery.startScan(targets);
    ctx.status = 202;
    ctx.body = { scan: discovery.scan };
  });

  router.post("/adopt", need("adopt-camera"), async (ctx) => {
    const { target, name, user, password, transport, plainText } = await jsonBody(ctx.req, adoption);
    const record = await discovery.adopt(targetOf(target), {
      ...(name === undefined ? {} : { name }),
      ...(transport === undefined ? {} : { transport }),
      ...(plainText === undefined ? {} : { plainText }),
      ...(user === undefined || user === "" ? {} : { credentials: { user, password: new Secret(password ?? "") } }),
    });
    recordCameraChange(o.audit, ctx, {
      action: "adopt-camera",
      camera: record.id,
      why: plainText === true ? "adopted, plain text allowed" : "adopted, inside TLS alone",
    });
    ctx.status = 201;
    ctx.body = { id: record.id, name: record.name };
  });
  return router;
}

function targetOf(target: z.output<typeof adoption>["target"]): AdoptionTarget {
  if ("find" in target) return target;
  const { rtsp, sub } = target;
  return { rtsp, ...(sub === undefined ? {} : { sub }) };
}
