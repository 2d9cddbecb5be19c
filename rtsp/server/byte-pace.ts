import type { Clock } from "../../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../../base/units.ts";

const LIMITS = {
  /** 16 Mbit/s: some times the rate of an ordinary camera, and less than any network has on which there is video. */
  bytesPerSecond: 2 * 1024 * 1024,
  /** What may go out at once: as much as a socket that nobody has set up takes in. */
  burstBytes: 128 * 1024,
};

/** How fast a recording goes out where nothing says how fast the client takes it: over UDP, faster than it was captured. */
export class BytePace {
  readonly #clock: Clock;
  #spentAt: MonotonicMillis;
  /** Beyond what the time since then allows. */
  #aheadBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#spentAt = clock.monotonic();
  }

  /** Resolves when `bytes` may go out. Rejects with the signal's reason. */
  async spend(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const passedBytes = ((now - this.#spentAt) / SECOND) * LIMITS.bytesPerSecond;
    this.#spentAt = now;
    this.#aheadBytes = Math.max(0, this.#aheadBytes - passedBytes) + bytes;
    const waitMs = ((this.#aheadBytes - LIMITS.burstBytes) / LIMITS.bytesPerSecond) * SECOND;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
