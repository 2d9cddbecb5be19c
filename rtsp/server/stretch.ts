import { later, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { Range } from "../wire/range.ts";
import type { RecordedPresentation } from "./host.ts";
import { RtspFault } from "./reply.ts";

/** A stretch of a recording. Without `to`: up to where recording is when playing gets there. */
export interface Stretch {
  readonly from: UnixMillis;
  readonly to?: UnixMillis;
  /** Where the client counts `npt` from, if it does. */
  readonly zero?: UnixMillis;
}

const NTP_EPOCH = unixMillis(Date.UTC(1900, 0, 1));

/** No recording is this long: a larger `npt` is something else. About 60 years, in milliseconds. */
const LONGEST_NPT_MS = 2e12;

/**
 * What a PLAY of a recording plays: the range that it names, within what the address names; without one, from where PAUSE left off
 * or from the beginning, which is the end where it goes backwards. `npt` counts from the beginning of what the address names
 * (RFC 2326 3.6). Faults 457.
 *
 * GStreamer's rtspsrc reads `clock` of a description and asks for it as `npt` in seconds since 1900 (gstrtspsrc.c,
 * gst_rtspsrc_parse_range, 1.22): that is taken for the instant that it means.
 */
export async function stretchOf(
  presentation: RecordedPresentation,
  o: { readonly range: Range | undefined; readonly paused: UnixMillis | undefined; readonly backward: boolean },
): Promise<Stretch> {
  const { zero, ...asked } = await askedOf(presentation, o);
  if (asked.to !== undefined && (o.backward ? asked.to > asked.from : asked.to < asked.from))
    throw refused(o.backward ? "Scale goes backwards and Range does not" : "Range goes backwards and Scale does not");
  // Beyond what the address names there is nothing to be had.
  const within = (at: UnixMillis): UnixMillis =>
    unixMillis(Math.max(presentation.from ?? at, Math.min(presentation.to ?? at, at)));
  const to = asked.to === undefined ? (o.backward ? presentation.from : presentation.to) : within(asked.to);
  const from = within(asked.from);
  if (to !== undefined && (o.backward ? to >= from : to <= from)) throw refused("the range ends before it begins");
  return { from, ...(to === undefined ? {} : { to }), ...(zero === undefined ? {} : { zero }) };
}

/** What is recorded is only looked up where it counts: who jumps about names instants. */
async function askedOf(
  { source, from, to }: RecordedPresentation,
  { range, paused, backward }: Parameters<typeof stretchOf>[1],
): Promise<Stretch> {
  if (range?.unit === "clock") return { from: range.from, ...(range.to === undefined ? {} : { to: range.to }) };
  const extent = await source.extent();
  const [first, last] = [from ?? extent?.from, to ?? extent?.to];
  if (first === undefined || last === undefined) throw refused("nothing is recorded");
  return askedIn(range, first, paused ?? (backward ? last : first));
}

/** `begin`: where `npt` is 0. `usual`: where it begins when nothing is asked. */
function askedIn(
  range: Exclude<Range, { readonly unit: "clock" }> | undefined,
  begin: UnixMillis,
  usual: UnixMillis,
): Stretch {
  if (range === undefined) return { from: usual };
  const absolute = range.from !== "now" && range.from > LONGEST_NPT_MS;
  const zero = absolute ? NTP_EPOCH : begin;
  const from = range.from === "now" ? usual : later(zero, range.from);
  return {
    from,
    ...(range.to === undefined ? {} : { to: later(zero, range.to) }),
    ...(absolute ? {} : { zero }),
  };
}

/** The instant of a pause point. Fault 457 where nobody has said what its `npt` counts from. */
export function pointOf({ zero }: Stretch, point: Range): UnixMillis {
  if (point.unit === "clock") return point.from;
  if (zero === undefined || point.from === "now")
    throw refused("a pause point must be in the unit of the range played");
  return later(zero, point.from);
}

/** The range that is played from `first` on, in the unit that was asked for: players that count from 0 go on counting. */
export function answerTo({ to, zero }: Stretch, first: UnixMillis): Range {
  if (zero === undefined) return { unit: "clock", from: first, ...(to === undefined ? {} : { to }) };
  return { unit: "npt", from: Math.max(0, first - zero), ...(to === undefined ? {} : { to: Math.max(0, to - zero) }) };
}

function refused(tell: string): RtspFault {
  return new RtspFault(457, "invalid", tell, { tell });
}
