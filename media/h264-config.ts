import { Fault } from "../base/fault.ts";
import { BitReader, withoutEmulationPrevention } from "./bits.ts";
import type { H264ParameterSets } from "./h264.ts";
import { h264Rate } from "./h264-rate.ts";
import { aggregated } from "./nal.ts";
import { type PictureSize, pictureSize } from "./picture-size.ts";

/** Profiles whose sequence parameter sets say how colors are sampled (ITU-T H.264 7.3.2.1.1). */
const CHROMA_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Baseline, Main and Extended: their decoder configurations do not say how colors are coded. */
const EARLY_PROFILES: ReadonlySet<number> = new Set([66, 77, 88]);

/** What a decoder configuration repeats of the sequence parameter set. */
interface SpsFacts extends PictureSize {
  readonly profile: number;
  /** chroma_format_idc. */
  readonly chroma: number;
  /** Bits of a luma and of a chroma sample. */
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  /** Frames per second, where it says so. */
  readonly rate: number | undefined;
}

/** ITU-T H.264 7.3.2.1.1. Fault `invalid`. */
function readSps(sps: Buffer): SpsFacts {
  const bits = new BitReader(withoutEmulationPrevention(sps.subarray(1)));
  const profile = bits.bits(8);
  bits.skip(16);
  bits.ue();
  const color = readColor(bits, profile);
  bits.ue();
  skipOrderCount(bits);
  bits.ue();
  bits.skip(1);
  const widthInBlocks = bits.ue() + 1;
  const heightInUnits = bits.ue() + 1;
  const frames = bits.flag();
  if (!frames) bits.skip(1);
  bits.skip(1);
  const fields = frames ? 1 : 2;
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const subsampled = color.separatePlanes ? 0 : color.chroma;
  const unitX = subsampled === 1 || subsampled === 2 ? 2 : 1;
  const unitY = (subsampled === 1 ? 2 : 1) * fields;
  const size = pictureSize(
    widthInBlocks * 16 - (left + right) * unitX,
    heightInUnits * 16 * fields - (top + bottom) * unitY,
  );
  return { ...size, ...color, profile, rate: h264Rate(bits) };
}

type Color = Pick<SpsFacts, "chroma" | "lumaDepth" | "chromaDepth"> & { readonly separatePlanes: boolean };

function readColor(bits: BitReader, profile: number): Color {
  if (!CHROMA_PROFILES.has(profile)) return { chroma: 1, lumaDepth: 8, chromaDepth: 8, separatePlanes: false };
  const chroma = bits.ue();
  const separatePlanes = chroma === 3 && bits.flag();
  const lumaDepth = bits.ue() + 8;
  const chromaDepth = bits.ue() + 8;
  if (chroma > 3 || lumaDepth > 14 || chromaDepth > 14)
    throw new Fault("invalid", `SPS with chroma format ${chroma} of ${lumaDepth} and ${chromaDepth} bits`);
  bits.skip(1);
  if (bits.flag()) {
    const lists = chroma === 3 ? 12 : 8;
    for (let list = 0; list < lists; list += 1) if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
  }
  return { chroma, lumaDepth, chromaDepth, separatePlanes };
}

/** ITU-T H.264 7.3.2.1.1.1. */
function skipScalingList(bits: BitReader, length: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < length; index += 1) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function skipOrderCount(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) bits.ue();
  if (type !== 1) return;
  bits.skip(1);
  bits.se();
  bits.se();
  const cycle = bits.ue();
  if (cycle > 255) throw new Fault("invalid", `SPS with a cycle of ${cycle} pictures`);
  for (let index = 0; index < cycle; index += 1) bits.se();
}

/** The picture size that a sequence parameter set says, cropped as it is shown. Fault `invalid`. */
export function h264Size(sps: Buffer): PictureSize {
  const { width, height } = readSps(sps);
  return { width, height };
}

/** Frames per second that a sequence parameter set says, if it does. Fault `invalid`. */
export function h264FrameRate(sps: Buffer): number | undefined {
  return readSps(sps).rate;
}

/** AVCDecoderConfigurationRecord with lengths of 4 bytes (ISO/IEC 14496-15 5.3.3.1). Fault `invalid`. */
export function avcConfig(sets: H264ParameterSets): Buffer {
  const { sps, pps, morePps = [] } = sets;
  const facts = readSps(sps);
  const all = [pps, ...morePps];
  const parts = [
    Buffer.from([1, sps[1] ?? 0, sps[2] ?? 0, sps[3] ?? 0, 0xff, 0xe1]),
    behindLength(sps),
    Buffer.of(all.length),
    ...all.map(behindLength),
  ];
  // The profiles that came later say their colors once more.
  if (!EARLY_PROFILES.has(facts.profile))
    parts.push(Buffer.of(0xfc | facts.chroma, 0xf8 | (facts.lumaDepth - 8), 0xf8 | (facts.chromaDepth - 8), 0));
  return Buffer.concat(parts);
}

function behindLength(nal: Buffer): Buffer {
  return Buffer.concat([Buffer.of(nal.length >> 8, nal.length & 0xff), nal]);
}

/** The parameter sets of an AVCDecoderConfigurationRecord. Fault `invalid`. */
export function readAvcConfig(config: Buffer): H264ParameterSets {
  const sps = aggregated(config, 6)[0];
  let at = 6;
  for (const nal of aggregated(config, 6).slice(0, (config[5] ?? 0) & 0x1f)) at += 2 + nal.length;
  const [pps, ...morePps] = aggregated(config, at + 1).slice(0, config[at] ?? 0);
  if (sps === undefined || pps === undefined)
    throw new Fault("invalid", "decoder configuration without parameter sets");
  return { sps, pps, ...(morePps.length > 0 && { morePps }) };
}
