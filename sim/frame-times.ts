import { type Millis, SECOND } from "../base/units.ts";

/** When frames are due: frame n at the instant n / fps after the begin, and from a change of the rate on accordingly. */
export class FrameTimes {
  #fps: number;
  /** The first frame of the rate that is, and its instant. */
  #first = 0;
  #firstMs: Millis = 0;

  constructor(fps: number) {
    this.#fps = fps;
  }

  get fps(): number {
    return this.#fps;
  }

  /** Since the begin. */
  instant(frame: number): Millis {
    return this.#firstMs + ((frame - this.#first) * SECOND) / this.#fps;
  }

  /** The first frame that is not before this instant. */
  from(elapsedMs: Millis): number {
    return this.#first + Math.ceil(((elapsedMs - this.#firstMs) * this.#fps) / SECOND);
  }

  /** Frame `next` keeps its instant; those behind it come at the new rate. */
  change(fps: number, next: number): void {
    this.#firstMs = this.instant(next);
    this.#first = next;
    this.#fps = fps;
  }
}
