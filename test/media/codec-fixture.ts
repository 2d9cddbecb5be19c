import { unixMillis } from "../../base/units.ts";
import type { Depacketizer } from "../../media/depacketizer.ts";
import { type GroupMarks, PacketGroup } from "../../media/group.ts";
import { writeRtpHeader } from "../../media/rtp.ts";
import type { Sample, SampleFormat } from "../../media/sample.ts";
import type { Codec, Track } from "../../media/track.ts";

/** What x264 and x265 wrote for 1920x1080. */
export const H264_SETS = {
  sps: Buffer.from("6742c028da01e0089f970110000003001000000300a0f1832a", "hex"),
  pps: Buffer.from("68ce0fc8", "hex"),
};
export const H265_SETS = {
  vps: Buffer.from("40010c01ffff016000000300900000030000030078959409", "hex"),
  sps: Buffer.from("420101016000000300900000030000030078a003c0801107cb965654a4c2f016808000000300800000030284", "hex"),
  pps: Buffer.from("4401c073c189", "hex"),
};

/** And for 320x240. */
export const SMALL_SPS = Buffer.from("6742c00dda0507ec0440000003004000000c83c50aa8", "hex");

export const AT = unixMillis(Date.UTC(2026, 10, 24, 13, 0, 0));

const KINDS: Readonly<Record<Codec, Track["kind"]>> = {
  H264: "video",
  H265: "video",
  JPEG: "video",
  "MP4V-ES": "video",
  "MPEG4-GENERIC": "audio",
  PCMU: "audio",
  PCMA: "audio",
  OPUS: "audio",
  "VND.ONVIF.METADATA": "metadata",
  unknown: "unknown",
};

export function track(codec: Codec, fmtp = "", more: Partial<Track> = {}): Track {
  const kind = KINDS[codec];
  const clockRateHz = kind === "audio" ? 8000 : 90_000;
  return { kind, codec, encoding: codec, payloadType: 96, clockRateHz, channels: 1, fmtp, ...more };
}

/** One RTP packet to be. */
export interface Piece {
  readonly payload: Buffer;
  readonly marker?: boolean;
}

/** Sends payloads to a depacketizer as a camera would: numbered, in groups. */
export class Wire {
  readonly depacketizer: Depacketizer;
  sequence: number;

  constructor(depacketizer: Depacketizer | undefined, sequence = 65_530) {
    if (depacketizer === undefined) throw new Error("no depacketizer");
    this.depacketizer = depacketizer;
    this.sequence = sequence;
  }

  /** One group. The last packet has the marker unless a piece says otherwise. */
  send(rtpTime: number, pieces: readonly (Buffer | Piece)[], more: Partial<GroupMarks> = {}): readonly Sample[] {
    const packets = pieces.map((one, index) => {
      const { payload, marker } = Buffer.isBuffer(one) ? { payload: one, marker: undefined } : one;
      const packet = Buffer.concat([Buffer.alloc(12), payload]);
      writeRtpHeader(packet, {
        marker: marker ?? index === pieces.length - 1,
        payloadType: 96,
        sequence: this.sequence,
        timestamp: rtpTime,
        ssrc: 1,
      });
      this.sequence = (this.sequence + 1) & 0xffff;
      return packet;
    });
    return this.depacketizer.push(group(rtpTime, packets, more));
  }
}

export function group(rtpTime: number, packets: readonly Buffer[], more: Partial<GroupMarks> = {}): PacketGroup {
  const marks = { track: 0, rtpTime, at: AT, quality: "camera", key: false, discontinuity: false } as const;
  return new PacketGroup({ ...marks, ...more }, packets);
}

/** NAL units as they stand in a sample. */
export function inSample(...nals: readonly Buffer[]): Buffer {
  return Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
}

/** As in aggregation packets. */
export function aggregated(header: Buffer, ...nals: readonly Buffer[]): Buffer {
  return Buffer.concat([header, ...nals.flatMap((nal) => [Buffer.of(nal.length >> 8, nal.length & 0xff), nal])]);
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

export function sampleOf(data: Buffer, format: SampleFormat, more: Partial<Sample> = {}): Sample {
  return { at: AT, quality: "camera", rtpTime: 0, key: false, discontinuity: false, data, format, ...more };
}
