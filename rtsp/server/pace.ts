import type { Clock } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND, type UnixMillis } from "../../base/units.ts";

const LIMITS = {
  /** How far groups go out before their time, so that a player has something to begin with. */
  leadMs: SECOND,
  /** A longer stretch without footage is skipped, not waited for. Backwards, groups of pictures may be as far apart as that. */
  gapMs: { forward: 2 * SECOND, backward: 30 * SECOND },
};

/** Hands out recorded groups at `scale` times the speed of their capture; backwards where it is negative. */
export class Pace {
  readonly #clock: Clock;
  readonly #scale: number;
  #anchor: { readonly at: UnixMillis; readonly since: MonotonicMillis };
  #lastAt: UnixMillis;

  /** `from`: the instant that was asked for. What stands before it goes out at once, for it is only there to be decoded. */
  constructor(clock: Clock, from: UnixMillis, scale: number) {
    this.#clock = clock;
    this.#scale = scale;
    this.#anchor = { at: from, since: clock.monotonic() };
    this.#lastAt = from;
  }

  /** Resolves when it is time for what was captured at `at`. `discontinuity`: it does not follow what was before. */
  async reach(at: UnixMillis, discontinuity: boolean, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const gapMs = this.#scale > 0 ? LIMITS.gapMs.forward : LIMITS.gapMs.backward;
    if (discontinuity && Math.abs(at - this.#lastAt) > gapMs) this.#anchor = { at, since: now };
    this.#lastAt = at;
    const dueMs: Millis = (at - this.#anchor.at) / this.#scale;
    const waitMs = this.#anchor.since + dueMs - LIMITS.leadMs - now;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
