/** Work that is done one after another, in the order in which it came: what one has looked at holds until it is done. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins when all before it has ended, well or not. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = (async () => {
      await before;
      return work();
    })();
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Ends with all that has come until now. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
