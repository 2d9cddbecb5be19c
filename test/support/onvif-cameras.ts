import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { BridgedCamera, BridgedStream, CameraDirectory, CameraInfo, StreamInfo } from "../../bridge/camera.ts";
import type { CameraControl } from "../../bridge/camera-control.ts";
import type { RecordedSource, Span } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import { fakeControl } from "./fake-control.ts";
import { NO_CONTROL } from "./no-control.ts";
import { NO_SPEAKER } from "./no-speaker.ts";
import { unreadRecording } from "./unread-recording.ts";

/** Parameter sets that x264 and x265 wrote for 1920x1080. */
const H264_SETS = ["6742c028da01e0089f970110000003001000000300a0f1832a", "68ce0fc8"];
const H265_SETS = [
  "40010c01ffff016000000300900000030000030078959409",
  "420101016000000300900000030000030078a003c0801107cb965654a4c2f016808000000300800000030284",
  "4401c073c189",
];
const [H264_SPROP, [vps, sps, pps]] = [H264_SETS, H265_SETS].map((sets) =>
  sets.map((hex) => Buffer.from(hex, "hex").toString("base64")),
) as [string[], string[]];

function track(kind: Track["kind"], encoding: string, more: Partial<Track> = {}): Track {
  const codec = (encoding === "L16" ? "unknown" : encoding.toUpperCase()) as Track["codec"];
  const clockRateHz = kind === "audio" ? 8000 : 90_000;
  return { kind, codec, encoding, payloadType: 96, clockRateHz, channels: 1, fmtp: "", ...more };
}

const h264 = (fmtp: string): Track => track("video", "H264", { fmtp });
const FIRST = unixMillis(Date.UTC(2025, 11, 24, 8, 0, 0, 250));
const LAST = unixMillis(Date.UTC(2025, 11, 31, 23, 59, 59, 999));

interface FakeCamera {
  readonly id: string;
  readonly name: string;
  readonly tracks: readonly Track[];
  /** Of its sub-stream, where it has one. */
  readonly sub?: readonly Track[];
  readonly recorded: Span | undefined;
  readonly online: boolean;
}

/** One of each kind that the services have to find words for. */
export const CAMERAS: readonly FakeCamera[] = [
  {
    id: "gate",
    name: "Gate",
    tracks: [
      h264(`packetization-mode=1;profile-level-id=42C028;sprop-parameter-sets=${H264_SPROP.join(",")}`),
      track("audio", "PCMU"),
      track("metadata", "VND.ONVIF.METADATA"),
    ],
    recorded: { from: FIRST, to: LAST },
    online: true,
  },
  {
    id: "yard",
    name: "Yard",
    tracks: [
      track("video", "H265", { fmtp: `sprop-vps=${vps};sprop-sps=${sps};sprop-pps=${pps}` }),
      track("audio", "MPEG4-GENERIC", { clockRateHz: 48_000, channels: 2 }),
    ],
    sub: [h264(`packetization-mode=1;profile-level-id=42C028;sprop-parameter-sets=${H264_SPROP.join(",")}`)],
    recorded: { from: unixMillis(FIRST - 1000), to: unixMillis(LAST - 1000) },
    online: false,
  },
  { id: "old", name: "Old", tracks: [track("video", "JPEG")], recorded: undefined, online: true },
  { id: "ear", name: "Ear", tracks: [track("audio", "L16"), track("unknown", "X")], recorded: undefined, online: true },
  { id: "new", name: "Never reached", tracks: [], recorded: undefined, online: false },
  {
    id: "odd_-1",
    name: `<&"'\u0000> ${"🎥".repeat(60)}`,
    tracks: [h264("profile-level-id=zz;sprop-parameter-sets=AAAA,!")],
    recorded: { from: LAST, to: LAST },
    online: true,
  },
];

/** Ids of cameras that were asked for a key frame, in order. */
export const keyRequests: string[] = [];
/** The tokens of all profiles. */
export const PROFILES: readonly string[] = CAMERAS.flatMap(({ id, sub }) =>
  sub === undefined ? [id] : [id, `${id}_sub`],
);

/** Cameras that exist in memory only: nothing flows, and nothing can be played. */
export function fakeCameras(
  at: UnixMillis,
  cameras: readonly FakeCamera[] = CAMERAS,
  control: CameraControl = fakeControl(),
): CameraDirectory {
  const list = cameras.map((camera, index) => ({
    ...bridged(camera, index + 1, at),
    // The first one's alone.
    control: index === 0 ? control : NO_CONTROL,
  }));
  return { list: () => list, find: (id) => list.find(({ info }) => info.id === id) };
}

/** There is one sub-stream, and fewer cameras. */
const SUB_NUMBER = 100;

function streamOf(
  id: string,
  info: Omit<StreamInfo, "transport" | "readers">,
  recorded: RecordedSource,
): BridgedStream {
  const { tracks } = info;
  return {
    info: { ...info, transport: "tcp", readers: 0 },
    recorded,
    live: {
      tracks,
      ready: () => Promise.resolve(),
      requestKey: () => void keyRequests.push(id),
      join: () => () => undefined,
      ssrc: (index) => index,
    },
  };
}

function bridged(
  { id, name, tracks, sub, recorded, online }: FakeCamera,
  number: number,
  since: UnixMillis,
): Omit<BridgedCamera, "control"> {
  const connection = online
    ? ({ state: "online", since } as const)
    : ({ state: "offline", since, why: "unplugged" } as const);
  const state = online && recorded !== undefined ? "recording" : "starting";
  const recording = { plan: { mode: "continuous" }, state } as const;
  const streams = [
    streamOf(
      id,
      { name: "main", number, pulling: "always", recording, tracks, connection },
      unreadRecording(tracks, recorded),
    ),
    ...(sub === undefined
      ? []
      : [
          streamOf(
            `${id}_sub`,
            {
              name: "sub",
              number: SUB_NUMBER,
              pulling: "on-demand",
              recording: { plan: { mode: "off" }, state: "off" },
              tracks: sub,
              connection: { state: "idle", since },
            },
            unreadRecording(sub, undefined),
          ),
        ]),
  ] as const;
  const [main, ...others] = streams;
  const info: CameraInfo = {
    id,
    name,
    manufacturer: undefined,
    model: undefined,
    connection,
    transport: "auto",
    retention: {},
    streams: [main.info, ...others.map((stream) => stream.info)],
    recording: online && recorded !== undefined,
    recordingProblem: undefined,
    unrecordable: [],
    quirks: [],
  };
  return {
    info,
    streams,
    recorded: main.recorded,
    speaker: NO_SPEAKER,
    removed: new AbortController().signal,
  };
}
