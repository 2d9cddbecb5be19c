import type { Clock } from "./clock.ts";
import { type MonotonicMillis, SECOND } from "./units.ts";

/** How fast bytes may go. */
export interface ByteRate {
  readonly bytesPerSecond: number;
  /** What may go at once. */
  readonly burstBytes: number;
}

/** Holds what goes to a rate, in all of those who share it. */
export class BytePace {
  readonly #clock: Clock;
  readonly #rate: ByteRate;
  #spentAt: MonotonicMillis;
  /** Beyond what the time since then allows. */
  #aheadBytes = 0;

  constructor(clock: Clock, rate: ByteRate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#spentAt = clock.monotonic();
  }

  /** Resolves when `bytes` may go. Rejects with the signal's reason. */
  async spend(bytes: number, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond, burstBytes } = this.#rate;
    const now = this.#clock.monotonic();
    const passedBytes = ((now - this.#spentAt) / SECOND) * bytesPerSecond;
    this.#spentAt = now;
    this.#aheadBytes = Math.max(0, this.#aheadBytes - passedBytes) + bytes;
    const waitMs = ((this.#aheadBytes - burstBytes) / bytesPerSecond) * SECOND;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
