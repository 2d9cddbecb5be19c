import type { Pair } from "../wire/transport.ts";
import type { Carrier } from "./carrier.ts";
import type { TrackKeys } from "./key-management.ts";
import { SessionKeys } from "./session-keys.ts";
import { InterleavedSink, type Sink } from "./sink.ts";
import { SrtpSink } from "./srtp-sink.ts";
import type { Way } from "./transport.ts";
import { UdpSink, type UdpSinkOptions } from "./udp-sink.ts";

type UdpWay = Pick<UdpSinkOptions, "localAddress" | "peerAddress" | "range">;

export interface OutletOptions {
  readonly carrier: Carrier;
  /** How datagrams go to the client; undefined where it cannot have them. */
  readonly udp: UdpWay | undefined;
  /** Likewise as SRTP. */
  readonly srtp: UdpWay | undefined;
  /** A compound RTCP packet of the client, outside of the RTSP connection. */
  readonly onReport: (packet: Buffer) => void;
  /** Sending cannot go on. */
  readonly failed: (fault: unknown) => void;
}

/** What else there is to a track. */
export interface TrackOutlet {
  /** For SRTP. */
  readonly keys?: TrackKeys | undefined;
  /** The client sends in it, and not we; datagrams of its are handed over. */
  readonly onRtp?: ((packet: Buffer) => void) | undefined;
}

/** The way by which one session's packets leave, and what is open for it. */
export class Outlet {
  readonly #o: OutletOptions;
  readonly #interleaved: InterleavedSink;
  readonly #keys = new SessionKeys();
  #udp: UdpSink | undefined;
  #srtp: SrtpSink | undefined;
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
    return this.#way === "interleaved" ? this.#interleaved : (this.#srtp ?? this.#udp);
  }

  /** Opens what a track needs. Gives our ports, where it has some of its own. Faults: `busy`, `unavailable`, `invalid` of keys. */
  async open(way: Way, track: number, client: Pair, { keys, onRtp }: TrackOutlet = {}): Promise<Pair | undefined> {
    const options = way === "udp" ? this.#o.udp : way === "srtp" ? this.#o.srtp : undefined;
    const protection = keys && this.#keys.protection(keys);
    if (way !== this.#way) this.#drop();
    if (options === undefined) {
      this.#way = way;
      return undefined;
    }
    const { failed } = this.#o;
    const sink = this.#udp ?? new UdpSink({ ...options, failed, onReport: (packet) => this.#reported(packet) });
    const ports = await sink.open(track, client, onRtp);
    if (this.#closed) sink.close();
    this.#udp = sink;
    this.#way = way;
    if (protection !== undefined) {
      this.#srtp ??= new SrtpSink(sink, failed);
      this.#srtp.protect(track, protection);
    }
    return ports;
  }

  #reported(packet: Buffer): void {
    const report = this.#srtp === undefined ? packet : this.#srtp.opened(packet);
    if (report !== undefined) this.#o.onReport(report);
  }

  #drop(): void {
    this.#udp?.close();
    this.#udp = undefined;
    this.#srtp = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#drop();
    this.#way = undefined;
  }
}
