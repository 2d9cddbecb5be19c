import type { Millis, UnixMillis } from "../base/units.ts";
import type { TimeQuality } from "./group.ts";

/** How the samples of a track are to be decoded: what an MP4 sample entry says (ISO/IEC 14496-12 8.5.2). */
export type SampleFormat =
  | {
      readonly codec: "H264" | "H265";
      readonly width: number;
      readonly height: number;
      /** AVCDecoderConfigurationRecord or HEVCDecoderConfigurationRecord (ISO/IEC 14496-15), lengths of 4 bytes. */
      readonly config: Buffer;
    }
  | { readonly codec: "JPEG"; readonly width: number; readonly height: number }
  | {
      readonly codec: "MP4V-ES";
      readonly width: number;
      readonly height: number;
      /** The headers before the first picture (ISO/IEC 14496-2 6.2.1). */
      readonly config: Buffer;
    }
  /** `channels`: of what is heard, 1 or 2. */
  | { readonly codec: "OPUS"; readonly sampleRateHz: number; readonly channels: number }
  | { readonly codec: "PCMU" | "PCMA"; readonly sampleRateHz: number; readonly channels: number }
  | {
      readonly codec: "MPEG4-GENERIC";
      readonly sampleRateHz: number;
      readonly channels: number;
      /** AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1). */
      readonly config: Buffer;
    }
  | { readonly codec: "VND.ONVIF.METADATA" };

/** One access unit without its transport, as it stands in an MP4 file. */
export interface Sample<Data = Buffer> {
  readonly at: UnixMillis;
  readonly quality: TimeQuality;
  /** As the group says it. */
  readonly cameraAheadMs?: Millis | undefined;
  /** RTP timestamp, 32 bits, in the track's clock. */
  readonly rtpTime: number;
  /** A decoder can begin here. */
  readonly key: boolean;
  /** Something is missing before it. */
  readonly discontinuity: boolean;
  /** H.264 and H.265: NAL units each behind its length in 4 bytes, parameter sets left in. JPEG: a whole JFIF file. Opus: a packet. */
  readonly data: Data;
  /** The same object for as long as the format stays the same. */
  readonly format: SampleFormat;
}
