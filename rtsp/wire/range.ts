import { Fault } from "../../base/fault.ts";
import { HOUR, MINUTE, type Millis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";

/** A Range header (RFC 2326 3.6, 3.7, 12.29). */
export type Range =
  /** An end before the start is legal: reverse replay runs that way. */
  | { readonly unit: "clock"; readonly from: UnixMillis; readonly to?: UnixMillis }
  /** Milliseconds from the beginning of the presentation; `now` is the live edge. */
  | { readonly unit: "npt"; readonly from: Millis | "now"; readonly to?: Millis };

const CLOCK = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/;
const SECONDS = /^(\d{1,10})(?:\.(\d{0,9}))?$/;
const HOURS = /^(\d{1,6}):([0-5]?\d):([0-5]?\d)(?:\.(\d{0,9}))?$/;

/**
 * Reads `clock=…` and `npt=…`. Fractions finer than a millisecond are cut, not rounded: a range must never start after the
 * instant that was asked for. The form without a start is refused; the first point is where play begins. What stands behind
 * a semicolon (`time=`) is passed over.
 */
export function parseRange(value: string): Range {
  const [range = ""] = value.split(";", 1);
  const match = /^\s*(clock|npt)\s*=\s*([^\s-]+)\s*-\s*(\S*)\s*$/i.exec(range);
  if (match === null) throw new Fault("invalid", `Range: "${range.slice(0, 80)}"`, { tell: "Range" });
  const [, unit = "", first = "", second = ""] = match;
  if (unit.toLowerCase() === "clock") {
    const from = clockOf(first);
    return second === "" ? { unit: "clock", from } : { unit: "clock", from, to: clockOf(second) };
  }
  const from = first === "now" ? first : nptOf(first);
  return second === "" ? { unit: "npt", from } : { unit: "npt", from, to: nptOf(second) };
}

/** Reads the Range of a PAUSE: one instant (RFC 2326 10.6), which some write as the beginning of a range. */
export function parsePoint(value: string): Range {
  const [point = ""] = value.split(";", 1);
  return parseRange(point.includes("-") ? point : `${point}-`);
}

export function printRange(range: Range): string {
  if (range.unit === "clock")
    return `clock=${printClock(range.from)}-${range.to === undefined ? "" : printClock(range.to)}`;
  const from = range.from === "now" ? range.from : printNpt(range.from);
  return `npt=${from}-${range.to === undefined ? "" : printNpt(range.to)}`;
}

/** `20261124T130509.120Z` (RFC 2326 3.7). */
export function printClock(at: UnixMillis): string {
  return new Date(at).toISOString().replace(/[-:]/g, "");
}

function clockOf(text: string): UnixMillis {
  const match = CLOCK.exec(text);
  if (match === null) throw new Fault("invalid", `Range: clock ${text.slice(0, 40)}`, { tell: "Range" });
  const [, year, month, day, hour, minute, second, fraction] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // The 30th of February is a date for Date.parse.
  if (Number.isNaN(at) || new Date(at).getUTCDate() !== Number(day))
    throw new Fault("invalid", `Range: no such instant: ${text}`, { tell: "Range" });
  return unixMillis(at + millisOf(fraction));
}

function nptOf(text: string): Millis {
  const seconds = SECONDS.exec(text);
  if (seconds !== null) return Number(seconds[1]) * SECOND + millisOf(seconds[2]);
  const match = HOURS.exec(text);
  if (match === null) throw new Fault("invalid", `Range: npt ${text.slice(0, 40)}`, { tell: "Range" });
  return Number(match[1]) * HOUR + Number(match[2]) * MINUTE + Number(match[3]) * SECOND + millisOf(match[4]);
}

/** By digits: as a floating point number, 0.001 s may come out below one millisecond. */
function millisOf(fraction = ""): Millis {
  return Number(fraction.padEnd(3, "0").slice(0, 3));
}

function printNpt(ms: Millis): string {
  return (ms / 1000).toFixed(3);
}
