import { isoOf, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { RecordedSource } from "../../media/source.ts";

/** What RTSP and RTP go over, from a client to the bridge. */
interface Way {
  readonly door: "rtsp" | "rtsps" | "http" | "https";
  /** ffmpeg's scheme and `-rtsp_transport`; absent where it does not know this way. */
  readonly ffmpeg?: readonly [scheme: string, transport: string];
  /** GStreamer's scheme and `protocols`. */
  readonly gstreamer: readonly [scheme: string, protocols: string];
  /** Asks for it in the address. */
  readonly query?: string;
  readonly isLiveOnly?: true;
}

export const WAYS = {
  TCP: { door: "rtsp", ffmpeg: ["rtsp", "tcp"], gstreamer: ["rtsp", "tcp"] },
  UDP: { door: "rtsp", ffmpeg: ["rtsp", "udp"], gstreamer: ["rtsp", "udp"] },
  multicast: { door: "rtsp", ffmpeg: ["rtsp", "udp_multicast"], gstreamer: ["rtsp", "udp-mcast"], isLiveOnly: true },
  TLS: { door: "rtsps", ffmpeg: ["rtsps", "tcp"], gstreamer: ["rtsps", "tcp"] },
  SRTP: { door: "rtsps", gstreamer: ["rtsps", "udp"], query: "srtp" },
  HTTP: { door: "http", ffmpeg: ["rtsp", "http"], gstreamer: ["rtsph", "tcp"] },
  HTTPS: { door: "https", ffmpeg: ["rtsp", "https"], gstreamer: ["rtspsh", "tcp"] },
} as const satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof WAYS;
export type ClientName = "ffmpeg" | "GStreamer";

/** One client over one way: picture and sound, live and recorded, and refused with a wrong secret. */
export interface MatrixRow {
  readonly client: ClientName;
  readonly over: WayName;
  readonly way: Way;
}

export const MATRIX: readonly MatrixRow[] = (["ffmpeg", "GStreamer"] as const).flatMap((client) =>
  (Object.keys(WAYS) as WayName[]).flatMap((over) => {
    const way: Way = WAYS[over];
    return client === "ffmpeg" && way.ffmpeg === undefined ? [] : [{ client, over, way }];
  }),
);

/** How a client proves who it is, when it may choose among what is offered. */
export interface LogInRow {
  readonly client: ClientName | "libcurl";
  /** The challenge that it is shown: all of them, or this one alone. */
  readonly shown: "all" | "Basic";
  readonly isInTls: boolean;
  /** What it answers. */
  readonly answers: "Digest SHA-256" | "Digest MD5" | "Basic";
}

export const LOG_INS: readonly LogInRow[] = [
  { client: "libcurl", shown: "all", isInTls: false, answers: "Digest SHA-256" },
  { client: "ffmpeg", shown: "all", isInTls: false, answers: "Digest MD5" },
  { client: "ffmpeg", shown: "Basic", isInTls: true, answers: "Basic" },
  { client: "GStreamer", shown: "all", isInTls: false, answers: "Digest MD5" },
  { client: "GStreamer", shown: "Basic", isInTls: true, answers: "Basic" },
];

/** The lines of the table in docs/conformance.md. */
export function matrixLines(): readonly string[] {
  const clients = ["ffmpeg", "GStreamer", "libcurl"] as const;
  return clients.map((client) => {
    const rows = MATRIX.filter((row) => row.client === client);
    const over = (isLive: boolean): string =>
      rows
        .filter(({ way }) => isLive || way.isLiveOnly !== true)
        .map((row) => row.over)
        .join(", ");
    const logIns = LOG_INS.filter((row) => row.client === client).map(
      ({ answers, isInTls }) => `${answers}${isInTls ? " inside TLS" : ""}`,
    );
    return `| ${client} | ${over(true) || "TCP"} | ${over(false) || "none"} | ${logIns.join(", ")} |`;
  });
}

/** Pictures of a simulated camera that follow each other: fifteen come in a second. */
const MOST_APART_MS = 100;

/**
 * The address of a stretch that was recorded whole, `seconds` long, from a key frame on; undefined as long as there is none. On a busy
 * machine a simulated camera drops pictures, which no client can be blamed for: also none of the group with which a replay begins.
 */
export async function stretchAddress(source: RecordedSource, id: string, seconds: number): Promise<string | undefined> {
  const extent = await source.extent();
  if (extent === undefined) return undefined;
  let from: UnixMillis | undefined;
  let last: UnixMillis | undefined;
  for await (const { at, track, key, discontinuity } of source.read(
    { from: extent.from },
    new AbortController().signal,
  )) {
    if (track === 0) {
      // What the camera itself has left out was not lost on the way.
      if (discontinuity || at - (last ?? at) > MOST_APART_MS) from = undefined;
      // In whole milliseconds, and not before that picture: else it would begin with the group before.
      if (key) from ??= unixMillis(Math.ceil(at));
      last = at;
    }
    if (from !== undefined && at - from > (seconds + 1) * SECOND)
      return `recorded/${id}?at=${isoOf(from)}&for=${seconds}s`;
  }
  return undefined;
}
