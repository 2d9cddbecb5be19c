import { TIME_QUALITIES } from "../media/group.ts";
import type { SegmentTime } from "./catalog-rows.ts";
import type { Fmp4Track } from "./fmp4.ts";
import type { FragmentPlace } from "./segment.ts";

/** The tracks of a segment as text for the catalog: the same for the same tracks, without what only a decoder needs. */
export function describeTracks(tracks: readonly Fmp4Track[]): string {
  return JSON.stringify(
    tracks.map(({ timescale, format }) => ({
      codec: format.codec,
      clockRateHz: timescale,
      ...("width" in format ? { width: format.width, height: format.height } : {}),
      ...("channels" in format ? { sampleRateHz: format.sampleRateHz, channels: format.channels } : {}),
    })),
  );
}

/** How a segment's times are known, for the catalog: as of the worst of its fragments. */
export function timeOf(fragments: readonly FragmentPlace[], cameraAheadMs: number | undefined): SegmentTime {
  const worst = fragments.reduce((found, { time }) => Math.max(found, TIME_QUALITIES.indexOf(time)), 0);
  return {
    time: TIME_QUALITIES[worst],
    cameraAheadMs: cameraAheadMs === undefined ? undefined : Math.round(cameraAheadMs),
  };
}
