import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** How often the system is asked for a port whose neighbour is free. */
  attempts: 32,
  /** Of each socket: a large key frame comes and goes at once. The system may give less (net.core.wmem_max, rmem_max). */
  bufferBytes: 1024 * 1024,
} as const;

/** Ports from which a pair may be taken, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Two bound sockets on neighbouring ports: an even one for RTP, and the next for RTCP (RFC 3550 11). */
export interface PortPair {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  readonly ports: readonly [number, number];
  close(): void;
}

/**
 * Binds a pair on `address`, out of `range`, or of the system's choice. The sockets carry a silent `error` listener: UDP loses
 * things anyway, and who wants to know listens too. Fault `busy` when no pair is free, `unavailable` for an address that is not ours.
 */
export async function openPortPair(address: string, range?: PortRange): Promise<PortPair> {
  for (const port of range === undefined ? Array.from({ length: LIMITS.attempts }, () => 0) : evenPorts(range)) {
    const one = await bound(address, port);
    if (one === undefined) continue;
    const chosen = one.address().port;
    const even = chosen % 2 === 0;
    const other = await bound(address, even ? chosen + 1 : chosen - 1);
    if (other === undefined) {
      one.close();
      continue;
    }
    const [rtp, rtcp] = even ? [one, other] : [other, one];
    return {
      rtp,
      rtcp,
      ports: [rtp.address().port, rtcp.address().port],
      close() {
        rtp.close();
        rtcp.close();
      },
    };
  }
  const where = range === undefined ? "" : ` from ${range.first} to ${range.last}`;
  throw new Fault("busy", `no pair of free UDP ports${where} on ${address}`);
}

/** Beginning anywhere, so that late packets of one session do not go to the next. */
function evenPorts({ first, last }: PortRange): readonly number[] {
  const lowest = first + (first % 2);
  const count = Math.max(0, Math.floor((last + 1 - lowest) / 2));
  const start = Math.floor(Math.random() * count);
  return Array.from({ length: count }, (_, index) => lowest + 2 * ((start + index) % count));
}

/** Undefined where the port is taken, or not for us. */
function bound(address: string, port: number): Promise<Socket | undefined> {
  const bufferBytes = LIMITS.bufferBytes;
  const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4" });
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      socket.close();
      if (cause.code === "EADDRINUSE" || cause.code === "EACCES") resolve(undefined);
      else reject(new Fault("unavailable", `cannot bind UDP port ${port} on ${address}: ${cause.message}`, { cause }));
    };
    socket.once("error", failed);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", failed);
      socket.on("error", () => undefined);
      socket.setSendBufferSize(bufferBytes);
      socket.setRecvBufferSize(bufferBytes);
      resolve(socket);
    });
  });
}
