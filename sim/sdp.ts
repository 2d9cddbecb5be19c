import { AAC } from "./aac.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";

export type MediaName = "video" | "audio";

/** What RTP and RTSP need to know of one of a stream's media. */
export interface Medium {
  readonly payloadType: number;
  readonly clockHz: number;
  /** Behind the stream's address. */
  readonly path: string;
}

const VIDEO: Medium = { payloadType: 96, clockHz: 90_000, path: "trackID=1" };
const G711: Medium = { payloadType: 0, clockHz: 8000, path: "trackID=2" };
/** Towards the camera, and described only to those who ask for it. */
export const SPEAKER: Medium = { payloadType: 0, clockHz: 8000, path: "trackID=3" };
const AAC_SOUND: Medium = { payloadType: 97, clockHz: AAC.sampleRateHz, path: "trackID=2" };

const AAC_QUIRKS: readonly Quirk[] = ["adts-in-rtp", "no-index-length", "uneven-sound"];

/** Sound is G.711, and AAC where a switched-on fault is one of AAC. */
export function mediumOf(name: MediaName, quirks: ReadonlySet<Quirk>): Medium {
  if (name === "video") return VIDEO;
  return AAC_QUIRKS.some((quirk) => quirks.has(quirk)) ? AAC_SOUND : G711;
}

/** What a stream consists of: a track without an address of its own is the only one. */
export function mediaOf(audio: boolean, quirks: ReadonlySet<Quirk>): readonly MediaName[] {
  return audio && !quirks.has("no-control") ? ["video", "audio"] : ["video"];
}

/** Kinds and formats that do not exist, as cameras describe them (AlexxIT/go2rtc pkg/rtsp/helpers, BugSDP). */
const ODD_MEDIA = [
  "m=vana 0 RTP/AVP smart/1/90000",
  "a=control:trackID=9",
  "m=application/MERCURY 0 RTP/AVP smart/1/90000",
  "a=rtpmap:smart/1/90000",
];

/** A stream's description (RFC 8866; RFC 6184 8.2.1), as an answer to DESCRIBE. */
export function printSdp(o: {
  readonly address: string;
  readonly feed: Feed;
  readonly media: readonly MediaName[];
  readonly withSpeaker: boolean;
  readonly quirks: ReadonlySet<Quirk>;
}): string {
  const { quirks } = o;
  const family = o.address.includes(":") ? "IP6" : "IP4";
  const lines = [
    "v=0",
    `o=- 1 1 IN ${family} ${o.address}`,
    "s=Simulated camera",
    `c=IN ${family} ${family === "IP6" ? "::" : "0.0.0.0"}`,
    "t=0 0",
    "a=control:*",
    "a=range:npt=now-",
    ...(quirks.has("odd-media") ? ODD_MEDIA : []),
  ];
  for (const name of o.media) {
    const { payloadType, path } = mediumOf(name, quirks);
    lines.push(`m=${name} 0 RTP/AVP ${payloadType}`);
    // Session lines do not belong here.
    if (quirks.has("odd-media")) lines.push("v=0", "s=again", "t=0 0");
    lines.push(...(name === "video" ? videoLines(o.feed, quirks) : audioLines(quirks)));
    lines.push(quirks.has("all-sendonly") ? "a=sendonly" : "a=recvonly");
    if (!quirks.has("no-control")) lines.push(`a=control:${quirks.has("slash-control") ? "/" : ""}${path}`);
  }
  if (o.withSpeaker)
    lines.push(
      `m=audio 0 RTP/AVP ${SPEAKER.payloadType}`,
      `a=rtpmap:${SPEAKER.payloadType} PCMU/${SPEAKER.clockHz}`,
      "a=sendonly",
      `a=control:${SPEAKER.path}`,
    );
  return `${lines.join("\r\n")}\r\n`;
}

function videoLines(feed: Feed, quirks: ReadonlySet<Quirk>): readonly string[] {
  const { payloadType, clockHz } = VIDEO;
  const { sps } = feed.parameterSets;
  const profile = quirks.has("wrong-profile") ? "276400" : sps.toString("hex", 1, 4);
  const sets = setsOf(feed, quirks);
  const told = sets === undefined ? "" : `;sprop-parameter-sets=${sets}`;
  return [
    `a=rtpmap:${payloadType} H264/${clockHz}`,
    `a=fmtp:${payloadType} packetization-mode=1;profile-level-id=${profile}${told}`,
    `a=framerate:${feed.fps}`,
    ...(quirks.has("no-feedback") ? [] : [`a=rtcp-fb:${payloadType} nack pli`]),
  ];
}

function setsOf(feed: Feed, quirks: ReadonlySet<Quirk>): string | undefined {
  if (quirks.has("no-sprop")) return undefined;
  const { sps, pps } = feed.parameterSets;
  // The sequence parameter set alone, cut short, and no base64 behind it.
  if (quirks.has("broken-sprop")) return `${sps.subarray(0, 3).toString("base64")},?`;
  const start = quirks.has("annexb-sprop") ? Buffer.of(0, 0, 0, 1) : Buffer.alloc(0);
  const described = quirks.has("other-sprop") ? otherLevel(sps) : sps;
  return [described, pps].map((nal) => Buffer.concat([start, nal]).toString("base64")).join(",");
}

/** The parameter set of a picture with another level, which stands where nothing else depends on it (ITU-T H.264 7.3.2.1.1). */
function otherLevel(sps: Buffer): Buffer {
  const other = Buffer.from(sps);
  other[3] = (other[3] as number) + 1;
  return other;
}

function audioLines(quirks: ReadonlySet<Quirk>): readonly string[] {
  const { payloadType, clockHz } = mediumOf("audio", quirks);
  if (payloadType === G711.payloadType) return [`a=rtpmap:${payloadType} PCMU/${clockHz}`];
  const lengths = quirks.has("no-index-length") ? "" : ";sizelength=13;indexlength=3;indexdeltalength=3";
  return [
    `a=rtpmap:${payloadType} mpeg4-generic/${clockHz}/1`,
    `a=fmtp:${payloadType} streamtype=5;profile-level-id=1;mode=AAC-hbr;config=${AAC.config}${lengths}`,
  ];
}
