import { openPortPair, type PortPair } from "../net/udp.ts";
import type { Quirk } from "./quirks.ts";
import type { Outlet } from "./viewer.ts";

/** Every so many packets one is lost, where losing is switched on. */
const LOSS_PERIOD = 50;

/** A client, or a group. */
export interface UdpReceiver {
  readonly address: string;
  readonly ports: readonly [rtp: number, rtcp: number];
}

/** A track over UDP, from two ports of the camera to two of the receiver. */
export class UdpOutlet implements Outlet {
  /** UDP does not tell. */
  readonly full = false;
  readonly #pair: PortPair;
  readonly #to: UdpReceiver;
  readonly #quirks: ReadonlySet<Quirk>;
  #count = 0;
  #held: Buffer | undefined;
  #closed = false;

  /** `onReport`, `onRtp`: what the client sends. */
  static async open(o: {
    readonly address: string;
    readonly client: UdpReceiver;
    readonly quirks: ReadonlySet<Quirk>;
    readonly onReport: (packet: Buffer) => void;
    readonly onRtp?: ((packet: Buffer) => void) | undefined;
  }): Promise<UdpOutlet> {
    const pair = await openPortPair(o.address);
    pair.rtcp.on("message", (packet: Buffer, { address, port }) => {
      if (address === o.client.address && port === o.client.ports[1]) o.onReport(packet);
    });
    pair.rtp.on("message", (packet: Buffer, { address, port }) => {
      if (address === o.client.address && port === o.client.ports[0]) o.onRtp?.(packet);
    });
    return new UdpOutlet(pair, o.client, o.quirks);
  }

  /** `pair`: the camera's ports; they are closed with it. */
  constructor(pair: PortPair, to: UdpReceiver, quirks: ReadonlySet<Quirk>) {
    this.#pair = pair;
    this.#to = to;
    this.#quirks = quirks;
  }

  get ports(): readonly [number, number] {
    return this.#pair.ports;
  }

  rtp(packets: readonly Buffer[]): void {
    for (const packet of packets) {
      this.#count += 1;
      if (this.#quirks.has("udp-loss") && this.#count % LOSS_PERIOD === 0) continue;
      // Not the first, or nobody could know that something was before it.
      if (this.#quirks.has("udp-reorder") && this.#held === undefined && this.#count > 1) {
        this.#held = packet;
        continue;
      }
      this.#send(0, packet);
      if (this.#held !== undefined) this.#send(0, this.#held);
      this.#held = undefined;
    }
  }

  rtcp(packet: Buffer): void {
    this.#send(1, packet);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pair.close();
  }

  #send(end: 0 | 1, packet: Buffer): void {
    if (this.#closed) return;
    const socket = end === 0 ? this.#pair.rtp : this.#pair.rtcp;
    socket.send(packet, this.#to.ports[end], this.#to.address, () => undefined);
  }
}
