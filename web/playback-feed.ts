import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { RecordedSource } from "../media/source.ts";
import type { WebSocket } from "../net/websocket.ts";
import { RecordedPicture } from "./playback.ts";
import { type PlaybackRequest, playbackRequest } from "./playback-protocol.ts";
import { type Footage, timelineOf } from "./timeline.ts";

/** Private close code (RFC 6455 7.4.2): the page sent what we do not understand. */
const CLOSE_WRONG = 4400;

/** What is played, and to be told, of one camera's recording. */
export interface PlaybackFeedOptions {
  readonly camera: string;
  /** The main one if absent. */
  readonly stream: string | undefined;
  /** What of it the account may have. */
  readonly source: RecordedSource;
  readonly footage: Footage;
  readonly clock: Clock;
  readonly log: Log;
}

type Asked = Extract<PlaybackRequest, { type: "timeline" }>;

/** One page's connection to the recording of one camera: pictures and timelines as it asks for them. */
export class PlaybackFeed {
  readonly #ws: WebSocket;
  readonly #o: PlaybackFeedOptions;
  readonly #picture: RecordedPicture;
  /** The timeline that is to be told next. One at a time, and the newest question alone. */
  #asked: Asked | undefined;
  #telling = false;

  constructor(ws: WebSocket, o: PlaybackFeedOptions) {
    this.#ws = ws;
    this.#o = o;
    this.#picture = new RecordedPicture(
      { text: (message) => this.#send(JSON.stringify(message)), binary: (bytes) => this.#send(bytes) },
      o,
    );
    ws.on("message", (data: Buffer) => this.#take(data));
  }

  close(): void {
    this.#asked = undefined;
    this.#picture.close();
  }

  #take(data: Buffer): void {
    // What comes before the page has closed its end, too.
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    const request = parsed(data);
    if (request === undefined) {
      this.#ws.close(CLOSE_WRONG);
      this.close();
    } else if (request.type !== "timeline") this.#picture.take(request);
    else {
      this.#asked = request;
      if (!this.#telling) void this.#tellAll();
    }
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    while (this.#asked !== undefined) {
      const asked = this.#asked;
      this.#asked = undefined;
      try {
        const timeline = await timelineOf(this.#o.camera, asked, this.#o);
        await this.#send(JSON.stringify(timeline));
      } catch (error) {
        this.#o.log.error({ err: asFault(error) }, "a timeline could not be told");
      }
    }
    this.#telling = false;
  }

  /** Resolves when it has left, or never will. */
  #send(data: string | Buffer): Promise<void> {
    return new Promise((resolve) => this.#ws.send(data, () => resolve()));
  }
}

/** Undefined for what no page of ours sends. */
function parsed(data: Buffer): PlaybackRequest | undefined {
  try {
    return playbackRequest.safeParse(JSON.parse(data.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
