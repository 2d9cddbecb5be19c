import type { UnixMillis } from "../base/units.ts";
import type { PictureRequest, ReadRequest } from "./playback-protocol.ts";

/** One reading of a recording, from its beginning until it is stopped. The page says up to which instant it wants to have it. */
export class Run {
  readonly asked: ReadRequest;
  readonly #stopping = new AbortController();
  #until: UnixMillis;
  #extended: PromiseWithResolvers<void> | undefined;

  constructor(asked: ReadRequest) {
    this.asked = asked;
    this.#until = asked.until;
  }

  /** Aborted when nobody wants to have it any more. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get until(): UnixMillis {
    return this.#until;
  }

  extend(run: number, until: UnixMillis): void {
    if (run !== this.asked.run) return;
    this.#until = until;
    this.#extended?.resolve();
  }

  stop(): void {
    this.#stopping.abort();
    this.#extended?.resolve();
  }

  /** Until it is wanted, or the run is stopped. `tell`: says to the page what waits for it. */
  async wait(isWanted: () => boolean, tell: () => Promise<void>): Promise<void> {
    while (!isWanted() && !this.signal.aborted) {
      const extended = Promise.withResolvers<void>();
      this.#extended = extended;
      await tell();
      await extended.promise;
    }
  }
}

/** The readings that one page asks for, one at a time: the newest; those in between are passed over. */
export class Runs {
  readonly #read: (run: Run) => Promise<void>;
  #current: Run | undefined;
  #next: ReadRequest | undefined;
  #reading = false;
  #closed = false;

  /** `read` ends soon when the run is stopped. Must not reject. */
  constructor(read: (run: Run) => Promise<void>) {
    this.#read = read;
  }

  take(request: PictureRequest): void {
    if (request.type === "more") {
      this.#current?.extend(request.run, request.until);
      if (this.#next?.run === request.run) this.#next = { ...this.#next, until: request.until };
      return;
    }
    this.#current?.stop();
    this.#next = request.type === "read" ? request : undefined;
    if (!this.#reading) void this.#readAll();
  }

  close(): void {
    this.#closed = true;
    this.#next = undefined;
    this.#current?.stop();
  }

  async #readAll(): Promise<void> {
    this.#reading = true;
    while (this.#next !== undefined && !this.#closed) {
      const run = new Run(this.#next);
      this.#next = undefined;
      this.#current = run;
      await this.#read(run);
    }
    this.#current = undefined;
    this.#reading = false;
  }
}
