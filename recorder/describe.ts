import type { Fmp4Track } from "./fmp4.ts";

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
