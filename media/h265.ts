import { base64Nals, fmtpValue, fmtpWith } from "./fmtp.ts";
import { aggregated, splitStartCodes } from "./nal.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one parameter set: with all its scaling lists and reference picture sets one has about 2 KiB. */
  parameterSetBytes: 4096,
  /** Picture parameter sets that are kept of one stream. */
  pps: 32,
};

/** NAL unit types (ITU-T H.265 table 7-1) and those of RTP (RFC 7798 4.4). */
export const H265 = {
  irapFirst: 16,
  irapLast: 23,
  vclLast: 31,
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  aggregation: 48,
  fragment: 49,
} as const;

/** Of the NAL unit or RTP payload that begins at `at`, with a header of two bytes (ITU-T H.265 7.3.1.2). */
export function h265Type(nal: Buffer, at = 0): number {
  return ((nal[at] ?? 0) >> 1) & 0x3f;
}

function isParameterSetType(type: number): boolean {
  return type >= H265.vps && type <= H265.pps;
}

/** The whole NAL units in an RTP payload that is not a fragment, views; see `h264Units`. */
export function h265Units(payload: Buffer): readonly Buffer[] {
  const type = h265Type(payload);
  if (type === H265.aggregation) return aggregated(payload, 2);
  const byteStream = isParameterSetType(type) || (payload[0] === 0 && payload[1] === 0);
  return byteStream ? splitStartCodes(payload) : [payload];
}

/** The parameter sets that an H.265 decoder needs first. */
export interface H265ParameterSets {
  readonly vps: Buffer;
  readonly sps: Buffer;
  readonly pps: Buffer;
  /** More picture parameter sets, with other ids. */
  readonly morePps?: readonly Buffer[];
}

/** Whether a NAL unit is a parameter set of the base layer and of a believable size. */
export function isH265ParameterSet(nal: Buffer, type: number): boolean {
  const layer = (((nal[0] ?? 0) & 1) << 5) | ((nal[1] ?? 0) >> 3);
  return h265Type(nal) === type && layer === 0 && nal.length > 2 && nal.length <= LIMITS.parameterSetBytes;
}

/** The parameter sets among NAL units. */
export function pickH265(nals: readonly Buffer[]): Partial<H265ParameterSets> {
  const vps = nals.find((nal) => isH265ParameterSet(nal, H265.vps));
  const sps = nals.find((nal) => isH265ParameterSet(nal, H265.sps));
  const [pps, ...morePps] = nals.filter((nal) => isH265ParameterSet(nal, H265.pps)).slice(0, LIMITS.pps);
  return { ...(vps && { vps }), ...(sps && { sps }), ...(pps && { pps }), ...(morePps.length > 0 && { morePps }) };
}

/** The NAL units of `sprop-vps`, `sprop-sps` and `sprop-pps`, whatever they are. */
export function h265FmtpUnits(fmtp: string): readonly Buffer[] {
  return ["sprop-vps", "sprop-sps", "sprop-pps"].flatMap((name) => base64Nals(fmtpValue(fmtp, name) ?? ""));
}

/** `track` with these parameter sets in its fmtp. */
export function h265Track(track: Track, sets: H265ParameterSets): Track {
  const fmtp = fmtpWith(track.fmtp, {
    "sprop-vps": sets.vps.toString("base64"),
    "sprop-sps": sets.sps.toString("base64"),
    "sprop-pps": [sets.pps, ...(sets.morePps ?? [])].map((nal) => nal.toString("base64")).join(","),
  });
  return { ...track, fmtp };
}
