import { CameraPlayer, type CameraState } from "./camera-player.ts";
import type { Instant, Span } from "./protocol.ts";
import type { Course } from "./stream-player.ts";
import type { CameraTimeline, Choice } from "./streams.ts";
import type { Thumbnails } from "./thumbnails.ts";

/** Ways to play, as a person chooses them. */
export const SPEEDS: readonly number[] = [-16, -4, -1, 0.25, 0.5, 1, 2, 4, 8];

/** No longer is made up for between two frames of the screen: the page may have been hidden. */
const LONGEST_FRAME_MS = 250;

const LEAST_BETWEEN_VIEWS_MS = 60;

/** Newly recorded footage is looked for so often. */
const REFRESH_MS = 5000;

/** What is recorded is known so far beyond what is looked at, so that playing does not end at its edge. */
const BEYOND_MS = 120_000;

/** How everything stands. */
export interface PlaybackView extends Course {
  /** By camera. */
  readonly states: ReadonlyMap<string, CameraState>;
  readonly timelines: ReadonlyMap<string, CameraTimeline>;
}

/** The clock of the page, and the players that follow it: all cameras show the same instant. */
export class Playback {
  readonly #players = new Map<string, CameraPlayer>();
  readonly #timelines = new Map<string, CameraTimeline>();
  readonly #onView: (view: PlaybackView) => void;
  #course: Course;
  /** Nobody has said yet where to begin. */
  #isUnset: boolean;
  #range: Span;
  #lastFrame: number | undefined;
  #frame: number;
  /** What the page was told last, and when. */
  #told = "";
  #toldAt = 0;
  /** Timelines and thumbnails that came so far. */
  #arrived = 0;
  readonly #refreshes: number;

  /** `start` absent: half a minute before the newest that is recorded. */
  constructor(o: {
    readonly start: Instant | undefined;
    readonly range: Span;
    readonly onView: (view: PlaybackView) => void;
  }) {
    this.#isUnset = o.start === undefined;
    this.#course = { instant: o.start ?? o.range.to, playing: false, speed: 1 };
    this.#range = o.range;
    this.#onView = o.onView;
    this.#frame = requestAnimationFrame((now) => this.#onFrame(now));
    this.#refreshes = window.setInterval(() => this.#ask(), REFRESH_MS);
  }

  get instant(): Instant {
    return this.#course.instant;
  }

  get extent(): Span | undefined {
    const all = [...this.#timelines.values()].flatMap(({ extent }) => extent ?? []);
    if (all.length === 0) return undefined;
    return { from: Math.min(...all.map(({ from }) => from)), to: Math.max(...all.map(({ to }) => to)) };
  }

  /** `videos`: by stream, the best one first. */
  add(camera: string, videos: ReadonlyMap<string, HTMLVideoElement>, choice: Choice): void {
    const player = new CameraPlayer(camera, videos, {
      choice,
      onTimeline: (timeline) => {
        this.#timelines.set(camera, timeline);
        this.#arrived += 1;
        if (!this.#isUnset || timeline.extent === undefined) return;
        this.#isUnset = false;
        this.jump(Math.max(timeline.extent.from, timeline.extent.to - 30_000));
      },
      onThumbnail: () => {
        this.#arrived += 1;
      },
    });
    this.#players.set(camera, player);
    this.#ask();
  }

  remove(camera: string): void {
    this.#players.get(camera)?.close();
    this.#players.delete(camera);
    this.#timelines.delete(camera);
  }

  /** Which stream of one of the cameras that were added is played. */
  choose(camera: string, choice: Choice): void {
    this.#players.get(camera)?.choose(choice);
  }

  /** The stream that is seen of it, or was last. */
  streamOf(camera: string): string | undefined {
    return this.#players.get(camera)?.stream;
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    window.clearInterval(this.#refreshes);
    for (const player of this.#players.values()) player.close();
  }

  /** Of one of the cameras that were added. */
  thumbnailsOf(camera: string): Thumbnails | undefined {
    return this.#players.get(camera)?.thumbnails;
  }

  /** Of which stretch is to be known what is recorded. */
  look(range: Span): void {
    this.#range = range;
    this.#ask();
  }

  jump(instant: Instant): void {
    this.#isUnset = false;
    this.#course = { ...this.#course, instant: Math.max(0, instant) };
  }

  play(speed: number = this.#course.speed): void {
    this.#course = { ...this.#course, playing: true, speed };
  }

  pause(): void {
    this.#course = { ...this.#course, playing: false };
  }

  /** To the next picture of the first camera, or the one before. */
  step(by: 1 | -1): void {
    const [player] = this.#players.values();
    if (player === undefined) return;
    this.#course = { instant: player.stepped(this.#course.instant, by), playing: false, speed: 1 };
  }

  /** The instant of the picture of the first camera that is seen now. */
  get shown(): Instant | undefined {
    const [player] = this.#players.values();
    return player?.pictureAt(this.#course.instant);
  }

  #ask(): void {
    const { from, to } = this.#range;
    const range = { from: Math.max(0, from - BEYOND_MS), to: to + BEYOND_MS };
    for (const player of this.#players.values()) player.ask(range);
  }

  #onFrame(now: number): void {
    const passedMs = Math.min(LONGEST_FRAME_MS, now - (this.#lastFrame ?? now));
    this.#lastFrame = now;
    this.#advance(passedMs);
    const { playing, speed } = this.#course;
    // What stands still is exact, whichever way it came there: key frames alone are for going backwards.
    const course = playing ? this.#course : { ...this.#course, speed: Math.abs(speed) };
    const states = new Map([...this.#players].map(([camera, player]) => [camera, player.follow(course)]));
    this.#tell(states, now);
    this.#frame = requestAnimationFrame((next) => this.#onFrame(next));
  }

  /** The page is drawn where something has changed, and no more often than is seen. */
  #tell(states: ReadonlyMap<string, CameraState>, now: number): void {
    if (this.#course.playing && now - this.#toldAt < LEAST_BETWEEN_VIEWS_MS) return;
    const mark = JSON.stringify([this.#course, [...states], this.shown, this.#arrived]);
    if (mark === this.#told) return;
    this.#told = mark;
    this.#toldAt = now;
    this.#onView({ ...this.#course, states, timelines: this.#timelines });
  }

  #advance(passedMs: number): void {
    const { playing, speed, instant } = this.#course;
    const players = [...this.#players.values()];
    if (!playing || players.some((player) => player.isBehind(this.#course))) return;
    const to = instant + passedMs * speed;
    if (players.some((player) => player.isRecordedAt(to))) {
      this.#course = { ...this.#course, instant: to };
      return;
    }
    const next = this.#nextRecorded(to, speed);
    if (next === undefined) this.pause();
    else this.#course = { ...this.#course, instant: next };
  }

  /** Where there is footage next, in that direction: gaps are passed over. */
  #nextRecorded(from: Instant, speed: number): Instant | undefined {
    const spans = [...this.#timelines.values()].flatMap((timeline) => timeline.spans);
    if (speed > 0) return least(spans.map((span) => span.from).filter((at) => at >= from));
    const before = spans.map(({ to }) => to - 1).filter((at) => at <= from);
    return before.length === 0 ? undefined : Math.max(...before);
  }
}

function least(all: readonly number[]): number | undefined {
  return all.length === 0 ? undefined : Math.min(...all);
}
