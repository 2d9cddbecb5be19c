import type { Clock } from "../../base/clock.ts";
import { type Millis, type MonotonicMillis, SECOND } from "../../base/units.ts";

/** A client asks with some messages in a row, a scan of a whole site every minute or so. */
const PER_SENDER = { messages: 12, periodMs: 4 * SECOND } as const;
/** All senders together: the addresses in datagrams may be forged. */
const OVERALL = { messages: 100, periodMs: SECOND } as const;
/** Answers to all of them: one question may have as many as there are devices. */
const ANSWERS = { messages: 600, periodMs: SECOND } as const;
/** Senders that are remembered; with more, the overall bound alone holds. */
const MAX_SENDERS = 1000;

/** Counts within a period, then starts anew. */
interface Window {
  since: MonotonicMillis;
  count: number;
}

/** How many messages are worth a look, by sender and in all. */
export class AnswerBudget {
  readonly #clock: Clock;
  readonly #senders = new Map<string, Window>();
  readonly #all: Window;
  readonly #answers: Window;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = { since: clock.monotonic(), count: 0 };
    this.#answers = { ...this.#all };
  }

  /** Counts one answer; false when it is one too many. */
  spend(): boolean {
    return counted(this.#answers, ANSWERS, this.#clock.monotonic());
  }

  /** Counts one message of `sender`; false when it is one too many. */
  admit(sender: string): boolean {
    const now = this.#clock.monotonic();
    let window = this.#senders.get(sender);
    if (window === undefined) {
      window = { since: now, count: 0 };
      this.#senders.set(sender, window);
      if (this.#senders.size > MAX_SENDERS) {
        const oldest = this.#senders.keys().next();
        if (oldest.done !== true) this.#senders.delete(oldest.value);
      }
    }
    return counted(window, PER_SENDER, now) && counted(this.#all, OVERALL, now);
  }
}

function counted(window: Window, bound: { messages: number; periodMs: Millis }, now: MonotonicMillis): boolean {
  if (now - window.since >= bound.periodMs) {
    window.since = now;
    window.count = 0;
  }
  window.count += 1;
  return window.count <= bound.messages;
}
