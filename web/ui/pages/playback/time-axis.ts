import type { Instant, Span } from "./protocol.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const LIMITS = { shortestMs: 10 * SECOND, longestMs: 31 * DAY };

/** Distances of marks from which the next one fits. */
const STEPS = [
  SECOND,
  5 * SECOND,
  15 * SECOND,
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  DAY,
  7 * DAY,
] as const;

/** The stretch `factor` times as long in which `at` stays where it is. */
export function zoomed({ from, to }: Span, factor: number, at: Instant): Span {
  const lengthMs = Math.min(LIMITS.longestMs, Math.max(LIMITS.shortestMs, (to - from) * factor));
  const begin = Math.max(0, at - ((at - from) / (to - from)) * lengthMs);
  return { from: begin, to: begin + lengthMs };
}

export function moved({ from, to }: Span, byMs: number): Span {
  const begin = Math.max(0, from + byMs);
  return { from: begin, to: begin + to - from };
}

/** The same length, moved so that `at` is in it. */
export function showing(view: Span, at: Instant): Span {
  if (view.from <= at && at <= view.to) return view;
  return moved(view, at - view.from - (view.to - view.from) / 2);
}

/** A mark of the axis. `isDay`: a day begins there. */
export interface Mark {
  readonly at: Instant;
  readonly isDay: boolean;
}

/** Whole seconds, minutes, hours and days of the clock on the wall, `most` of them at most. */
export function marksOf({ from, to }: Span, most: number): readonly Mark[] {
  const stepMs = STEPS.find((step) => (to - from) / step <= most) ?? 7 * DAY;
  const marks: Mark[] = [];
  for (let at = firstMark(from, stepMs); at <= to; at = nextMark(at, stepMs)) {
    const local = new Date(at);
    marks.push({ at, isDay: local.getHours() === 0 && local.getMinutes() === 0 && local.getSeconds() === 0 });
  }
  return marks;
}

function firstMark(from: Instant, stepMs: number): Instant {
  const midnight = new Date(from).setHours(0, 0, 0, 0);
  if (stepMs >= DAY) return midnight;
  return midnight + Math.ceil((from - midnight) / stepMs) * stepMs;
}

/** Days are not all as long. */
function nextMark(at: Instant, stepMs: number): Instant {
  if (stepMs >= DAY) {
    const day = new Date(at);
    return day.setDate(day.getDate() + stepMs / DAY);
  }
  const next = at + stepMs;
  const midnight = new Date(at).setHours(24, 0, 0, 0);
  return at < midnight && midnight < next ? midnight : next;
}
