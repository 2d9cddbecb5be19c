/** Numbers that look random and are the same for the same seed (mulberry32), so that a run can be had again. */
export class Random {
  #state: number;

  /** `seed`: 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** One of them; of none undefined. */
  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  /** From 1 to `most`, small ones far more often. */
  few(most: number): number {
    return 1 + Math.floor(most ** (this.below(1000) / 1000) - 1);
  }
}
