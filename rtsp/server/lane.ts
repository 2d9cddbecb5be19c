import type { Track } from "../../media/track.ts";
import type { Pair } from "../wire/transport.ts";

/** One track that a client has set up: what it is and where it goes. */
export interface Lane {
  /** Index into the presentation's tracks. */
  readonly index: number;
  readonly track: Track;
  /** RTP and RTCP: interleaved channels, or over UDP the client's ports. */
  readonly pair: Pair;
}

/** By index of the track. */
export type Lanes = ReadonlyMap<number, Lane>;

export function hasVideo(lanes: Lanes): boolean {
  return [...lanes.values()].some(({ track }) => track.kind === "video");
}

/** The tracks that are set up are, among those that there are now, what the client was told of. */
export function areAsDescribed(lanes: Lanes, there: readonly Track[]): boolean {
  return [...lanes.values()].every(({ index, track }) => {
    const other = there[index];
    const same = other?.codec === track.codec && other.clockRateHz === track.clockRateHz;
    return same && other.payloadType === track.payloadType;
  });
}
