import type { Clock } from "../base/clock.ts";
import { DAY, HOUR, type MonotonicMillis, type UnixMillis, unixMillis } from "../base/units.ts";

const LIMITS = {
  /** A clock that was set ahead by more than this since it was looked at is not believed at once ... */
  aheadMs: HOUR,
  /** ... but when it has stayed ahead for so long. */
  believedMs: DAY,
};

/**
 * The time by which recordings are too old: all of them would be so a minute after the clock was set ahead by mistake. Until that is believed,
 * time goes on as before.
 */
export class SteadyTime {
  readonly #clock: Clock;
  /** The clock when it was believed last. */
  #wall: UnixMillis;
  #at: MonotonicMillis;
  #aheadSince: MonotonicMillis | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = clock.now();
    this.#at = clock.monotonic();
  }

  /** The clock is ahead of what {@link now} said last. */
  get isHeld(): boolean {
    return this.#aheadSince !== undefined;
  }

  /** Ask often: what passes between two calls counts as one step. */
  now(): UnixMillis {
    const [wall, at] = [this.#clock.now(), this.#clock.monotonic()];
    const expected = unixMillis(this.#wall + at - this.#at);
    if (wall - expected > LIMITS.aheadMs) {
      this.#aheadSince ??= at;
      if (at - this.#aheadSince < LIMITS.believedMs) return expected;
    }
    this.#aheadSince = undefined;
    this.#wall = wall;
    this.#at = at;
    return wall;
  }
}
