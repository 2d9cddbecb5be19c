import type { Asked, Told } from "./protocol.ts";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

/** The bridge's close code where the right to play has ended, or was never there. */
const CLOSE_ENDED = 4403;

/** What comes of a recording. */
export interface FeedListener {
  /** It is open, for the first time or again: ask anew for what is wanted. */
  opened(): void;
  told(message: Told): void;
  bytes(data: ArrayBuffer): void;
  /** `why` is a sentence for people. `forGood`: it is not tried again. */
  lost(why: string, forGood: boolean): void;
}

/** The connection to the recording of one camera, which comes back after an interruption. */
export class RecordingFeed {
  readonly #url: string;
  readonly #listener: FeedListener;
  #socket: WebSocket | undefined;
  #retryMs = FIRST_RETRY_MS;
  #timer: number | undefined;
  #closed = false;

  constructor(camera: string, listener: FeedListener) {
    this.#url = `wss://${location.host}/api/playback/${encodeURIComponent(camera)}`;
    this.#listener = listener;
    this.#open();
  }

  /** Dropped while there is no connection; returns whether there is one. */
  ask(asked: Asked): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(asked));
    return true;
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    let why: string | undefined;
    socket.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      if (!this.#closed) this.#listener.opened();
    });
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (this.#closed) return;
      if (typeof data !== "string") {
        this.#listener.bytes(data as ArrayBuffer);
        return;
      }
      const message = JSON.parse(data) as Told;
      if (message.type === "unplayable" && message.run === undefined) why = message.why;
      else this.#listener.told(message);
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#closed) return;
      const ended = code === CLOSE_ENDED;
      if (ended) this.#listener.lost(why ?? "Your right to play this recording has ended.", true);
      else {
        this.#listener.lost("The connection was lost. Trying again…", false);
        this.#timer = window.setTimeout(() => this.#open(), this.#retryMs);
        this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
      }
    });
    this.#socket = socket;
  }
}
