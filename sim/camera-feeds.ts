import type { Clock } from "../base/clock.ts";
import { HOUR, MINUTE, SECOND } from "../base/units.ts";
import { SMALLEST, subSizeOf } from "./drawable.ts";
import { Feed, type Size } from "./feed.ts";
import type { Played } from "./played.ts";
import type { Quirk } from "./quirks.ts";

const CLOCK_OFF_MS = -(3 * HOUR + 7 * MINUTE);
/** Of pictures that were there before anybody watched. */
const BURST_MS = 2 * SECOND;

/** Main picture and, where there is a smaller one that can be drawn, that of a sub-stream. `note`: see {@link Feed}. */
export function feedsOf(o: {
  readonly name: string;
  readonly address: string;
  readonly size: Size;
  readonly fps: number;
  readonly quirks: ReadonlySet<Quirk>;
  readonly note: () => string;
  readonly played?: Played | undefined;
  readonly clock: Clock;
}): { readonly main: Feed; readonly sub?: Feed } {
  const { clock, name, fps, note, quirks, played } = o;
  const feed = (size: Size): Feed =>
    new Feed({
      clock,
      name,
      which: landscapeOf(o.address),
      size,
      fps,
      clockOffsetMs: quirks.has("clock-off") ? CLOCK_OFF_MS : 0,
      ...(quirks.has("long-groups") ? { keyPeriodMs: MINUTE } : {}),
      note,
      burstMs: quirks.has("old-burst") ? BURST_MS : 0,
      played,
    });
  if (played !== undefined) return { main: feed(played.size) };
  return { main: feed(o.size), ...(o.size.width > SMALLEST.width ? { sub: feed(subSizeOf(o.size)) } : {}) };
}

/** Cameras with consecutive addresses look different. */
function landscapeOf(address: string): number {
  return Number.parseInt(/([0-9a-f]+)$/i.exec(address)?.[1] ?? "0", 10) || 0;
}
