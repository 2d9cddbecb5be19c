import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";
import type { Carrier } from "./carrier.ts";
import { Unreachable } from "./refusal.ts";

const LIMITS = {
  dialMs: 10 * SECOND,
};

const DEFAULT_PORT = { "rtsp:": 554, "rtsps:": 322 } as const;

/** A port of a camera. */
export interface Door {
  readonly port: number;
  /** Inside TLS. */
  readonly secure: boolean;
}

export interface DialRtspOptions {
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tls?: CameraTls | undefined;
}

/** Where an RTSP address leads. Fault `invalid` for another scheme. */
export function doorOf({ protocol, port }: URL): Door {
  if (protocol !== "rtsp:" && protocol !== "rtsps:") throw new Fault("invalid", `no RTSP address: ${protocol}`);
  return { port: Number(port) || DEFAULT_PORT[protocol], secure: protocol === "rtsps:" };
}

/** Connects to the RTSP port of the camera of an address. Faults: `invalid`, those of {@link dialDoor}. */
export async function dialRtsp(url: URL, o: DialRtspOptions): Promise<Carrier> {
  let take: ((bytes: Buffer) => void) | undefined;
  const socket = await dialDoor(url, doorOf(url), o, (bytes) => take?.(bytes));
  return {
    localAddress: socket.localAddress,
    get writableLength() {
      return socket.writableLength;
    },
    write: (bytes) => socket.write(bytes),
    destroy: () => socket.destroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    on(event: "data" | "error" | "close", listener: (...told: never[]) => void) {
      if (event !== "data") return socket.on(event, listener as (...told: unknown[]) => void);
      take = listener as typeof take;
      return socket.resume();
    },
  };
}

/**
 * Connects to a port of the camera of an address, whose host is an IP address. Faults: Unreachable, others of {@link dial}, where
 * `onData` is explained.
 */
export async function dialDoor(
  { hostname }: URL,
  { port, secure }: Door,
  o: DialRtspOptions,
  onData?: (bytes: Buffer) => void,
): Promise<Socket> {
  const { side, clock, signal, tls } = o;
  try {
    return await dial({
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      side,
      clock,
      timeoutMs: LIMITS.dialMs,
      signal,
      ...(secure ? { tls: tls ?? {} } : {}),
      ...(onData === undefined ? {} : { onData }),
    });
  } catch (error) {
    throw isFault(error, "unavailable") ? new Unreachable(error) : error;
  }
}
