import type { Credentials } from "../../auth/scheme/http.ts";
import { type Millis, unixMillis } from "../../base/units.ts";
import type { Connection, RecordingInfo } from "../../bridge/camera.ts";
import type { EdgeCamera } from "../../bridge/camera-side/edge/edge-camera.ts";
import type { Track } from "../../media/track.ts";

export const RECORDED_LIVE: RecordingInfo = { plan: { mode: "continuous" }, state: "recording" };
export const ONLINE: Connection = { state: "online", since: unixMillis(0) };

/** The adopted camera `gate`, as filling its gaps needs it: online and recorded, if nothing else is said. */
export function edgeCamera(o: {
  readonly deviceUrl: string;
  readonly rtspUrl?: string;
  /** Of its sub-stream; absent: it has none. */
  readonly subUrl?: string | undefined;
  readonly subRecording?: RecordingInfo;
  readonly tracks?: Readonly<Record<"main" | "sub", readonly Track[]>>;
  readonly credentials?: Credentials;
  readonly connection?: Connection;
  readonly recording?: RecordingInfo;
  readonly cameraAheadMs?: Millis | undefined;
  readonly removed?: AbortSignal;
}): EdgeCamera {
  const { deviceUrl, rtspUrl: url = "rtsp://127.0.0.1/live", connection = ONLINE, recording = RECORDED_LIVE } = o;
  const { subUrl: sub, subRecording = RECORDED_LIVE, tracks = { main: [], sub: [] } } = o;
  const plan = { pulling: "always", recording: recording.plan } as const;
  return {
    record: {
      id: "gate",
      name: "Gate",
      manufacturer: undefined,
      model: undefined,
      serial: undefined,
      ip: new URL(deviceUrl).hostname,
      deviceUrl,
      credentials: o.credentials,
      tlsPin: undefined,
      plainText: true,
      transport: "auto",
      retention: {},
      streams: [
        { name: "main", number: 1, url, ...plan, workedTransport: "tcp", tracks: [] },
        ...(sub === undefined
          ? []
          : [{ name: "sub", number: 2, url: sub, ...plan, workedTransport: "tcp", tracks: [] } as const]),
      ],
      adoptedAt: unixMillis(0),
    },
    info: { retention: {} },
    streams: [
      {
        info: { name: "main", connection, recording, tracks: tracks.main },
        recording: { cameraAheadMs: o.cameraAheadMs },
      },
      ...(sub === undefined
        ? []
        : [
            {
              info: { name: "sub", connection, recording: subRecording, tracks: tracks.sub },
              recording: { cameraAheadMs: o.cameraAheadMs },
            },
          ]),
    ],
    removed: o.removed ?? new AbortController().signal,
  };
}
