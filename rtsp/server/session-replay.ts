import { BytePace, type ByteRate } from "../../base/byte-pace.ts";
import type { Clock } from "../../base/clock.ts";
import type { UnixMillis } from "../../base/units.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Track } from "../../media/track.ts";
import { header } from "../wire/message.ts";
import type { Range } from "../wire/range.ts";
import { ALL_FRAMES, parseManner, type ReplayManner } from "../wire/replay.ts";
import type { RecordedPresentation } from "./host.ts";
import { areAsDescribed, type Lanes } from "./lane.ts";
import { ReplayPlayer } from "./replay-player.ts";
import { RtspFault } from "./reply.ts";
import { SentNumbers } from "./sent-numbers.ts";
import type { PlayRequest } from "./session-options.ts";
import { stretchOf } from "./stretch.ts";
import type { GroupWriter } from "./writer.ts";

/** Of a recording where nothing says how fast the client takes it: over UDP, faster than it was captured. */
const UDP_RATE: ByteRate = {
  /** 16 Mbit/s: some times the rate of an ordinary camera, and less than any network has on which there is video. */
  bytesPerSecond: 2 * 1024 * 1024,
  /** As much as a socket that nobody has set up takes in. */
  burstBytes: 128 * 1024,
};

const USUAL_MANNER: ReplayManner = { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES };

export interface SessionReplayOptions {
  /** Those of the session, which has set them up before it plays. */
  readonly lanes: Lanes;
  readonly clock: Clock;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
  /** Reading cannot go on. */
  readonly failed: (fault: unknown) => void;
}

/** How what is played leaves the session. */
export interface ReplayOutlet {
  /** `reports`: how the clocks of the tracks go together may be told. */
  readonly writer: (reports: boolean) => GroupWriter;
  /** The transport does not say how fast the client takes it. */
  readonly isUdp: boolean;
}

/** What one session plays of a recording, over all its PLAYs and PAUSEs: where it is, and what its packets were numbered. */
export class SessionReplay {
  readonly #o: SessionReplayOptions;
  readonly #numbers = new SentNumbers();
  readonly #memory = new ReusedMemory();
  #player: ReplayPlayer | undefined;
  #isOver = false;
  /** Where PAUSE stopped it. */
  #paused: UnixMillis | undefined;
  #isOnvif = false;

  constructor(options: SessionReplayOptions) {
    this.#o = options;
  }

  /** The last PLAY has come to its end, and nothing is sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on the client is told what ONVIF has for it (ONVIF Streaming 6.3). */
  requireOnvif(): void {
    this.#isOnvif = true;
  }

  /** Prepares to play what is asked for; what is playing stops once that is sure. Faults: `invalid`, 457, those of reading. */
  async open(
    presentation: RecordedPresentation,
    { range, message }: PlayRequest,
    outlet: ReplayOutlet,
  ): Promise<ReplayPlayer> {
    const { clock, failed, lanes, gone } = this.#o;
    const manner = parseManner(message, { ...USUAL_MANNER, ...presentation.manner });
    const paused = this.#position();
    const stretch = await stretchOf(presentation, { range, paused, backward: manner.scale < 0 });
    this.#assertDescribed(await presentation.source.tracks(stretch.from));
    const running = this.#player;
    running?.hold();
    const player: ReplayPlayer = await ReplayPlayer.open({
      source: presentation.source,
      stretch,
      manner,
      lanes,
      // At another speed, and without rate control (ONVIF Streaming 6.4), the clocks of a report do not go together.
      memory: this.#memory,
      writer: outlet.writer(manner.rateControl && manner.scale === 1),
      clock,
      numbers: this.#numbers,
      bytePace: outlet.isUdp && isFast(manner) ? new BytePace(clock, UDP_RATE) : undefined,
      onvif: this.#wantsExtension(message) ? Number(header(message, "CSeq")) & 0xff : undefined,
      gone,
      jump: running !== undefined,
      ended: () => {
        if (this.#player === player) this.#isOver = true;
      },
      failed,
    }).catch((error: unknown) => {
      running?.release();
      throw error;
    });
    running?.stop();
    this.#player = player;
    this.#isOver = false;
    return player;
  }

  /** Stops when it gets to `point`. False where nothing plays. Fault 457. */
  pauseAt(point: Range): boolean {
    this.#player?.pauseAt(point);
    return this.#player !== undefined;
  }

  /** Stops at once; the next PLAY without a range goes on there. */
  pause(): void {
    this.#paused = this.#position();
    this.#player?.stop();
    this.#player = undefined;
  }

  #position(): UnixMillis | undefined {
    return this.#player?.position ?? this.#paused;
  }

  /**
   * A camera's tracks may have been others at another time than those that the client was told of: then it would take one codec
   * for another, or everything would be read in search of a track that is not there. Fault 457.
   */
  #assertDescribed(there: readonly Track[]): void {
    if (there.length > 0 && !areAsDescribed(this.#o.lanes, there))
      throw new RtspFault(457, "invalid", "other tracks in this range than those described", {
        tell: "other tracks are recorded there: describe that time, with ?at= in the address",
      });
  }

  /** GStreamer's rtspsrc in its ONVIF mode says Rate-Control, relies on the header extension, and requires nothing (1.22). */
  #wantsExtension(message: PlayRequest["message"]): boolean {
    return this.#isOnvif || header(message, "Rate-Control") !== undefined;
  }
}

/** It may come faster than it was captured, which a network that carried it once need not bear. */
function isFast({ rateControl, scale, speed }: ReplayManner): boolean {
  return !rateControl || Math.abs(scale * speed) > 1;
}
