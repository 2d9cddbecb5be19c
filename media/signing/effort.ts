const LIMITS = {
  /** Units that are looked at for statements: at once, and for each one that comes. Films of cameras take a quarter where pictures are gone. */
  atOnce: 200_000,
  perUnit: 32,
};

/** How much is searched in one stream: a film that is made for it would keep a computer busy for days. */
export class Effort {
  #left = LIMITS.atOnce;

  /** One more unit has come, which may be searched for. */
  unit(): void {
    this.#left = Math.min(LIMITS.atOnce, this.#left + LIMITS.perUnit);
  }

  /** Whether so many units may be looked at. */
  take(units: number): boolean {
    this.#left -= units;
    return !this.isSpent;
  }

  /** More was asked for than there was. */
  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** From here on, what comes counts again. */
  anew(): void {
    this.#left = 0;
  }
}
