import { isFault } from "../base/fault.ts";
import type { BitReader } from "./bits.ts";

const LIMITS = {
  /** Frames per second. What is beyond is a mistake, of which there are many in this place. */
  least: 0.1,
  most: 480,
};

/** Says that a picture's aspect ratio is given in numbers (ITU-T H.264 table E-1). */
const EXTENDED_SAR = 255;

/**
 * Frames per second out of the video usability information, at whose flag `bits` stands (ITU-T H.264 E.1.1). Undefined
 * where it is not said, cannot be true, or cannot be read: nothing else depends on it.
 */
export function h264Rate(bits: BitReader): number | undefined {
  try {
    const rate = bits.flag() ? read(bits) : undefined;
    return rate !== undefined && rate >= LIMITS.least && rate <= LIMITS.most ? rate : undefined;
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

function read(bits: BitReader): number | undefined {
  if (bits.flag() && bits.bits(8) === EXTENDED_SAR) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (bits.flag()) {
    bits.skip(4);
    if (bits.flag()) bits.skip(24);
  }
  if (bits.flag()) {
    bits.ue();
    bits.ue();
  }
  if (!bits.flag()) return undefined;
  const unitsInTick = bits.bits(32);
  // A tick is the time of a field, two of which make a frame (E.2.1).
  return bits.bits(32) / unitsInTick / 2;
}
