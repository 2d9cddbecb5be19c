import type { Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import { plainAddress } from "../../base/address.ts";
import { Fault } from "../../base/fault.ts";
import { FRAME_HEADER_BYTES, FramedPackets } from "../../media/framed-packets.ts";
import { type PacketGroup, usualChannel } from "../../media/group.ts";
import type { DatagramSender } from "../../net/datagram-sender.ts";
import { openPortPair, type PortPair, type PortRange } from "../../net/udp.ts";
import type { Pair } from "../wire/transport.ts";
import type { Direct, DirectWay } from "./direct-way.ts";
import type { Lane } from "./lane.ts";
import { nextTurn, thisTurn } from "./loop-turns.ts";
import type { Sink } from "./sink.ts";

const LIMITS = {
  /** Datagrams in one turn of the loop: a key frame that came all at once would not fit into the buffers on the way. */
  burst: 16,
};

/** What something that waits takes in memory besides its bytes, which are shared. */
const OVERHEAD_BYTES = 96;

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

/** A report, or what is left of a group. */
interface Waiting {
  /** A group's packets each have their frame header before them. */
  bytes: Buffer;
  /** Datagrams. */
  count: number;
  readonly lane: number;
  readonly rtcp: boolean;
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
  readonly #queue: Waiting[] = [];
  /** Where in the queue sending is. */
  #next = 0;
  /** Datagrams that may still go out in this turn of the loop. */
  #left = 0;
  #turn = -1;
  /** Sending goes on in the next one. */
  #goesOn = false;
  /** What Node.js was handed and the system has not taken yet. */
  #unsent = 0;
  #backlogBytes = 0;
  closed = false;

  constructor(options: UdpSinkOptions) {
    super();
    this.#o = options;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Binds ports for a track and gives them. `onRtp`: RTP comes from the client's port. Faults: `busy`, `unavailable`. */
  async open(index: number, client: Pair, onRtp?: (packet: Buffer) => void): Promise<Pair> {
    const { localAddress, peerAddress, range, ttl, onReport } = this.#o;
    const own = await openPortPair(plainAddress(localAddress) ?? localAddress, range);
    if (this.closed) {
      own.close();
      return own.ports;
    }
    this.#clear();
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

  group({ bytes, packetCount: count }: PacketGroup, { index: lane }: Lane): void {
    this.#put({ bytes, count, lane, rtcp: false });
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
    this.#clear();
    for (const { own } of this.#paths.values()) own.close();
    this.#paths.clear();
    this.emit("close");
  }

  #clear(): void {
    this.#queue.length = 0;
    this.#next = 0;
    this.#backlogBytes = 0;
  }

  #direct(sender: DatagramSender): DirectWay {
    const isFree = (): boolean => !this.closed && this.#queue.length === 0 && this.#unsent === 0;
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
      sendToAll(fds, framed, count, taken) {
        sender.sendToAll(fds, framed, taken);
        return count;
      },
      rest: (framed, count, taken) => this.#sendRest(framed, count, Math.max(0, taken), sender),
    };
  }

  #put(waiting: Waiting): void {
    if (this.closed) return;
    this.#queue.push(waiting);
    this.#backlogBytes += waiting.bytes.length + OVERHEAD_BYTES;
    this.#send();
  }

  /** As much of the queue as may go out now. */
  #send(): void {
    this.#renew();
    while (this.#left > 0 && !this.closed) {
      const first = this.#queue[this.#next];
      if (first === undefined) break;
      const path = this.#paths.get(first.lane);
      const { bytes, count } = this.#take(first, path === undefined ? first.count : this.#left);
      if (path === undefined) continue;
      this.#left -= count;
      if (first.rtcp) this.#sendReport(bytes, path);
      else this.#sendPackets(bytes, count, path.own.sender);
    }
    if (this.#next >= this.#queue.length) this.#clear();
    // What the system has not taken goes on by itself.
    else if (!this.#goesOn && this.#unsent === 0) {
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

  /** Takes up to `most` datagrams of the first that waits. */
  #take(first: Waiting, most: number): { readonly bytes: Buffer; readonly count: number } {
    const { bytes, count } = first;
    if (count <= most) {
      this.#next += 1;
      this.#backlogBytes -= bytes.length + OVERHEAD_BYTES;
      return { bytes, count };
    }
    const end = endOf(bytes, most);
    first.bytes = bytes.subarray(end);
    first.count = count - most;
    this.#backlogBytes -= end;
    return { bytes: bytes.subarray(0, end), count: most };
  }

  #sendPackets(framed: Buffer, count: number, sender: DatagramSender): void {
    const taken = sender.sendFramed(framed);
    if (taken !== count) this.#sendRest(framed, count, taken, sender);
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
    if (this.#queue.length === 0) this.emit("drain");
  };

  readonly #sent = (error: Error | null): void => {
    this.#unsent -= 1;
    if (error !== null) this.#failed(error);
    if (this.#unsent === 0 && this.#queue.length > 0) this.#goOn();
  };

  readonly #failed = (cause: NodeJS.ErrnoException): void => {
    // The system is short of buffers, or the socket has made way for another SETUP's: a loss like any other.
    if (cause.code === "ENOBUFS" || cause.code === "ECANCELED" || this.closed) return;
    this.#o.failed(new Fault("unavailable", `cannot send to ${this.#o.peerAddress}: ${cause.message}`, { cause }));
  };
}

/** Where the first `count` packets end. */
function endOf(framed: Buffer, count: number): number {
  let end = 0;
  for (let packet = 0; packet < count; packet += 1) end += FRAME_HEADER_BYTES + framed.readUInt16BE(end + 2);
  return end;
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
