import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Track } from "../../media/track.ts";
import { type Headers, header } from "../wire/message.ts";
import type { Range } from "../wire/range.ts";
import { ALL_FRAMES, parseManner, type ReplayManner } from "../wire/replay.ts";
import type { TransportSpec } from "../wire/transport.ts";
import type { RequestAddress } from "./address.ts";
import type { Carrier } from "./carrier.ts";
import type { LivePresentation, Presentation, RecordedPresentation } from "./host.ts";
import type { Lane } from "./lane.ts";
import { LivePlayer } from "./live-player.ts";
import type { Player } from "./player.ts";
import { ReplayPlayer } from "./replay-player.ts";
import { RtspFault, unsupported } from "./reply.ts";
import { next, type State } from "./state.ts";
import { stretchOf } from "./stretch.ts";
import { chooseTransport } from "./transport.ts";
import { GroupWriter } from "./writer.ts";

export interface SessionOptions {
  readonly carrier: Carrier;
  readonly clock: Clock;
  /** The presentation that the session is about. */
  readonly address: RequestAddress;
  readonly kind: Presentation["kind"];
  readonly tracks: readonly Track[];
  /** The account that it belongs to. */
  readonly accountId: string;
  readonly accountName: string;
  /** A group was dropped because the client is too slow. */
  readonly dropped: () => void;
  /** Sending cannot go on. */
  readonly failed: (fault: unknown) => void;
}

/** What a PLAY asks for. */
export interface PlayRequest {
  readonly range: Range | undefined;
  /** Headers that say how. */
  readonly message: { readonly headers: Headers };
}

/** The option of ONVIF's replay (ONVIF Streaming 6.2). */
export const ONVIF_REPLAY = "onvif-replay";

const USUAL_MANNER: ReplayManner = { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES };

/** One client's session with one presentation (RFC 2326 3.4): which tracks it set up, and whether it plays. */
export class RtspSession {
  /** Cannot be guessed. */
  readonly id = randomBytes(16).toString("hex");
  readonly address: RequestAddress;
  readonly accountId: string;
  readonly accountName: string;
  readonly #options: SessionOptions;
  readonly #lanes = new Map<number, Lane>();
  #state: State = "init";
  #player: Player | undefined;
  #replayed = false;
  /** Where PAUSE stopped a recording. */
  #paused: UnixMillis | undefined;
  readonly #ending = new AbortController();
  #isOnvifReplay = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.address = options.address;
    this.accountId = options.accountId;
    this.accountName = options.accountName;
  }

  /** Something may be sent at any moment. */
  get active(): boolean {
    return this.#state === "playing" && !this.#replayed;
  }

  /** How many tracks are set up. */
  get size(): number {
    return this.#lanes.size;
  }

  /** The client wants ONVIF's replay, at SETUP or at PLAY: it is told more of what it is sent. Fault 551 where nothing is replayed. */
  requireReplay(): void {
    if (this.#options.kind === "live") throw unsupported(ONVIF_REPLAY);
    this.#isOnvifReplay = true;
  }

  isRtcpChannel(channel: number): boolean {
    return [...this.#lanes.values()].some(({ channels }) => channels[1] === channel);
  }

  /** Faults: `wrong-state`, `not-found` (no such track), 461. */
  setUp(index: number | undefined, transport: string | undefined): TransportSpec {
    const state = next(this.#state, "SETUP");
    const { tracks } = this.#options;
    // The presentation's own address stands for its only track.
    const chosen = index ?? (tracks.length === 1 ? 0 : undefined);
    if (chosen === undefined)
      throw new RtspFault(459, "invalid", "SETUP of a presentation of several tracks", {
        tell: "set up each track by the address in its a=control",
      });
    const track = tracks[chosen];
    if (track === undefined) throw new Fault("not-found", `no track ${chosen}`, { tell: "there is no such track" });
    const others = [...this.#lanes.values()].filter((lane) => lane.index !== chosen);
    const spec = chooseTransport(transport, (channel) => others.some(({ channels }) => channels.includes(channel)));
    if (spec.interleaved === undefined) throw new Fault("internal", "transport without channels");
    this.#lanes.set(chosen, { index: chosen, track, channels: spec.interleaved });
    this.#state = state;
    return spec;
  }

  /** Prepares to play; the caller runs the player once the answer is written. Faults: `wrong-state`, `invalid`, 457, 551, those of reading. */
  async play(presentation: Presentation, asked: PlayRequest): Promise<Player> {
    const state = next(this.#state, "PLAY");
    const player = presentation.kind === "live" ? this.#live(presentation) : await this.#replay(presentation, asked);
    if (this.#ending.signal.aborted) {
      player.stop();
      throw new Fault("unavailable", "the client hung up");
    }
    this.#player = player;
    this.#replayed = false;
    this.#state = state;
    return player;
  }

  #live({ source }: LivePresentation): Player {
    this.#stop();
    return new LivePlayer(source, this.#writer(true), this.#options.failed);
  }

  async #replay(presentation: RecordedPresentation, { range, message }: PlayRequest): Promise<Player> {
    const { clock, failed } = this.#options;
    const manner = parseManner(message, { ...USUAL_MANNER, ...presentation.manner });
    const paused = this.#position() ?? this.#paused;
    const stretch = await stretchOf(presentation, { range, paused, backward: manner.scale < 0 });
    this.#assertSame(await presentation.source.tracks(stretch.from));
    const player: ReplayPlayer = await ReplayPlayer.open({
      source: presentation.source,
      stretch,
      manner,
      lanes: this.#lanes,
      // At another speed, and without rate control (ONVIF Streaming 6.4), the clocks of a report do not go together.
      writer: this.#writer(manner.rateControl && manner.scale === 1),
      clock,
      onvif: this.#wantsExtension(message) ? Number(header(message, "CSeq")) & 0xff : undefined,
      gone: this.#ending.signal,
      jump: this.#player !== undefined,
      ended: () => {
        if (this.#player === player) this.#replayed = true;
      },
      failed,
    });
    this.#stop();
    return player;
  }

  /**
   * A camera's tracks may have been others at another time than those that the client was told of: then it would take one codec
   * for another, or everything would be read in search of a track that is not there. Fault 457.
   */
  #assertSame(there: readonly Track[]): void {
    for (const { index, track } of this.#lanes.values()) {
      const other = there[index];
      const same = other?.codec === track.codec && other.clockRateHz === track.clockRateHz;
      if (there.length > 0 && !(same && other.payloadType === track.payloadType))
        throw new RtspFault(457, "invalid", `track ${index} is ${other?.encoding ?? "not there"} in this range`, {
          tell: "other tracks are recorded there: describe that time, with ?at= in the address",
        });
    }
  }

  /** GStreamer's rtspsrc in its ONVIF mode says Rate-Control, relies on the header extension, and requires nothing (1.22). */
  #wantsExtension(message: PlayRequest["message"]): boolean {
    return this.#isOnvifReplay || header(message, "Rate-Control") !== undefined;
  }

  pause(): void {
    const state = next(this.#state, "PAUSE");
    this.#paused = this.#position() ?? this.#paused;
    this.#stop();
    this.#state = state;
  }

  close(): void {
    this.#ending.abort();
    this.#stop();
    this.#lanes.clear();
    this.#state = next(this.#state, "TEARDOWN");
  }

  /** Each track that is set up, for RTP-Info. */
  lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  #position(): UnixMillis | undefined {
    return this.#player instanceof ReplayPlayer ? this.#player.position : undefined;
  }

  #stop(): void {
    this.#player?.stop();
    this.#player = undefined;
  }

  #writer(reports: boolean): GroupWriter {
    const { carrier, clock, dropped } = this.#options;
    return new GroupWriter({ carrier, clock, dropped, reports, lanes: this.#lanes });
  }
}
