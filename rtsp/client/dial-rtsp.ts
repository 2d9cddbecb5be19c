import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraTls, dial } from "../../net/tcp.ts";

const LIMITS = {
  dialMs: 10 * SECOND,
};

const DEFAULT_PORT = { "rtsp:": 554, "rtsps:": 322 } as const;

/** Connects to where an RTSP address leads; its host is an IP address. Faults: `invalid` (another scheme), those of {@link dial}. */
export function dialRtsp(
  { protocol, hostname, port }: URL,
  o: {
    readonly side: CameraSide;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly tls?: CameraTls | undefined;
  },
): Promise<Socket> {
  if (protocol !== "rtsp:" && protocol !== "rtsps:") throw new Fault("invalid", `no RTSP address: ${protocol}`);
  return dial({
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? DEFAULT_PORT[protocol] : Number(port),
    side: o.side,
    clock: o.clock,
    timeoutMs: LIMITS.dialMs,
    signal: o.signal,
    ...(protocol === "rtsps:" ? { tls: o.tls ?? {} } : {}),
  });
}
