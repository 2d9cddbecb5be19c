/** Quantization tables in zigzag order for a quality of 50 (ITU-T T.81 tables K.1 and K.2, RFC 2435 appendix A). */
const LUMINANCE = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
  60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121,
  112, 100, 120, 92, 101, 103, 99,
];
const CHROMINANCE = [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, ...Array.from({ length: 50 }, () => 99)];

/** The two tables, luminance and chrominance, that a Q of 1 to 99 stands for (RFC 2435 4.2). */
export function tablesOfQuality(q: number): readonly [Buffer, Buffer] {
  const scale = q < 50 ? Math.floor(5000 / q) : 200 - q * 2;
  const scaled = (table: readonly number[]): Buffer =>
    Buffer.from(table.map((value) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100)))));
  return [scaled(LUMINANCE), scaled(CHROMINANCE)];
}

/** One Huffman table as in a DHT segment: class and id, codes of each length, values (ITU-T T.81 B.2.4.2). */
function huffman(id: number, counts: readonly number[], values: string): Buffer {
  return Buffer.concat([Buffer.of(id), Buffer.from(counts), Buffer.from(values, "hex")]);
}

const DC_VALUES = "000102030405060708090a0b";

/** The tables that all RTP/JPEG is coded with (ITU-T T.81 tables K.3 to K.6, RFC 2435 appendix B). */
export const STANDARD_HUFFMAN: readonly Buffer[] = [
  huffman(0x00, [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], DC_VALUES),
  huffman(
    0x10,
    [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a" +
      "434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8" +
      "a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
  ),
  huffman(0x01, [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], DC_VALUES),
  huffman(
    0x11,
    [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
    "0001020311040521310612415107617113223281081442" +
      "91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a63646566" +
      "6768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9" +
      "cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
  ),
];
