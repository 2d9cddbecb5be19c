import { BLOCK } from "./picture.ts";

/**
 * The number of a frame for machines: 32 macroblocks, bright for 1 and dark for 0, in two rows of 16, at the left edge but one,
 * at the bottom of those rows of macroblocks that are seen as a whole. 24 bits of the number, most significant first, then
 * CRC-8 (polynomial 0x07, begun with 0x5a) over its three bytes.
 */
export const CODE = { columns: 16, rows: 2, numberBits: 24, polynomial: 0x07, seed: 0x5a } as const;

/** The first row of macroblocks of the code in a picture of that height. The first column is 1. */
export function codeRow(height: number): number {
  return Math.floor(height / BLOCK) - CODE.rows;
}

/** The bits of the code, first to last. */
export function codeBits(frame: number): readonly boolean[] {
  const number = frame % 2 ** CODE.numberBits;
  const word = number * 2 ** 8 + crc8([number >> 16, (number >> 8) & 0xff, number & 0xff]);
  return Array.from({ length: CODE.columns * CODE.rows }, (_, index) => Math.floor(word / 2 ** (31 - index)) % 2 === 1);
}

function crc8(bytes: readonly number[]): number {
  let crc: number = CODE.seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ ((crc & 0x80) === 0 ? 0 : CODE.polynomial)) & 0xff;
  }
  return crc;
}
