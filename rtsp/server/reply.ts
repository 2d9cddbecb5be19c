import { Fault, type FaultKind } from "../../base/fault.ts";
import type { Headers } from "../wire/message.ts";

/** What a kind of fault is in RTSP (RFC 2326 7.1.1), where the refusal names no status of its own. */
const STATUS: Readonly<Record<FaultKind, number>> = {
  unauthenticated: 401,
  denied: 403,
  "not-found": 404,
  invalid: 400,
  "wrong-state": 455,
  busy: 503,
  unavailable: 503,
  internal: 500,
};

/** A refusal for which RTSP has a status of its own. */
export class RtspFault extends Fault {
  readonly status: number;
  readonly headers: Headers;

  constructor(
    status: number,
    kind: FaultKind,
    message: string,
    options: { readonly tell?: string; readonly headers?: Headers } = {},
  ) {
    super(kind, message, options);
    this.status = status;
    this.headers = options.headers ?? [];
  }
}

/** An option of `Require` that cannot be had (RFC 2326 12.32, 11.3.14). */
export function unsupported(tags: string): RtspFault {
  return new RtspFault(551, "invalid", `Require: ${tags.slice(0, 80)}`, {
    headers: [["Unsupported", tags.slice(0, 256)]],
  });
}

/** What the client is answered. */
export function statusOf(fault: Fault): number {
  return fault instanceof RtspFault ? fault.status : STATUS[fault.kind];
}
