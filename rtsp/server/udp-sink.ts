import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { plainAddress } from "../../base/address.ts";
import { Fault } from "../../base/fault.ts";
import { FramedPackets } from "../../media/framed-packets.ts";
import { type PacketGroup, usualChannel } from "../../media/group.ts";
import type { DatagramSender } from "../../net/datagram-sender.ts";
import { openPortPair, type PortPair, type PortRange } from "../../net/udp.ts";
import type { Pair } from "../wire/transport.ts";
import { DatagramQueue, type Waiting } from "./datagram-queue.ts";
import type { Direct, DirectWay } from "./direct-way.ts";
import type { Lane } from "./lane.ts";
import { nextTurn, thisTurn } from "./loop-turns.ts";
import type { Sink } from "./sink.ts";

const LIMITS = {
  /** Datagrams in one turn of the loop: a key frame that came all at once would not fit into the buffers on the way. */
  burst: 16,
};

export interface UdpSinkOptions {
  /** Ours, as the client reached it: no other network sees the packets. */
  readonly localAddress: string;
  /** The client's, and nobody else's; or a multicast group. */
  readonly peerAddress: string;
  readonly range: PortRange | undefined;
  /** A compound RTCP packet of the client, so it is there. */
  readonly onReport: (packet: Buffer) => void;
  /** Present: `peerAddress` is a multicast group, which routers carry so many networks far; 1 is the own one alone. */
  readonly ttl?: number;
  /** Sending is refused: nobody listens there any more. */
  readonly failed: (fault: Fault) => void;
}

interface Path {
  readonly own: PortPair;
  readonly client: Pair;
  readonly direct: Direct;
}

/** RTP and RTCP in datagrams to one client or group (RFC 3550 11), a few at a time. */
export class UdpSink extends EventEmitter<{ drain: []; close: [] }> implements Sink {
  readonly #o: UdpSinkOptions;
  readonly #paths = new Map<number, Path>();
  readonly #queue = new DatagramQueue();
  /** Datagrams that may still go out in this turn of the loop. */
  #left = 0;
  #turn = -1;
  /** Sending goes on in the next one. */
  #goesOn = false;
  /** What Node.js was handed and the system has not taken yet. */
  #unsent = 0;
  closed = false;

  constructor(options: UdpSinkOptions) {
    super();
    this.#o = options;
  }

  get backlogBytes(): number {
    return this.#queue.bytes;
  }

  /** Binds ports for a track and gives them. `onRtp`: RTP comes from the client's port. Faults: `busy`, `unavailable`. */
  async open(index: number, client: Pair, onRtp?: (packet: Buffer) => void): Promise<Pair> {
    const { localAddress, peerAddress, range, ttl, onReport } = this.#o;
    const own = await openPortPair(plainAddress(localAddress) ?? localAddress, range);
    if (this.closed) {
      own.close();
      return own.ports;
    }
    this.#queue.clear();
    this.#paths.get(index)?.own.close();
    const direct = { way: this.#direct(own.sender), channel: usualChannel(index) };
    this.#paths.set(index, { own, client, direct });
    own.rtp.on("error", this.#failed);
    if (ttl !== undefined) for (const socket of [own.rtp, own.rtcp]) sendMulticast(socket, ttl);
    own.rtcp.on("message", (bytes, from) => {
      if (plainAddress(from.address) === peerAddress && isRtcp(bytes)) onReport(bytes);
    });
    if (onRtp !== undefined)
      own.rtp.on("message", (bytes: Buffer, from) => {
        if (plainAddress(from.address) === peerAddress && from.port === client[0]) onRtp(bytes);
      });
    // Connected, so that the system tells when nobody listens there, and looks up no route for each packet.
    await new Promise<void>((resolve) => {
      own.rtp.once("close", resolve);
      own.rtp.connect(client[0], peerAddress, () => resolve());
    });
    return own.ports;
  }

  group({ bytes, packetCount: count }: PacketGroup, { index: lane }: Lane, sent?: () => void): void {
    this.#put({ bytes, count, lane, rtcp: false, sent });
  }

  direct({ index }: Lane): Direct | undefined {
    return this.#paths.get(index)?.direct;
  }

  gather(): void {
    // Each packet is a datagram.
  }

  report(bytes: Buffer, { index }: Lane): void {
    this.#put({ bytes, count: 1, lane: index, rtcp: true });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#queue.clear();
    for (const { own } of this.#paths.values()) own.close();
    this.#paths.clear();
    this.emit("close");
  }

  #direct(sender: DatagramSender): DirectWay {
    const isFree = (): boolean => !this.closed && this.#queue.isEmpty && this.#unsent === 0;
    return {
      kind: "udp",
      get descriptor() {
        return sender.descriptor;
      },
      get isFree() {
        return isFree();
      },
      admits: (_framed, count) => {
        if (!isFree()) return false;
        this.#renew();
        if (count > this.#left) return false;
        this.#left -= count;
        return true;
      },
      sendToAll(_ways, fds, framed, { packetCount }, taken) {
        sender.sendToAll(fds, framed, taken);
        return packetCount;
      },
      rest: (framed, { packetCount }, taken) => this.#sendRest(framed, packetCount, Math.max(0, taken), sender),
    };
  }

  #put(waiting: Waiting): void {
    if (this.closed) return;
    this.#queue.add(waiting);
    this.#send();
  }

  /** As much of the queue as may go out now. */
  #send(): void {
    this.#renew();
    while (this.#left > 0 && !this.closed) {
      const { first } = this.#queue;
      if (first === undefined) break;
      const path = this.#paths.get(first.lane);
      const { bytes, count } = this.#queue.take(first, path === undefined ? first.count : this.#left);
      if (path === undefined) continue;
      this.#left -= count;
      if (first.rtcp) this.#sendReport(bytes, path);
      else if (!this.#sendPackets(bytes, count, path.own.sender)) first.sent = undefined;
      else if (bytes === first.bytes) first.sent?.();
    }
    // What the system has not taken goes on by itself.
    if (!this.#queue.isEmpty && !this.#goesOn && this.#unsent === 0) {
      this.#goesOn = true;
      nextTurn(this.#goOn);
    }
  }

  /** When others have had their turn and the system has taken all, so that nothing piles up where nobody counts it. */
  #renew(): void {
    const turn = thisTurn();
    if (turn === this.#turn || this.#unsent > 0) return;
    this.#turn = turn;
    this.#left = LIMITS.burst;
  }

  /** Whether the system has taken all of them. */
  #sendPackets(framed: Buffer, count: number, sender: DatagramSender): boolean {
    const taken = sender.sendFramed(framed);
    if (taken === count) return true;
    this.#sendRest(framed, count, taken, sender);
    return false;
  }

  #sendRest(framed: Buffer, count: number, taken: number, sender: DatagramSender): void {
    if (this.closed) return;
    this.#unsent += 1;
    sender.send(new FramedPackets(framed, count).list.slice(taken), this.#sent);
  }

  #sendReport(bytes: Buffer, { own, client }: Path): void {
    this.#unsent += 1;
    own.rtcp.send(bytes, client[1], this.#o.peerAddress, this.#sent);
  }

  readonly #goOn = (): void => {
    this.#goesOn = false;
    if (this.closed) return;
    this.#send();
    if (this.#queue.isEmpty) this.emit("drain");
  };

  readonly #sent = (error: Error | null): void => {
    this.#unsent -= 1;
    if (error !== null) this.#failed(error);
    if (this.#unsent === 0 && !this.#queue.isEmpty) this.#goOn();
  };

  readonly #failed = (cause: NodeJS.ErrnoException): void => {
    // The system is short of buffers, or the socket has made way for another SETUP's: a loss like any other.
    if (cause.code === "ENOBUFS" || cause.code === "ECANCELED" || this.closed) return;
    this.#o.failed(new Fault("unavailable", `cannot send to ${this.#o.peerAddress}: ${cause.message}`, { cause }));
  };
}

/** By the network of the socket's own address, whatever the routes of this machine say of multicast. */
function sendMulticast(socket: Socket, ttl: number): void {
  socket.setMulticastInterface(socket.address().address);
  socket.setMulticastTTL(ttl);
}

/** Anything of RTCP, version 2 (RFC 3550 6.1). */
function isRtcp(bytes: Buffer): boolean {
  const type = bytes[1] ?? 0;
  return bytes.length >= 8 && (bytes[0] ?? 0) >> 6 === 2 && type >= 200 && type <= 207;
}
