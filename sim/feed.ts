import type { Clock, Timer } from "../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { filler } from "./filler.ts";
import { FrameTimes } from "./frame-times.ts";
import { type CodedPicture, H264Encoder } from "./h264.ts";
import { coarseJpeg } from "./jpeg.ts";
import type { Played } from "./played.ts";
import { Scene } from "./scene.ts";
import { SAMPLE_RATE_HZ, tone } from "./tone.ts";

const LIMITS = {
  /** What is sent late rather than left out when the machine stood still: less than what is taken for another time of the camera. */
  lateMs: 8 * SECOND,
} as const;

const KEY_FRAME_PERIOD_MS = 2 * SECOND;
const SOUND_PERIOD_MS: Millis = 40;

/** The camera's clock was set where it is further off from how long the camera runs than this. */
const READ_APART_MS: Millis = 20;

export interface Frame extends CodedPicture {
  /** Burnt in. Frames since the camera began, also those that nobody saw. */
  readonly number: number;
  /** Since the camera began. */
  readonly elapsedMs: Millis;
}

export interface Sound {
  /** Mu-law, 8000 Hz. */
  readonly samples: Buffer;
  /** Samples since the camera began. */
  readonly position: number;
}

/** Who watches. */
export interface Watcher {
  frame(frame: Frame): void;
  sound(sound: Sound): void;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How the picture is encoded. */
export interface Encoding extends Size {
  readonly fps: number;
  /** From one key frame to the next. */
  readonly groupFrames: number;
  /** Of every second, made up with filler; absent: what the picture takes. */
  readonly bitrateKilobits?: number;
}

/**
 * The picture and sound of one camera: made once for all who watch, and only while somebody does. Frame n belongs to an instant of
 * its own ({@link FrameTimes}), whenever it is made, so that nothing drifts. There is a key frame in every period, whenever somebody
 * begins to watch, and when one is asked for.
 */
export class Feed {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #which: number;
  readonly #clockOffsetMs: Millis;
  readonly #times: FrameTimes;
  readonly #note: () => string;
  readonly #burstMs: Millis;
  readonly #played: Played | undefined;
  readonly #begunAt: MonotonicMillis;
  readonly #watchers = new Set<Watcher>();
  #size: Size;
  #groupFrames: number;
  #bitrateKilobits: number | undefined;
  #encoder: H264Encoder;
  #scene: Scene | undefined;
  #keyWanted = true;
  /** What the camera's clock said when it began. */
  #origin = Number.NaN;
  #nextFrame = 0;
  /** The frame that is the first of what is played. */
  #firstPlayed = 0;
  #nextSound = 0;
  #timer: Timer | undefined;

  /** `clockOffsetMs`: how far the camera's clock is ahead. `which`: see {@link Scene}. */
  constructor(o: {
    readonly clock: Clock;
    readonly name: string;
    readonly which: number;
    readonly size: Size;
    readonly fps: number;
    readonly clockOffsetMs: Millis;
    /** Two seconds if absent. */
    readonly keyPeriodMs?: Millis;
    /** Stands in the picture besides, as it is when a frame is made. */
    readonly note?: () => string;
    /** What the first watcher gets of the time before it came, all at once. Nothing if absent. */
    readonly burstMs?: Millis;
    /** Sent instead of what is drawn, from its beginning on whenever somebody begins to watch. */
    readonly played?: Played | undefined;
  }) {
    this.#clock = o.clock;
    this.#name = o.name;
    this.#which = o.which;
    this.#clockOffsetMs = o.clockOffsetMs;
    this.#groupFrames = Math.round(((o.keyPeriodMs ?? KEY_FRAME_PERIOD_MS) * o.fps) / SECOND);
    this.#note = o.note ?? (() => "");
    this.#burstMs = o.burstMs ?? 0;
    this.#played = o.played;
    this.#times = new FrameTimes(o.fps);
    this.#begunAt = o.clock.monotonic();
    this.#size = o.size;
    this.#encoder = new H264Encoder({ ...o.size, fps: o.fps });
  }

  get size(): Size {
    return this.#size;
  }

  get fps(): number {
    return this.#times.fps;
  }

  get encoding(): Encoding {
    const rate = this.#bitrateKilobits;
    const encoding = { ...this.#size, fps: this.fps, groupFrames: this.#groupFrames };
    return rate === undefined ? encoding : { ...encoding, bitrateKilobits: rate };
  }

  /** It shows a film, which is as it is. */
  get isPlayed(): boolean {
    return this.#played !== undefined;
  }

  get parameterSets(): { readonly sps: Buffer; readonly pps: Buffer } {
    return this.#played?.parameterSets ?? this.#encoder;
  }

  /** The camera's wall clock. */
  now(): UnixMillis {
    return unixMillis(this.#clock.now() + this.#clockOffsetMs);
  }

  /** Since the camera began. */
  elapsed(): Millis {
    return this.#clock.monotonic() - this.#begunAt;
  }

  /** Where a watcher that comes now will begin: instant of its first frame, position of its first sound. */
  get next(): { readonly elapsedMs: Millis; readonly position: number } {
    if (this.#watchers.size === 0) this.#catchUp(this.#burstMs);
    return { elapsedMs: this.#times.instant(this.#nextFrame), position: this.#nextSound * samplesOf(SOUND_PERIOD_MS) };
  }

  /** Another picture size, from the next frame on. */
  resize({ width, height }: Size): void {
    this.encode({ ...this.encoding, width, height });
  }

  /** Otherwise, from the next frame on. */
  encode({ width, height, fps, groupFrames, bitrateKilobits }: Encoding): void {
    if (fps !== this.fps) this.#times.change(fps, this.#nextFrame);
    this.#size = { width, height };
    this.#groupFrames = groupFrames;
    this.#bitrateKilobits = bitrateKilobits;
    this.#encoder = new H264Encoder({ width, height, fps });
    this.#scene = undefined;
    this.#keyWanted = true;
  }

  /** What it sees now, as a JPEG file. */
  snapshot(): Buffer {
    const scene = new Scene({ ...this.#size, name: this.#name, which: this.#which });
    scene.draw(Math.floor((this.elapsed() * this.fps) / SECOND), this.now(), this.#note());
    return coarseJpeg(scene.picture);
  }

  /** The instant at which the camera began, by its own clock. */
  get beganAt(): UnixMillis {
    return this.#wallAt(0);
  }

  /**
   * The pictures of a stretch of the past, by the camera's clock, as they were shown then: from the key frame at or before its beginning on.
   * They are drawn anew, as pictures are encoded now, so that nothing has to be kept.
   */
  *past(from: UnixMillis, to: UnixMillis): Generator<{ readonly frame: Frame; readonly at: UnixMillis }> {
    const began = this.beganAt;
    const keyPeriod = this.#groupFrames;
    const times = new FrameTimes(this.fps);
    const numberAt = (at: UnixMillis): number => Math.max(0, times.from(at - began));
    const scene = new Scene({ ...this.#size, name: this.#name, which: this.#which });
    const encoder = new H264Encoder({ ...this.#size, fps: this.fps });
    const end = Math.min(numberAt(to), numberAt(this.now()));
    for (let number = numberAt(from) - (numberAt(from) % keyPeriod); number < end; number += 1) {
      const elapsedMs = times.instant(number);
      const at = unixMillis(began + elapsedMs);
      scene.draw(number, at, "");
      yield { at, frame: { ...encoder.encode(scene.picture, number % keyPeriod === 0), number, elapsedMs } };
    }
  }

  wantKeyFrame(): void {
    this.#keyWanted = true;
  }

  watch(watcher: Watcher): void {
    if (this.#watchers.size === 0) this.#catchUp(this.#burstMs);
    this.#watchers.add(watcher);
    this.#keyWanted = true;
    this.#schedule();
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** To what is due next, leaving out what nobody saw longer ago than `backMs`. */
  #catchUp(backMs: Millis): void {
    const elapsedMs = Math.max(0, this.elapsed() - backMs);
    this.#nextFrame = Math.max(this.#nextFrame, this.#times.from(elapsedMs));
    this.#nextSound = Math.max(this.#nextSound, Math.ceil(elapsedMs / SOUND_PERIOD_MS));
    this.#keyWanted = true;
    this.#firstPlayed = this.#nextFrame;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#watchers.size === 0) return;
    this.#timer = this.#clock.after(Math.max(0, this.#times.instant(this.#nextFrame) - this.elapsed()), () => {
      this.#timer = undefined;
      this.#makeWhatIsDue();
      this.#schedule();
    });
  }

  #makeWhatIsDue(): void {
    const elapsedMs = this.elapsed();
    if (elapsedMs - this.#times.instant(this.#nextFrame) > LIMITS.lateMs) this.#catchUp(0);
    for (; this.#nextSound * SOUND_PERIOD_MS <= elapsedMs; this.#nextSound += 1) this.#makeSound(this.#nextSound);
    // Timers may come a fraction of a millisecond early.
    for (; this.#times.instant(this.#nextFrame) <= elapsedMs + 1; this.#nextFrame += 1)
      this.#makeFrame(this.#nextFrame);
  }

  #makeFrame(number: number): void {
    const elapsedMs = this.#times.instant(number);
    const frame = { ...(this.#playedNow(number) ?? this.#encoded(number, elapsedMs)), number, elapsedMs };
    for (const watcher of this.#watchers) watcher.frame(frame);
  }

  #playedNow(number: number): CodedPicture | undefined {
    const pictures = this.#played?.pictures ?? [];
    return pictures[(number - this.#firstPlayed) % pictures.length];
  }

  #encoded(number: number, elapsedMs: Millis): CodedPicture {
    const scene = this.#drawn(number, this.#wallAt(elapsedMs));
    const key = this.#keyWanted || number % this.#groupFrames === 0;
    this.#keyWanted = false;
    return this.#filled(this.#encoder.encode(scene.picture, key));
  }

  #filled(picture: CodedPicture): CodedPicture {
    if (this.#bitrateKilobits === undefined) return picture;
    const wantedBytes = (this.#bitrateKilobits * 1000) / 8 / this.fps;
    const missing = Math.floor(wantedBytes - picture.nals.reduce((sum, nal) => sum + nal.length, 0));
    return missing <= 0 ? picture : { ...picture, nals: [...picture.nals, filler(missing)] };
  }

  #drawn(number: number, at: UnixMillis): Scene {
    this.#scene ??= new Scene({ ...this.#size, name: this.#name, which: this.#which });
    this.#scene.draw(number, at, this.#note());
    return this.#scene;
  }

  #makeSound(index: number): void {
    const position = index * samplesOf(SOUND_PERIOD_MS);
    const sound = { samples: tone(this.#wallAt(index * SOUND_PERIOD_MS), samplesOf(SOUND_PERIOD_MS)), position };
    for (const watcher of this.#watchers) watcher.sound(sound);
  }

  #wallAt(elapsedMs: Millis): UnixMillis {
    const origin = this.now() - this.elapsed();
    // Two clocks that are read one after the other: on a busy machine they are some time apart, which no sound may be shifted by.
    if (!(Math.abs(origin - this.#origin) < READ_APART_MS)) this.#origin = origin;
    return unixMillis(this.#origin + elapsedMs);
  }
}

function samplesOf(ms: Millis): number {
  return (ms * SAMPLE_RATE_HZ) / SECOND;
}
