import type { BytePace } from "../../base/byte-pace.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import type { Sent } from "../../media/sent.ts";
import type { Range } from "../wire/range.ts";
import { arePicturesAlone } from "./frame-filter.ts";
import { LookAhead } from "./look-ahead.ts";
import { Pace } from "./pace.ts";
import type { Player } from "./player.ts";
import { withReplayExtension } from "./replay-extension.ts";
import { type ItemsOptions, itemsOf } from "./replay-items.ts";
import type { MarkedGroup } from "./replay-marks.ts";
import { RtspFault } from "./reply.ts";
import { ScaledTime } from "./scaled-time.ts";
import { LOOK_AGAIN_MS, SETTLED_MS, whenSettled } from "./settling.ts";
import { answerTo, pointOf } from "./stretch.ts";
import type { GroupWriter } from "./writer.ts";

/** One for all, for each jump stops what played before: the one that is made where none is given notes where it was made. */
const STOPPED = new Error("playing was stopped");

export interface ReplayOptions extends ItemsOptions {
  readonly writer: GroupWriter;
  /** Where the packets lie. It outlives the player, which jumps with each PLAY. */
  readonly memory: ReusedMemory;
  /** Where neither the transport nor the capture says how fast the client takes it. */
  readonly bytePace: BytePace | undefined;
  /** Aborted when the client is gone: finding the first group may take long. */
  readonly gone: AbortSignal;
  /** It takes the place of a PLAY that was running. */
  readonly jump: boolean;
  /** Everything was sent, up to the end or to a pause point. */
  readonly ended: () => void;
  /** Called once at most, and not after `ended`. */
  readonly failed: (fault: unknown) => void;
}

/** Plays a stretch of a recording: in either direction, at any speed, or as fast as the client takes it. */
export class ReplayPlayer implements Player {
  readonly first: Map<number, PacketGroup>;
  readonly range: Range;
  readonly #o: ReplayOptions;
  readonly #items: LookAhead;
  readonly #stopping: AbortController;
  /** Until it is sent. */
  #start: MarkedGroup | undefined;
  readonly #time: ScaledTime;
  #position: UnixMillis;
  #running = false;
  #pausePoint: UnixMillis | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  private constructor(options: ReplayOptions, items: LookAhead, stopping: AbortController, start: MarkedGroup) {
    this.#o = options;
    this.#items = items;
    this.#stopping = stopping;
    this.#start = start;
    this.#position = start.group.at;
    this.#time = new ScaledTime(options.manner, options.memory);
    this.first = items.first;
    this.range = answerTo(options.stretch, start.group.at);
  }

  /** Finds the first group, so that a stretch without footage is refused (457) before anything is promised. */
  static async open(options: ReplayOptions): Promise<ReplayPlayer> {
    const { stretch, clock, gone } = options;
    const stopping = new AbortController();
    const stop = (): void => stopping.abort(STOPPED);
    gone.addEventListener("abort", stop, { once: true });
    if (gone.aborted) stop();
    const items: AsyncIterator<MarkedGroup | undefined> = itemsOf(options, options.memory, stopping.signal);
    try {
      const first = await whenSettled({ clock, from: stretch.from, gone }, async () => (await items.next()).value);
      if (first !== undefined) {
        const { lanes, manner } = options;
        const tracks = new Set(arePicturesAlone(lanes, manner) ? [] : lanes.keys());
        const start = first as MarkedGroup;
        return new ReplayPlayer(options, await LookAhead.read(start, items, tracks), stopping, start);
      }
      stopping.abort(STOPPED);
      await items.return?.();
      throw new RtspFault(457, "not-found", `nothing recorded from ${stretch.from} to ${stretch.to ?? "now"}`, {
        tell: "nothing is recorded in this range",
      });
    } finally {
      gone.removeEventListener("abort", stop);
    }
  }

  get sent(): Sent {
    return this.#o.writer.sent;
  }

  /** Capture time of the newest group that was sent: where to go on after PAUSE. */
  get position(): UnixMillis {
    return this.#position;
  }

  /** Stops before what was captured at `point`, or behind it (RFC 2326 10.6). Fault 457 where that does not lie ahead. */
  pauseAt(point: Range): void {
    const at = pointOf(this.#o.stretch, point);
    if (!this.#isAhead(at))
      throw new RtspFault(457, "invalid", "pause point", { tell: "the pause point does not lie ahead" });
    this.#pausePoint = at;
  }

  run(): void {
    this.#running = true;
    // Nobody asks for them again, and they would be kept as long as the replay lasts.
    this.first.clear();
    this.#pump().then(
      (complete) => {
        if (complete) this.#o.ended();
      },
      (fault: unknown) => {
        if (!this.#stopping.signal.aborted) this.#o.failed(fault);
      },
    );
  }

  stop(): void {
    this.#stopping.abort(STOPPED);
    this.release();
    // Nobody else will let go of the files that reading holds open.
    if (this.#running) return;
    this.#start?.group.release();
    this.#start = undefined;
    void this.#items.return();
  }

  /** Sends nothing until it is released, so that another player can be prepared to go on where this one is. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** False when it was stopped. */
  async #pump(): Promise<boolean> {
    const { writer, clock, stretch, manner, bytePace } = this.#o;
    const { signal } = this.#stopping;
    const from = beginning(this.#position, stretch.from, manner.scale);
    const pace = new Pace(clock, from, manner.scale * manner.speed);
    let jumped = this.#o.jump;
    let item = this.#start;
    this.#start = undefined;
    /** What waits to be written. */
    let unsent: PacketGroup | undefined;
    try {
      while (!signal.aborted) {
        if (item === undefined) {
          if (this.#isOver()) break;
          await clock.sleep(LOOK_AGAIN_MS, signal);
        } else {
          const { at, discontinuity } = item.group;
          // Backwards, a group of pictures goes out whole: it is decoded before any of it is shown.
          if (manner.rateControl && (manner.scale > 0 || discontinuity)) await pace.reach(at, discontinuity, signal);
          if (this.#isBehindPausePoint(at)) return true;
          const dressed = this.#dressed(item, jumped);
          unsent = dressed;
          item = undefined;
          await bytePace?.spend(dressed.byteLength, signal);
          // Waiting for what is there already would cost as much as sending it.
          if (writer.isFull) await writer.room(signal);
          // Behind all else that is waited for: what comes after a jump is numbered behind what was sent before it, and nothing else.
          if (this.#held !== undefined) await this.#held.promise;
          if (signal.aborted) break;
          this.#o.numbers.sent(dressed);
          unsent = undefined;
          writer.put(dressed, () => dressed.release());
          this.#position = at;
          jumped = false;
        }
        const { done, value }: IteratorResult<MarkedGroup | undefined> = await this.#items.next();
        if (done === true) break;
        item = value;
      }
    } finally {
      (unsent ?? item?.group)?.release();
      await this.#items.return();
    }
    if (signal.aborted) return false;
    // ONVIF Streaming 6.4: at the end of the footage sending stops, and the session goes on.
    if (this.#o.onvif === undefined) writer.goodbye();
    return true;
  }

  #isAhead(at: UnixMillis): boolean {
    return this.#o.manner.scale > 0 ? at > this.#position : at < this.#position;
  }

  #isBehindPausePoint(at: UnixMillis): boolean {
    const point = this.#pausePoint;
    return point !== undefined && (this.#o.manner.scale > 0 ? at >= point : at < point);
  }

  /** Nothing more at the moment: an ONVIF client waits for what will be recorded; a plain player wants to know the end. */
  #isOver(): boolean {
    const { stretch, clock, onvif } = this.#o;
    const settled = clock.now() - SETTLED_MS;
    if (stretch.to !== undefined) return stretch.to < settled;
    return onvif === undefined && this.#position < settled;
  }

  #dressed({ group, marks }: MarkedGroup, jumped: boolean): PacketGroup {
    const { onvif } = this.#o;
    const timed = this.#time.of(group);
    if (onvif === undefined) return timed;
    const told = { ...marks, discontinuity: marks.discontinuity || jumped, sequence: onvif };
    return withReplayExtension(timed, told, this.#o.memory);
  }
}

/** The pace counts from the instant that was asked for, or from the first footage behind it. */
function beginning(first: UnixMillis, asked: UnixMillis, scale: number): UnixMillis {
  return unixMillis(scale > 0 ? Math.max(first, asked) : Math.min(first, asked));
}
