import type { UnixMillis } from "../base/units.ts";

/** G.711: 8000 samples a second, a byte each. */
export const SAMPLE_RATE_HZ = 8000;

const BEEP_MS = 80;
const BEEP_HZ = 880;
const LOUDNESS = 9000;

/**
 * Mu-law samples (ITU-T G.711) of what a simulated camera hears: a short beep at every full second of its clock, otherwise
 * silence. Begins at the given time.
 */
export function tone(from: UnixMillis, samples: number): Buffer {
  return Buffer.from(
    Array.from({ length: samples }, (_, index) => {
      const ms = (from + (index * 1000) / SAMPLE_RATE_HZ) % 1000;
      return muLaw(ms < BEEP_MS ? LOUDNESS * Math.sin((2 * Math.PI * BEEP_HZ * ms) / 1000) : 0);
    }),
  );
}

/** Of a 16-bit sample: sign, exponent and mantissa of its magnitude plus 132, all inverted. */
function muLaw(sample: number): number {
  const magnitude = Math.min(32_635, Math.round(Math.abs(sample))) + 132;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}
