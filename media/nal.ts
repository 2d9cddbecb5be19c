import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** NAL units that one payload with start codes in it is cut into: parameter sets and the slices of one picture. */
  split: 64,
};

const START_CODE = Buffer.from([0, 0, 1]);

/**
 * NAL units each behind its length in 16 bits, from `offset` on: views. An aggregation packet (RFC 6184 5.7.1, RFC 7798
 * 4.4.2) or a list in a decoder configuration; what is cut off is left out.
 */
export function aggregated(bytes: Buffer, offset: number): readonly Buffer[] {
  const nals: Buffer[] = [];
  let at = offset;
  while (at + 2 < bytes.length) {
    const length = bytes.readUInt16BE(at);
    if (length === 0 || at + 2 + length > bytes.length) break;
    nals.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return nals;
}

/**
 * Cuts at start codes (ITU-T H.264 annex B): views. No NAL unit contains one, but there are cameras that put a whole byte
 * stream where one unit belongs. Bytes without a start code are one unit.
 */
export function splitStartCodes(bytes: Buffer): readonly Buffer[] {
  let at = bytes.indexOf(START_CODE);
  if (at < 0) return [bytes];
  const nals: Buffer[] = [];
  let from = 0;
  while (at >= 0 && nals.length < LIMITS.split) {
    if (at > from) nals.push(bytes.subarray(from, at));
    from = at + START_CODE.length;
    at = bytes.indexOf(START_CODE, from);
  }
  nals.push(bytes.subarray(from));
  return nals.map(withoutTrailingZeros).filter((nal) => nal.length > 0);
}

/** A start code of four bytes, and padding before it, leave zeros behind the unit before; no unit ends with one. */
function withoutTrailingZeros(nal: Buffer): Buffer {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

/** The NAL units of a sample, each behind its length in 32 bits: views. Empty ones are left out. Fault `invalid`. */
export function lengthPrefixed(data: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const start = at + 4;
    const end = start <= data.length ? start + data.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > data.length) throw new Fault("invalid", `NAL unit at offset ${at} does not end within the sample`);
    if (end > start) nals.push(data.subarray(start, end));
    at = end;
  }
  return nals;
}
