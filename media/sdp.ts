import { Fault } from "../base/fault.ts";
import type { KeyFeedback } from "./rtcp.ts";
import type { Codec, Track, TrackKind } from "./track.ts";

const LIMITS = {
  /** Parameter sets of many tracks fit well; a camera that sends more is broken or hostile. */
  characters: 64 * 1024,
  lines: 1000,
  media: 32,
  /** No RTP clock is slower; what says so is not RTP. */
  clockHz: 1000,
};

export type Direction = "sendonly" | "recvonly" | "sendrecv" | "inactive";

/** One `m=` section. */
export interface MediaDescription {
  readonly track: Track;
  /** `a=control`, as received; undefined where it is missing. */
  readonly control: string | undefined;
  readonly direction: Direction | undefined;
  /** How the camera can be asked for a key frame in RTCP, best first; empty where it does not say. */
  readonly feedback: readonly KeyFeedback[];
  /** Which `m=` line it was, counted from 0, with those that we cannot use. */
  readonly index: number;
}

export interface SessionDescription {
  readonly control: string | undefined;
  readonly media: readonly MediaDescription[];
  /** Some of what it says made no sense and was left out. */
  readonly odd: boolean;
}

/** Static payload types (RFC 3551 6) that cameras use without `a=rtpmap`. */
const STATIC: Readonly<Record<number, readonly [encoding: string, clockRateHz: number]>> = {
  0: ["PCMU", 8000],
  3: ["GSM", 8000],
  8: ["PCMA", 8000],
  9: ["G722", 8000],
  10: ["L16", 44_100],
  11: ["L16", 44_100],
  14: ["MPA", 90_000],
  26: ["JPEG", 90_000],
  32: ["MPV", 90_000],
  33: ["MP2T", 90_000],
};

const KNOWN: ReadonlySet<string> = new Set<Codec>([
  "H264",
  "H265",
  "JPEG",
  "MP4V-ES",
  "MPEG4-GENERIC",
  "PCMU",
  "PCMA",
  "OPUS",
  "VND.ONVIF.METADATA",
]);

interface Section {
  readonly kind: string;
  readonly formats: readonly string[];
  readonly attributes: (readonly [name: string, value: string])[];
}

/**
 * Reads the description of a camera's stream (RFC 8866). Tolerant: lines may end with LF, unknown lines and media are passed
 * over, and a media section that makes no sense is left out instead of losing the others. Fault `invalid` beyond the bounds,
 * and where there is no usable media at all.
 */
export function parseSdp(text: string): SessionDescription {
  if (text.length > LIMITS.characters) throw new Fault("invalid", `SDP of ${text.length} characters`);
  const lines = text.split(/\r?\n|\r/);
  if (lines.length > LIMITS.lines) throw new Fault("invalid", `SDP of ${lines.length} lines`);
  const session: Section["attributes"] = [];
  const sections: Section[] = [];
  for (const untrimmed of lines) {
    const line = untrimmed.trimStart();
    const value = line.slice(2).trim();
    if (line.startsWith("m=")) {
      const [kind = "", , , ...formats] = value.split(/\s+/);
      sections.push({ kind: kind.toLowerCase(), formats, attributes: [] });
    } else if (line.startsWith("a=")) {
      const colon = value.indexOf(":");
      const attribute =
        colon < 0 ? ([value, ""] as const) : ([value.slice(0, colon), value.slice(colon + 1).trim()] as const);
      (sections.at(-1)?.attributes ?? session).push(attribute);
    }
  }
  if (sections.length > LIMITS.media) throw new Fault("invalid", `SDP with ${sections.length} media`);
  const media = sections.flatMap((section, index) => mediaOf(section, index));
  if (media.length === 0) throw new Fault("invalid", "SDP without usable media");
  return { control: attributeOf(session, "control"), media, odd: media.length < sections.length };
}

function attributeOf(attributes: Section["attributes"], name: string): string | undefined {
  return attributes.find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The value behind `<payload type> ` of an attribute such as rtpmap and fmtp. */
function valueFor(section: Section, name: string, payloadType: number): string | undefined {
  for (const [key, value] of section.attributes) {
    const match = key.toLowerCase() === name ? /^(\d+)\s+(.*)$/s.exec(value) : null;
    if (match !== null && Number(match[1]) === payloadType) return match[2];
  }
  return undefined;
}

function mediaOf(section: Section, index: number): readonly MediaDescription[] {
  const payloadType = Number(
    section.formats.find((format) => /^\d{1,3}$/.test(format) && Number(format) < 128) ?? Number.NaN,
  );
  if (Number.isNaN(payloadType)) return [];
  const map = /^([^/\s]+)\/(\d{1,9})(?:\/(\d{1,2}))?/.exec(valueFor(section, "rtpmap", payloadType) ?? "");
  const fallback = STATIC[payloadType];
  const encoding = map?.[1] ?? fallback?.[0];
  const clockRateHz = map === null ? fallback?.[1] : Number(map[2]);
  if (encoding === undefined || clockRateHz === undefined || clockRateHz < LIMITS.clockHz) return [];
  const upper = encoding.toUpperCase();
  const codec = KNOWN.has(upper) ? (upper as Codec) : "unknown";
  const track: Track = {
    kind: kindOf(section.kind, codec),
    codec,
    encoding,
    payloadType,
    clockRateHz,
    channels: section.kind === "audio" ? Number(map?.[3] ?? 1) || 1 : 1,
    fmtp: valueFor(section, "fmtp", payloadType)?.trim() ?? "",
  };
  const direction = section.attributes.map(([name]) => name.toLowerCase()).find(isDirection);
  const feedback = feedbackOf(section, payloadType);
  return [{ track, control: attributeOf(section.attributes, "control"), direction, feedback, index }];
}

/** RFC 4585 4.2. Cameras name it under RTP/AVP too, whatever its profile says. */
function feedbackOf({ attributes }: Section, payloadType: number): readonly KeyFeedback[] {
  const named = attributes
    .filter(([name]) => name.toLowerCase() === "rtcp-fb")
    .map(([, value]) => value.toLowerCase().replaceAll(/\s+/g, " "));
  const all: readonly KeyFeedback[] = ["nack pli", "ccm fir"];
  return all.filter((one) => named.some((value) => value === `* ${one}` || value === `${payloadType} ${one}`));
}

function isDirection(name: string): name is Direction {
  return name === "sendonly" || name === "recvonly" || name === "sendrecv" || name === "inactive";
}

function kindOf(media: string, codec: Codec): TrackKind {
  if (media === "video" || media === "audio") return media;
  return codec === "VND.ONVIF.METADATA" ? "metadata" : "unknown";
}

export interface DescriptionToPrint {
  readonly name: string;
  /** Digits; the same for as long as the description is the same. */
  readonly sessionId: string;
  /** Our address as the client sees it. */
  readonly address: string;
  /** The multicast group that it is sent to, with the TTL, as `239.192.0.1/1` (RFC 8866 5.7). Absent: agreed in SETUP. */
  readonly group?: string;
  readonly control: string;
  /** Attributes of the session, each without `a=`. */
  readonly attributes?: readonly string[];
  readonly media: readonly {
    readonly track: Track;
    readonly control: string;
    /** Of multicast; 0 where it is agreed in SETUP (RFC 2326 C.1.2). */
    readonly port?: number;
    /** As the server sees it in ONVIF's words: `sendonly` is what the client sends (ONVIF Streaming 5.3.2). `recvonly` if absent. */
    readonly direction?: "sendonly";
    /** `RTP/AVP` if absent; `RTP/SAVP` for SRTP. */
    readonly profile?: "RTP/AVP" | "RTP/SAVP";
    readonly attributes?: readonly string[];
  }[];
}

/** Prints a description of ours. */
export function printSdp(d: DescriptionToPrint): string {
  const family = d.address.includes(":") ? "IP6" : "IP4";
  const any = family === "IP6" ? "::" : "0.0.0.0";
  const lines = [
    "v=0",
    `o=- ${d.sessionId} 1 IN ${family} ${d.address}`,
    // A name is text of an operator: a line break in it would be a line of SDP.
    `s=${d.name.replace(/[\r\n]+/g, " ").trim() || "-"}`,
    d.group === undefined ? `c=IN ${family} ${any}` : `c=IN IP4 ${d.group}`,
    "t=0 0",
    `a=control:${d.control}`,
    ...(d.attributes ?? []).map((attribute) => `a=${attribute}`),
  ];
  for (const { track, control, port = 0, profile = "RTP/AVP", direction = "recvonly", attributes } of d.media) {
    const kind = track.kind === "video" || track.kind === "audio" ? track.kind : "application";
    const channels = track.kind === "audio" && track.channels > 1 ? `/${track.channels}` : "";
    lines.push(`m=${kind} ${port} ${profile} ${track.payloadType}`);
    lines.push(`a=rtpmap:${track.payloadType} ${track.encoding}/${track.clockRateHz}${channels}`);
    if (track.fmtp !== "") lines.push(`a=fmtp:${track.payloadType} ${track.fmtp}`);
    lines.push(`a=control:${control}`);
    lines.push(`a=${direction}`);
    for (const attribute of attributes ?? []) lines.push(`a=${attribute}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}
