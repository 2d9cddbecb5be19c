import { decide } from "../../auth/access.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Interface } from "../../auth/right.ts";
import { Fault } from "../../base/fault.ts";
import { DAY, type Millis, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { Span } from "../../media/source.ts";
import type { Archive, Gap } from "../../recorder/archive.ts";
import type { Mark } from "../../recorder/journal.ts";

const LIMITS = {
  /** What one question may be about. */
  rangeMs: 366 * DAY,
  buckets: 2000,
} as const;

/** What is asked of a timeline. */
export interface TimelineQuestion {
  readonly from: UnixMillis;
  /** Later than `from`. */
  readonly to: UnixMillis;
  /** In so many equal parts events are counted, and recording is summed up. */
  readonly buckets: number;
  /** Of the camera; its main one if absent. */
  readonly stream?: string | undefined;
}

/** A stretch of a camera's past at a glance, as far as the asker may know of it. */
export interface Timeline {
  /** As asked for, but not before what may be seen. */
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  /** How much of each part was recorded, 0 to 1. */
  readonly recorded: readonly number[];
  /** Stretches that were not recorded, and why; the first thousand. */
  readonly gaps: readonly Gap[];
  /** What of it was not recorded live, but fetched from the camera's own recording; the first thousand stretches. */
  readonly fetched: readonly Span[];
  /** How many events there were, by kind and part; parts without any are left out. */
  readonly events: readonly { readonly kind: string; readonly bucket: number; readonly count: number }[];
  readonly bookmarks: readonly Mark[];
  readonly locks: readonly Mark[];
}

/** How far back `who` may know of a camera's recordings, who may search in them or play them. 0: not at all. */
export function reachOf(who: Principal, camera: string, door: Interface): Millis {
  const reach = (right: "search" | "playback"): Millis => decide(who, { right, camera, interface: door }).maxAgeMs;
  return Math.max(reach("search"), reach("playback"));
}

/** Fault `invalid`; `denied` for who may neither search nor play the camera's recordings. */
export async function timelineOf(
  archive: Pick<Archive, "gaps" | "spans" | "fetchedSpans" | "journal">,
  who: Principal,
  door: Interface,
  camera: string,
  { from: asked, to, buckets, stream }: TimelineQuestion,
): Promise<Timeline> {
  if (to <= asked || to - asked > LIMITS.rangeMs || buckets < 1 || buckets > LIMITS.buckets)
    throw new Fault("invalid", "timeline out of bounds", {
      tell: `a timeline is of up to ${LIMITS.rangeMs / DAY} days in up to ${LIMITS.buckets} parts`,
    });
  const reachMs = reachOf(who, camera, door);
  const from = unixMillis(Math.max(asked, who.now() - reachMs));
  const range = { from, to };
  const may = (right: "events" | "lock"): boolean => decide(who, { right, camera, interface: door }).allowed;
  if (reachMs <= 0) throw new Fault("denied", `${who.name} may not search in ${camera}`, { tell: "not allowed" });
  if (from >= to)
    return { ...range, from: to, recorded: [], gaps: [], fetched: [], events: [], bookmarks: [], locks: [] };
  const marks = await archive.journal.marks(camera, range);
  return {
    ...range,
    recorded: sharesOf(await archive.spans(camera, from, to, stream), range, buckets),
    gaps: (await archive.gaps(camera, from, to, stream)).map((gap) => ({
      ...gap,
      from: unixMillis(Math.max(gap.from, from)),
    })),
    fetched: await archive.fetchedSpans(camera, from, to, stream),
    events: may("events") ? await archive.journal.counts(camera, range, buckets) : [],
    bookmarks: marks.filter(({ kind }) => kind === "bookmark"),
    // Why something is kept, and by whom, is for those who keep it.
    locks: may("lock") ? marks.filter(({ kind }) => kind === "lock") : [],
  };
}

/** How much of each part the spans cover. */
function sharesOf(
  spans: readonly Span[],
  range: { readonly from: UnixMillis; readonly to: UnixMillis },
  buckets: number,
): readonly number[] {
  const widthMs = (range.to - range.from) / buckets;
  const shares = Array.from({ length: buckets }, () => 0);
  for (const span of spans) {
    const last = Math.min(buckets - 1, Math.floor((span.to - range.from) / widthMs));
    for (let index = Math.max(0, Math.floor((span.from - range.from) / widthMs)); index <= last; index += 1) {
      const begin = range.from + index * widthMs;
      const covered = Math.min(span.to, begin + widthMs) - Math.max(span.from, begin);
      shares[index] = Math.min(1, (shares[index] ?? 0) + Math.max(0, covered) / widthMs);
    }
  }
  return shares.map((share) => Math.round(share * 1000) / 1000);
}
