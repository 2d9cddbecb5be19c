import { type Clock, sleepOn, type Timer } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, type UnixMillis, unixMillis } from "../../base/units.ts";

interface Entry {
  due: number;
  readonly run: () => void;
  readonly periodMs: Millis | undefined;
}

/** Monotonic time runs on by so much with each reading, as every clock does: two readings that are to be one would be one by luck alone. */
const READING_MS = 1e-6;

/** A clock that all but stands still until a test moves it. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #readings = 0;
  #offset: number;
  readonly #entries = new Set<Entry>();

  constructor(start: UnixMillis = unixMillis(Date.UTC(2026, 0, 1))) {
    this.#offset = start;
  }

  now(): UnixMillis {
    return unixMillis(this.#offset + this.#elapsedMs);
  }

  monotonic(): MonotonicMillis {
    this.#readings += 1;
    return (this.#elapsedMs + this.#readings * READING_MS) as MonotonicMillis;
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

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
