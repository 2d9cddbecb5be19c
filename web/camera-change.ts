import type { IncomingMessage } from "node:http";
import type { Audit } from "../auth/audit.ts";
import { peerOf } from "../net/http.ts";
import { caller, doorOf, type WebState } from "./state.ts";

/** Writes what the caller of a request has changed of a camera to the audit log, under the names that the commands use. */
export function recordCameraChange(
  audit: Audit,
  ctx: { readonly state: WebState; readonly req: IncomingMessage },
  change: {
    readonly action:
      | "adopt-camera"
      | "remove-camera"
      | "set-transport"
      | "set-pulling"
      | "set-recording"
      | "set-retention";
    readonly camera: string;
    readonly why: string;
    readonly before?: string;
    readonly after?: string;
  },
): void {
  audit.record({
    who: caller(ctx).name,
    ...change,
    subject: change.camera,
    interface: doorOf(ctx),
    address: peerOf(ctx.req.socket).address,
    outcome: "allowed",
  });
}
