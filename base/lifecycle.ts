import { type Clock, within } from "./clock.ts";
import { Fault } from "./fault.ts";
import type { Log } from "./log.ts";
import type { Millis } from "./units.ts";

/** Something that has a life. `close` may be called once, after everything that was started later is closed. */
export interface Closable {
  close(): Promise<void> | void;
}

interface Part {
  readonly name: string;
  readonly part: Closable;
}

/** Closes parts in the reverse order of their start, each within a deadline, and goes on when one fails. */
export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #clock: Clock;
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts `part` and remembers to close it. When starting fails, everything before it is closed and the error goes on. */
  async start<T extends Closable>(name: string, start: () => Promise<T> | T): Promise<T> {
    if (this.#closing !== undefined) throw new Fault("wrong-state", `start of ${name} while closing`);
    try {
      const part = await start();
      this.#parts.push({ name, part });
      return part;
    } catch (error) {
      await this.close(5000);
      throw error;
    }
  }

  /** Idempotent: every call waits for the same closing. */
  close(limitPerPartMs: Millis): Promise<void> {
    this.#closing ??= this.#closeAll(limitPerPartMs);
    return this.#closing;
  }

  async #closeAll(limitMs: Millis): Promise<void> {
    for (const { name, part } of this.#parts.reverse()) {
      try {
        const late = (): Fault => new Fault("unavailable", `${name} did not close within ${limitMs} ms`);
        await within(this.#clock, limitMs, Promise.resolve(part.close()), late);
      } catch (err) {
        this.#log.error({ err, part: name }, "could not close");
      }
    }
  }
}
