import { base64Nals, fmtpValue, fmtpWith } from "./fmtp.ts";
import { aggregated, splitStartCodes } from "./nal.ts";
import type { Track } from "./track.ts";

const LIMITS = {
  /** Of one parameter set: with all its scaling lists one has about 1 KiB. */
  parameterSetBytes: 4096,
  /** Picture parameter sets that are kept of one stream. */
  pps: 32,
};

/** NAL unit types (ITU-T H.264 table 7-1) and those of RTP (RFC 6184 table 1). */
export const H264 = { idr: 5, sps: 7, pps: 8, delimiter: 9, stapA: 24, fuA: 28 } as const;

/** Of the NAL unit or RTP payload that begins at `at` (ITU-T H.264 7.3.1). */
export function h264Type(nal: Buffer, at = 0): number {
  return (nal[at] ?? 0) & 0x1f;
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
