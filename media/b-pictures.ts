import { isFault } from "../base/fault.ts";
import { BitReader } from "./bits.ts";
import type { PacketGroup } from "./group.ts";
import { H265, h265FmtpUnits, h265Type } from "./h265.ts";
import { mpeg4Picture } from "./mpeg4.ts";
import { H264_CODEC, H265_CODEC, type NalCodec } from "./nal-codec.ts";
import { payloadOffset } from "./rtp.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of a slice, behind its header: its place and type are within the first few. */
  sliceBytes: 16,
};

/** In H.265 what has the first bit clear is needed by no other picture of its temporal layer, up to this type (ITU-T H.265 table 7-1). */
const H265_LAST_UNNEEDED = 14;

/**
 * Finds the pictures of one track that look both ways and that no other picture needs, so that they can be left out: B pictures without
 * those that others refer to. What is not clearly one is none.
 */
export class BPictures {
  /** Undefined where the payload does not tell. */
  readonly #isOne: (payload: Buffer) => boolean | undefined;

  constructor(track: Track) {
    if (track.codec === "H264") this.#isOne = (payload) => isBSlice(H264_CODEC, payload, isH264B);
    else if (track.codec === "H265") {
      const format = h265FormatOf(track);
      this.#isOne = (payload) => isBSlice(H265_CODEC, payload, (nal) => isH265B(nal, format));
    } else if (track.codec === "MP4V-ES") this.#isOne = isMpeg4B;
    else this.#isOne = () => false;
  }

  /** Of an access unit of the track, by the first slice in it. */
  has(group: PacketGroup): boolean {
    for (const packet of group.packets) {
      const offset = payloadOffset(packet);
      const found = offset === undefined ? undefined : this.#isOne(packet.subarray(offset));
      if (found !== undefined) return found;
    }
    return false;
  }
}

function isMpeg4B(payload: Buffer): boolean | undefined {
  const picture = mpeg4Picture(payload);
  return picture && picture.kind === "B";
}

/** Undefined where no slice begins in the payload. */
function isBSlice(codec: NalCodec, payload: Buffer, isB: (nal: Buffer) => boolean): boolean | undefined {
  for (const nal of unitsIn(codec, payload))
    if (codec.vcl(codec.type(nal))) {
      try {
        return isB(nal);
      } catch (error) {
        if (isFault(error, "invalid")) return false;
        throw error;
      }
    }
  return undefined;
}

/** The NAL units in a payload, and as much of one as the first of its fragments holds. */
function unitsIn(codec: NalCodec, payload: Buffer): readonly Buffer[] {
  if (codec.type(payload) !== codec.fragment) return codec.units(payload);
  const at = codec.headerBytes;
  const isFirst = ((payload[at] ?? 0) & 0x80) !== 0;
  const start = payload.subarray(at + 1, at + 1 + LIMITS.sliceBytes);
  return isFirst ? [Buffer.concat([Buffer.from(codec.unitHeader(payload)), start])] : [];
}

/** ITU-T H.264 7.3.3. Fault `invalid`. */
function isH264B(nal: Buffer): boolean {
  const isNeeded = ((nal[0] ?? 0) & 0x60) !== 0;
  if (isNeeded) return false;
  const bits = new BitReader(nal.subarray(1, 1 + LIMITS.sliceBytes));
  bits.ue();
  return bits.ue() % 5 === 1;
}

/** What parameter sets have to say of slices. */
interface H265Format {
  readonly temporalLayers: number;
  /** Bits in a slice's header that mean nothing here, by the id of the picture parameter set. */
  readonly extraBits: ReadonlyMap<number, number>;
}

/** ITU-T H.265 7.3.6.1. Fault `invalid`. */
function isH265B(nal: Buffer, { temporalLayers, extraBits }: H265Format): boolean {
  const type = h265Type(nal);
  const isTop = ((nal[1] ?? 0) & 7) === temporalLayers;
  if (type > H265_LAST_UNNEEDED || type % 2 !== 0 || !isTop) return false;
  const bits = new BitReader(nal.subarray(2, 2 + LIMITS.sliceBytes));
  const isFirst = bits.flag();
  const extra = extraBits.get(bits.ue());
  if (!isFirst || extra === undefined) return false;
  bits.skip(extra);
  return bits.ue() === 0;
}

/** Of the parameter sets that the track is described by; without them nothing is taken for a B picture. */
function h265FormatOf({ fmtp }: Track): H265Format {
  const extraBits = new Map<number, number>();
  let temporalLayers = Number.NaN;
  for (const nal of h265FmtpUnits(fmtp)) {
    if (h265Type(nal) === H265.sps) temporalLayers = (((nal[2] ?? 0) >> 1) & 7) + 1;
    if (h265Type(nal) === H265.pps) noteExtraBits(nal, extraBits);
  }
  return { temporalLayers, extraBits };
}

/** ITU-T H.265 7.3.2.3.1. */
function noteExtraBits(pps: Buffer, into: Map<number, number>): void {
  try {
    const bits = new BitReader(pps.subarray(2));
    const id = bits.ue();
    bits.ue();
    // dependent_slice_segments_enabled_flag, output_flag_present_flag.
    bits.skip(2);
    into.set(id, bits.bits(3));
  } catch (error) {
    if (!isFault(error, "invalid")) throw error;
  }
}
