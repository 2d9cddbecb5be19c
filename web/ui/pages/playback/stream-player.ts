import { RecordingFeed } from "./feed.ts";
import { PictureBuffer } from "./picture-buffer.ts";
import type { Instant, Timeline, Told } from "./protocol.ts";
import { Thumbnails } from "./thumbnails.ts";
import { whyEmpty } from "./why-empty.ts";

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

/** Shows what one camera recorded at the instant that the page's clock has. */
export class RecordedPlayer {
  readonly thumbnails: Thumbnails;
  readonly #video: HTMLVideoElement;
  readonly #feed: RecordingFeed;
  readonly #buffer: PictureBuffer;
  readonly #onTimeline: (timeline: Timeline) => void;
  #timeline: Timeline | undefined;
  #asked: { readonly from: Instant; readonly to: Instant } | undefined;
  /** What is being read now; pictures of others are dropped. */
  #run = 0;
  #backward = false;
  /** From where on, in its direction; undefined where nothing is read. */
  #from: Instant = 0;
  #until: Instant | undefined;
  /** The next picture that there is lies behind what was asked for, at that instant. */
  #next: Instant | undefined;
  #endedAt: number | undefined;
  #expected: Told | undefined;
  #open = false;
  /** Why nothing can be shown, and whether asking anew can help. */
  #trouble: { readonly why: string; readonly forGood: boolean } | undefined;

  constructor(
    video: HTMLVideoElement,
    camera: string,
    o: { readonly onTimeline: (timeline: Timeline) => void; readonly onThumbnail: () => void },
  ) {
    this.#video = video;
    this.#onTimeline = o.onTimeline;
    this.thumbnails = new Thumbnails((at) => this.#feed.ask({ type: "key-frame", at }), o.onThumbnail);
    this.#buffer = new PictureBuffer(video, (why) => {
      this.#trouble = { why, forGood: false };
    });
    this.#feed = new RecordingFeed(camera, {
      opened: () => {
        this.#open = true;
        this.#trouble = undefined;
        this.#drop();
        if (this.#asked !== undefined) this.ask(this.#asked);
        this.thumbnails.begin();
      },
      told: (message) => this.#told(message),
      bytes: (data) => this.#bytes(data),
      lost: (why, forGood) => {
        this.#open = false;
        this.#trouble = { why, forGood };
        this.#drop();
        if (!forGood) return;
        this.#buffer.close();
        this.thumbnails.close();
      },
    });
  }

  close(): void {
    this.#feed.close();
    this.#buffer.close();
    this.thumbnails.close();
  }

  /** What of a range is recorded; the answer comes later, and newer ones than that. */
  ask(range: { readonly from: Instant; readonly to: Instant }): void {
    this.#asked = range;
    this.#feed.ask({ type: "timeline", from: Math.round(range.from), to: Math.round(range.to) });
  }

  /** The picture that is to be seen at an instant, where it is there. */
  pictureAt(instant: Instant): Instant | undefined {
    return this.#buffer.at(instant);
  }

  pictureAfter(instant: Instant): Instant | undefined {
    return this.#buffer.after(instant);
  }

  /** Whether there is footage at an instant, as far as is known. */
  isRecordedAt(instant: Instant): boolean {
    return this.#timeline?.spans.some(({ from, to }) => from <= instant && instant < to) === true;
  }

  /** What is to be seen is not there yet, or the decoder is behind: the clock has to wait. */
  isBehind({ instant, playing, speed }: Course): boolean {
    if (this.#trouble !== undefined || !this.isRecordedAt(instant)) return false;
    if (this.#backward !== speed < 0) return true;
    const shown = this.#buffer.at(instant);
    const isComplete = this.#endedAt !== undefined || this.#next !== undefined;
    if (shown === undefined) return !isComplete;
    if (speed < 0) return this.#video.seeking;
    const isThere = isComplete || (this.#buffer.last ?? 0) >= instant;
    return !isThere || (playing && instant - this.#video.currentTime * 1000 > LIMITS.offMs * Math.max(1, speed));
  }

  /** Shows the picture of that instant, and has those read that come next. Called for each frame of the screen. */
  follow(course: Course): PlayerState {
    this.#read(course);
    const { instant, playing, speed } = course;
    const shown = this.#buffer.at(instant);
    const state = this.#state(instant, shown);
    if (state.at !== "showing" || shown === undefined) this.#video.pause();
    else if (playing && speed > 0 && !this.isBehind({ ...course, playing: false })) this.#play(instant, speed);
    else {
      this.#video.pause();
      this.#set(shown + INSIDE_MS);
      if (this.#video.seeking) return { at: "seeking" };
    }
    return state;
  }

  #state(instant: Instant, shown: Instant | undefined): PlayerState {
    if (this.#trouble !== undefined) return { at: "stopped", why: this.#trouble.why };
    if (this.#timeline === undefined) return { at: "connecting" };
    if (!this.isRecordedAt(instant)) return { at: "empty", why: whyEmpty(this.#timeline, instant) };
    if (shown !== undefined) return { at: "showing" };
    if (this.#endedAt === undefined && this.#next === undefined) return { at: "connecting" };
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
    if (!this.#open || this.#trouble?.forGood === true) return;
    const backward = speed < 0;
    const aheadMs = Math.min(LIMITS.mostAheadMs, LIMITS.aheadMs * Math.max(1, Math.abs(speed)));
    const until = instant + (backward ? -aheadMs : aheadMs);
    if (this.#until === undefined || this.#backward !== backward || this.#isElsewhere(instant)) {
      this.#run += 1;
      this.#backward = backward;
      this.#from = instant;
      this.#until = until;
      this.#next = undefined;
      this.#endedAt = undefined;
      this.#trouble = undefined;
      this.#buffer.clear();
      this.#feed.ask({ type: "read", run: this.#run, from: Math.max(0, instant), until: Math.max(0, until), backward });
    } else if (Math.abs(until - this.#until) >= LIMITS.stepMs && until > this.#until !== backward) {
      this.#until = until;
      this.#next = undefined;
      this.#feed.ask({ type: "more", run: this.#run, until: Math.max(0, until) });
    }
    if (backward) return;
    this.#buffer.forget(instant - LIMITS.keepMs);
    this.#from = Math.max(this.#from, instant - LIMITS.keepMs);
  }

  /** What is read is not what is to be seen. Where nothing came, it is looked for again now and then. */
  #isElsewhere(instant: Instant): boolean {
    const until = this.#until ?? instant;
    if (this.#backward ? instant > this.#from || instant < until : instant < this.#from || instant > until) return true;
    const isEmpty = this.#buffer.last === undefined && this.#endedAt !== undefined;
    return isEmpty && performance.now() - (this.#endedAt ?? 0) > LIMITS.lookAgainMs;
  }

  #told(message: Told): void {
    if (message.type === "timeline") {
      // What was read goes past what has been fetched from the camera since.
      if (this.#timeline !== undefined && this.#fetchedIn(message) !== this.#fetchedIn(this.#timeline))
        this.#until = undefined;
      this.#timeline = message;
      this.thumbnails.forget(message.extent?.from ?? Number.POSITIVE_INFINITY);
      this.#onTimeline(message);
    } else if (message.type === "no-key-frame") this.thumbnails.miss(message.asked, message.why);
    else if (message.type !== "key-frame" && message.run === this.#run) {
      if (message.type === "end") this.#endedAt = performance.now();
      if (message.type === "unplayable") this.#trouble = { why: message.why, forGood: false };
      if (message.type === "waiting") this.#next = message.next;
      if (message.type === "pictures") {
        this.#endedAt = undefined;
        this.#next = undefined;
      }
    }
    this.#expected = message;
  }

  #bytes(data: ArrayBuffer): void {
    const of = this.#expected;
    if (of?.type === "key-frame") this.thumbnails.take(of, data);
    if (of === undefined || !("run" in of) || of.run !== this.#run) return;
    if (of.type === "stream") this.#buffer.begin(of.mime, data);
    if (of.type === "pictures") this.#buffer.append(of.at, data);
  }

  /** Which stretches of what is being read were fetched from the camera's own recording. */
  #fetchedIn({ fetched }: Timeline): string {
    const [from = 0, to = 0] = [this.#from, this.#until ?? this.#from].toSorted((a, b) => a - b);
    return JSON.stringify(fetched.filter((one) => one.from < to && from < one.to));
  }

  /** Everything is to be asked for anew. */
  #drop(): void {
    this.#until = undefined;
    this.#buffer.clear();
  }
}
