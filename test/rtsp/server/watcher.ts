import { once } from "node:events";
import type { Socket } from "node:net";
import type { Hub } from "../../../media/hub.ts";
import type { Carrier } from "../../../rtsp/server/carrier.ts";
import type { Cohorts } from "../../../rtsp/server/cohorts.ts";
import type { Lane } from "../../../rtsp/server/lane.ts";
import { LivePlayer } from "../../../rtsp/server/live-player.ts";
import { InterleavedSink } from "../../../rtsp/server/sink.ts";
import { GroupWriter } from "../../../rtsp/server/writer.ts";
import type { VirtualClock } from "../../support/virtual-clock.ts";
import { AUDIO, VIDEO } from "./stage.ts";

/** A client that plays inside its RTSP connection, and what the bridge has for it. */
export class Watcher {
  readonly failures: unknown[] = [];
  readonly carrier: Carrier;
  readonly lanes: Map<number, Lane>;
  readonly player: LivePlayer;
  /** The bridge's end of the connection, and the client's. */
  readonly near: Socket;
  readonly far: Socket;
  dropped = 0;
  readonly #packets: { readonly channel: number; readonly packet: Buffer }[] = [];
  #rest: Buffer = Buffer.alloc(0);

  constructor(o: {
    readonly near: Socket;
    readonly far: Socket;
    readonly carrier: Carrier;
    readonly hub: Hub;
    readonly clock: VirtualClock;
    /** It is given each group itself if absent. */
    readonly cohorts: Cohorts | undefined;
    /** How many it has set up. */
    readonly tracks: number;
  }) {
    this.near = o.near;
    this.far = o.far;
    this.far.on("data", (bytes: Buffer) => this.#take(bytes));
    this.carrier = o.carrier;
    this.lanes = new Map(
      [VIDEO, AUDIO]
        .slice(0, o.tracks)
        .map((track, index) => [index, { index, track, pair: [index * 2, index * 2 + 1] }]),
    );
    const sink = new InterleavedSink(this.carrier);
    const dropped = (): void => {
      this.dropped += 1;
    };
    this.player = new LivePlayer({
      source: o.hub,
      writer: new GroupWriter({ sink, lanes: this.lanes, clock: o.clock, reports: true, dropped }),
      cohort: o.cohorts?.of(o.hub, this.lanes, sink),
      failed: (fault) => this.failures.push(fault),
    });
  }

  /** Ends it; nothing comes any more. */
  async end(): Promise<void> {
    const ended = once(this.far, "end");
    this.player.stop();
    this.carrier.end(Buffer.alloc(0));
    await ended;
  }

  /** What has come on a channel. */
  packets(channel = 0): readonly Buffer[] {
    return this.#packets.filter((one) => one.channel === channel).map(({ packet }) => packet);
  }

  /** The groups that have come on a channel. */
  numbers(channel = 0): readonly number[] {
    return this.packets(channel).map((packet) => packet.readUInt32BE(12));
  }

  /** Resolves when the newest group is `number`. */
  async until(number: number): Promise<void> {
    while (this.packets().at(-1)?.readUInt32BE(12) !== number) await once(this.far, "data");
  }

  #take(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = at + 4 + (bytes.length < at + 4 ? 0 : bytes.readUInt16BE(at + 2));
      if (end > bytes.length) break;
      if (bytes[at] !== 0x24) throw new Error(`no frame at ${at}`);
      this.#packets.push({ channel: bytes[at + 1] ?? 0, packet: bytes.subarray(at + 4, end) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}
