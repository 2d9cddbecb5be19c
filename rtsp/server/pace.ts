import type { Clock } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";

const LIMITS = {
  /** How far groups go out before their time, so that a player has something to begin with. */
  leadMs: SECOND,
  /** A longer stretch without footage is skipped, not waited for. */
  gapMs: 2 * SECOND,
};

/** Hands out recorded groups as fast as they were captured. */
export class Pace {
  readonly #clock: Clock;
  #anchor: { readonly at: UnixMillis; readonly since: MonotonicMillis };
  #lastAt: UnixMillis;

  /** `from`: the instant that was asked for. What stands before it goes out at once, for it is only there to be decoded. */
  constructor(clock: Clock, from: UnixMillis) {
    this.#clock = clock;
    this.#anchor = { at: from, since: clock.monotonic() };
    this.#lastAt = from;
  }

  /** Resolves when it is time for what was captured at `at`. */
  async reach(at: UnixMillis, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const step: Millis = at - this.#lastAt;
    if (step > LIMITS.gapMs || step < -LIMITS.gapMs) this.#anchor = { at, since: now };
    this.#lastAt = at;
    const waitMs = this.#anchor.since + (at - this.#anchor.at) - LIMITS.leadMs - now;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
