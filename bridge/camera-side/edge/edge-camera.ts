import type { Clock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import { later, type Millis, SECOND, unixMillis } from "../../../base/units.ts";
import type { TimeQuality } from "../../../media/group.ts";
import { pictureOf } from "../../../media/picture-of.ts";
import type { Span } from "../../../media/source.ts";
import type { Track } from "../../../media/track.ts";
import type { CameraSide } from "../../../net/sides.ts";
import { readClockWell } from "../../../onvif/client/clock.ts";
import { Conversation } from "../../../onvif/client/conversation.ts";
import { type EdgeRecording, ofSensor, readEdgeRecordings, readReplayUri } from "../../../onvif/client/edge.ts";
import { readRecordedProfiles, readRecordedSizes } from "../../../onvif/client/edge-contents.ts";
import { type ListedProfile, profilesOfStreams } from "../../../onvif/client/media.ts";
import type { CameraInfo, StreamInfo } from "../../camera.ts";
import type { CameraRecord, StreamRecord } from "../../camera-store.ts";
import { loginOf } from "../login.ts";
import { isOfAnother, type OwnRecording, ofStream, type StreamSigns, type ToldRecording } from "./whose.ts";

const LIMITS = {
  /** The clock that a camera tells is good to half a second; its sender reports are exact, where they tell of the same clock. */
  sameClockMs: 2 * SECOND,
  /** Within these, its times are taken as they are, as those of its live stream are (media/timeline.ts). */
  behindMs: 5 * SECOND,
  aheadMs: SECOND,
  /** Recordings of the time that is missing of which a camera is asked what they have. */
  recordings: 16,
} as const;

/** A stream of an adopted camera, as far as its gaps are concerned. */
export interface EdgeStream {
  readonly info: Pick<StreamInfo, "name" | "connection" | "recording" | "tracks">;
  readonly recording: { readonly cameraAheadMs: Millis | undefined };
}

/** An adopted camera, as far as its gaps are concerned. */
export interface EdgeCamera {
  readonly record: CameraRecord;
  readonly info: Pick<CameraInfo, "retention">;
  /** The main one first. */
  readonly streams: readonly [EdgeStream, ...EdgeStream[]];
  /** Aborted when the camera is removed. */
  readonly removed: AbortSignal;
}

/** How a camera's clock stands to ours. */
export interface CameraClock {
  /** What its times are ahead of ours: taken off. 0 where it is right. */
  readonly aheadMs: Millis;
  readonly quality: TimeQuality;
}

/** What of a stream can be fetched of its camera, and from where. */
export interface EdgeSource {
  /** Those that have something of the time that is missing, as far as the camera says. */
  readonly recordings: readonly OwnRecording[];
  readonly clock: CameraClock;
  /** Where a recording is replayed; inside TLS where the live stream is. Fault `denied` where it would be in plain text and must not. */
  readonly replayUrl: (recording: EdgeRecording) => Promise<URL>;
  /** What is replayed is not of the stream that is wanted, as far as its description tells. */
  readonly isOfAnother: (tracks: readonly Track[], of: OwnRecording) => boolean;
}

/**
 * Asks an adopted camera what it has recorded itself of one of its streams, in a stretch by our clock. Fault `not-found` where it has nothing
 * of that stream; those of {@link Conversation.ask}, and `invalid` where it has several sensors and does not say which is which.
 */
export async function askEdge(
  { record, streams }: Pick<EdgeCamera, "record" | "streams">,
  o: {
    readonly stream: string;
    readonly span: Span;
    readonly side: CameraSide;
    readonly clock: Clock;
    readonly ca: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<EdgeSource> {
  const { deviceUrl, ip, plainText } = record;
  if (deviceUrl === undefined)
    throw new Fault("not-found", "adopted without ONVIF", { tell: "the camera was adopted without ONVIF" });
  const device = new URL(deviceUrl);
  const [own, ...rest] = wantedFirst(record.streams, o.stream);
  const stream = new URL(own.url);
  const conversation = new Conversation({ ...o, ...loginOf(record, o.ca), device, ip });
  const all = await readEdgeRecordings(conversation);
  if (all === undefined)
    throw new Fault("not-found", "no search and replay services", { tell: "the camera has no recordings of its own" });
  const { toldAheadMs, found } = await conversation.run(async ({ caller, services }) => ({
    found: await profilesOfStreams(caller, services, { ip, streams: [stream, ...rest.map(({ url }) => new URL(url))] }),
    toldAheadMs: await readClockWell(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" }),
  }));
  const { profiles = [], tokens = [] } = found ?? {};
  const sensor = profiles.find(({ token }) => token === tokens[0])?.source;
  const ofOwn = ofSensor(
    all,
    sensor,
    profiles.map(({ source }) => source),
  );
  const reportedAheadMs = streams.find(({ info }) => info.name === own.name)?.recording.cameraAheadMs;
  const clock = cameraClock(toldAheadMs, reportedAheadMs);
  const signs = [own, ...rest].map(({ name, tracks }, index): StreamSigns => {
    const live = streams.find(({ info }) => info.name === name)?.info.tracks ?? [];
    return signsOf(
      name,
      live.length === 0 ? tracks : live,
      profiles.find(({ token }) => token === tokens[index]),
    );
  });
  const [wanted, ...others] = signs as [StreamSigns, ...StreamSigns[]];
  const from = later(o.span.from, clock.aheadMs);
  const to = later(o.span.to, clock.aheadMs);
  const there = ofOwn.filter((one) => (one.from ?? from) < to && (one.to ?? to) > from).slice(0, LIMITS.recordings);
  const told = others.length === 0 ? there.map(untold) : await tellOf(conversation, there, { from, to }, profiles);
  return {
    recordings: ofStream(told, wanted, others),
    clock,
    replayUrl: async ({ token }) => secured(await readReplayUri(conversation, token, ip), stream, plainText),
    isOfAnother: (tracks, { known }) => isOfAnother(tracks, known, wanted, others),
  };
}

function wantedFirst(streams: readonly StreamRecord[], name: string): readonly [StreamRecord, ...StreamRecord[]] {
  const own = streams.find((one) => one.name === name);
  if (own === undefined) throw new Fault("not-found", `no stream ${name}`);
  return [own, ...streams.filter((one) => one !== own)];
}

function signsOf(name: string, tracks: readonly Track[], profile: ListedProfile | undefined): StreamSigns {
  const video = tracks.find(({ kind }) => kind === "video");
  const told = profile?.video;
  const size = (video && pictureOf(video)) ?? (told !== undefined && told.width > 0 ? told : undefined);
  return { name, profile, size };
}

function untold(recording: EdgeRecording): ToldRecording {
  return { ...recording, profiles: [], sizes: [] };
}

/** What the camera says of where its recordings are from: by its recording jobs, and by what they have in the middle of a stretch of its clock. */
async function tellOf(
  conversation: Conversation,
  recordings: readonly EdgeRecording[],
  { from, to }: Span,
  profiles: readonly ListedProfile[],
): Promise<readonly ToldRecording[]> {
  if (recordings.length === 0) return [];
  const filled = await readRecordedProfiles(conversation);
  const told: ToldRecording[] = [];
  for (const recording of recordings) {
    const begin = Math.max(from, recording.from ?? from);
    const end = Math.min(to, recording.to ?? to);
    const sizes = await readRecordedSizes(conversation, recording.token, unixMillis((begin + end) / 2));
    const tokens = [...(filled.get(recording.token) ?? [])];
    told.push({
      ...recording,
      sizes,
      profiles: tokens.map((token) => profiles.find((one) => one.token === token) ?? { token }),
    });
  }
  return told;
}

/** Recordings are dated by the clock that a camera tells; sender reports count only where they are of that one. */
export function cameraClock(toldMs: Millis | undefined, reportedMs: Millis | undefined): CameraClock {
  const isSame =
    reportedMs !== undefined && (toldMs === undefined || Math.abs(reportedMs - toldMs) < LIMITS.sameClockMs);
  const aheadMs = (isSame ? reportedMs : toldMs) ?? 0;
  return aheadMs >= -LIMITS.behindMs && aheadMs <= LIMITS.aheadMs
    ? { aheadMs: 0, quality: "camera" }
    : { aheadMs, quality: "corrected" };
}

/** What the camera names without TLS is asked for where its live stream is, inside it: that is where it has shown its key. */
function secured(url: URL, stream: URL, plainText: boolean): URL {
  if (url.protocol === "rtsps:" || (stream.protocol !== "rtsps:" && plainText)) return url;
  if (stream.protocol === "rtsps:") return new URL(url.href.replace(/^rtsp:\/\/[^/?#]*/i, `rtsps://${stream.host}`));
  throw new Fault("denied", "its replay is without TLS", {
    tell: "the camera sends its own recording without encryption, which is not allowed for it",
  });
}
