import { Fault } from "../../base/fault.ts";
import { DAY, HOUR, later, MINUTE, type Millis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";

const UNIT_MS: Readonly<Record<string, Millis>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** RFC 3339 date and time; the zone may not be left out, for nobody could say which one was meant. */
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** `90`, `90s`, `15m`, `2h`, `1d`; no unit means seconds. */
function durationOf(text: string): Millis | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (UNIT_MS[match[2] || "s"] ?? SECOND);
}

function refuse(parameter: string, value: string, form: string): Fault {
  return new Fault("invalid", `${parameter}=${value}`, { tell: `${parameter} must be ${form}` });
}

/**
 * The stretch of time that an address asks for: `?at=2026-11-24T10:00:00Z&for=10m`, `?at=-15m`.
 *
 * `at` is an RFC 3339 instant or, with a minus sign, a length of time before `now`; `for` is a length of time and needs
 * `at`. Nothing for what is not there. A `+` that a client did not escape reads as a blank; it is taken for the sign of a zone.
 */
export function timeAddress(
  query: URLSearchParams,
  now: UnixMillis,
): { readonly from?: UnixMillis; readonly to?: UnixMillis } {
  const at = query.get("at");
  const length = query.get("for");
  if (at === null) {
    if (length !== null) throw refuse("at", "", "given where `for` is");
    return {};
  }
  const from = at.startsWith("-") ? before(now, at) : instant(at);
  if (length === null) return { from };
  const forMs = durationOf(length);
  if (forMs === undefined || forMs === 0) throw refuse("for", length, "a length of time like 90s, 10m, 2h or 1d");
  return { from, to: later(from, forMs) };
}

function before(now: UnixMillis, text: string): UnixMillis {
  const back = durationOf(text.slice(1));
  if (back === undefined) throw refuse("at", text, "an instant like 2026-11-24T10:00:00Z or a time ago like -15m");
  return later(now, -back);
}

function instant(text: string): UnixMillis {
  const mended = text.replace(/ (?=\d{2}:\d{2}$)/, "+");
  const at = INSTANT.test(mended) ? Date.parse(mended) : Number.NaN;
  if (Number.isNaN(at)) throw refuse("at", text, "an instant like 2026-11-24T10:00:00Z or a time ago like -15m");
  return unixMillis(at);
}
