import { BitWriter, nalUnit } from "./bits.ts";
import { BLOCK, type Picture } from "./picture.ts";

/**
 * The quantizers under which one step of a DC coefficient is one step of brightness or color over a whole macroblock, exactly
 * (8.5.10, 8.5.11): 28 for luma; for chroma 22, by the offset in the picture parameter set. So flat macroblocks come out of
 * any decoder as they went in.
 */
const LUMA_QP = 28;
const CHROMA_QP_OFFSET = -6;

const NAL = { slice: 0x61, idr: 0x65, sps: 0x67, pps: 0x68 } as const;
const SLICE = { p: 5, i: 7 } as const;
/** mb_type in I slices (table 7-11); 5 more in P slices. */
const MB = { flat: 3, flatWithChroma: 7, pcm: 25, inP: 5 } as const;
const CHROMA_MODE = { dc: 0, horizontal: 1, vertical: 2 } as const;
/** frame_num has so many bits: more than any distance between key frames here needs. */
const FRAME_NUMBER_BITS = 8;

/** Levels of table A-1 that matter here: number, macroblocks a second, macroblocks a frame. */
const LEVELS: readonly (readonly [level: number, perSecond: number, perFrame: number])[] = [
  [30, 40_500, 1620],
  [31, 108_000, 3600],
  [40, 245_760, 8192],
  [51, 983_040, 36_864],
];

/** One encoded picture. */
export interface CodedPicture {
  /** NAL units without start codes. Key frames begin with both parameter sets. */
  readonly nals: readonly Buffer[];
  readonly key: boolean;
}

/**
 * An H.264 encoder for drawn pictures: Constrained Baseline, CAVLC, lossless.
 *
 * A macroblock of one color is an Intra16x16 macroblock predicted by DC with nothing but DC coefficients; any other one is
 * I_PCM; one that was not drawn on since the last picture is P_Skip. No motion, no deblocking. Costs little where little is
 * drawn, and any difference after decoding is the fault of what lies between.
 */
export class H264Encoder {
  readonly sps: Buffer;
  readonly pps: Buffer;
  readonly #bits = new BitWriter();
  /** By macroblock of the slice: 1 where it is I_PCM, which counts as 16 coefficients in its neighbors' tables (9.2.1). */
  readonly #pcm: Uint8Array;
  #frameNumber = 0;
  #idrId = 0;
  #begun = false;

  constructor(size: { readonly width: number; readonly height: number; readonly fps: number }) {
    this.#pcm = new Uint8Array(Math.ceil(size.width / BLOCK) * Math.ceil(size.height / BLOCK));
    this.sps = sequenceParameters(size);
    this.pps = pictureParameters();
  }

  /** Encodes the picture, as a key frame or as the difference that its marks tell, and takes the marks away. */
  encode(picture: Picture, key: boolean): CodedPicture {
    const idr = key || !this.#begun;
    this.#begun = true;
    this.#frameNumber = idr ? 0 : (this.#frameNumber + 1) % 2 ** FRAME_NUMBER_BITS;
    if (idr) this.#idrId = 1 - this.#idrId;
    this.#sliceHeader(idr);
    this.#pcm.fill(0);
    let skipped = 0;
    for (let row = 0; row < picture.rows; row += 1)
      for (let column = 0; column < picture.columns; column += 1) {
        if (!idr && picture.touched[row * picture.columns + column] === 0) {
          skipped += 1;
          continue;
        }
        if (!idr) this.#bits.ue(skipped);
        skipped = 0;
        this.#macroblock(picture, column, row, idr ? 0 : MB.inP);
      }
    if (!idr && skipped > 0) this.#bits.ue(skipped);
    picture.settle();
    const slice = nalUnit(idr ? NAL.idr : NAL.slice, this.#bits.finish());
    return { nals: idr ? [this.sps, this.pps, slice] : [slice], key: idr };
  }

  /** 7.3.3, with what the parameter sets below leave of it. */
  #sliceHeader(idr: boolean): void {
    const bits = this.#bits;
    bits.ue(0);
    bits.ue(idr ? SLICE.i : SLICE.p);
    bits.ue(0);
    bits.put(this.#frameNumber, FRAME_NUMBER_BITS);
    if (idr) bits.ue(this.#idrId);
    // Neither another number of reference pictures, nor another order of them.
    else bits.put(0, 2);
    // Reference marking: nothing special, be it of an IDR picture (two flags) or of another (one).
    bits.put(0, idr ? 2 : 1);
    bits.se(0);
    bits.ue(1);
  }

  #macroblock(picture: Picture, column: number, row: number, typeOffset: number): void {
    const { stride } = picture;
    const bits = this.#bits;
    const luma = row * BLOCK * stride + column * BLOCK;
    const chroma = (row * BLOCK * stride) / 4 + (column * BLOCK) / 2;
    const flat =
      isFlat(picture.luma, luma, stride, BLOCK) &&
      isFlat(picture.blue, chroma, stride / 2, BLOCK / 2) &&
      isFlat(picture.red, chroma, stride / 2, BLOCK / 2);
    const predicted = flat ? predictChroma(picture, column, row) : undefined;
    if (predicted === undefined) {
      bits.ue(MB.pcm + typeOffset);
      bits.align();
      bits.block(picture.luma, luma, stride, BLOCK, BLOCK);
      bits.block(picture.blue, chroma, stride / 2, BLOCK / 2, BLOCK / 2);
      bits.block(picture.red, chroma, stride / 2, BLOCK / 2, BLOCK / 2);
      this.#pcm[row * picture.columns + column] = 1;
      return;
    }
    const blue = (picture.blue[chroma] as number) - predicted.blue;
    const red = (picture.red[chroma] as number) - predicted.red;
    bits.ue((blue === 0 && red === 0 ? MB.flat : MB.flatWithChroma) + typeOffset);
    bits.ue(predicted.mode);
    bits.se(0);
    this.#lumaDc(
      (picture.luma[luma] as number) - predictLuma(picture, column, row),
      this.#context(picture, column, row),
    );
    if (blue === 0 && red === 0) return;
    this.#chromaDc(blue);
    this.#chromaDc(red);
  }

  /** Whether a neighbor's I_PCM makes coeff_token use its table for many coefficients (9.2.1). */
  #context(picture: Picture, column: number, row: number): boolean {
    const at = row * picture.columns + column;
    return (column > 0 && this.#pcm[at - 1] === 1) || (row > 0 && this.#pcm[at - picture.columns] === 1);
  }

  /** One coefficient, or none, of 16: tables 9-5 and 9-7. */
  #lumaDc(level: number, many: boolean): void {
    const bits = this.#bits;
    if (level === 0) bits.put(many ? 0b000011 : 1, many ? 6 : 1);
    else if (Math.abs(level) === 1) bits.put(many ? 0b000001 : 0b01, many ? 6 : 2);
    else bits.put(many ? 0b000000 : 0b000101, 6);
    if (level !== 0) this.#level(level);
  }

  /** One coefficient, or none, of 4: column nC = -1 of table 9-5, and table 9-9. */
  #chromaDc(level: number): void {
    const bits = this.#bits;
    if (level === 0) bits.put(0b01, 2);
    else if (Math.abs(level) === 1) bits.put(1, 1);
    else bits.put(0b000111, 6);
    if (level !== 0) this.#level(level);
  }

  /** The level of an only coefficient (9.2.2), and that no zeros stand before it. */
  #level(level: number): void {
    const bits = this.#bits;
    if (Math.abs(level) === 1) bits.put(level < 0 ? 1 : 0, 1);
    else {
      const code = level > 0 ? 2 * level - 4 : -2 * level - 3;
      if (code < 14) bits.put(1, code + 1);
      else if (code < 30) {
        bits.put(1, 15);
        bits.put(code - 14, 4);
      } else {
        bits.put(1, 16);
        bits.put(code - 30, 12);
      }
    }
    bits.put(1, 1);
  }
}

function isFlat(plane: Uint8Array, at: number, stride: number, edge: number): boolean {
  const value = plane[at];
  for (let row = at; row < at + stride * edge; row += stride)
    for (let column = row; column < row + edge; column += 1) if (plane[column] !== value) return false;
  return true;
}

/** Intra_16x16_DC (8.3.3.3), from the picture itself: it is what the decoder has. */
function predictLuma({ luma, stride }: Picture, column: number, row: number): number {
  const at = row * BLOCK * stride + column * BLOCK;
  let sum = 0;
  if (row > 0) for (let x = 0; x < BLOCK; x += 1) sum += luma[at - stride + x] as number;
  if (column > 0) for (let y = 0; y < BLOCK; y += 1) sum += luma[at - 1 + y * stride] as number;
  if (row > 0 && column > 0) return (sum + 16) >> 5;
  return row > 0 || column > 0 ? (sum + 8) >> 4 : 128;
}

interface ChromaPrediction {
  readonly mode: number;
  readonly blue: number;
  readonly red: number;
}

/**
 * A way to predict both chroma blocks with one value each, or undefined: DC prediction works by quarters (8.3.4), whose
 * predictions differ where a neighbor's edge is not of one color.
 */
function predictChroma(picture: Picture, column: number, row: number): ChromaPrediction | undefined {
  const half = picture.stride / 2;
  const at = row * (BLOCK / 2) * half + column * (BLOCK / 2);
  if (row === 0 && column === 0) return { mode: CHROMA_MODE.dc, blue: 128, red: 128 };
  const above = row > 0 && isEven(picture, at - half, 1);
  const left = column > 0 && isEven(picture, at - 1, half);
  const take = (mode: number, from: number): ChromaPrediction => ({
    mode,
    blue: picture.blue[from] as number,
    red: picture.red[from] as number,
  });
  if (above) return take(CHROMA_MODE.vertical, at - half);
  return left ? take(CHROMA_MODE.horizontal, at - 1) : undefined;
}

function isEven({ blue, red }: Picture, at: number, step: number): boolean {
  for (let index = at; index < at + step * (BLOCK / 2); index += step)
    if (blue[index] !== blue[at] || red[index] !== red[at]) return false;
  return true;
}

/** 7.3.2.1.1 and, for the frame rate, the colors and the lack of reordering, annex E. */
function sequenceParameters({ width, height, fps }: { width: number; height: number; fps: number }): Buffer {
  const [columns, rows] = [Math.ceil(width / BLOCK), Math.ceil(height / BLOCK)];
  const blocks = columns * rows;
  const level = LEVELS.find(([, perSecond, perFrame]) => blocks <= perFrame && blocks * fps <= perSecond)?.[0] ?? 52;
  const bits = new BitWriter();
  for (const byte of [66, 0xc0, level]) bits.put(byte, 8);
  for (const value of [0, FRAME_NUMBER_BITS - 4, 2, 1]) bits.ue(value);
  bits.put(0, 1);
  bits.ue(columns - 1);
  bits.ue(rows - 1);
  bits.put(0b11, 2);
  bits.put(1, 1);
  for (const crop of [0, (columns * BLOCK - width) / 2, 0, (rows * BLOCK - height) / 2]) bits.ue(crop);
  bits.put(1, 1);
  // Square pixels.
  bits.put(1, 1);
  bits.put(1, 8);
  bits.put(0, 1);
  // Video signal: of no known format, limited range, BT.709 in all three respects.
  bits.put(1, 1);
  bits.put(5, 3);
  bits.put(0, 1);
  bits.put(1, 1);
  for (let count = 0; count < 3; count += 1) bits.put(1, 8);
  bits.put(0, 1);
  bits.put(1, 1);
  bits.put(1, 32);
  bits.put(2 * fps, 32);
  bits.put(1, 1);
  bits.put(0b000, 3);
  bits.put(1, 1);
  bits.put(1, 1);
  for (const value of [0, 0, 10, 10, 0, 1]) bits.ue(value);
  return nalUnit(NAL.sps, bits.finish());
}

/** 7.3.2.2. */
function pictureParameters(): Buffer {
  const bits = new BitWriter();
  for (const value of [0, 0]) bits.ue(value);
  bits.put(0b00, 2);
  for (const value of [0, 0, 0]) bits.ue(value);
  bits.put(0b000, 3);
  for (const value of [LUMA_QP - 26, 0, CHROMA_QP_OFFSET]) bits.se(value);
  // The slices say that nothing is deblocked.
  bits.put(0b100, 3);
  return nalUnit(NAL.pps, bits.finish());
}
