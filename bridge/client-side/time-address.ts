import { Fault } from "../../base/fault.ts";
import { DAY, HOUR, later, MINUTE, type Millis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import { parseFrames, parseScale, type ReplayManner } from "../../rtsp/wire/replay.ts";

const LIMITS = {
  /** Years have four digits, in the answer too: what is before or behind was recorded by nobody. */
  earliest: unixMillis(0),
  latest: unixMillis(Date.UTC(9999, 11, 31)),
};

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

/** What an address of a recording says besides the camera. */
export interface TimeAddress {
  readonly from?: UnixMillis;
  readonly to?: UnixMillis;
  readonly manner: Partial<ReplayManner>;
}

/**
 * The stretch of time that an address asks for, and how to play it: `?at=2026-11-24T10:00:00Z&for=10m`, `?at=-15m&speed=4`,
 * `?at=-1d&frames=intra`.
 *
 * `at` is an RFC 3339 instant or, with a minus sign, a length of time before `now`; `for` is a length of time and needs
 * `at`. Nothing for what is not there. A `+` that a client did not escape reads as a blank; it is taken for the sign of a zone.
 */
export function timeAddress(query: URLSearchParams, now: UnixMillis): TimeAddress {
  const [speed, frames] = [query.get("speed"), query.get("frames")];
  const manner = {
    ...(speed === null ? {} : { scale: speedOf(speed) }),
    ...(frames === null ? {} : { frames: parseFrames(frames) }),
  };
  return { ...stretchOf(query.get("at"), query.get("for"), now), manner };
}

function stretchOf(
  at: string | null,
  length: string | null,
  now: UnixMillis,
): { readonly from?: UnixMillis; readonly to?: UnixMillis } {
  if (at === null) {
    if (length !== null) throw refuse("at", "", "given where `for` is");
    return {};
  }
  const from = at.startsWith("-") ? before(now, at) : instant(at);
  if (!isWithin(from)) throw refuse("at", at, "an instant or a time ago that is not before 1970");
  if (length === null) return { from };
  const forMs = durationOf(length);
  if (forMs === undefined || forMs === 0 || !isWithin(later(from, forMs)))
    throw refuse("for", length, "a length of time like 90s, 10m, 2h or 1d");
  return { from, to: later(from, forMs) };
}

function isWithin(at: UnixMillis): boolean {
  return at >= LIMITS.earliest && at <= LIMITS.latest;
}

/** Players show pictures forward; who wants them backwards says so in RTSP. */
function speedOf(text: string): number {
  const words = "a number from more than 0 up to 256, like 4 or 0.5";
  if (!/^\d/.test(text)) throw refuse("speed", text, words);
  try {
    return parseScale(text);
  } catch {
    throw refuse("speed", text, words);
  }
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
