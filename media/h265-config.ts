import { Fault } from "../base/fault.ts";
import { BitReader, withoutEmulationPrevention } from "./bits.ts";
import { H265, type H265ParameterSets, pickH265 } from "./h265.ts";
import { aggregated } from "./nal.ts";
import { type PictureSize, pictureSize } from "./picture-size.ts";

/** Bytes of an HEVCDecoderConfigurationRecord before its arrays of parameter sets. */
const RECORD_BYTES = 23;

/** What a decoder configuration repeats of the sequence parameter set. */
interface SpsFacts extends PictureSize {
  /** general_profile_space to general_level_idc, 12 bytes (ITU-T H.265 7.3.3). */
  readonly profileTierLevel: Buffer;
  /** chroma_format_idc. */
  readonly chroma: number;
  /** Bits of a luma and of a chroma sample. */
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  readonly temporalLayers: number;
  readonly nested: boolean;
}

/** ITU-T H.265 7.3.2.2.1, up to what is needed: nothing behind the sample depths is looked at. Fault `invalid`. */
function readSps(sps: Buffer): SpsFacts {
  const bytes = withoutEmulationPrevention(sps.subarray(2));
  const bits = new BitReader(bytes);
  bits.skip(4);
  const subLayers = bits.bits(3);
  const nested = bits.flag();
  const profileTierLevel = bytes.subarray(1, 13);
  bits.skip(96);
  skipSubLayers(bits, subLayers);
  bits.ue();
  const chroma = bits.ue();
  const separatePlanes = chroma === 3 && bits.flag();
  const width = bits.ue();
  const height = bits.ue();
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const lumaDepth = bits.ue() + 8;
  const chromaDepth = bits.ue() + 8;
  if (chroma > 3 || lumaDepth > 15 || chromaDepth > 15)
    throw new Fault("invalid", `SPS with chroma format ${chroma} of ${lumaDepth} and ${chromaDepth} bits`);
  const unitX = !separatePlanes && (chroma === 1 || chroma === 2) ? 2 : 1;
  const unitY = chroma === 1 ? 2 : 1;
  return {
    ...pictureSize(width - (left + right) * unitX, height - (top + bottom) * unitY),
    profileTierLevel,
    chroma,
    lumaDepth,
    chromaDepth,
    temporalLayers: subLayers + 1,
    nested,
  };
}

/** The profiles and levels of temporal sub-layers (ITU-T H.265 7.3.3). */
function skipSubLayers(bits: BitReader, count: number): void {
  const present: (readonly [profile: boolean, level: boolean])[] = [];
  for (let layer = 0; layer < count; layer += 1) present.push([bits.flag(), bits.flag()]);
  if (count > 0) bits.skip((8 - count) * 2);
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}

/** The picture size that a sequence parameter set says, cropped as it is shown. Fault `invalid`. */
export function h265Size(sps: Buffer): PictureSize {
  const { width, height } = readSps(sps);
  return { width, height };
}

/** HEVCDecoderConfigurationRecord with lengths of 4 bytes (ISO/IEC 14496-15 8.3.3.1). Fault `invalid`. */
export function hevcConfig(sets: H265ParameterSets): Buffer {
  const facts = readSps(sets.sps);
  const arrays = [
    parameterSetArray(H265.vps, [sets.vps]),
    parameterSetArray(H265.sps, [sets.sps]),
    parameterSetArray(H265.pps, [sets.pps, ...(sets.morePps ?? [])]),
  ];
  return Buffer.concat([
    Buffer.of(1),
    facts.profileTierLevel,
    // min_spatial_segmentation_idc 0 and parallelismType 0: not known.
    Buffer.of(0xf0, 0, 0xfc),
    Buffer.of(0xfc | facts.chroma, 0xf8 | (facts.lumaDepth - 8), 0xf8 | (facts.chromaDepth - 8)),
    // Average and constant frame rate: not known. Then temporal layers, and lengths of 4 bytes.
    Buffer.of(0, 0, (facts.temporalLayers << 3) | (facts.nested ? 4 : 0) | 3),
    Buffer.of(arrays.length),
    ...arrays,
  ]);
}

function parameterSetArray(type: number, nals: readonly Buffer[]): Buffer {
  const complete = 0x80;
  const parts = nals.flatMap((nal) => [Buffer.of(nal.length >> 8, nal.length & 0xff), nal]);
  return Buffer.concat([Buffer.of(complete | type, 0, nals.length), ...parts]);
}

/** The parameter sets of an HEVCDecoderConfigurationRecord. Fault `invalid`. */
export function readHevcConfig(config: Buffer): H265ParameterSets {
  const nals: Buffer[] = [];
  let at = RECORD_BYTES;
  for (let arrays = config[RECORD_BYTES - 1] ?? 0; arrays > 0 && at + 3 <= config.length; arrays -= 1) {
    const count = config.readUInt16BE(at + 1);
    at += 3;
    for (const nal of aggregated(config, at).slice(0, count)) {
      nals.push(nal);
      at += 2 + nal.length;
    }
  }
  const { vps, sps, pps, ...more } = pickH265(nals);
  if (vps === undefined || sps === undefined || pps === undefined)
    throw new Fault("invalid", "decoder configuration without parameter sets");
  return { vps, sps, pps, ...more };
}
