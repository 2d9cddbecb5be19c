/** Lets one write go on while what comes next is made. One user at a time. */
export class WriteBehind {
  #last: Promise<void> = Promise.resolve();

  /** Begins to write as soon as what was to be written before is, and does not wait for it. Rejects where that could not be. */
  async begin(write: () => Promise<void>): Promise<void> {
    await this.#last;
    this.#last = write();
    // Whoever begins or waits next is told.
    this.#last.catch(() => undefined);
  }

  /** Resolves when all is written; rejects where it could not be. */
  done(): Promise<void> {
    return this.#last;
  }
}
