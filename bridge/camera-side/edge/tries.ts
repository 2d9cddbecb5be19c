import type { Clock } from "../../../base/clock.ts";
import { DAY, MINUTE, type Millis, type MonotonicMillis } from "../../../base/units.ts";
import type { Span } from "../../../media/source.ts";

const LIMITS = {
  firstMs: 10 * MINUTE,
  longestMs: DAY,
  /** Stretches of one stream that are remembered; the oldest are asked for once more. */
  stretches: 200,
} as const;

interface Try {
  readonly span: Span;
  readonly waitMs: Millis;
  readonly notBefore: MonotonicMillis;
}

/** Which stretches of which stream were asked for, and when they may be again: each time in twice the time. A restart forgets them. */
export class Tries {
  readonly #clock: Clock;
  readonly #streams = new Map<string, readonly Try[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no stretch that holds all of it was asked for too lately. */
  mayTry(stream: string, span: Span): boolean {
    const now = this.#clock.monotonic();
    return (this.#streams.get(stream) ?? []).every((one) => now >= one.notBefore || !holds(one.span, span));
  }

  tried(stream: string, span: Span): void {
    const all = this.#streams.get(stream) ?? [];
    const before = all.filter((one) => holds(one.span, span)).map(({ waitMs }) => waitMs);
    const waitMs = Math.min(LIMITS.longestMs, Math.max(LIMITS.firstMs / 2, ...before) * 2);
    const notBefore = (this.#clock.monotonic() + waitMs) as MonotonicMillis;
    const others = all.filter((one) => !holds(span, one.span));
    this.#streams.set(stream, [...others, { span, waitMs, notBefore }].slice(-LIMITS.stretches));
  }
}

function holds(whole: Span, part: Span): boolean {
  return whole.from <= part.from && part.to <= whole.to;
}
