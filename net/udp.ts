import { createSocket, type Socket } from "node:dgram";
import { closeSync } from "node:fs";
import { isIPv6 } from "node:net";
import { getSystemErrorName } from "node:util";
import { Fault } from "../base/fault.ts";
import { type Adopted, DatagramSender } from "./datagram-sender.ts";
import { nativeSender } from "./native.ts";

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
  /** Sends to the peer that `rtp` is connected to. */
  readonly sender: DatagramSender;
  close(): void;
}

/** A bound socket. */
interface Bound {
  readonly socket: Socket;
  readonly adopted: Adopted | undefined;
}

/**
 * Binds a pair on `address`, out of `range`, or of the system's choice. The sockets carry a silent `error` listener: UDP loses
 * things anyway, and who wants to know listens too. Fault `busy` when no pair is free, `unavailable` for an address that is not ours.
 */
export async function openPortPair(address: string, range?: PortRange): Promise<PortPair> {
  for (const port of range === undefined ? Array.from({ length: LIMITS.attempts }, () => 0) : evenPorts(range)) {
    const one = await bound(address, port);
    if (one === undefined) continue;
    const chosen = one.socket.address().port;
    const even = chosen % 2 === 0;
    const other = await neighbourOf(one, address, even ? chosen + 1 : chosen - 1);
    if (other === undefined) continue;
    const [{ socket: rtp, adopted }, { socket: rtcp }] = even ? [one, other] : [other, one];
    const sender = new DatagramSender(rtp, adopted);
    return {
      rtp,
      rtcp,
      ports: [rtp.address().port, rtcp.address().port],
      sender,
      close() {
        sender.close();
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

/** The other one of a pair. Without it `one` is of no use, and closed. */
async function neighbourOf(one: Bound, address: string, port: number): Promise<Bound | undefined> {
  let other: Bound | undefined;
  try {
    other = await bound(address, port);
    return other;
  } finally {
    if (other === undefined) one.socket.close();
  }
}

/** Undefined where the port is taken, or not for us. */
async function bound(address: string, port: number): Promise<Bound | undefined> {
  const native = nativeSender();
  const fd = native?.openDatagrams(address, port);
  const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4" });
  let isBound = false;
  try {
    if (fd === undefined) await bind(socket, { address, port, exclusive: true });
    else if (fd < 0) throw Object.assign(new Error(`bind ${getSystemErrorName(fd)}`), { code: getSystemErrorName(fd) });
    else await bind(socket, { fd, exclusive: true });
    isBound = true;
    socket.on("error", () => undefined);
    socket.setSendBufferSize(LIMITS.bufferBytes);
    socket.setRecvBufferSize(LIMITS.bufferBytes);
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    socket.close();
    if (!isBound && fd !== undefined && fd >= 0) closeSync(fd);
    if (cause.code === "EADDRINUSE" || cause.code === "EACCES") return undefined;
    throw new Fault("unavailable", `cannot bind UDP port ${port} on ${address}: ${cause.message}`, { cause });
  }
  if (fd !== undefined) native?.ownAlone(fd);
  if (native === undefined || fd === undefined) return { socket, adopted: undefined };
  return { socket, adopted: { native, fd } };
}

/** Rejects with the system's error. A descriptor that it does not take is still the caller's. */
function bind(socket: Socket, to: Parameters<Socket["bind"]>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(to as object, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}
