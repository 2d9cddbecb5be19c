/** Does one thing after the other, and of those that wait the newest alone: for pages that ask on without waiting for the answer. */
export class Newest<T> {
  readonly #act: (asked: T) => Promise<void>;
  #next: { readonly asked: T } | undefined;
  #acting = false;

  /** `act` must not throw. */
  constructor(act: (asked: T) => Promise<void>) {
    this.#act = act;
  }

  ask(asked: T): void {
    this.#next = { asked };
    if (!this.#acting) void this.#actOnAll();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#next = undefined;
  }

  async #actOnAll(): Promise<void> {
    this.#acting = true;
    while (this.#next !== undefined) {
      const { asked } = this.#next;
      this.#next = undefined;
      await this.#act(asked);
    }
    this.#acting = false;
  }
}
