import type { Principal } from "../../../auth/principal.ts";
import { isFault } from "../../../base/fault.ts";
import type { UnixMillis } from "../../../base/units.ts";
import type { Track } from "../../../media/track.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { RecordingInformation, RecordingSourceInformation, TrackType } from "../../../wsdl/tables/tt-recording.ts";
import type { OnvifRecording, OnvifSite } from "./site.ts";
import { played } from "./stream.ts";
import { find, missing, type View, viewsOf } from "./view.ts";

/** One recording: all that was ever kept of one stream (Recording Control 4.1 calls this a container, not a file). */
export interface Recording
  extends Pick<OnvifRecording, "earliest" | "latest" | "plan" | "recording" | "failing" | "reachMs" | "retentionMs"> {
  readonly view: View;
  readonly tracks: readonly RecordedTrack[];
}

export interface RecordedTrack {
  /** `VIDEO001`, `AUDIO001`, `META001`: the names that Recording Control 5.5 gives to the tracks of a new recording. */
  readonly token: string;
  readonly type: ValueOf<typeof TrackType>;
  readonly track: Track;
}

const TRACK_NAMES = {
  video: ["VIDEO", "Video"],
  audio: ["AUDIO", "Audio"],
  metadata: ["META", "Metadata"],
} as const;

/** The name that the replay stream uses for the same track is `token`, so the order is that of the camera's tracks. */
function tracksOf(tracks: readonly Track[]): readonly RecordedTrack[] {
  const counts = new Map<string, number>();
  return tracks.flatMap((track) => {
    if (track.kind === "unknown") return [];
    const [prefix, type] = TRACK_NAMES[track.kind];
    const number = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, number);
    return [{ token: `${prefix}${String(number).padStart(3, "0")}`, type, track }];
  });
}

function recordingOf({ camera, stream, ...rest }: OnvifRecording): Recording {
  const { tracks: all, metadata } = camera.streams.find(({ name }) => name === stream) ?? camera.streams[0];
  const recorded = all.filter(({ kind }) => kind !== "metadata" || metadata !== undefined);
  const views = viewsOf(camera);
  return { ...rest, view: views.find((view) => view.stream === stream) ?? views[0], tracks: tracksOf(recorded) };
}

/** All recordings that `who` may play. */
export async function recordings(site: OnvifSite, who: Principal): Promise<readonly Recording[]> {
  return (await site.recordings(who)).map(recordingOf);
}

/** The recording of a token; hidden, missing, and not to be played by `who` are answered alike. */
export async function findRecording(
  site: OnvifSite,
  who: Principal,
  token: string,
  otherwise: "NoRecording" | "NoRecordingJob" = "NoRecording",
): Promise<Recording> {
  const of = played(find(site, who, token, otherwise));
  try {
    return recordingOf(await site.recording(who, of));
  } catch (thrown) {
    if (isFault(thrown, "not-found")) throw missing(otherwise);
    throw thrown;
  }
}

/** Where a recording comes from, in the words of the client's operator. */
export function sourceOf({ name, source }: View): ValueOf<typeof RecordingSourceInformation> {
  return { SourceId: source.token, Name: name, Location: "", Description: name, Address: "" };
}

/** Earliest and latest instant, where anything is recorded. */
export function extentOf({
  earliest,
  latest,
}: Recording): { readonly from: UnixMillis; readonly to: UnixMillis } | undefined {
  return earliest === undefined || latest === undefined ? undefined : { from: earliest, to: latest };
}

/** What searches find. Tracks without data are left out (Recording Search 4.4). */
export function informationOf(recording: Recording): ValueOf<typeof RecordingInformation> {
  const { view, tracks } = recording;
  const extent = extentOf(recording);
  return {
    RecordingToken: view.token,
    Source: sourceOf(view),
    EarliestRecording: extent?.from,
    LatestRecording: extent?.to,
    Content: view.name,
    Track:
      extent === undefined
        ? []
        : tracks.map(({ token, type }) => ({
            TrackToken: token,
            TrackType: type,
            Description: type,
            DataFrom: extent.from,
            DataTo: extent.to,
          })),
    RecordingStatus: recording.recording ? "Recording" : extent === undefined ? "Initiated" : "Stopped",
  };
}
