import type { Credentials } from "../../auth/scheme/http.ts";
import { type Millis, unixMillis } from "../../base/units.ts";
import type { Connection, RecordingInfo } from "../../bridge/camera.ts";
import type { EdgeCamera } from "../../bridge/camera-side/edge/edge-camera.ts";

export const RECORDED_LIVE: RecordingInfo = { plan: { mode: "continuous" }, state: "recording" };
export const ONLINE: Connection = { state: "online", since: unixMillis(0) };

/** The adopted camera `gate`, as filling its gaps needs it: online and recorded, if nothing else is said. */
export function edgeCamera(o: {
  readonly deviceUrl: string;
  readonly rtspUrl?: string;
  readonly credentials?: Credentials;
  readonly connection?: Connection;
  readonly recording?: RecordingInfo;
  readonly cameraAheadMs?: Millis | undefined;
  readonly removed?: AbortSignal;
}): EdgeCamera {
  const { deviceUrl, rtspUrl: url = "rtsp://127.0.0.1/live", connection = ONLINE, recording = RECORDED_LIVE } = o;
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
      streams: [{ name: "main", number: 1, url, ...plan, workedTransport: "tcp", tracks: [] }],
      adoptedAt: unixMillis(0),
    },
    info: { retention: {} },
    streams: [{ info: { connection, recording }, recording: { cameraAheadMs: o.cameraAheadMs } }],
    removed: o.removed ?? new AbortController().signal,
  };
}
