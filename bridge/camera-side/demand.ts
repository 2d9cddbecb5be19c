import type { Clock, Timer } from "../../base/clock.ts";
import type { Millis } from "../../base/units.ts";
import type { LiveReader, LiveSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";

/** Who needs a stream at the moment: somebody, or nobody any more. */
export class Demand {
  readonly #clock: Clock;
  readonly #lingerMs: Millis;
  readonly #begin: () => void;
  readonly #end: () => void;
  #holders = 0;
  #linger: Timer | undefined;
  #closed = false;

  /**
   * `begin`: somebody needs it. `end`: nobody has needed it for `lingerMs`, for there are players that come back at once, and
   * that describe on one connection and play on another. Both may come again and again.
   */
  constructor(o: {
    readonly clock: Clock;
    readonly lingerMs: Millis;
    readonly begin: () => void;
    readonly end: () => void;
  }) {
    this.#clock = o.clock;
    this.#lingerMs = o.lingerMs;
    this.#begin = o.begin;
    this.#end = o.end;
  }

  /** Returns how to let go; to call that again does nothing. */
  hold(): () => void {
    this.#linger?.cancel();
    this.#holders += 1;
    if (this.#holders === 1 && !this.#closed) this.#begin();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0 && !this.#closed) this.#linger = this.#clock.after(this.#lingerMs, this.#end);
    };
  }

  /** Nothing begins or ends any more. */
  close(): void {
    this.#closed = true;
    this.#linger?.cancel();
  }
}

/** A live source that is pulled because it is watched: whoever waits for it or has joined it needs it. */
export class DemandedSource implements LiveSource {
  readonly #source: LiveSource;
  readonly #demand: Demand;

  constructor(source: LiveSource, demand: Demand) {
    this.#source = source;
    this.#demand = demand;
  }

  get tracks(): readonly Track[] {
    return this.#source.tracks;
  }

  async ready(limitMs: Millis, signal?: AbortSignal): Promise<void> {
    const release = this.#demand.hold();
    try {
      await this.#source.ready(limitMs, signal);
    } finally {
      release();
    }
  }

  join(reader: LiveReader): () => void {
    const release = this.#demand.hold();
    const leave = this.#source.join(reader);
    return () => {
      leave();
      release();
    };
  }

  requestKey(): void {
    this.#source.requestKey();
  }

  ssrc(index: number): number | undefined {
    return this.#source.ssrc(index);
  }
}
