import { isIPv4 } from "node:net";
import { plainAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { LiveSource } from "../../media/source.ts";
import type { PortRange } from "../../net/udp.ts";
import type { Pair } from "../wire/transport.ts";
import type { MulticastAddress, Presentation } from "./host.ts";
import type { Lane, Lanes } from "./lane.ts";
import { LivePlayer } from "./live-player.ts";
import type { Player } from "./player.ts";
import { UdpSink } from "./udp-sink.ts";
import { GroupWriter } from "./writer.ts";

/** Ports of a stream: two each for as many tracks. Tracks beyond are not sent. */
const TRACKS = 8;

/** How many ports, from the first on, belong to one stream. */
export const PORTS_OF_STREAM = TRACKS * 2;

/** RTP and RTCP of one track; undefined for a track that is not sent. */
export function multicastPorts({ port }: MulticastAddress, track: number): Pair | undefined {
  return track < TRACKS ? [port + track * 2, port + track * 2 + 1] : undefined;
}

/** What a client may listen to: a stream's group, who sends to it, and from which of our addresses. */
export interface MulticastChoice {
  readonly to: MulticastAddress;
  readonly senders: MulticastSenders;
  /** IPv4. */
  readonly localAddress: string;
}

/** For a client that reached us at `localAddress`: live streams alone, over IPv4 alone, where there are `senders`. */
export function multicastChoice(
  presentation: Presentation,
  localAddress: string,
  senders: MulticastSenders | undefined,
): MulticastChoice | undefined {
  const to = presentation.kind === "live" ? presentation.multicast : undefined;
  const own = plainAddress(localAddress);
  return senders && to && own !== undefined && isIPv4(own) ? { senders, to, localAddress: own } : undefined;
}

/** Who plays, until it leaves. */
interface Member {
  readonly lanes: Lanes;
  readonly failed: (fault: Fault) => void;
}

export interface MulticastOptions {
  readonly clock: Clock;
  /** Ports to send from. */
  readonly range: PortRange | undefined;
  /** A packet group was dropped because the network takes less. */
  readonly dropped: () => void;
}

/** All that is sent to multicast groups: one sender for each stream and client-side address, for as long as a session plays it. */
export class MulticastSenders {
  readonly #o: MulticastOptions;
  readonly #senders = new Map<string, Sender>();

  constructor(options: MulticastOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#senders.size;
  }

  /**
   * Takes part in what is sent to `to` from our `localAddress` (IPv4). The first one begins with the key frame that the hub still
   * holds. For another one nothing is sent again, but the camera is asked for a key frame. Faults: `busy`, `unavailable`.
   */
  join(o: {
    readonly source: LiveSource;
    readonly to: MulticastAddress;
    readonly localAddress: string;
    /** What this reader has set up: a track that nobody has is not sent. */
    readonly lanes: Lanes;
    /** Sending cannot go on. Called once at most. */
    readonly failed: (fault: Fault) => void;
  }): Promise<Player> {
    const key = `${o.localAddress} ${o.to.address}`;
    let sender = this.#senders.get(key);
    if (sender === undefined) {
      sender = new Sender({ ...this.#o, ...o, ended: () => this.#senders.delete(key) });
      this.#senders.set(key, sender);
    }
    return sender.join({ lanes: o.lanes, failed: o.failed });
  }
}

/** Sends one stream to its group. */
class Sender {
  readonly #members = new Set<Member>();
  /** What any member has set up. */
  readonly #lanes = new Map<number, Lane>();
  readonly #sink: UdpSink;
  readonly #opened: Promise<void>;
  readonly #source: LiveSource;
  readonly #writer: GroupWriter;
  readonly #ended: () => void;
  #player: LivePlayer | undefined;
  #running = false;

  constructor(
    o: MulticastOptions & {
      readonly source: LiveSource;
      readonly to: MulticastAddress;
      readonly localAddress: string;
      /** Nobody plays any more. */
      readonly ended: () => void;
    },
  ) {
    const { clock, range, dropped, to, localAddress } = o;
    this.#source = o.source;
    this.#ended = o.ended;
    this.#sink = new UdpSink({
      localAddress,
      peerAddress: to.address,
      range,
      ttl: to.ttl,
      // Receivers report to the group, which we do not hear; that a session is alive is shown by its requests.
      onReport: () => undefined,
      failed: (fault) => this.#fail(fault),
    });
    this.#writer = new GroupWriter({ sink: this.#sink, clock, dropped, reports: true, lanes: this.#lanes });
    this.#opened = this.#open(to, o.source.tracks.length);
  }

  async join(member: Member): Promise<Player> {
    this.#members.add(member);
    try {
      await this.#opened;
    } catch (error) {
      this.#leave(member);
      throw error;
    }
    if (!this.#members.has(member)) throw new Fault("unavailable", "sending to the group has ended");
    this.#collect();
    this.#player ??= new LivePlayer({
      source: this.#source,
      writer: this.#writer,
      failed: (fault) => this.#fail(asFault(fault)),
    });
    // What others have been sent already is no beginning.
    const { first, range } = this.#running ? { first: new Map(), range: undefined } : this.#player;
    return {
      first,
      range,
      run: () => this.#run(),
      requestKey: () => this.#source.requestKey(),
      stop: () => this.#leave(member),
    };
  }

  async #open(to: MulticastAddress, tracks: number): Promise<void> {
    for (let track = 0; track < tracks; track += 1) {
      const ports = multicastPorts(to, track);
      if (ports !== undefined) await this.#sink.open(track, ports);
    }
  }

  #run(): void {
    // A group has no way to send what was to the one who is new: a key frame is all that can help.
    if (this.#running) this.#source.requestKey();
    else this.#player?.run();
    this.#running = true;
  }

  #leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#collect();
    if (this.#members.size > 0) return;
    this.#player?.stop();
    this.#sink.close();
    this.#ended();
  }

  #collect(): void {
    this.#lanes.clear();
    for (const { lanes } of this.#members) for (const [index, lane] of lanes) this.#lanes.set(index, lane);
  }

  #fail(fault: Fault): void {
    for (const member of this.#members) {
      this.#leave(member);
      member.failed(fault);
    }
  }
}
