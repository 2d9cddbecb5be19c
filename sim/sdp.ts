import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";

/** The media of a stream, with what RTP needs to know of them. */
export const MEDIA = {
  video: { payloadType: 96, clockHz: 90_000, control: "trackID=1" },
  audio: { payloadType: 0, clockHz: 8000, control: "trackID=2" },
} as const;

export type MediaName = keyof typeof MEDIA;

/** What a stream consists of (RFC 8866; RFC 6184 8.2.1), as an answer to DESCRIBE. */
export function printSdp(o: {
  readonly address: string;
  readonly feed: Feed;
  readonly media: readonly MediaName[];
  readonly quirks: ReadonlySet<Quirk>;
}): string {
  const { sps, pps } = o.feed.parameterSets;
  const format = `packetization-mode=1;profile-level-id=${sps.toString("hex", 1, 4)}`;
  const sets = `;sprop-parameter-sets=${sps.toString("base64")},${pps.toString("base64")}`;
  const family = o.address.includes(":") ? "IP6" : "IP4";
  const lines = [
    "v=0",
    `o=- 1 1 IN ${family} ${o.address}`,
    "s=Simulated camera",
    `c=IN ${family} ${family === "IP6" ? "::" : "0.0.0.0"}`,
    "t=0 0",
    "a=control:*",
    "a=range:npt=now-",
  ];
  for (const name of o.media) {
    const { payloadType, clockHz, control } = MEDIA[name];
    lines.push(`m=${name} 0 RTP/AVP ${payloadType}`);
    if (name === "video")
      lines.push(
        `a=rtpmap:${payloadType} H264/${clockHz}`,
        `a=fmtp:${payloadType} ${format}${o.quirks.has("no-sprop") ? "" : sets}`,
        `a=framerate:${o.feed.fps}`,
        ...(o.quirks.has("no-feedback") ? [] : [`a=rtcp-fb:${payloadType} nack pli`]),
      );
    else lines.push(`a=rtpmap:${payloadType} PCMU/${clockHz}`);
    lines.push("a=recvonly", `a=control:${control}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}
