import { RecordingFeed } from "./feed.ts";
import type { Instant, Span, Timeline, Told } from "./protocol.ts";
import { type Course, type PlayerState, StreamPlayer, type ToldOfRun } from "./stream-player.ts";
import { type CameraTimeline, type Choice, cameraTimeline, type Part, partAt, streamNear } from "./streams.ts";
import { Thumbnails } from "./thumbnails.ts";
import { whyEmpty } from "./why-empty.ts";

/** What plays next is made ready so long before, at the speed of real time, and at most. */
const READY_MS = 5000;
const MOST_READY_MS = 60_000;

/** Less than pictures of two streams are apart, where one ends in the middle of a millisecond. */
const JUST_MS = 0.001;

/** `stream`: of which the picture is, or was last. */
export type CameraState = PlayerState & { readonly stream: string };

/**
 * Shows what one camera recorded at the instant that the page's clock has, of the stream that is chosen, or of the best that there is:
 * each has its own element, so that the next one stands ready when its turn comes.
 */
export class CameraPlayer {
  readonly thumbnails: Thumbnails;
  readonly #feed: RecordingFeed;
  readonly #videos: ReadonlyMap<string, HTMLVideoElement>;
  readonly #players: ReadonlyMap<string, StreamPlayer>;
  readonly #onTimeline: (timeline: CameraTimeline) => void;
  /** Of each stream what was told last. */
  readonly #timelines = new Map<string, Timeline>();
  #choice: Choice;
  /** Streams that the browser had no decoder for when they were tried last. */
  readonly #unshowable = new Set<string>();
  /** Undefined until all streams have told theirs. */
  #known: CameraTimeline | undefined;
  /** The stream that is seen, or was last. */
  #shown: string;
  #asked: Span | undefined;
  #expected: Told | undefined;
  #runs = 0;
  /** Why nothing can be shown of any stream. */
  #trouble: string | undefined;

  /** `videos`: of each stream the element that shows it, the best stream first. All but one are hidden here. */
  constructor(
    camera: string,
    videos: ReadonlyMap<string, HTMLVideoElement>,
    o: {
      readonly choice: Choice;
      readonly onTimeline: (timeline: CameraTimeline) => void;
      readonly onThumbnail: () => void;
    },
  ) {
    this.#choice = o.choice;
    this.#onTimeline = o.onTimeline;
    this.#videos = videos;
    this.#shown = o.choice ?? [...videos.keys()][0] ?? "";
    this.#show(this.#shown);
    this.thumbnails = new Thumbnails((at) => {
      const stream = streamNear(this.#known?.spans ?? [], at) ?? this.#shown;
      return this.#feed.ask({ type: "key-frame", stream, at });
    }, o.onThumbnail);
    const nextRun = (): number => {
      this.#runs += 1;
      return this.#runs;
    };
    this.#players = new Map(
      [...videos].map(([stream, video]) => [
        stream,
        new StreamPlayer(video, {
          nextRun,
          ask: (asked) => this.#feed.ask({ ...asked, stream }),
          onTried: (isShowable) => this.#tried(stream, isShowable),
        }),
      ]),
    );
    this.#feed = new RecordingFeed(camera, {
      opened: () => {
        this.#trouble = undefined;
        for (const player of this.#players.values()) player.drop();
        if (this.#asked !== undefined) this.ask(this.#asked);
        this.thumbnails.begin();
      },
      told: (message) => this.#told(message),
      bytes: (data) => this.#bytes(data),
      lost: (why, forGood) => {
        this.#trouble = why;
        for (const player of this.#players.values()) {
          player.drop();
          if (forGood) player.close();
        }
        if (forGood) this.thumbnails.close();
      },
    });
  }

  close(): void {
    this.#feed.close();
    for (const player of this.#players.values()) player.close();
    this.thumbnails.close();
  }

  /** The stream that is seen, or was last. */
  get stream(): string {
    return this.#shown;
  }

  choose(choice: Choice): void {
    if (choice === this.#choice) return;
    this.#choice = choice;
    this.#show(choice ?? this.#shown);
    this.#tell();
    this.thumbnails.clear();
  }

  /** What of a range is recorded; the answers come later, and newer ones than that. */
  ask(range: Span): void {
    this.#asked = range;
    const [from, to] = [Math.round(range.from), Math.round(range.to)];
    for (const stream of this.#players.keys()) this.#feed.ask({ type: "timeline", stream, from, to });
  }

  /** The picture that is to be seen at an instant, where it is there. */
  pictureAt(instant: Instant): Instant | undefined {
    return this.#at(instant)?.player.pictureAt(instant);
  }

  /** Where the picture behind that of an instant is seen, or the one before; the instant itself where that is not known yet. */
  stepped(instant: Instant, by: 1 | -1): Instant {
    const found = this.#at(instant);
    if (found === undefined) return this.#beside(instant, by) ?? instant;
    const { part, player } = found;
    if (by === 1) {
      const next = player.pictureAfter(instant, part.to);
      return next === "none" ? (this.#beside(instant, by) ?? instant) : (next ?? instant);
    }
    const before = Math.max(player.pictureAt(instant) ?? instant, part.from) - JUST_MS;
    return this.isRecordedAt(before) ? before : (this.#beside(before, by) ?? before);
  }

  /** Where the next part is seen first in that direction. In whole milliseconds, so that its picture is there, however it was rounded. */
  #beside(instant: Instant, by: 1 | -1): Instant | undefined {
    const next = this.#nextPart(instant, by);
    return next && (by === 1 ? Math.ceil(next.from) : next.to - JUST_MS);
  }

  /** Whether there is footage at an instant, as far as is known. */
  isRecordedAt(instant: Instant): boolean {
    return this.#at(instant) !== undefined;
  }

  /** What is to be seen is not there yet, or the decoder is behind: the clock has to wait. */
  isBehind(course: Course): boolean {
    if (this.#trouble !== undefined) return false;
    return this.#at(course.instant)?.player.isBehind(course) === true;
  }

  /** Shows the picture of that instant, and has those read that come next. Called for each frame of the screen. */
  follow(course: Course): CameraState {
    const found = this.#trouble === undefined ? this.#at(course.instant) : undefined;
    if (found !== undefined) this.#show(found.part.stream);
    this.#makeReady(course, found?.player);
    return { ...this.#stateOf(course, found?.player), stream: this.#shown };
  }

  #stateOf(course: Course, player: StreamPlayer | undefined): PlayerState {
    if (this.#trouble !== undefined) return { at: "stopped", why: this.#trouble };
    if (this.#known === undefined) return { at: "connecting" };
    if (player !== undefined) return player.follow(course);
    return { at: "empty", why: whyEmpty(this.#known, course.instant) };
  }

  /** At once, and not when the page is drawn next: what was seen before is let go of. */
  #show(shown: string): void {
    this.#shown = shown;
    for (const [stream, video] of this.#videos) video.hidden = stream !== shown;
  }

  /** What comes next stands at its beginning, and the others read nothing. */
  #makeReady({ instant, speed }: Course, shown: StreamPlayer | undefined): void {
    if (this.#trouble !== undefined) return;
    const next = this.#nextPart(instant, speed);
    const begin = next === undefined ? instant : speed < 0 ? next.to - 1 : next.from;
    const isNear = Math.abs(begin - instant) < Math.min(MOST_READY_MS, READY_MS * Math.max(1, Math.abs(speed)));
    for (const [stream, player] of this.#players) {
      if (player === shown) continue;
      if (stream === next?.stream && isNear) player.follow({ instant: begin, playing: false, speed });
      else player.rest();
    }
  }

  #nextPart(instant: Instant, direction: number): Part | undefined {
    const { spans = [] } = this.#known ?? {};
    return direction < 0 ? spans.findLast(({ to }) => to <= instant) : spans.find(({ from }) => from > instant);
  }

  #at(instant: Instant): { readonly part: Part; readonly player: StreamPlayer } | undefined {
    const part = partAt(this.#known?.spans ?? [], instant);
    const player = part && this.#players.get(part.stream);
    return part && player && { part, player };
  }

  #told(message: Told): void {
    this.#expected = message;
    if (message.type === "timeline") {
      const { stream, fetched } = message;
      this.#players.get(stream)?.fetched(this.#timelines.get(stream)?.fetched ?? fetched, fetched);
      this.#timelines.set(stream, message);
      this.#tell();
    } else if (message.type === "no-key-frame") this.thumbnails.miss(message.asked, message.why);
    else if (isOfRun(message)) for (const player of this.#players.values()) player.told(message);
  }

  #tell(): void {
    const all = [...this.#players.keys()].flatMap((stream) => this.#timelines.get(stream) ?? []);
    if (all.length < this.#players.size) return;
    this.#known = cameraTimeline(all, this.#choice, this.#unshowable);
    const { best, streams } = this.#known;
    if (best !== undefined && !streams.includes(this.#shown)) this.#show(best);
    this.thumbnails.forget(Math.min(...all.map(({ extent }) => extent?.from ?? Number.POSITIVE_INFINITY)));
    this.#onTimeline(this.#known);
  }

  /** A stream that cannot be shown gives way to the others, until it is found that it can. */
  #tried(stream: string, isShowable: boolean): void {
    if (this.#unshowable.has(stream) !== isShowable) return;
    if (isShowable) this.#unshowable.delete(stream);
    else this.#unshowable.add(stream);
    this.#tell();
    this.thumbnails.clear();
  }

  #bytes(data: ArrayBuffer): void {
    const of = this.#expected;
    if (of?.type === "key-frame") this.thumbnails.take(of, data);
    else if (isOfRun(of)) for (const player of this.#players.values()) player.bytes(of, data);
  }
}

function isOfRun(message: Told | undefined): message is ToldOfRun {
  return message !== undefined && "run" in message;
}
