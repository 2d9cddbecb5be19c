import { Fault } from "../base/fault.ts";
import type { Hours } from "./time-profile.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

type Weekly = Hours["weekly"][number];
type Exception = Hours["exceptions"][number];

/** Hours of a week in one line: `mon-fri 08:00-16:30`, `sat,sun 22:00-06:00`. {@link parseWeekly} reads the same. */
export function printWeekly({ days, from, to }: Weekly): string {
  return `${daysText(days)} ${from}-${to}`;
}

/** Days with hours of their own, in one line: `2026-12-24..2026-12-26 closed`, `2026-12-31 08:00-12:00,13:00-14:00`. */
export function printException({ date, until, windows }: Exception): string {
  const hours = windows.map(({ from, to }) => `${from}-${to}`).join(",");
  return `${date}${until === undefined ? "" : `..${until}`} ${hours || "closed"}`;
}

/** Fault `invalid` for another form. Whether the times make sense is for whoever takes the whole. */
export function parseWeekly(line: string): Weekly {
  const { days = "", hours = "" } = /^(?<days>\S+)\s+(?<hours>\S+)$/.exec(line.trim())?.groups ?? {};
  const window = windowOf(hours);
  const numbers = days.split(",").flatMap(daysOf);
  if (window === undefined || numbers.length === 0 || numbers.includes(0))
    throw refusal(line, "mon-fri 08:00-16:30 or sat,sun 10:00-14:00");
  return { days: [...new Set(numbers)].toSorted((a, b) => a - b), ...window };
}

/** Fault `invalid` for another form. */
export function parseException(line: string): Exception {
  const {
    date = "",
    until,
    hours = "",
  } = /^(?<date>[\d-]+)(?:\.\.(?<until>[\d-]+))?\s+(?<hours>\S+)$/.exec(line.trim())?.groups ?? {};
  const windows = hours === "closed" ? [] : hours.split(",").map(windowOf);
  if (date === "" || windows.includes(undefined))
    throw refusal(line, "2026-12-24..2026-12-26 closed or 2026-12-31 08:00-12:00");
  return {
    date,
    ...(until === undefined ? {} : { until }),
    windows: windows.filter((one) => one !== undefined),
  };
}

function daysText(days: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const day of [...days].toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === day - 1) run[1] = day;
    else runs.push([day, day]);
  }
  return runs.map(([first, last]) => (first === last ? nameOf(first) : `${nameOf(first)}-${nameOf(last)}`)).join(",");
}

function nameOf(day: number): string {
  return DAYS[day - 1] ?? String(day);
}

/** The numbers of ISO 8601; 0 among them for what is no day. `fri-mon` goes over the end of the week. */
function daysOf(text: string): readonly number[] {
  const [first = "", last = first] = text.split("-");
  const [from, to] = [first, last].map((name) => (DAYS as readonly string[]).indexOf(name) + 1) as [number, number];
  if (from === 0 || to === 0) return [0];
  const count = ((to - from + DAYS.length) % DAYS.length) + 1;
  return Array.from({ length: count }, (_, index) => ((from - 1 + index) % DAYS.length) + 1);
}

function windowOf(text: string): { readonly from: string; readonly to: string } | undefined {
  const { from, to } = /^(?<from>\d\d:\d\d)-(?<to>\d\d:\d\d)$/.exec(text)?.groups ?? {};
  return from === undefined || to === undefined ? undefined : { from, to };
}

function refusal(line: string, form: string): Fault {
  const tell = `"${line}" is no hours: say them as ${form}`;
  return new Fault("invalid", tell, { tell });
}
