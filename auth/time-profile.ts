import { z } from "zod";
import { DAY, MINUTE, type UnixMillis, unixMillis } from "../base/units.ts";

const LIMITS = {
  /** Windows of a week, and of one exception. */
  windows: 50,
  exceptions: 400,
  /** How far ahead the next change is looked for. A profile that never changes is asked again then. */
  aheadMs: 9 * DAY,
} as const;

const DAY_MINUTES = 24 * 60;

const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "a time is HH:MM, up to 24:00");
const date = z.string().refine(isDate, "a date is YYYY-MM-DD");
const window = z.strictObject({
  /** ISO 8601: Monday is 1, Sunday is 7. */
  days: z.array(z.int().min(1).max(7)).min(1).max(7),
  from: time,
  /** Not after `from`: on the next day. */
  to: time,
});

/** What a time profile is made of. */
export const hoursSchema = z.strictObject({
  /** IANA, as `Europe/Copenhagen`: the hours are those of a clock on the wall there. */
  zone: z.string().max(64).refine(isZone, "there is no such time zone; use a name like Europe/Copenhagen"),
  weekly: z.array(window).max(LIMITS.windows),
  /** Days with hours of their own instead of the week's; none at all when `windows` is empty. */
  exceptions: z
    .array(
      z.strictObject({
        date,
        /** Last day of several. */
        until: date.optional(),
        windows: z.array(window.omit({ days: true })).max(LIMITS.windows),
      }),
    )
    .max(LIMITS.exceptions)
    .default([]),
});

export type Hours = z.output<typeof hoursSchema>;

/** From `from` to `to`, in minutes from midnight. */
type Stretch = readonly [from: number, to: number];

/** How long things stay as they are. */
export interface HoursState {
  readonly open: boolean;
  /** The next change, or an instant at which to ask again. */
  readonly until: UnixMillis;
}

/**
 * Weekly hours with exceptions, in the local time of a zone. An instant is turned into local time and never the reverse, so
 * that the hour that a clock skips has no instants, and one that it repeats is open or closed both times.
 */
export class TimeProfile {
  readonly hours: Hours;
  readonly #weekly: readonly (readonly Stretch[])[];
  readonly #exceptions: Hours["exceptions"];
  readonly #zone: ZoneOffset;
  #from = unixMillis(0);
  #state: HoursState = { open: false, until: unixMillis(0) };

  constructor(hours: Hours) {
    this.hours = hours;
    this.#zone = new ZoneOffset(hours.zone);
    this.#exceptions = hours.exceptions;
    this.#weekly = Array.from({ length: 7 }, (_, day) => weekdayOf(hours.weekly, day));
  }

  /** Whether `at` is inside, and until when that holds. The newest answer is kept: asking again within it costs nothing. */
  at(at: UnixMillis): HoursState {
    if (at < this.#from || at >= this.#state.until) {
      this.#state = this.#look(at);
      this.#from = at;
    }
    return this.#state;
  }

  #look(at: UnixMillis): HoursState {
    const open = this.#isOpen(at);
    let next = at;
    while (next - at < LIMITS.aheadMs) {
      next = this.#nextEdge(next);
      if (this.#isOpen(next) !== open) break;
    }
    return { open, until: next };
  }

  #isOpen(at: UnixMillis): boolean {
    const { minute, stretches } = this.#dayAt(at);
    return stretches.some(([from, to]) => from <= minute && minute < to);
  }

  /** The next beginning or end of a stretch, midnight, or change of the zone's offset. */
  #nextEdge(at: UnixMillis): UnixMillis {
    const { minute, stretches } = this.#dayAt(at);
    const edge = Math.min(...stretches.flat().filter((one) => one > minute), DAY_MINUTES);
    const next = unixMillis(at + (edge - minute) * MINUTE);
    return this.#zone.changeWithin(at, next) ?? next;
  }

  #dayAt(at: UnixMillis): { readonly minute: number; readonly stretches: readonly Stretch[] } {
    const local = at + this.#zone.at(at);
    const midnight = Math.floor(local / DAY) * DAY;
    const today = new Date(midnight).toISOString().slice(0, 10);
    const exception = this.#exceptions.find((one) => one.date <= today && today <= (one.until ?? one.date));
    const stretches = exception
      ? exception.windows.flatMap((one) => stretchesOf(one).today)
      : (this.#weekly[(new Date(midnight).getUTCDay() + 6) % 7] ?? []);
    return { minute: (local - midnight) / MINUTE, stretches };
  }
}

/** How far the local time of a zone is ahead of UTC. */
class ZoneOffset {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  at(at: UnixMillis): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(at)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  }

  /** The first instant of another offset, at most a day ahead: no zone changes twice in one. */
  changeWithin(from: UnixMillis, to: UnixMillis): UnixMillis | undefined {
    const offset = this.at(from);
    if (this.at(to) === offset) return undefined;
    // Zones change at whole minutes.
    let [before, after] = [Math.floor(from / MINUTE), Math.ceil(to / MINUTE)];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.at(unixMillis(middle * MINUTE)) === offset) before = middle;
      else after = middle;
    }
    return unixMillis(after * MINUTE);
  }
}

function weekdayOf(weekly: Hours["weekly"], day: number): readonly Stretch[] {
  const yesterday = (day + 6) % 7;
  return weekly.flatMap((one) => {
    const { today, tomorrow } = stretchesOf(one);
    return [...(one.days.includes(day + 1) ? today : []), ...(one.days.includes(yesterday + 1) ? tomorrow : [])];
  });
}

/** What of a window lies on its own day, and on the next one. */
function stretchesOf({ from, to }: { readonly from: string; readonly to: string }): {
  readonly today: readonly Stretch[];
  readonly tomorrow: readonly Stretch[];
} {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  if (begin < end) return { today: [[begin, end]], tomorrow: [] };
  return { today: [[begin, DAY_MINUTES]], tomorrow: end === 0 ? [] : [[0, end]] };
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const read = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(text);
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
