import type { Millis } from "../../base/units.ts";

const FIRST_MS: Millis = 1000;
const LONGEST_MS: Millis = 30_000;

/**
 * Waiting times between attempts to reach a camera: doubling from 1 s to 30 s, each cut at random to between half and
 * all of it, so that a hundred cameras behind one switch do not come back in the same instant.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random`: 0 (inclusive) to 1 (exclusive). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  next(): Millis {
    const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    return whole / 2 + (whole / 2) * this.#random();
  }

  /** The camera works again: the next failure starts from the beginning. */
  reset(): void {
    this.#failures = 0;
  }
}
