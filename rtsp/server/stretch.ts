import { later, type UnixMillis } from "../../base/units.ts";
import type { Range } from "../wire/range.ts";
import type { RecordedPresentation } from "./host.ts";
import type { Stretch } from "./replay-player.ts";
import { RtspFault } from "./reply.ts";

/**
 * What a PLAY of a recording plays: the range that it names, within what the address names; without one, from where PAUSE left off
 * or from the beginning. `npt` counts from the beginning of what the address names (RFC 2326 3.6). Faults 457.
 */
export async function stretchOf(
  presentation: RecordedPresentation,
  range: Range | undefined,
  paused: UnixMillis | undefined,
): Promise<Stretch> {
  const begin = presentation.from ?? (await presentation.source.extent())?.from;
  if (begin === undefined) throw refused("nothing is recorded");
  const asked = askedIn(range, begin, paused);
  const from = asked.from < begin && presentation.from !== undefined ? begin : asked.from;
  const to = earlier(asked.to, presentation.to);
  if (to === undefined) return { from };
  if (asked.to !== undefined && asked.to < asked.from) throw refused("reverse replay is not supported");
  if (to <= from) throw refused("the range ends before it begins");
  return { from, to };
}

function askedIn(range: Range | undefined, begin: UnixMillis, paused: UnixMillis | undefined): Stretch {
  if (range === undefined) return { from: paused ?? begin };
  if (range.unit === "clock") return range;
  const from = range.from === "now" ? begin : later(begin, range.from);
  return range.to === undefined ? { from } : { from, to: later(begin, range.to) };
}

function earlier(a: UnixMillis | undefined, b: UnixMillis | undefined): UnixMillis | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function refused(tell: string): RtspFault {
  return new RtspFault(457, "invalid", tell, { tell });
}
