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
import type { ReusedMemory } from "./reused-memory.ts";
import type { Sample } from "./sample.ts";
import { PlainUnpacker, plainFormat, Sounds } from "./sounds.ts";
import type { Track } from "./track.ts";

/** Turns the packet groups of one track into samples. */
export interface Depacketizer {
  /**
   * The samples that this group completes: usually one, more of audio. Never throws: what cannot be understood or is not
   * whole is left out, and the sample that comes next is marked with `discontinuity`.
   */
  push(group: PacketGroup): readonly Sample[];
  /** What is held of the last access unit, at the end of a stream. */
  flush(): readonly Sample[];
  /** Samples are copies: nothing of a group is looked at after `push`. */
  readonly copies: boolean;
}

/**
 * A depacketizer for `track`; undefined where its codec has no place in an MP4 file. `memory`: where samples of H.264 and H.265 lie,
 * for those who give it back; memory of their own if absent.
 */
export function createDepacketizer(track: Track, memory?: ReusedMemory): Depacketizer | undefined {
  switch (track.codec) {
    case "H264":
      return new AccessUnits(new NalUnpacker(H264_CODEC, h264FmtpUnits(track.fmtp), memory));
    case "H265":
      return new AccessUnits(new NalUnpacker(H265_CODEC, h265FmtpUnits(track.fmtp), memory));
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
