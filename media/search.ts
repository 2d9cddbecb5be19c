import type { Clock } from "../base/clock.ts";
import { type Millis, SECOND } from "../base/units.ts";

const LIMITS: { readonly bytes: number; readonly restMs: Millis } = {
  /** Read without a rest: minutes of an ordinary camera. */
  bytes: 64 * 1024 * 1024,
  restMs: 1 * SECOND,
};

/**
 * Looking through a recording for tracks of which there may be no footage: as long as there is none, loop and disk have a rest now and
 * then, so that a client with a track that was never recorded does not read a whole archive at full speed.
 */
export class Search {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #bytes = 0;

  /** `signal`: nobody reads any more. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Here is some. */
  found(): void {
    this.#bytes = 0;
  }

  /** Here is none in so many bytes: when to read on; at once where there is nothing to wait for. Never rejects. */
  passedOver(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes;
    if (this.#bytes < LIMITS.bytes) return undefined;
    this.#bytes = 0;
    // Reading ends by the same signal.
    return this.#clock.sleep(LIMITS.restMs, this.#signal).catch(() => undefined);
  }
}
