import { BitWriter } from "./bits.ts";

/** AAC-LC, 16 000 Hz, one channel (ISO/IEC 14496-3 1.6.2.1), as it stands in a description. */
export const AAC = { config: "1408", sampleRateHz: 16_000, unitSamples: 1024 } as const;

/** An access unit of silence (ISO/IEC 14496-3 4.4.2): one channel without any band, and the end. */
export function silence(): Buffer {
  const bits = new BitWriter();
  bits.put(0b000_0000, 7); // single_channel_element 0
  bits.put(100, 8); // global_gain
  bits.put(0, 1 + 2 + 1 + 6 + 1); // ics_info: long window, max_sfb 0, no prediction
  bits.put(0, 1 + 1 + 1); // no pulses, no noise shaping, no gain control
  bits.put(0b111, 3); // the end
  bits.align();
  return Buffer.from(bits.take());
}

/** As RFC 3640 wants it: one AU header of 13 and 3 bits. */
export function withAuHeader(unit: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0, 16, (unit.length << 3) >> 8, (unit.length << 3) & 0xff), unit]);
}

/** As a file has it: behind an ADTS header (ISO/IEC 13818-7 6.2). */
export function withAdts(unit: Buffer): Buffer {
  const length = unit.length + 7;
  const sizes = [0x40 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f];
  // AAC-LC, 16 000 Hz (index 8).
  return Buffer.concat([Buffer.of(0xff, 0xf1, 0x60, ...sizes, 0xfc), unit]);
}
