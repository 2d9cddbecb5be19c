import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { MINUTE, type MonotonicMillis } from "../../base/units.ts";

/** How long a camera is left alone that has refused a log-in. */
export const REFUSED_MS = 10 * MINUTE;

/** Keeps a camera that has refused a log-in from being asked again and again: it would lock the account. */
export class RefusedLogIn {
  readonly #clock: Clock;
  #notBefore = 0 as MonotonicMillis;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does `work`, unless it ended with `unauthenticated` less than ten minutes ago: `unavailable` then. */
  async respected<R>(work: () => Promise<R>): Promise<R> {
    if (this.#clock.monotonic() < this.#notBefore)
      throw new Fault("unavailable", "the camera refused the log-in a moment ago", {
        tell: "the camera refuses the bridge's log-in",
      });
    try {
      return await work();
    } catch (error) {
      if (isFault(error, "unauthenticated"))
        this.#notBefore = (this.#clock.monotonic() + REFUSED_MS) as MonotonicMillis;
      throw error;
    }
  }
}
