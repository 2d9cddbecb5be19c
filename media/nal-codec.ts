import { H264, h264Type, h264Units } from "./h264.ts";
import { H265, h265Type, h265Units } from "./h265.ts";

/** Where RTP payloads of H.264 (RFC 6184) and H.265 (RFC 7798) differ; they are made in the same way. */
export interface NalCodec {
  readonly codec: "H264" | "H265";
  /** Of a NAL unit header, and of the header of a fragment or an aggregation before its own fields. */
  readonly headerBytes: 1 | 2;
  readonly aggregation: number;
  readonly fragment: number;
  /** The type of an access unit delimiter, which is first wherever there is one. */
  readonly delimiter: number;
  /** Of what begins at `at`; 0 if absent. */
  type(nal: Buffer, at?: number): number;
  /** NAL units that RTP carries as they are, not a type that RTP or nobody uses. */
  plain(type: number): boolean;
  vcl(type: number): boolean;
  random(type: number): boolean;
  /** 0 where it is none; the sets that a decoder needs are 1, 2 and so on. */
  parameterSet(type: number): number;
  /** How many kinds of parameter sets there are. */
  readonly parameterSets: number;
  /** The whole NAL units in a payload that is not a fragment. */
  units(payload: Buffer): readonly Buffer[];
  /** The header of a NAL unit out of its fragment. */
  unitHeader(fragment: Buffer): readonly number[];
  /** Header of a payload of type `type` that holds (parts of) these units. */
  payloadHeader(type: number, nals: readonly Buffer[]): readonly number[];
}

export const H264_CODEC: NalCodec = {
  codec: "H264",
  headerBytes: 1,
  aggregation: H264.stapA,
  fragment: H264.fuA,
  delimiter: H264.delimiter,
  type: h264Type,
  plain: (type) => type >= 1 && type < H264.stapA,
  vcl: (type) => type >= 1 && type <= H264.idr,
  random: (type) => type === H264.idr,
  parameterSet: (type) => (type === H264.sps ? 1 : type === H264.pps ? 2 : 0),
  parameterSets: 2,
  units: h264Units,
  unitHeader: (fragment) => [((fragment[0] ?? 0) & 0xe0) | ((fragment[1] ?? 0) & 0x1f)],
  payloadHeader(type, nals) {
    // The forbidden bit of any, and the highest importance (RFC 6184 5.7).
    let [forbidden, importance] = [0, 0];
    for (const nal of nals) {
      const header = nal[0] ?? 0;
      forbidden |= header & 0x80;
      importance = Math.max(importance, header & 0x60);
    }
    return [forbidden | importance | type];
  },
};

export const H265_CODEC: NalCodec = {
  codec: "H265",
  headerBytes: 2,
  aggregation: H265.aggregation,
  fragment: H265.fragment,
  delimiter: H265.delimiter,
  type: h265Type,
  plain: (type) => type < H265.aggregation,
  vcl: (type) => type <= H265.vclLast,
  random: (type) => type >= H265.irapFirst && type <= H265.irapLast,
  parameterSet: (type) => (type >= H265.vps && type <= H265.pps ? type - H265.vps + 1 : 0),
  parameterSets: 3,
  units: h265Units,
  unitHeader: (fragment) => [((fragment[0] ?? 0) & 0x81) | (((fragment[2] ?? 0) & 0x3f) << 1), fragment[1] ?? 0],
  payloadHeader(type, nals) {
    // The forbidden bit of any, and the lowest layer and temporal layer (RFC 7798 4.4.2).
    let [forbidden, layer, temporal] = [0, 63, 7];
    for (const nal of nals) {
      const header = nal.readUInt16BE(0);
      forbidden |= header & 0x8000;
      layer = Math.min(layer, (header >> 3) & 63);
      temporal = Math.min(temporal, header & 7);
    }
    const header = forbidden | (type << 9) | (layer << 3) | temporal;
    return [header >> 8, header & 0xff];
  },
};
