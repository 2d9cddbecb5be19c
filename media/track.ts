/** What a track carries. `unknown` is relayed untouched, and neither recorded nor shown in a browser. */
export const TRACK_KINDS = ["video", "audio", "metadata", "unknown"] as const;
export type TrackKind = (typeof TRACK_KINDS)[number];

/** Codecs whose payload we understand, by their RTP encoding names in upper case; `unknown` is everything else. */
export type Codec =
  | "H264"
  | "H265"
  | "JPEG"
  | "MP4V-ES" // MPEG-4 Visual, RFC 6416
  | "MPEG4-GENERIC" // AAC, RFC 3640
  | "PCMU"
  | "PCMA"
  | "OPUS"
  | "VND.ONVIF.METADATA"
  | "unknown";

/** One media of a stream, as SDP describes it (RFC 8866 5.14, 6.6, 6.15). */
export interface Track {
  readonly kind: TrackKind;
  readonly codec: Codec;
  /** As in `a=rtpmap`, or by the static table of RFC 3551 6 where there is none. */
  readonly encoding: string;
  /** 0 to 127. */
  readonly payloadType: number;
  /** RTP clock, in Hz. */
  readonly clockRateHz: number;
  /** Audio only; 1 elsewhere. */
  readonly channels: number;
  /** The value of `a=fmtp` behind the payload type, as received, or empty. */
  readonly fmtp: string;
}
