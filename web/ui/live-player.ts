import { ImagePlayer } from "./image-player.ts";
import { unshowable } from "./unshowable.ts";

/** As web/live.ts sends them. */
type LiveMessage =
  | { readonly type: "stream"; readonly mime: string }
  | { readonly type: "time"; readonly at: number; readonly mediaMs: number }
  | { readonly type: "unplayable"; readonly why: string };

/** How a live picture is doing. */
export type LiveState =
  | { readonly at: "connecting" }
  | { readonly at: "playing" }
  /** `why` is a sentence for people. */
  | { readonly at: "stopped"; readonly why: string };

const BUFFER = {
  /** Behind the newest frame by more than this, playback jumps forward. */
  lagS: 1.5,
  /** Where it jumps to. */
  aimS: 0.3,
  /** Older pictures are dropped from the browser's memory. */
  keepS: 20,
  /** Fragments that wait for the decoder; beyond, the connection is started anew. */
  maxQueued: 300,
};

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

/**
 * Plays one stream of a camera live: fragmented MP4 over a WebSocket into Media Source Extensions of a video element, or pictures of MJPEG
 * into a canvas.
 */
export class LivePlayer {
  readonly #video: HTMLVideoElement;
  readonly #images: ImagePlayer;
  #ofImages = false;
  readonly #url: string;
  readonly #onState: (state: LiveState) => void;
  #socket: WebSocket | undefined;
  #source: MediaSource | undefined;
  #buffer: SourceBuffer | undefined;
  #queue: ArrayBuffer[] = [];
  /** When a picture was captured that stands at `mediaMs`, or, of images, that came then. */
  #mark: { readonly at: number; readonly mediaMs: number; readonly cameMs: number } | undefined;
  #retryMs = FIRST_RETRY_MS;
  #timer: number | undefined;
  #closed = false;

  constructor(
    on: { readonly video: HTMLVideoElement; readonly canvas: HTMLCanvasElement },
    camera: string,
    stream: string,
    onState: (state: LiveState) => void,
  ) {
    const { video } = on;
    this.#video = video;
    const playing = (): void => {
      if (this.#closed) return;
      this.#retryMs = FIRST_RETRY_MS;
      this.#onState({ at: "playing" });
    };
    this.#images = new ImagePlayer(on.canvas, {
      drawn: playing,
      failed: () => this.#onState({ at: "stopped", why: "The browser cannot decode what this camera sends." }),
    });
    this.#url = `wss://${location.host}/api/live/${encodeURIComponent(camera)}/${encodeURIComponent(stream)}`;
    this.#onState = onState;
    video.addEventListener("playing", playing);
    this.#open();
  }

  /** When what is seen now was captured, in milliseconds since 1970; undefined before a picture is seen. */
  get shownAt(): number | undefined {
    const mark = this.#mark;
    if (mark === undefined) return undefined;
    if (this.#ofImages) return mark.at + performance.now() - mark.cameMs;
    return this.#video.readyState < 2 ? undefined : mark.at + this.#video.currentTime * 1000 - mark.mediaMs;
  }

  close(): void {
    this.#closed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
    this.#dropSource();
  }

  #open(): void {
    this.#onState({ at: "connecting" });
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    let refused: string | undefined;
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== "string") {
        this.#append(data as ArrayBuffer);
        return;
      }
      const message = JSON.parse(data) as LiveMessage;
      if (message.type === "time") this.#mark = { ...message, cameMs: performance.now() };
      if (message.type === "stream") refused = this.#begin(message.mime);
      if (message.type === "unplayable") refused = message.why;
      if (refused !== undefined) this.#onState({ at: "stopped", why: refused });
    });
    socket.addEventListener("close", () => {
      if (this.#closed) return;
      this.#onState({ at: "stopped", why: refused ?? "The connection was lost. Trying again…" });
      this.#timer = window.setTimeout(() => this.#open(), this.#retryMs);
      this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
    });
    this.#socket = socket;
  }

  /** A new stream, or one with another resolution. Returns why it cannot be shown. */
  #begin(mime: string): string | undefined {
    this.#mark = undefined;
    this.#ofImages = mime === "image/jpeg";
    if (this.#ofImages) {
      this.#dropSource();
      return undefined;
    }
    if (!("MediaSource" in window) || !MediaSource.isTypeSupported(mime)) return unshowable(mime);
    this.#dropSource();
    const source = new MediaSource();
    this.#source = source;
    source.addEventListener("sourceopen", () => {
      if (this.#source !== source) return;
      URL.revokeObjectURL(this.#video.src);
      const buffer = source.addSourceBuffer(mime);
      buffer.mode = "segments";
      buffer.addEventListener("updateend", () => this.#updated());
      this.#buffer = buffer;
      this.#feed();
    });
    this.#video.src = URL.createObjectURL(source);
    return undefined;
  }

  #append(bytes: ArrayBuffer): void {
    if (this.#ofImages) {
      this.#images.show(bytes);
      return;
    }
    this.#queue.push(bytes);
    if (this.#queue.length > BUFFER.maxQueued) this.#socket?.close();
    this.#feed();
  }

  #feed(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.updating || this.#source?.readyState !== "open") return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    try {
      buffer.appendBuffer(next);
    } catch {
      // The decoder gave up, or the browser's memory for video is full: begin anew.
      this.#socket?.close();
    }
  }

  #updated(): void {
    const { buffered } = this.#video;
    const last = buffered.length - 1;
    if (last >= 0) {
      const end = buffered.end(last);
      if (this.#video.currentTime < buffered.start(last) || end - this.#video.currentTime > BUFFER.lagS)
        this.#video.currentTime = Math.max(buffered.start(last), end - BUFFER.aimS);
      if (this.#video.paused) this.#video.play().catch(() => undefined);
      const old = buffered.start(0);
      if (this.#buffer?.updating === false && this.#video.currentTime - old > BUFFER.keepS * 2) {
        this.#buffer.remove(old, this.#video.currentTime - BUFFER.keepS);
        return;
      }
    }
    this.#feed();
  }

  #dropSource(): void {
    this.#images.clear();
    this.#queue = [];
    this.#buffer = undefined;
    this.#source = undefined;
    if (this.#video.src !== "") {
      URL.revokeObjectURL(this.#video.src);
      this.#video.removeAttribute("src");
      this.#video.load();
    }
  }
}
