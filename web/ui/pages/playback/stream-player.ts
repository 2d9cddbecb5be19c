import { PictureBuffer } from "./picture-buffer.ts";
import type { Asked, Instant, Span, Told } from "./protocol.ts";

const LIMITS = {
  /** So much of what comes next is asked for, at the speed of real time, and at most. */
  aheadMs: 8000,
  mostAheadMs: 60_000,
  /** Asked for anew when it has become so much less. */
  stepMs: 1000,
  /** Pictures behind the present one that are kept, to step back to. */
  keepMs: 20_000,
  /** A picture that is off by more is set, one that is off by less is caught up with. */
  offMs: 300,
  /** Whether anything was recorded meanwhile is looked for so often. */
  lookAgainMs: 2000,
};

/** Enough to be inside the picture, whatever is rounded on the way, and less than any picture lasts. */
const INSIDE_MS = 0.5;

export type PlayerState =
  | { readonly at: "connecting" }
  | { readonly at: "showing" }
  /** What is seen is the picture of before: the decoder is on its way to that of the instant. */
  | { readonly at: "seeking" }
  /** Nothing is recorded at that instant; `why` is a sentence for people. */
  | { readonly at: "empty"; readonly why: string }
  | { readonly at: "stopped"; readonly why: string };

/** How the clock of the page runs. */
export interface Course {
  readonly instant: Instant;
  readonly playing: boolean;
  /** Negative: backwards, by key frames. Never 0. */
  readonly speed: number;
}

/** What a connection is asked for of one stream. */
export type AskedOfStream = Asked extends infer One ? (One extends Asked ? Omit<One, "stream"> : never) : never;

/** Of pictures that are read, what the bridge tells. */
export type ToldOfRun = Exclude<Told, { readonly type: "timeline" | "key-frame" | "no-key-frame" }>;

/** Shows what one stream of a camera recorded, at the instant that the page's clock has. Of what is recorded it is told by whoever has it follow. */
export class StreamPlayer {
  readonly #video: HTMLVideoElement;
  readonly #ask: (asked: AskedOfStream) => void;
  readonly #nextRun: () => number;
  readonly #buffer: PictureBuffer;
  /** What is being read now; pictures of others are dropped. */
  #run = 0;
  #backward = false;
  /** From where on, in its direction; undefined where nothing is read. */
  #from: Instant = 0;
  #until: Instant | undefined;
  /** The next picture that there is lies behind what was asked for, at that instant. */
  #next: Instant | undefined;
  #endedAt: number | undefined;
  /** Why nothing can be shown until something else is read. */
  #trouble: string | undefined;
  /** The browser has no decoder for what is read: to read the same again would change nothing. */
  #isUnshowable = false;

  /**
   * `nextRun`: a number that no other reading over the connection has. `onTried` is told whether the browser has a decoder for what is
   * read.
   */
  constructor(
    video: HTMLVideoElement,
    o: {
      readonly ask: (asked: AskedOfStream) => void;
      readonly nextRun: () => number;
      readonly onTried: (isShowable: boolean) => void;
    },
  ) {
    this.#video = video;
    this.#ask = o.ask;
    this.#nextRun = o.nextRun;
    this.#buffer = new PictureBuffer(video, {
      failed: (why) => {
        this.#trouble = why;
      },
      tried: (isShowable) => {
        this.#isUnshowable = !isShowable;
        o.onTried(isShowable);
      },
    });
  }

  close(): void {
    this.#buffer.close();
  }

  /** What was read is not there any more: there is another connection, or there will be. */
  drop(): void {
    this.#video.pause();
    this.#trouble = undefined;
    this.#until = undefined;
    this.#run = 0;
    this.#buffer.clear();
  }

  /** Nothing of it is to be seen soon. */
  rest(): void {
    if (this.#until === undefined) return;
    this.#ask({ type: "stop" });
    this.drop();
  }

  /** What was read goes past what has been fetched from the camera since, if these are not the stretches that were known then. */
  fetched(before: readonly Span[], now: readonly Span[]): void {
    if (this.#within(before) !== this.#within(now)) this.#until = undefined;
  }

  /** The picture that is to be seen at an instant, where it is there. */
  pictureAt(instant: Instant): Instant | undefined {
    return this.#buffer.at(instant);
  }

  /** The first picture behind an instant; none: it is not there yet, or `end` comes before it. */
  pictureAfter(instant: Instant, end: Instant): Instant | "none" | undefined {
    const found = this.#buffer.after(instant);
    if (found !== undefined) return found < end ? found : "none";
    return this.#isComplete && (this.#next ?? end) >= end ? "none" : undefined;
  }

  /** What is to be seen is not there yet, or the decoder is behind: the clock has to wait. */
  isBehind({ instant, playing, speed }: Course): boolean {
    if (this.#trouble !== undefined) return false;
    if (this.#backward !== speed < 0) return true;
    const shown = this.#buffer.at(instant);
    if (shown === undefined) return !this.#isComplete;
    if (speed < 0) return this.#video.seeking;
    const isThere = this.#isComplete || (this.#buffer.last ?? 0) >= instant;
    return !isThere || (playing && instant - this.#video.currentTime * 1000 > LIMITS.offMs * Math.max(1, speed));
  }

  /** Shows the picture of that instant, of which there is one, and has those read that come next. Called for each frame of the screen. */
  follow(course: Course): PlayerState {
    this.#read(course);
    const { instant, playing, speed } = course;
    const shown = this.#buffer.at(instant);
    const state = this.#state(shown);
    if (state.at !== "showing" || shown === undefined) this.#video.pause();
    else if (playing && speed > 0 && !this.isBehind({ ...course, playing: false })) this.#play(instant, speed);
    else {
      this.#video.pause();
      this.#set(shown + INSIDE_MS);
      if (this.#video.seeking) return { at: "seeking" };
    }
    return state;
  }

  /** Of the run that it has; others are passed over. */
  told(message: ToldOfRun): void {
    if (message.run !== this.#run) return;
    if (message.type === "end") this.#endedAt = performance.now();
    if (message.type === "unplayable") this.#trouble = message.why;
    if (message.type === "waiting") this.#next = message.next;
    if (message.type === "pictures") {
      this.#endedAt = undefined;
      this.#next = undefined;
    }
  }

  /** What belongs to what was told last. */
  bytes(of: ToldOfRun, data: ArrayBuffer): void {
    if (of.run !== this.#run) return;
    if (of.type === "stream") this.#buffer.begin(of.mime, data);
    if (of.type === "pictures") this.#buffer.append(of.at, data);
  }

  /** Everything that was asked for is told. */
  get #isComplete(): boolean {
    return this.#endedAt !== undefined || this.#next !== undefined;
  }

  #state(shown: Instant | undefined): PlayerState {
    if (this.#trouble !== undefined) return { at: "stopped", why: this.#trouble };
    if (shown !== undefined) return { at: "showing" };
    if (!this.#isComplete) return { at: "connecting" };
    return {
      at: "stopped",
      why: "This is recorded, but cannot be read: it may be encrypted with a key that is not here. The log of the bridge says more.",
    };
  }

  #play(instant: Instant, speed: number): void {
    const offMs = instant - this.#video.currentTime * 1000;
    // The clock waits for another camera's pictures, or has been set.
    if (offMs < -LIMITS.offMs) {
      this.#video.pause();
      if (offMs < -LIMITS.offMs * 4) this.#set(instant);
      return;
    }
    if (offMs > LIMITS.offMs * Math.max(1, speed)) this.#set(instant);
    const rate = speed * (1 + Math.max(-0.1, Math.min(0.1, offMs / 2000)));
    if (Math.abs(this.#video.playbackRate - rate) > 0.01) this.#video.playbackRate = rate;
    if (this.#video.paused) this.#video.play().catch(() => undefined);
  }

  #set(instant: Instant): void {
    if (this.#video.seeking || Math.abs(this.#video.currentTime * 1000 - instant) < INSIDE_MS / 2) return;
    this.#video.currentTime = instant / 1000;
  }

  /** Has read what the course needs and is not there. */
  #read({ instant, speed }: Course): void {
    const backward = speed < 0;
    const aheadMs = Math.min(LIMITS.mostAheadMs, LIMITS.aheadMs * Math.max(1, Math.abs(speed)));
    const until = instant + (backward ? -aheadMs : aheadMs);
    if (this.#until === undefined || this.#backward !== backward || this.#isElsewhere(instant)) {
      this.#run = this.#nextRun();
      this.#backward = backward;
      this.#from = instant;
      this.#until = until;
      this.#next = undefined;
      this.#endedAt = undefined;
      this.#trouble = undefined;
      this.#isUnshowable = false;
      this.#buffer.clear();
      this.#ask({ type: "read", run: this.#run, from: Math.max(0, instant), until: Math.max(0, until), backward });
    } else if (Math.abs(until - this.#until) >= LIMITS.stepMs && until > this.#until !== backward) {
      this.#until = until;
      this.#next = undefined;
      this.#ask({ type: "more", run: this.#run, until: Math.max(0, until) });
    }
    if (backward) return;
    this.#buffer.forget(instant - LIMITS.keepMs);
    this.#from = Math.max(this.#from, instant - LIMITS.keepMs);
  }

  /** What is read is not what is to be seen. Where nothing came, it is looked for again now and then. */
  #isElsewhere(instant: Instant): boolean {
    const until = this.#until ?? instant;
    if (this.#backward ? instant > this.#from || instant < until : instant < this.#from || instant > until) return true;
    const isEmpty = !this.#isUnshowable && this.#buffer.last === undefined && this.#endedAt !== undefined;
    return isEmpty && performance.now() - (this.#endedAt ?? 0) > LIMITS.lookAgainMs;
  }

  /** Which of the stretches are in what is being read. */
  #within(stretches: readonly Span[]): string {
    const [from = 0, to = 0] = [this.#from, this.#until ?? this.#from].toSorted((a, b) => a - b);
    return JSON.stringify(stretches.filter((one) => one.from < to && from < one.to));
  }
}
