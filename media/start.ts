import type { PacketGroup } from "./group.ts";
import type { Track } from "./track.ts";

/** Whether there is video to wait for. Before the first description, a reader has to wait for whatever comes. */
export function hasVideo(tracks: readonly Track[]): boolean {
  return tracks.length === 0 || tracks.some((track) => track.kind === "video");
}

/** Whether a reader of the stream can begin with this group: a key frame of its video, or anything where it has none. */
export function startsAt(group: PacketGroup, tracks: readonly Track[]): boolean {
  return group.key && (!hasVideo(tracks) || tracks[group.track]?.kind === "video");
}
