import { AacPacketizer } from "./aac-packetizer.ts";
import type { FramedPackets } from "./framed-packets.ts";
import { h264Track } from "./h264.ts";
import { readAvcConfig } from "./h264-config.ts";
import { h265Track } from "./h265.ts";
import { readHevcConfig } from "./h265-config.ts";
import { JpegPacketizer } from "./jpeg-packetizer.ts";
import { mpeg4Profile } from "./mpeg4.ts";
import { H264_CODEC, H265_CODEC } from "./nal-codec.ts";
import { NalPacketizer } from "./nal-packetizer.ts";
import type { PacketNumbers } from "./packet-writer.ts";
import { PlainPacketizer } from "./plain-packetizer.ts";
import type { Sample, SampleFormat } from "./sample.ts";
import type { Track, TrackKind } from "./track.ts";

/** Turns samples of one format back into RTP packets. */
export interface Packetizer {
  /** What the packets carry, for a description; its fmtp follows from the format. */
  readonly track: Track;
  readonly ssrc: number;
  /** Of the next packet: where the packetizer for another format goes on. */
  readonly nextSequence: number;
  /**
   * RTP packets of at most 1400 bytes, the marker on the last one; sequence numbers go on. Key samples
   * of H.264 and H.265 get the format's parameter sets where they have none. Empty for a sample without content.
   * Fault `invalid` for a sample that RTP cannot express; numbers stay as they were then.
   */
  packets(sample: Sample, rtpTime: number): FramedPackets;
}

const ENCODINGS: Readonly<Record<SampleFormat["codec"], readonly [kind: TrackKind, encoding: string]>> = {
  H264: ["video", "H264"],
  H265: ["video", "H265"],
  JPEG: ["video", "JPEG"],
  "MP4V-ES": ["video", "MP4V-ES"],
  "MPEG4-GENERIC": ["audio", "MPEG4-GENERIC"],
  PCMU: ["audio", "PCMU"],
  PCMA: ["audio", "PCMA"],
  OPUS: ["audio", "opus"],
  "VND.ONVIF.METADATA": ["metadata", "vnd.onvif.metadata"],
};

/** A packetizer for samples of `format`. Fault `invalid` for a broken decoder configuration. */
export function createPacketizer(
  format: SampleFormat,
  o: PacketNumbers & { readonly clockRateHz: number },
): Packetizer {
  const [kind, encoding] = ENCODINGS[format.codec];
  const { payloadType, clockRateHz } = o;
  const channels = "channels" in format ? Math.max(1, format.channels) : 1;
  const track: Track = { kind, codec: format.codec, encoding, payloadType, clockRateHz, channels, fmtp: "" };
  switch (format.codec) {
    case "H264": {
      const sets = readAvcConfig(format.config);
      const nals = [sets.sps, sets.pps, ...(sets.morePps ?? [])];
      return new NalPacketizer(H264_CODEC, nals, h264Track(track, sets), o);
    }
    case "H265": {
      const sets = readHevcConfig(format.config);
      const nals = [sets.vps, sets.sps, sets.pps, ...(sets.morePps ?? [])];
      return new NalPacketizer(H265_CODEC, nals, h265Track(track, sets), o);
    }
    case "JPEG":
      return new JpegPacketizer(track, o);
    case "MPEG4-GENERIC":
      return new AacPacketizer({ ...track, fmtp: aacFmtp(format.config) }, o);
    case "MP4V-ES":
      return new PlainPacketizer({ ...track, fmtp: mpeg4Fmtp(format.config) }, o);
    case "OPUS": {
      const stereo = format.channels > 1 ? "sprop-stereo=1;stereo=1" : "";
      // RFC 7587 7: the description has two channels, whatever is sent.
      return new PlainPacketizer({ ...track, channels: 2, fmtp: stereo }, o);
    }
    case "PCMU":
    case "PCMA":
    case "VND.ONVIF.METADATA":
      break;
  }
  return new PlainPacketizer(track, o);
}

/** RFC 6416 7.1. */
function mpeg4Fmtp(config: Buffer): string {
  return `profile-level-id=${mpeg4Profile(config)};config=${config.toString("hex").toUpperCase()}`;
}

/** RFC 3640 4.1 and 3.3.6. */
function aacFmtp(config: Buffer): string {
  const fixed = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3";
  return `${fixed};config=${config.toString("hex").toUpperCase()}`;
}
