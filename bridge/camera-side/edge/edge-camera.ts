import type { Clock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import { type Millis, SECOND } from "../../../base/units.ts";
import type { TimeQuality } from "../../../media/group.ts";
import type { CameraSide } from "../../../net/sides.ts";
import { readClock } from "../../../onvif/client/camera.ts";
import { Conversation } from "../../../onvif/client/conversation.ts";
import { type EdgeRecording, ofSensor, readEdgeRecordings, readReplayUri } from "../../../onvif/client/edge.ts";
import { profileOfStream } from "../../../onvif/client/media.ts";
import type { CameraInfo, StreamInfo } from "../../camera.ts";
import type { CameraRecord } from "../../camera-store.ts";
import { loginOf } from "../login.ts";

const LIMITS = {
  /** The clock that a camera tells is good to half a second; its sender reports are exact, where they tell of the same clock. */
  sameClockMs: 2 * SECOND,
  /** Within these, its times are taken as they are, as those of its live stream are (media/timeline.ts). */
  behindMs: 5 * SECOND,
  aheadMs: SECOND,
} as const;

/** An adopted camera, as far as its gaps are concerned. */
export interface EdgeCamera {
  readonly record: CameraRecord;
  readonly info: Pick<CameraInfo, "retention">;
  /** The main one first. */
  readonly streams: readonly [
    {
      readonly info: Pick<StreamInfo, "connection" | "recording">;
      readonly recording: { readonly cameraAheadMs: Millis | undefined };
    },
    ...unknown[],
  ];
  /** Aborted when the camera is removed. */
  readonly removed: AbortSignal;
}

/** How a camera's clock stands to ours. */
export interface CameraClock {
  /** What its times are ahead of ours: taken off. 0 where it is right. */
  readonly aheadMs: Millis;
  readonly quality: TimeQuality;
}

/** What of a camera can be fetched, and from where. */
export interface EdgeSource {
  readonly recordings: readonly EdgeRecording[];
  readonly clock: CameraClock;
  /** Where a recording is replayed; inside TLS where the live stream is. Fault `denied` where it would be in plain text and must not. */
  readonly replayUrl: (recording: EdgeRecording) => Promise<URL>;
}

/**
 * Asks an adopted camera what it has recorded itself of its main stream's sensor. Fault `not-found` where it has nothing for that; those of
 * {@link Conversation.ask}, and `invalid` where it has several sensors and does not say which is which.
 */
export async function askEdge(
  camera: CameraRecord,
  o: {
    readonly side: CameraSide;
    readonly clock: Clock;
    readonly ca: string | undefined;
    readonly signal: AbortSignal;
    /** By the newest sender report of its live stream; undefined where there is none. */
    readonly reportedAheadMs: Millis | undefined;
  },
): Promise<EdgeSource> {
  const { deviceUrl, ip, plainText } = camera;
  if (deviceUrl === undefined)
    throw new Fault("not-found", "adopted without ONVIF", { tell: "the camera was adopted without ONVIF" });
  const device = new URL(deviceUrl);
  const stream = new URL(camera.streams[0].url);
  const conversation = new Conversation({ ...o, ...loginOf(camera, o.ca), device, ip });
  const all = await readEdgeRecordings(conversation);
  if (all === undefined)
    throw new Fault("not-found", "no search and replay services", { tell: "the camera has no recordings of its own" });
  const { toldAheadMs, profile } = await conversation.run(async ({ caller, services }) => ({
    profile: await profileOfStream(caller, services, { ip, stream }),
    toldAheadMs: await readClock(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" }),
  }));
  const { profiles = [], token: own } = profile ?? {};
  const sensor = profiles.find(({ token }) => token === own)?.source;
  const streamed = profiles.map(({ source }) => source);
  return {
    recordings: ofSensor(all, sensor, streamed),
    clock: cameraClock(toldAheadMs, o.reportedAheadMs),
    replayUrl: async ({ token }) => secured(await readReplayUri(conversation, token, ip), stream, plainText),
  };
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
