import { Fault } from "../../base/fault.ts";
import type { Track } from "../../media/track.ts";
import { isWithheld } from "./description.ts";
import type { Presentation } from "./host.ts";
import { RtspFault } from "./reply.ts";
import type { SessionOptions } from "./session-options.ts";

/** Which track a SETUP is about. */
export interface TrackToSetUp {
  /** Index into the presentation's tracks; the speaker counts as the one behind the last. */
  readonly chosen: number;
  readonly track: Track;
  /** It is the camera's speaker. */
  readonly isTalk: boolean;
}

/**
 * `index`: of the address; without one, the presentation's own address stands for its only track. Faults: `not-found`, `denied`,
 * 459 where there are several.
 */
export function trackToSetUp(index: number | undefined, options: SessionOptions): TrackToSetUp {
  const { tracks, talk } = options;
  const open = tracks.flatMap((track, at) => (isWithheld(track, options) ? [] : [at]));
  const chosen = index ?? (open.length === 1 ? open[0] : undefined);
  if (chosen === undefined)
    throw new RtspFault(459, "invalid", "SETUP of a presentation of several tracks", {
      tell: "set up each track by the address in its a=control",
    });
  const isTalk = chosen === tracks.length;
  const track = isTalk ? talk?.track : tracks[chosen];
  if (track === undefined) throw new Fault("not-found", `no track ${chosen}`, { tell: "there is no such track" });
  // The speaker has a right of its own, which is asked for with the presentation.
  if (!isTalk) assertGranted(track, options);
  return { chosen, track, isTalk };
}

/** Fault `denied` for sound or metadata without the right to them. */
export function assertGranted(track: Track, rights: Pick<Presentation, "withheld">): void {
  if (isWithheld(track, rights))
    throw new Fault("denied", `no right to ${track.kind}`, { tell: `you may not have this camera's ${track.kind}` });
}
