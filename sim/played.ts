import { Fault } from "../base/fault.ts";
import { h264Size } from "../media/h264-config.ts";
import type { PictureSize } from "../media/picture-size.ts";
import type { CodedPicture } from "./h264.ts";

const LIMITS = {
  /** Of a byte stream that is played: it is held in memory. */
  bytes: 256 * 1024 * 1024,
};

const START_CODE = Buffer.of(0, 0, 1);
/** ITU-T H.264 table 7-1. */
const TYPE = { slice: 1, idr: 5, sps: 7, pps: 8 } as const;

/** Coded pictures that a camera sends instead of drawn ones, over and over. */
export interface Played {
  readonly pictures: readonly CodedPicture[];
  readonly parameterSets: { readonly sps: Buffer; readonly pps: Buffer };
  readonly size: PictureSize;
}

/** NAL units between start codes (ITU-T H.264 annex B): views. */
export function nalsIn(bytes: Buffer): readonly Buffer[] {
  const nals: Buffer[] = [];
  for (let at = bytes.indexOf(START_CODE); at >= 0; ) {
    const next = bytes.indexOf(START_CODE, at + START_CODE.length);
    // A start code of four bytes.
    const end = next < 0 ? bytes.length : bytes[next - 1] === 0 ? next - 1 : next;
    nals.push(bytes.subarray(at + START_CODE.length, end));
    at = next;
  }
  return nals;
}

/** Reads an H.264 byte stream that begins with a key frame. Fault `invalid` for any other. */
export function readPlayed(bytes: Buffer): Played {
  if (bytes.length > LIMITS.bytes) throw new Fault("invalid", `a byte stream of ${bytes.length} bytes`);
  const pictures: Buffer[][] = [];
  let hasSlice = true;
  for (const nal of nalsIn(bytes)) {
    const type = typeOf(nal);
    const isSlice = type >= TYPE.slice && type <= TYPE.idr;
    // What is no slice belongs to the picture behind it; first_mb_in_slice is 0 where the first bit behind the header is set.
    const begins = !isSlice || ((nal[1] ?? 0) & 0x80) !== 0;
    if (begins && hasSlice) pictures.push([]);
    if (begins) hasSlice = false;
    if (isSlice) hasSlice = true;
    pictures.at(-1)?.push(nal);
  }
  const [first = []] = pictures;
  const sps = first.find((nal) => typeOf(nal) === TYPE.sps);
  const pps = first.find((nal) => typeOf(nal) === TYPE.pps);
  if (sps === undefined || pps === undefined || !isKey(first)) {
    const tell = "it is no H.264 byte stream that begins with a key frame";
    throw new Fault("invalid", tell, { tell });
  }
  return {
    pictures: pictures.map((nals) => ({ nals, key: isKey(nals) })),
    parameterSets: { sps, pps },
    size: h264Size(sps),
  };
}

function isKey(nals: readonly Buffer[]): boolean {
  return nals.some((nal) => typeOf(nal) === TYPE.idr);
}

function typeOf(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}
