import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Turns } from "../base/turns.ts";
import type { RecordedSource } from "../media/source.ts";
import type { WebSocket } from "../net/websocket.ts";
import { keyFrameAt } from "./key-frame.ts";
import { Newest } from "./newest.ts";
import { RecordedPicture } from "./playback.ts";
import type { PlaybackMessage, PlaybackRequest } from "./playback-protocol.ts";
import { CLOSE_WRONG, requestIn, tellPage } from "./playback-words.ts";
import { type Footage, timelineOf } from "./timeline.ts";

/** What an account may have of the recording of one stream. */
export interface PlayableStream {
  readonly source: RecordedSource;
  /** The same for thumbnails: they may become too old while the picture is not. */
  readonly thumbnails: RecordedSource;
}

/** What is played, and to be told, of one camera's recordings. */
export interface PlaybackFeedOptions {
  readonly camera: string;
  /** Of the connection's address: the one that is meant where the camera is named alone, if absent. */
  readonly stream: string | undefined;
  /** Undefined where the camera has no such stream. */
  readonly playable: (stream: string | undefined) => PlayableStream | undefined;
  /** In which key frames are read, whichever page of the account asks for them. */
  readonly turns: Turns;
  readonly footage: Footage;
  readonly clock: Clock;
  readonly log: Log;
}

type Asked<T extends PlaybackRequest["type"]> = Extract<PlaybackRequest, { type: T }>;

/** One page's connection to the recordings of one camera: pictures, key frames and timelines of its streams, as it asks for them. */
export class PlaybackFeed {
  readonly #ws: WebSocket;
  readonly #o: PlaybackFeedOptions;
  /** Those that were asked for, of those that the camera has. */
  readonly #streams = new Map<string | undefined, StreamFeed>();

  constructor(ws: WebSocket, o: PlaybackFeedOptions) {
    this.#ws = ws;
    this.#o = o;
    ws.on("message", (data: Buffer) => this.#take(data));
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
  }

  #take(data: Buffer): void {
    // What comes before the page has closed its end, too.
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    const request = requestIn(data);
    const stream = request && this.#streamOf(request.stream ?? this.#o.stream);
    if (request === undefined || stream === undefined) {
      this.#ws.close(CLOSE_WRONG);
      this.close();
    } else stream.take(request);
  }

  #streamOf(name: string | undefined): StreamFeed | undefined {
    const known = this.#streams.get(name);
    const playable = known === undefined ? this.#o.playable(name) : undefined;
    if (playable === undefined) return known;
    const tell = (message: PlaybackMessage, bytes?: Buffer) => tellPage(this.#ws, message, bytes);
    const made = new StreamFeed(tell, { ...this.#o, ...playable, stream: name });
    this.#streams.set(name, made);
    return made;
  }
}

type Tell = (message: PlaybackMessage, bytes?: Buffer) => Promise<void>;

/** What one page has of one stream: no two of its timelines, nor of its key frames, are on their way at a time. */
class StreamFeed {
  readonly #tell: Tell;
  readonly #o: PlaybackFeedOptions & PlayableStream;
  readonly #picture: RecordedPicture;
  readonly #timelines = new Newest<Asked<"timeline">>((asked) => this.#tellTimeline(asked));
  readonly #keyFrames = new Newest<Asked<"key-frame">>((asked) => this.#tellKeyFrame(asked));
  readonly #closing = new AbortController();

  constructor(tell: Tell, o: PlaybackFeedOptions & PlayableStream) {
    this.#tell = tell;
    this.#o = o;
    this.#picture = new RecordedPicture({ tell }, o);
  }

  close(): void {
    this.#closing.abort();
    this.#timelines.clear();
    this.#keyFrames.clear();
    this.#picture.close();
  }

  take(request: PlaybackRequest): void {
    if (request.type === "timeline") this.#timelines.ask(request);
    else if (request.type === "key-frame") this.#keyFrames.ask(request);
    else this.#picture.take(request);
  }

  async #tellTimeline(asked: Asked<"timeline">): Promise<void> {
    try {
      await this.#tell(await timelineOf(this.#o.camera, asked, this.#o));
    } catch (error) {
      this.#o.log.error({ err: asFault(error) }, "a timeline could not be told");
    }
  }

  async #tellKeyFrame({ at: asked }: Asked<"key-frame">): Promise<void> {
    const { signal } = this.#closing;
    try {
      const read = () => keyFrameAt(this.#o.thumbnails, asked, signal);
      const found = await this.#o.turns.take(async () => (signal.aborted ? undefined : read()));
      if (signal.aborted) return;
      if (typeof found === "string")
        await this.#tell({ type: "no-key-frame", asked, why: `Browsers cannot show ${found} video.` });
      else if (found === undefined) await this.#tell({ type: "no-key-frame", asked });
      else {
        const { config, data, ...told } = found;
        const bytes = Buffer.concat([config, data]);
        await this.#tell({ type: "key-frame", asked, configBytes: config.length, ...told }, bytes);
      }
    } catch (error) {
      this.#o.log.error({ err: asFault(error) }, "a key frame could not be read");
      await this.#tell({ type: "no-key-frame", asked, why: "The recording cannot be read at the moment." });
    }
  }
}
