import { unshowable } from "../../unshowable.ts";
import type { Instant } from "./protocol.ts";

/** What the browser is given to decode at once; beyond, pages keep it. */
type Step =
  | { readonly does: "clear" }
  | { readonly does: "begin"; readonly mime: string; readonly bytes: ArrayBuffer }
  | { readonly does: "append"; readonly at: readonly Instant[]; readonly bytes: ArrayBuffer }
  | { readonly does: "remove"; readonly before: Instant };

export interface PictureBufferEvents {
  /** Nothing more can be shown before it is cleared; `why` is a sentence for people. */
  failed(why: string): void;
  /** What comes next is in a codec that the browser has a decoder for, or has none for. */
  tried(isShowable: boolean): void;
}

/**
 * What a video element can show of a recording. Its media time is the time of the capture, in seconds since 1970, so that the picture
 * of an instant is the one at that time.
 */
export class PictureBuffer {
  readonly #video: HTMLVideoElement;
  readonly #on: PictureBufferEvents;
  #source: MediaSource | undefined;
  #buffer: SourceBuffer | undefined;
  #steps: Step[] = [];
  /** Instants of the pictures that are there, in order. */
  #pictures: Instant[] = [];

  constructor(video: HTMLVideoElement, on: PictureBufferEvents) {
    this.#video = video;
    this.#on = on;
  }

  /** The picture that is seen at an instant: the last one up to it. */
  at(instant: Instant): Instant | undefined {
    return this.#pictures[this.#indexAfter(instant) - 1];
  }

  /** The first picture behind an instant. */
  after(instant: Instant): Instant | undefined {
    return this.#pictures[this.#indexAfter(instant)];
  }

  get first(): Instant | undefined {
    return this.#pictures[0];
  }

  get last(): Instant | undefined {
    return this.#pictures.at(-1);
  }

  /** Forgets all pictures. */
  clear(): void {
    this.#pictures = [];
    this.#steps = this.#buffer === undefined ? [] : [{ does: "clear" }];
    this.#go();
  }

  /** An initialization segment: what follows is coded so. */
  begin(mime: string, bytes: ArrayBuffer): void {
    const isShowable = "MediaSource" in window && MediaSource.isTypeSupported(mime);
    this.#on.tried(isShowable);
    if (!isShowable) {
      this.#on.failed(unshowable(mime));
      return;
    }
    if (this.#source === undefined) this.#openSource(mime);
    this.#steps.push({ does: "begin", mime, bytes });
    this.#go();
  }

  append(at: readonly Instant[], bytes: ArrayBuffer): void {
    if (this.#source === undefined) return;
    this.#steps.push({ does: "append", at, bytes });
    this.#go();
  }

  /** Lets go of pictures of before an instant. */
  forget(before: Instant): void {
    if (this.first === undefined || this.first >= before) return;
    this.#pictures = this.#pictures.slice(this.#indexAfter(before));
    this.#steps.push({ does: "remove", before });
    this.#go();
  }

  close(): void {
    this.#steps = [];
    this.#pictures = [];
    this.#buffer = undefined;
    this.#source = undefined;
    if (this.#video.src === "") return;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #openSource(mime: string): void {
    const source = new MediaSource();
    this.#source = source;
    source.addEventListener("sourceopen", () => {
      if (this.#source !== source) return;
      URL.revokeObjectURL(this.#video.src);
      const buffer = source.addSourceBuffer(mime);
      buffer.mode = "segments";
      buffer.addEventListener("updateend", () => this.#go());
      this.#buffer = buffer;
      this.#go();
    });
    this.#video.src = URL.createObjectURL(source);
  }

  #go(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.updating || this.#source?.readyState !== "open") return;
    const step = this.#steps.shift();
    if (step === undefined) return;
    try {
      this.#take(buffer, step);
    } catch {
      this.close();
      this.#on.failed("The browser cannot decode this recording, or has no memory left for it.");
      return;
    }
    // What had nothing to wait for leaves room for the next.
    if (!buffer.updating) this.#go();
  }

  #take(buffer: SourceBuffer, step: Step): void {
    switch (step.does) {
      case "clear":
        buffer.abort();
        if (buffer.buffered.length > 0) buffer.remove(0, Number.POSITIVE_INFINITY);
        break;
      case "begin":
        buffer.changeType(step.mime);
        buffer.appendBuffer(step.bytes);
        break;
      case "append":
        buffer.appendBuffer(step.bytes);
        this.#pictures = merged(this.#pictures, step.at);
        break;
      case "remove":
        if (buffer.buffered.length > 0) buffer.remove(0, step.before / 1000);
        break;
    }
  }

  #indexAfter(instant: Instant): number {
    let [low, high] = [0, this.#pictures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pictures[middle] ?? 0) <= instant) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Mostly, what comes lies behind or before all that is there. */
function merged(known: Instant[], more: readonly Instant[]): Instant[] {
  const [first, last] = [more[0] ?? 0, more.at(-1) ?? 0];
  if (known.length === 0 || first > (known.at(-1) ?? 0)) return [...known, ...more];
  if (last < (known[0] ?? 0)) return [...more, ...known];
  return [...new Set([...known, ...more])].sort((a, b) => a - b);
}
