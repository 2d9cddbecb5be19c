import type { QuirkSeen } from "../../base/quirk.ts";
import type { Pair } from "../wire/transport.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane, LaneSink } from "./lane.ts";
import { channelsOf } from "./quirks.ts";
import { RefusedTransport } from "./refusal.ts";

/** The interleaved channels of one connection, and who takes what comes on them (RFC 2326 10.12). */
export class Channels {
  readonly #seen: QuirkSeen<RtspQuirk>;
  readonly #taken = new Map<number, { readonly sink: LaneSink; readonly rtcp: boolean }>();

  constructor(seen: QuirkSeen<RtspQuirk>) {
    this.#seen = seen;
  }

  has(channel: number): boolean {
    return this.#taken.has(channel);
  }

  receive(channel: number, packet: Buffer): void {
    const taken = this.#taken.get(channel);
    taken?.sink(packet, taken.rtcp);
  }

  /** A lane over two free channels. */
  open(send: (channel: number, packet: Buffer) => void, sink: LaneSink): Lane {
    let channels: Pair = this.#free();
    return {
      asked: `RTP/AVP/TCP;unicast;interleaved=${channels[0]}-${channels[1]}`,
      agree: (answered) => {
        const agreed = channelsOf(answered, channels, (channel) => this.#taken.has(channel), this.#seen);
        if (agreed === undefined) throw new RefusedTransport("tcp", "it chooses UDP");
        channels = agreed;
        this.#taken.set(channels[0], { sink, rtcp: false });
        this.#taken.set(channels[1], { sink, rtcp: true });
      },
      report: (packet) => send(channels[1], packet),
      send: (packet) => send(channels[0], packet),
      // They end with the connection.
      close: () => undefined,
    };
  }

  #free(): Pair {
    let rtp = 0;
    while (this.#taken.has(rtp) || this.#taken.has(rtp + 1)) rtp += 2;
    return [rtp, rtp + 1];
  }
}
