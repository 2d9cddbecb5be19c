import { AacUnpacker } from "./aac-unpacker.ts";
import { AccessUnits } from "./access-units.ts";
import { DocumentUnpacker } from "./document-unpacker.ts";
import { fmtpValue } from "./fmtp.ts";
import type { PacketGroup } from "./group.ts";
import { h264FmtpUnits } from "./h264.ts";
import { h265FmtpUnits } from "./h265.ts";
import { JpegUnpacker } from "./jpeg-unpacker.ts";
import { Mpeg4Unpacker } from "./mpeg4-unpacker.ts";
import { H264_CODEC, H265_CODEC } from "./nal-codec.ts";
import { NalUnpacker } from "./nal-unpacker.ts";
import type { PackedBytes, SampleBytes } from "./packed-bytes.ts";
import type { Sample } from "./sample.ts";
import { PlainUnpacker, plainFormat, Sounds } from "./sounds.ts";
import type { Track } from "./track.ts";

/** Turns the packet groups of one track into samples. */
export interface Depacketizer<Data extends SampleBytes = Buffer> {
  /**
   * The samples that this group completes: usually one, more of audio. Never throws: what cannot be understood or is not
   * whole is left out, and the sample that comes next is marked with `discontinuity`.
   */
  push(group: PacketGroup): readonly Sample<Data>[];
  /** What is held of the last access unit, at the end of a stream. */
  flush(): readonly Sample<Data>[];
  /** It holds the groups that it looks at after `push`; else they are to be kept. */
  readonly holds: boolean;
}

/** A depacketizer for `track`; undefined where its codec has no place in an MP4 file. */
export function createDepacketizer(track: Track): Depacketizer | undefined {
  return depacketizerOf(track, (packed) => packed.unpacked());
}

/** Likewise, for those who put pictures together later: samples of H.264 and H.265 hold their groups until they are released. */
export function createPackedDepacketizer(track: Track): Depacketizer<SampleBytes> | undefined {
  return depacketizerOf<SampleBytes>(track, (packed) => (packed.isWasteful ? packed.unpacked() : packed));
}

function depacketizerOf<Data extends SampleBytes>(
  track: Track,
  finished: (packed: PackedBytes) => Data,
): Depacketizer<Buffer | Data> | undefined {
  switch (track.codec) {
    case "H264":
      return new AccessUnits(new NalUnpacker(H264_CODEC, h264FmtpUnits(track.fmtp), finished));
    case "H265":
      return new AccessUnits(new NalUnpacker(H265_CODEC, h265FmtpUnits(track.fmtp), finished));
    case "JPEG":
      return new AccessUnits(new JpegUnpacker());
    case "VND.ONVIF.METADATA":
      return new AccessUnits(new DocumentUnpacker());
    case "MP4V-ES":
      return new AccessUnits(new Mpeg4Unpacker(track));
    case "PCMU":
    case "PCMA":
    case "OPUS":
      return new Sounds(new PlainUnpacker(plainFormat(track, track.codec)), track.clockRateHz);
    case "MPEG4-GENERIC":
      // The same payload format carries other things, each in a mode of its own (RFC 3640 3.3).
      return /^(?:aac-[hl]br)?$/i.test(fmtpValue(track.fmtp, "mode") ?? "")
        ? new Sounds(new AacUnpacker(track), track.clockRateHz)
        : undefined;
    case "unknown":
      break;
  }
  return undefined;
}
