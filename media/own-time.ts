import { randomInt } from "node:crypto";
import type { UnixMillis } from "../base/units.ts";

/**
 * RTP timestamps of our own for one track. Where the camera's clock begins anew, ours go on by the time that has passed between
 * the captures, so that timestamps and capture times of all tracks keep their relation.
 */
export class OwnTime {
  readonly #clockRateHz: number;
  /** The newest instant that was handed on, by our numbering; groups of B-frames lie before it. */
  #newest: { readonly rtpTime: number; readonly at: UnixMillis } | undefined;
  /** Our timestamps minus the camera's. Undefined: the next group decides. */
  #offset: number | undefined;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** Capture time of the newest group; undefined before the first. */
  get newestAt(): UnixMillis | undefined {
    return this.#newest?.at;
  }

  /** The camera numbers anew. */
  restart(): void {
    this.#offset = undefined;
  }

  /** The camera's timestamp of a group that was captured `at`, in our numbering. `jump`: the camera's clock has jumped before it. */
  of(rtpTime: number, at: UnixMillis, jump: boolean): number {
    const newest = this.#newest;
    if (this.#offset === undefined || jump) {
      const passedMs = newest === undefined ? 0 : Math.max(1, at - newest.at);
      const passed = Math.ceil((passedMs * this.#clockRateHz) / 1000);
      const next = newest === undefined ? randomInt(2 ** 32) : newest.rtpTime + passed;
      this.#offset = next - rtpTime;
    }
    const ours = (rtpTime + this.#offset) >>> 0;
    if (newest === undefined || ((ours - newest.rtpTime) | 0) > 0) this.#newest = { rtpTime: ours, at };
    return ours;
  }
}
