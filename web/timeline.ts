import { DAY, type Millis, type UnixMillis, unixMillis } from "../base/units.ts";
import type { RecordedSource, Span } from "../media/source.ts";
import type { Gap } from "../recorder/archive.ts";

const LIMITS = {
  /** Of one question. Longer stretches are asked for in parts. */
  rangeMs: 32 * DAY,
  /** Nothing is told more finely than in so many parts of the range: a screen has no more dots. */
  parts: 4000,
};

/** What was recorded when, and why not. */
export interface Footage {
  /** Which stream is meant where a camera is named alone. */
  meantStream(camera: string): Promise<string>;
  /** Stretches without a gap that touch the range, cut to it, in order. */
  spans(camera: string, from: UnixMillis, to: UnixMillis, stream: string): Promise<readonly Span[]>;
  /** Stretches that were not recorded, in order. */
  gaps(camera: string, from: UnixMillis, to: UnixMillis, stream: string): Promise<readonly Gap[]>;
  /** Stretches that were not recorded live, but fetched from the camera's own recording, cut to the range, in order. */
  fetchedSpans(camera: string, from: UnixMillis, to: UnixMillis, stream: string): Promise<readonly Span[]>;
}

/** The same, with what was recorded itself. */
export interface RecordedFootage extends Footage {
  /** Of that stream, and of no other where there is nothing of it. */
  source(camera: string, stream: string): RecordedSource;
}

/** What of a range is recorded, for a timeline. Instants are milliseconds since 1970. */
export interface Timeline {
  readonly type: "timeline";
  /** Of which stream it is told. */
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  /** The earliest and latest recorded instant that may be played; absent where there is none. */
  readonly extent?: Span;
  readonly spans: readonly Span[];
  /** What of these was not recorded live, but fetched from the camera's own recording. */
  readonly fetched: readonly Span[];
  /** `to` is absent while it lasts. `why` is in words. */
  readonly gaps: readonly {
    readonly from: number;
    readonly to?: number;
    readonly cause: string;
    readonly why: string;
  }[];
}

/**
 * What of a range is recorded, and why the rest is not, as far as `source` lets it be played: nothing of what is too old for the
 * account. A range that is too long is cut at its end.
 */
export async function timelineOf(
  camera: string,
  range: { readonly from: UnixMillis; readonly to: UnixMillis },
  o: { readonly source: RecordedSource; readonly footage: Footage; readonly stream?: string | undefined },
): Promise<Timeline> {
  const { from } = range;
  const to = unixMillis(Math.min(Math.max(range.to, from), from + LIMITS.rangeMs));
  const extent = await o.source.extent();
  const stream = o.stream ?? (await o.footage.meantStream(camera));
  const told = { type: "timeline", stream, from, to } as const;
  if (extent === undefined) return { ...told, spans: [], fetched: [], gaps: [] };
  const oldest = unixMillis(Math.max(from, extent.from));
  if (oldest >= to) return { ...told, extent, spans: [], fetched: [], gaps: [] };
  const [spans, fetched, gaps] = await Promise.all([
    o.footage.spans(camera, oldest, to, stream),
    o.footage.fetchedSpans(camera, oldest, to, stream),
    o.footage.gaps(camera, oldest, to, stream),
  ]);
  const least = (to - from) / LIMITS.parts;
  return {
    ...told,
    extent,
    spans: joined(spans, least),
    fetched: joined(fetched, least),
    gaps: gaps
      .filter((gap) => (gap.to ?? Number.POSITIVE_INFINITY) - gap.from >= least)
      .map(({ from: begin, to: end, cause, reason }) => ({
        from: Math.max(begin, oldest),
        ...(end === undefined ? {} : { to: end }),
        cause,
        why: reason,
      })),
  };
}

/** Spans with less than that between them are one. */
function joined(spans: readonly Span[], leastMs: Millis): readonly Span[] {
  const all: { from: UnixMillis; to: UnixMillis }[] = [];
  for (const { from, to } of spans) {
    const last = all.at(-1);
    if (last !== undefined && from - last.to < leastMs) last.to = unixMillis(Math.max(last.to, to));
    else all.push({ from, to });
  }
  return all;
}
