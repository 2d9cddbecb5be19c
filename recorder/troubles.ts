/** What is wrong with the storage now, by what says so: a stream that cannot be written, room that is missing. */
export class Troubles {
  readonly #all = new Map<string, string>();
  #listener: (words: string | undefined) => void = () => undefined;
  #told: string | undefined;

  /** In words for people; undefined where nothing is wrong. Of several, the first that began. */
  get words(): string | undefined {
    const [first] = this.#all.values();
    return first;
  }

  /** Who is told at once when {@link words} changes, and now. */
  watch(listener: (words: string | undefined) => void): void {
    this.#listener = listener;
    listener(this.#told);
  }

  /** What `who` has to say; undefined where it is over. */
  set(who: string, words: string | undefined): void {
    if (words === undefined) this.#all.delete(who);
    else this.#all.set(who, words);
    if (this.words === this.#told) return;
    this.#told = this.words;
    this.#listener(this.#told);
  }
}
