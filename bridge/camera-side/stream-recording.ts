import { TimeProfile } from "../../auth/time-profile.ts";
import type { Clock } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { LiveReader } from "../../media/source.ts";
import { startsAt } from "../../media/start.ts";
import type { Track } from "../../media/track.ts";
import type { Archive } from "../../recorder/archive.ts";
import { type GapReason, STOPPED } from "../../recorder/gap.ts";
import type { MemoryBudget } from "../../recorder/memory-budget.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import type { RecordingInfo } from "../camera.ts";
import type { BridgeEvent, EventBus } from "../event-bus.ts";
import type { RecordingPlan } from "../recording-plan.ts";
import { EventTrigger } from "./event-trigger.ts";
import { PreRoll } from "./pre-roll.ts";

const LIMITS = {
  /** Of a pre-roll, handed to the recorder at once: some milliseconds of work. The rest goes with what comes. */
  turnBytes: 1024 * 1024,
};

/** The stream as its recording needs it. */
export interface RecordableStream {
  readonly tracks: readonly Track[];
  /** A reader that takes what comes, and is no reason to pull the stream. Returns how to leave. */
  follow(reader: LiveReader): () => void;
  /** It is needed; returns how to let go. */
  hold(): () => void;
  requestKey(): void;
}

/** `off` and `closed` (outside its hours): nobody pulls it for this. `waiting`: for an event, with the newest part in memory. */
type Phase = "off" | "closed" | "waiting" | "open";

const WHY = {
  off: { cause: "off", why: "recording is switched off" },
  closed: { cause: "schedule", why: "it is not recorded at these hours" },
  waiting: { cause: "no-event", why: "nothing has happened that it is recorded for" },
} as const satisfies Readonly<Partial<Record<Phase, GapReason>>>;

const NOT_YET: GapReason = { cause: "network", why: "the camera is not connected yet" };

/**
 * Records one stream when its plan says so. Whoever owns it tells it once a second to look (hours, ends of events), what happens
 * at the camera, and what becomes of the stream.
 *
 * An event is recorded from the key frame before its pre-roll on until the first key frame behind its post-roll, so that two bursts
 * that touch leave no gap between them.
 */
export class StreamRecording {
  readonly #o: {
    readonly camera: string;
    readonly name: string;
    readonly stream: RecordableStream;
    readonly archive: Pick<Archive, "recorder">;
    readonly bus: EventBus;
    readonly clock: Clock;
  };
  readonly #preRoll: PreRoll;
  /** What is recorded, and the recorder does not have yet: most of a pre-roll, and what came since. */
  #backlog: PacketGroup[] = [];
  #plan: RecordingPlan = { mode: "off" };
  #hours: TimeProfile | undefined;
  #trigger: EventTrigger | undefined;
  #recorder: StreamRecorder | undefined;
  #phase: Phase = "off";
  /** The post-roll ends then. */
  #until = 0 as MonotonicMillis;
  /** With the next key frame it is over. */
  #ending = false;
  /** What is older was sent outside its hours. */
  #notBefore: UnixMillis = unixMillis(0);
  /** Why nothing comes; undefined where the stream is there. */
  #lost: GapReason | undefined = NOT_YET;
  #leave: (() => void) | undefined;
  #release: (() => void) | undefined;
  #cameraAheadMs: Millis | undefined;

  /** `budget`: of the pre-rolls of all streams together. */
  constructor(o: {
    readonly camera: string;
    readonly name: string;
    readonly stream: RecordableStream;
    readonly archive: Pick<Archive, "recorder">;
    readonly bus: EventBus;
    readonly clock: Clock;
    readonly budget: MemoryBudget;
  }) {
    this.#o = o;
    this.#preRoll = new PreRoll(o.budget);
  }

  get info(): RecordingInfo {
    const problem = this.#phase === "open" ? this.#recorder?.problem : undefined;
    const writing = this.#recorder?.isWriting === true;
    const state =
      problem !== undefined ? "failing" : writing ? "recording" : this.#phase === "open" ? "starting" : this.#phase;
    return { plan: this.#plan, state, ...(problem === undefined ? {} : { problem }) };
  }

  /** How far the camera's clock is ahead of ours, by the newest of its reports that came with what was recorded; undefined where none did. */
  get cameraAheadMs(): Millis | undefined {
    return this.#cameraAheadMs;
  }

  get unrecordable(): readonly string[] {
    return this.#recorder?.unrecordable ?? [];
  }

  /** From now on. */
  follow(plan: RecordingPlan): void {
    const { camera, bus } = this.#o;
    this.#plan = plan;
    this.#hours = plan.mode !== "continuous" && plan.hours !== undefined ? new TimeProfile(plan.hours) : undefined;
    this.#trigger = plan.mode === "events" && plan.events ? new EventTrigger(plan.events.of) : undefined;
    this.#until = 0 as MonotonicMillis;
    if (this.#recorder !== undefined) this.#recorder.volume = plan.volume;
    this.#preRoll.lengthMs = plan.mode === "events" ? (plan.events?.beforeSeconds ?? 0) * SECOND : 0;
    // What is so already.
    for (const event of this.#trigger === undefined ? [] : bus.properties(camera)) this.#trigger?.see(event);
    this.look();
  }

  /** Something has happened at the camera. */
  see(event: BridgeEvent): void {
    const trigger = this.#trigger;
    if (trigger === undefined) return;
    const lasted = trigger.active;
    // The post-roll counts from the end, too.
    if (trigger.see(event) || (lasted && !trigger.active)) this.#prolong();
    this.look();
  }

  look(): void {
    this.#handOn(LIMITS.turnBytes);
    if (this.#trigger?.active === true) this.#prolong();
    this.#go(this.#wanted());
  }

  /** The stream is there, described as `tracks` say, perhaps anew. */
  described(): void {
    this.#handOn();
    this.#recorder?.describe(this.#o.stream.tracks);
  }

  /** Packets flow. */
  flows(): void {
    this.described();
    if (this.#lost === undefined) return;
    this.#lost = undefined;
    if (this.#phase === "waiting") this.#recorder?.gap(WHY.waiting);
  }

  /** Nothing comes until it flows again. */
  lost(reason: GapReason): void {
    this.#lost = reason;
    this.#handOn();
    this.#preRoll.clear();
    if (this.#phase !== "open" && this.#phase !== "waiting") return;
    if (this.#ending) this.#phase = "waiting";
    this.#ending = false;
    this.#recorder?.gap(reason);
  }

  /** Seals what was recorded. */
  async close(): Promise<void> {
    this.#detach();
    // What is off stays off, whether the bridge runs or not.
    if (this.#phase !== "off") this.#recorder?.gap(STOPPED);
    await this.#recorder?.close();
  }

  #wanted(): Phase {
    const { clock } = this.#o;
    if (this.#plan.mode === "off") return "off";
    if (this.#hours?.at(clock.now()).open === false) return "closed";
    return this.#trigger === undefined || clock.monotonic() < this.#until ? "open" : "waiting";
  }

  #prolong(): void {
    const afterMs = (this.#plan.events?.afterSeconds ?? 0) * SECOND;
    this.#until = (this.#o.clock.monotonic() + afterMs) as MonotonicMillis;
  }

  #go(next: Phase): void {
    const before = this.#phase;
    if (next === "open") this.#ending = false;
    if (next === before) return;
    if (before === "open" && next === "waiting" && this.#lost === undefined) {
      this.#ending = true;
      return;
    }
    this.#phase = next;
    this.#ending = false;
    if (next === "off" || next === "closed") {
      this.#detach();
      this.#recorder?.gap(WHY[next]);
      return;
    }
    const { archive, camera, name, stream, clock } = this.#o;
    this.#recorder ??= archive.recorder(camera, name);
    this.#recorder.volume = this.#plan.volume;
    this.described();
    if (next === "waiting") this.#recorder.gap(this.#lost ?? WHY.waiting);
    else if (this.#lost !== undefined) this.#recorder.gap(this.#lost);
    if (before === "waiting") this.#backlog.push(...this.#preRoll.take());
    this.#handOn(LIMITS.turnBytes);
    if (before === "waiting" || before === "open") return;
    this.#notBefore = before === "closed" ? clock.now() : unixMillis(0);
    this.#release = stream.hold();
    this.#leave = stream.follow({
      deliver: (group) => this.#take(group),
      saysWhatItKeeps: true,
      changed: () => this.described(),
    });
    if (before === "closed") stream.requestKey();
  }

  #take(group: PacketGroup): void {
    if (group.at < this.#notBefore) return;
    this.#cameraAheadMs = group.cameraAheadMs ?? this.#cameraAheadMs;
    const starts = startsAt(group, this.#o.stream.tracks);
    // The clock may be set back to before it was begun.
    if (starts) this.#notBefore = unixMillis(0);
    if (this.#ending && starts) {
      this.#handOn();
      this.#ending = false;
      this.#phase = "waiting";
      this.#recorder?.gap(WHY.waiting);
    }
    if (this.#phase === "open" && this.#backlog.length === 0) {
      this.#recorder?.push(group);
      return;
    }
    if (this.#phase === "open") {
      group.keep();
      this.#backlog.push(group);
      this.#handOn(LIMITS.turnBytes);
    } else this.#preRoll.push(group, starts);
  }

  /** Hands the oldest of the backlog to the recorder, about so much of it; all of it where it must not come after what follows. */
  #handOn(bytes = Number.POSITIVE_INFINITY): void {
    let [count, left] = [0, bytes];
    for (const group of this.#backlog) {
      if (left <= 0) break;
      this.#recorder?.push(group);
      left -= group.memoryBytes;
      count += 1;
    }
    this.#backlog.splice(0, count);
  }

  #detach(): void {
    this.#leave?.();
    this.#release?.();
    this.#handOn();
    this.#leave = undefined;
    this.#release = undefined;
    this.#preRoll.clear();
  }
}
