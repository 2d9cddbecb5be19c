import { Fault, type FaultKind } from "../../base/fault.ts";
import { header, type Response } from "../wire/message.ts";
import type { UpstreamTransport } from "../wire/transport.ts";

/** What a camera's refusals mean (RFC 2326 7.1.1); what is not here may work later. */
const REFUSALS: Readonly<Record<number, { readonly kind: FaultKind; readonly tell: string }>> = {
  403: { kind: "denied", tell: "the camera does not let this user see the stream" },
  404: { kind: "not-found", tell: "the camera has no stream at this address" },
  453: { kind: "busy", tell: "the camera has no room for another viewer" },
  503: { kind: "busy", tell: "the camera has no room for another viewer" },
};

/**
 * What cameras say to SETUP where they mean the transport, and other things as well: rtsp-server-perl has 400 for a transport that
 * it does not know, cameras with a stream at /onvif1 have 500 (roflcoopter/viseron#762).
 */
const MAYBE_TRANSPORT: ReadonlySet<number> = new Set([400, 459, 500]);

/** The camera will not send one of its media. */
export class RefusedSetup extends Fault {
  /** It may be the transport that it does not like, though it does not say so. */
  readonly maybeTransport: boolean;

  constructor({ status, reason }: Response) {
    const refusal = REFUSALS[status];
    super(refusal?.kind ?? "unavailable", `SETUP: ${status} ${reason.slice(0, 80)}`, refusal && { tell: refusal.tell });
    this.maybeTransport = MAYBE_TRANSPORT.has(status);
  }
}

const NAMES: Readonly<Record<UpstreamTransport, string>> = {
  tcp: "TCP",
  udp: "UDP",
  http: "HTTP",
  multicast: "multicast",
};

/** Nobody is there to talk to. */
export class Unreachable extends Fault {
  constructor({ message, cause }: Fault) {
    super("unavailable", message, { cause });
  }
}

/** The camera does not send this way; it may send another way, if it is asked on a connection of its own. */
export class RefusedTransport extends Fault {
  constructor(transport: UpstreamTransport, why: string) {
    const name = NAMES[transport];
    super("unavailable", `not over ${name}: ${why}`, { tell: `the camera does not send over ${name}: ${why}` });
  }
}

/** Whether the camera may send another way. */
export function mayBeTransport(error: unknown): boolean {
  return error instanceof RefusedTransport || (error instanceof RefusedSetup && error.maybeTransport);
}

/** Throws what the status means, unless it is success. */
export function expectOk(method: string, { status, reason }: Response): void {
  if (status >= 200 && status < 300) return;
  const refusal = REFUSALS[status];
  const message = `${method}: ${status} ${reason.slice(0, 80)}`;
  throw new Fault(refusal?.kind ?? "unavailable", message, refusal && { tell: refusal.tell });
}

/**
 * Where a 3xx answer leads (RFC 2326 11.3): only to the same host, for a camera must not be able to send us, and our password,
 * elsewhere; and never out of TLS. Faults: `denied`, `invalid`.
 */
export function redirectOf(response: Response, from: URL): URL {
  let to: URL;
  try {
    to = new URL(header(response, "Location") ?? "", from);
  } catch (cause) {
    throw new Fault("invalid", "the camera redirects to what is no address", { cause });
  }
  const weaker = to.protocol !== "rtsps:" && (to.protocol !== "rtsp:" || from.protocol === "rtsps:");
  if (to.hostname !== from.hostname || weaker)
    throw new Fault("denied", `the camera redirects elsewhere, to ${to.protocol}//${to.host}`);
  to.username = "";
  to.password = "";
  return to;
}
