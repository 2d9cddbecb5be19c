import { type Clock, sleepOn, type Timer } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, type UnixMillis, unixMillis } from "../../base/units.ts";

const READING_MS = 1e-6;

interface Entry {
  due: number;
  readonly run: () => void;
  readonly periodMs: Millis | undefined;
}

/** A clock that stands still until a test moves it. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #offset: number;
  readonly #entries = new Set<Entry>();

  constructor(start: UnixMillis = unixMillis(Date.UTC(2026, 0, 1))) {
    this.#offset = start;
  }

  now(): UnixMillis {
    return unixMillis(this.#offset + this.#elapsedMs);
  }

  monotonic(): MonotonicMillis {
    return this.#elapsedMs as MonotonicMillis;
  }

  after(delayMs: Millis, run: () => void): Timer {
    return this.#enter({ due: this.#elapsedMs + delayMs, run, periodMs: undefined });
  }

  every(periodMs: Millis, run: () => void): Timer {
    return this.#enter({ due: this.#elapsedMs + periodMs, run, periodMs });
  }

  sleep(delayMs: Millis, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Timers that are waiting. A test that ends with any left has found a leak. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Sets the wall clock, as an administrator or NTP would; monotonic time goes on. */
  setWall(at: UnixMillis): void {
    this.#offset = at - this.#elapsedMs;
  }

  /** Moves time forward, running what falls due in order, and lets promises settle between. */
  async advance(byMs: Millis): Promise<void> {
    const end = this.#elapsedMs + byMs;
    await settle();
    for (;;) {
      const next = this.#next(end);
      if (next === undefined) break;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.due);
      if (next.periodMs === undefined) this.#entries.delete(next);
      else next.due += next.periodMs;
      next.run();
      await settle();
    }
    this.#elapsedMs = end;
    await settle();
  }

  /** Moves time forward while nothing runs, as in a program that is held up: what fell due runs late, with the next {@link advance}. */
  holdUp(byMs: Millis): void {
    this.#elapsedMs += byMs;
  }

  #enter(entry: Entry): Timer {
    this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries)
      if (entry.due <= end && (first === undefined || entry.due < first.due)) first = entry;
    return first;
  }
}

/** One whose monotonic time runs on a little with each reading, as that of every clock does: what takes two readings for one, is right by luck alone. */
export class RunningClock extends VirtualClock {
  #readings = 0;

  override monotonic(): MonotonicMillis {
    this.#readings += 1;
    return (super.monotonic() + this.#readings * READING_MS) as MonotonicMillis;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
