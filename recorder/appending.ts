import { ConcurrencyLimit } from "../base/concurrency-limit.ts";

const LIMITS = {
  /** Fragments that are hashed, encrypted and written at a time: more would take memory and longer turns of the loop, for no gain. */
  perVolume: 8,
};

/** Brings fragments to the volumes, a few at a time to each: one that hangs holds up no other. */
export class Appending {
  readonly #limits = new Map<string, ConcurrencyLimit>();

  /** `volume`: its name. Begins when it is its turn. */
  run<T>(volume: string, append: () => Promise<T>): Promise<T> {
    const limit = this.#limits.get(volume) ?? new ConcurrencyLimit(LIMITS.perVolume);
    this.#limits.set(volume, limit);
    return limit.run(append);
  }
}
