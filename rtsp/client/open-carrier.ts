import type { Credentials } from "../../auth/scheme/http.ts";
import { asFault, type Fault, isFault } from "../../base/fault.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import type { Carrier } from "./carrier.ts";
import { type DialRtspOptions, type Door, dialDoor, dialRtsp, doorOf } from "./dial-rtsp.ts";
import { openTunnel } from "./http-tunnel.ts";
import { RefusedTransport, Unreachable } from "./refusal.ts";

export interface CarrierOptions extends DialRtspOptions {
  readonly url: URL;
  readonly transport: UpstreamTransport;
  /** For HTTP, where RTSP goes in it: its challenges are others than RTSP's. */
  readonly credentials?: Credentials;
  readonly allowBasic?: boolean;
  /** A further port of the camera at which RTSP may go in HTTP, besides that of RTSP itself. */
  readonly tunnelAt?: Door;
}

/**
 * Connects to a camera: to the port of its RTSP address, or, in HTTP, there or where it serves HTTP, whichever has a tunnel.
 * Faults: `invalid`, RefusedTransport, Unreachable, those of dialing and of {@link openTunnel}.
 */
export async function openCarrier(o: CarrierOptions): Promise<Carrier> {
  const { url, tunnelAt, clock, signal } = o;
  if (o.transport !== "http") return dialRtsp(url, o);
  const own = doorOf(url);
  let refused: Fault = new RefusedTransport("http", "there is no port for it");
  // At the port of the web service first, where ONVIF has it (Media2 5.4.1).
  for (const door of [...(tunnelAt === undefined ? [] : [tunnelAt]), own])
    try {
      return await openTunnel({
        dial: () => dialDoor(url, door, o),
        path: `${url.pathname}${url.search}`,
        host: `${url.hostname}:${door.port}`,
        credentials: o.credentials,
        allowBasic: o.allowBasic === true || door.secure,
        clock,
        signal,
      });
    } catch (error) {
      const unknown = isFault(error, "unauthenticated");
      if (!(unknown || error instanceof RefusedTransport || error instanceof Unreachable)) throw error;
      // The port for the pages may have users of its own; its refusal says more than that there is no tunnel at another.
      if (unknown || !isFault(refused, "unauthenticated")) refused = asFault(error);
    }
  throw refused;
}
