import { jpegFile } from "../media/jpeg-file.ts";
import { STANDARD_HUFFMAN } from "../media/jpeg-tables.ts";
import { BitWriter } from "./bits.ts";
import { BLOCK, type Picture } from "./picture.ts";

/** Edge of a block, in samples. */
const EDGE = 8;
/** With a divisor of eight, the first coefficient of a block of one color is that color itself. */
const TABLE = Buffer.alloc(EDGE * EDGE, EDGE);
/** Nothing but the first coefficient follows: code and its length, for luminance and for color (ITU-T T.81 tables K.5, K.6). */
const END_OF_BLOCK = [
  [0b1010, 4],
  [0b00, 2],
] as const;

/** Code and length of each size of difference (ITU-T T.81 annex C), from a table as it stands in a DHT segment. */
function codesOf(table: Buffer): readonly (readonly [code: number, bits: number])[] {
  const codes: [number, number][] = [];
  let code = 0;
  for (let bits = 1; bits <= 16; bits += 1) {
    for (let count = table[bits] ?? 0; count > 0; count -= 1) codes.push([code++, bits]);
    code <<= 1;
  }
  const values = table.subarray(17);
  return codes.toSorted((a, b) => (values[codes.indexOf(a)] ?? 0) - (values[codes.indexOf(b)] ?? 0));
}

const DIFFERENCES = [codesOf(STANDARD_HUFFMAN[0] as Buffer), codesOf(STANDARD_HUFFMAN[2] as Buffer)] as const;

/** A picture as a JPEG file, coarse: each block of eight by eight samples is of one color. */
export function coarseJpeg(picture: Picture): Buffer {
  const bits = new BitWriter();
  const before = [0, 0, 0];
  const put = (plane: Uint8Array, stride: number, x: number, y: number, component: 0 | 1 | 2): void => {
    const kind = component === 0 ? 0 : 1;
    const value = Math.round(meanOf(plane, stride, x, y, component === 0)) - 128;
    const difference = value - (before[component] as number);
    before[component] = value;
    const size = 32 - Math.clz32(Math.abs(difference));
    const [code, length] = DIFFERENCES[kind][size] as readonly [number, number];
    bits.put(code, length);
    bits.put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
    const [end, endBits] = END_OF_BLOCK[kind];
    bits.put(end, endBits);
  };
  const { columns, rows, stride, luma, blue, red } = picture;
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      for (const [right, down] of [
        [0, 0],
        [EDGE, 0],
        [0, EDGE],
        [EDGE, EDGE],
      ] as const)
        put(luma, stride, column * BLOCK + right, row * BLOCK + down, 0);
      put(blue, stride / 2, column * EDGE, row * EDGE, 1);
      put(red, stride / 2, column * EDGE, row * EDGE, 2);
    }
  // Ones up to a whole byte (F.1.2.3).
  bits.put(0x7f, 7);
  const { width, height } = picture;
  return jpegFile({ width, height, sampling: 0x22, tables: [TABLE, TABLE], restartInterval: 0 }, [
    stuffed(bits.take()),
  ]);
}

/** Of one block. JPEG has black at 0 and white at 255, video at 16 and 235. */
function meanOf(plane: Uint8Array, stride: number, left: number, top: number, isLuma: boolean): number {
  let sum = 0;
  for (let y = top; y < top + EDGE; y += 1)
    for (let x = left; x < left + EDGE; x += 1) sum += plane[y * stride + x] as number;
  const mean = sum / (EDGE * EDGE);
  const full = isLuma ? ((mean - 16) * 255) / 219 : 128 + ((mean - 128) * 255) / 224;
  return Math.max(0, Math.min(255, full));
}

/** With a zero behind each byte of ones, which would be a marker (ITU-T T.81 F.1.2.3). */
function stuffed(scan: Buffer): Buffer {
  return Buffer.from(scan.toString("latin1").replaceAll("\xff", "\xff\0"), "latin1");
}
