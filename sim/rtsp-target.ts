import type { Quirk } from "./quirks.ts";
import type { RtspOptions } from "./rtsp-options.ts";
import { type MediaName, mediaOf, mediumOf, SPEAKER } from "./sdp.ts";

/** Path and query of each stream. */
const TARGETS = {
  plain: { main: "/live", sub: "/live/sub" },
  query: { main: "/cam/realmonitor?channel=1&subtype=0", sub: "/cam/realmonitor?channel=1&subtype=1" },
} as const;
/** Paths of what was recorded of each stream. */
const RECORDED = { main: "/recorded", sub: "/recorded/sub" } as const;
/** Where the main stream is really, for clients that are sent there. */
const MOVED = "/moved";

export type StreamName = keyof typeof TARGETS.plain;

/** What an address names. */
export interface Place {
  readonly stream: StreamName;
  /** Absent: the whole stream. */
  readonly track?: MediaName | "speaker";
  /** What was recorded of it. */
  readonly isRecorded?: boolean;
}

/** The stream that an address names, or one of its tracks; undefined where there is neither. */
export function placeOf(
  uri: string,
  { feeds, speaker, audio, card, quirks }: Pick<RtspOptions, "feeds" | "speaker" | "audio" | "card" | "quirks">,
): Place | undefined {
  const path = withoutHost(uri);
  for (const stream of card === false ? [] : card === "both" ? (["sub", "main"] as const) : (["main"] as const)) {
    const recorded = { stream, isRecorded: true } as const;
    if (path === RECORDED[stream]) return recorded;
    if (path === `${RECORDED[stream]}/${mediumOf("video", quirks).path}`) return { ...recorded, track: "video" };
  }
  for (const stream of feeds.sub === undefined ? (["main"] as const) : (["sub", "main"] as const)) {
    const path = trackPath(uri, stream, quirks);
    if (path === "") return { stream, ...(quirks.has("no-control") ? { track: "video" } : {}) };
    if (speaker !== undefined && path === `/${SPEAKER.path}`) return { stream, track: "speaker" };
    const track = mediaOf(audio, quirks).find((name) => path === `/${mediumOf(name, quirks).path}`);
    if (track !== undefined) return { stream, track };
  }
  return undefined;
}

/** Path and query of a stream, as the camera names it. */
export function targetOf(stream: StreamName, quirks: ReadonlySet<Quirk>): string {
  return TARGETS[quirks.has("query-control") ? "query" : "plain"][stream];
}

/** The address of what was recorded of a stream, beside that of the main one. */
export function recordedBeside(live: string, stream: StreamName): string {
  return `${hostOf(live)}${RECORDED[stream]}`;
}

/** Where a client that asks for the stream at `uri` is sent; undefined where it is right. */
export function movedFrom(uri: string, quirks: ReadonlySet<Quirk>): string | undefined {
  if (!quirks.has("redirects") || withoutHost(uri) !== targetOf("main", quirks)) return undefined;
  return `${hostOf(uri)}${MOVED}`;
}

/** The stream's address: `named`, unless the client was sent elsewhere. */
export function baseOf(uri: string, named: string): string {
  return withoutHost(uri) === MOVED ? `${hostOf(named)}${MOVED}` : named;
}

/** What stands behind a stream's path, or undefined where the address is of something else. */
function trackPath(uri: string, stream: StreamName, quirks: ReadonlySet<Quirk>): string | undefined {
  const path = withoutHost(uri);
  const moved = stream === "main" && quirks.has("redirects") ? [MOVED] : [];
  const target = [targetOf(stream, quirks), ...moved].find((one) => path.startsWith(one));
  return target === undefined ? undefined : path.slice(target.length);
}

function hostOf(uri: string): string {
  return /^rtsps?:\/\/[^/]*/i.exec(uri)?.[0] ?? "";
}

function withoutHost(uri: string): string {
  return uri.slice(hostOf(uri).length).replace(/\/$/, "");
}
