import type { Credentials } from "../../auth/scheme/http.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { HOUR, type Millis, unixMillis } from "../../base/units.ts";
import type { Connection, RecordingInfo } from "../../bridge/camera.ts";
import type { EdgeCamera } from "../../bridge/camera-side/edge/edge-camera.ts";
import { EdgeFill, type EdgeFillOptions } from "../../bridge/camera-side/edge/fill.ts";
import { edgeSchema } from "../../bridge/edge-settings.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import type { Track } from "../../media/track.ts";
import { cameraSide } from "../../net/sides.ts";

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

/** Fills gaps of cameras on this machine, of a day at most, at once when their live stream is there. `settings` as in a configuration. */
export function edgeFiller(
  archive: EdgeFillOptions["archive"],
  cameras: () => readonly EdgeCamera[],
  { settings = {}, ...others }: Partial<Omit<EdgeFillOptions, "settings">> & { readonly settings?: object } = {},
): EdgeFill {
  return new EdgeFill({
    settings: edgeSchema.parse(settings),
    maxAgeMs: 24 * HOUR,
    cameras: { list: cameras },
    archive,
    side: cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] }),
    ca: undefined,
    audit: { record: () => undefined },
    bus: new EventBus(systemClock, silentLog()),
    clock: systemClock,
    log: silentLog(),
    metrics: new Metrics(),
    settledMs: 0,
    ...others,
  });
}
