import type { PortRange } from "../../net/udp.ts";
import type { Pair } from "../wire/transport.ts";
import type { Carrier } from "./carrier.ts";
import type { MulticastSenders } from "./multicast.ts";
import { InterleavedSink, type Sink } from "./sink.ts";
import type { Way } from "./transport.ts";
import { UdpSink, type UdpSinkOptions } from "./udp-sink.ts";

/** RTP over UDP: for clients of plain RTSP alone, for it is in clear text. */
export interface Datagrams {
  /** Present: to the client itself, from these ports. */
  readonly udp?: { readonly range: PortRange | undefined };
  /** Present: to the groups of live streams that have one. */
  readonly multicast?: MulticastSenders;
}

export interface OutletOptions {
  readonly carrier: Carrier;
  /** How datagrams go to the client; undefined where it cannot have them. */
  readonly udp: Pick<UdpSinkOptions, "localAddress" | "peerAddress" | "range"> | undefined;
  /** A compound RTCP packet of the client, outside of the RTSP connection. */
  readonly onReport: (packet: Buffer) => void;
  /** Sending cannot go on. */
  readonly failed: (fault: unknown) => void;
}

/** The way by which one session's packets leave, and what is open for it. */
export class Outlet {
  readonly #o: OutletOptions;
  readonly #interleaved: InterleavedSink;
  #udp: UdpSink | undefined;
  #way: Way | undefined;
  #closed = false;

  constructor(options: OutletOptions) {
    this.#o = options;
    this.#interleaved = new InterleavedSink(options.carrier);
  }

  /** Undefined until a track is set up. */
  get way(): Way | undefined {
    return this.#way;
  }

  /** Of the session's own; undefined where it has none: nothing is set up, or it goes to a group. */
  get sink(): Sink | undefined {
    return this.#way === "interleaved" ? this.#interleaved : this.#udp;
  }

  /**
   * Opens what a track needs. Gives our ports, where it has some of its own. `onRtp`: the client sends in it, and not we; datagrams
   * of its are handed over. Faults: `busy`, `unavailable`.
   */
  async open(way: Way, track: number, client: Pair, onRtp?: (packet: Buffer) => void): Promise<Pair | undefined> {
    const { udp, onReport, failed } = this.#o;
    if (way !== "udp" || udp === undefined) {
      this.#udp?.close();
      this.#udp = undefined;
      this.#way = way;
      return undefined;
    }
    const sink = this.#udp ?? new UdpSink({ ...udp, onReport, failed });
    const ports = await sink.open(track, client, onRtp);
    if (this.#closed) sink.close();
    this.#udp = sink;
    this.#way = way;
    return ports;
  }

  close(): void {
    this.#closed = true;
    this.#udp?.close();
    this.#udp = undefined;
    this.#way = undefined;
  }
}
