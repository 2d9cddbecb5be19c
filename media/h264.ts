import { base64Nals, fmtpValue, fmtpWith } from "./fmtp.ts";
import { aggregated, mergedKinds, type NalKinds, splitStartCodes } from "./nal.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one parameter set: with all its scaling lists one has about 1 KiB. */
  parameterSetBytes: 4096,
  /** Picture parameter sets that are kept of one stream. */
  pps: 32,
};

/** NAL unit types (ITU-T H.264 table 7-1) and those of RTP (RFC 6184 table 1). */
export const H264 = { idr: 5, sps: 7, pps: 8, delimiter: 9, stapA: 24, fuA: 28 } as const;

const NOTHING: NalKinds = { vcl: false, random: false, parameterSets: false };
const SLICE: NalKinds = { vcl: true, random: false, parameterSets: false };
const RANDOM: NalKinds = { vcl: true, random: true, parameterSets: false };
const PARAMETERS: NalKinds = { vcl: false, random: false, parameterSets: true };

/** Of a NAL unit, or of an RTP payload (ITU-T H.264 7.3.1). */
export function h264Type(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}

function kindsOfType(type: number): NalKinds {
  if (type === H264.idr) return RANDOM;
  if (type >= 1 && type <= 4) return SLICE;
  return type === H264.sps || type === H264.pps ? PARAMETERS : NOTHING;
}

/** Looks at the headers only (RFC 6184 5.4): a few bytes a packet. Every fragment of a slice counts as the slice. */
export function h264Kinds(payload: Buffer): NalKinds {
  const type = h264Type(payload);
  if (type >= 1 && type <= 5) return kindsOfType(type);
  if (type === H264.fuA) {
    const inner = kindsOfType((payload[1] ?? 0) & 0x1f);
    return inner.parameterSets ? kindsOfAll(inner, splitStartCodes(payload.subarray(2)).slice(1)) : inner;
  }
  return mergedKinds(h264Units(payload).map((nal) => kindsOfType(h264Type(nal))));
}

function kindsOfAll(first: NalKinds, nals: readonly Buffer[]): NalKinds {
  return nals.length === 0 ? first : mergedKinds([first, ...nals.map((nal) => kindsOfType(h264Type(nal)))]);
}

/**
 * The whole NAL units in an RTP payload that is not a fragment, views: one, those of a STAP-A (RFC 6184 5.7.1), or those of a
 * byte stream with start codes that a camera took for a parameter set.
 */
export function h264Units(payload: Buffer): readonly Buffer[] {
  const type = h264Type(payload);
  if (type === H264.stapA) return aggregated(payload, 1);
  return type === 0 || type === H264.sps || type === H264.pps ? splitStartCodes(payload) : [payload];
}

/** The parameter sets that an H.264 decoder needs first. */
export interface H264ParameterSets {
  readonly sps: Buffer;
  readonly pps: Buffer;
  /** More picture parameter sets, with other ids. */
  readonly morePps?: readonly Buffer[];
}

/** The whole parameter sets in one RTP payload. */
export function h264ParameterSets(payload: Buffer): Partial<H264ParameterSets> {
  return pickH264(h264Units(payload));
}

/** Whether a NAL unit is a parameter set of a believable size. */
export function isH264ParameterSet(nal: Buffer, type: number): boolean {
  const least = type === H264.sps ? 4 : 2;
  return h264Type(nal) === type && nal.length >= least && nal.length <= LIMITS.parameterSetBytes;
}

/** The parameter sets among NAL units. */
export function pickH264(nals: readonly Buffer[]): Partial<H264ParameterSets> {
  const sps = nals.find((nal) => isH264ParameterSet(nal, H264.sps));
  const [pps, ...morePps] = nals.filter((nal) => isH264ParameterSet(nal, H264.pps)).slice(0, LIMITS.pps);
  return { ...(sps && { sps }), ...(pps && { pps }), ...(morePps.length > 0 && { morePps }) };
}

/** The parameter sets of `sprop-parameter-sets`; undefined unless both are there (RFC 6184 8.1). */
export function h264FromFmtp(fmtp: string): H264ParameterSets | undefined {
  const { sps, pps, ...more } = pickH264(h264FmtpUnits(fmtp));
  return sps === undefined || pps === undefined ? undefined : { sps, pps, ...more };
}

/** The NAL units of `sprop-parameter-sets`, whatever they are. */
export function h264FmtpUnits(fmtp: string): readonly Buffer[] {
  return base64Nals(fmtpValue(fmtp, "sprop-parameter-sets") ?? "");
}

/** `track` with these parameter sets in its fmtp, and the profile that they say, whatever the camera claimed. */
export function h264Track(track: Track, sets: H264ParameterSets): Track {
  const nals = [sets.sps, sets.pps, ...(sets.morePps ?? [])];
  const fmtp = fmtpWith(track.fmtp, {
    "packetization-mode": fmtpValue(track.fmtp, "packetization-mode") ?? "1",
    "profile-level-id": sets.sps.toString("hex", 1, 4).toUpperCase(),
    "sprop-parameter-sets": nals.map((nal) => nal.toString("base64")).join(","),
  });
  return { ...track, fmtp };
}
