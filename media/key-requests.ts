import type { Clock } from "../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";

const LIMITS = {
  /** A camera needs a moment to answer; who asks again meanwhile wants the same key frame. */
  spacingMs: SECOND,
  /** Each key frame is many times as large as another picture. What readers can cause for good is one in so long a time ... */
  periodMs: 5 * SECOND,
  /** ... and this many that were not asked for before. */
  saved: 5,
};

/** How often a camera is asked for a key frame, whoever wants one and how often: a mad reader must not change what all others get. */
export class KeyRequests {
  readonly #clock: Clock;
  #askedAt: MonotonicMillis | undefined;
  /** How many may be asked for at `#countedAt`, with the fraction that has grown since one was. */
  #left: number = LIMITS.saved;
  #countedAt: MonotonicMillis;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.monotonic();
  }

  /** Counts one request; false where the camera is not to be asked now. */
  admit(): boolean {
    const now = this.#clock.monotonic();
    if (this.#askedAt !== undefined && now - this.#askedAt < LIMITS.spacingMs) return false;
    this.#left = Math.min(LIMITS.saved, this.#left + (now - this.#countedAt) / LIMITS.periodMs);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    this.#askedAt = now;
    return true;
  }
}
