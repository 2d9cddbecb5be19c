import type { IncomingMessage, ServerResponse } from "node:http";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { asFault, type FaultKind } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { callerOf } from "../../net/client-certificate.ts";
import type { HttpAuthentication } from "../../onvif/server/authenticate.ts";
import type { HttpPart } from "./front-door.ts";
import type { Watch } from "./watch.ts";

/** Followed by the camera's id. */
export const SNAPSHOT_PATH = "/onvif/snapshot/";

const STATUS: Readonly<Record<FaultKind, number>> = {
  unauthenticated: 401,
  denied: 403,
  "not-found": 404,
  // What a camera has not got, it will not have in a moment.
  invalid: 404,
  "wrong-state": 409,
  busy: 503,
  unavailable: 503,
  internal: 500,
};

/**
 * Pictures of cameras as JPEG files, for clients that asked for their address by GetSnapshotUri: with an HTTP log-in of the ONVIF
 * interface and the right to single pictures. The picture is the camera's own, and no older than a second.
 */
export class Snapshots implements HttpPart {
  readonly #watch: Watch;
  readonly #authenticator: HttpAuthentication;
  readonly #log: Log;

  constructor(o: { readonly watch: Watch; readonly authenticator: HttpAuthentication; readonly log: Log }) {
    this.#watch = o.watch;
    this.#authenticator = o.authenticator;
    this.#log = o.log;
  }

  takes({ url = "" }: IncomingMessage): boolean {
    return url.startsWith(SNAPSHOT_PATH);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD", "Content-Length": 0 }).end();
      return;
    }
    const peer = callerOf(request);
    const { authorization } = headers;
    try {
      const who = await this.#authenticator.verify({ method, uri: url, authorization, peer });
      const id = url.slice(SNAPSHOT_PATH.length).split("?", 1)[0] ?? "";
      const jpeg = await this.#watch.open(who, id, "snapshot", "onvif", peer.address).control.snapshot();
      response.writeHead(200, {
        "Content-Type": "image/jpeg",
        "Content-Length": jpeg.length,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
      });
      response.end(method === "HEAD" ? undefined : jpeg);
    } catch (thrown) {
      const fault = asFault(thrown);
      if (fault.kind === "internal") this.#log.error({ err: fault }, "snapshot failed");
      const stale = fault instanceof UnauthenticatedFault && fault.stale;
      const status = STATUS[fault.kind];
      response.writeHead(status, {
        "Content-Length": 0,
        "Cache-Control": "no-store",
        ...(status === 401
          ? { "WWW-Authenticate": [...this.#authenticator.challenges(peer, { stale, authorization })] }
          : {}),
      });
      response.end();
    }
  }
}
