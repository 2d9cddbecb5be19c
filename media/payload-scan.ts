import type { NalCodec } from "./nal-codec.ts";

/** What a payload means for the access unit that it is part of: bits, because this runs for every packet. */
export const SCAN = {
  /** A slice of a picture, or a part of one. Without it there is nothing to show. */
  content: 1,
  /** A slice at which decoding can begin: IDR, or IRAP in H.265. */
  random: 2,
  parameterSets: 4,
  /** The first slice of its picture begins here. */
  first: 8,
  /** A fragment behind the first: it belongs to the access unit before, whatever its timestamp says. */
  continues: 16,
} as const;

/**
 * Looks at the payload that lies in `packet` from `offset` to `end` (RFC 6184 5, RFC 7798 4.4), at a few bytes of it and mostly
 * without allocating. Never throws.
 */
export function scanPayload(codec: NalCodec, packet: Buffer, offset: number, end: number): number {
  if (offset + codec.headerBytes >= end) return 0;
  const type = codec.type(packet, offset);
  if (codec.vcl(type)) return sliceFlags(codec, type, packet[offset + codec.headerBytes]);
  if (type === codec.fragment) return scanFragment(codec, packet, offset, end);
  if (codec.parameterSet(type) === 0 && type !== codec.aggregation && codec.plain(type)) return 0;
  let flags = 0;
  for (const nal of codec.units(packet.subarray(offset, end))) flags |= unitFlags(codec, nal);
  // Payloads of kinds that no camera is known to send (RFC 6184 5.7.2, RFC 7798 4.4.4) may well be the picture.
  return flags === 0 && !codec.plain(type) && type !== codec.aggregation ? SCAN.content : flags;
}

function scanFragment(codec: NalCodec, packet: Buffer, offset: number, end: number): number {
  const at = offset + codec.headerBytes;
  const head = packet[at] ?? 0;
  const type = codec.codec === "H264" ? head & 0x1f : head & 0x3f;
  const begins = (head & 0x80) !== 0;
  let flags = begins ? 0 : SCAN.continues;
  if (codec.vcl(type)) {
    flags |= sliceFlags(codec, type, begins ? packet[at + 1] : 0);
  } else if (codec.parameterSet(type) > 0) {
    flags |= SCAN.parameterSets;
    // There are cameras that put a whole key frame, with start codes, into what they call a parameter set.
    const [, ...behind] = splitUnits(codec, packet.subarray(at + 1, end));
    for (const nal of behind) flags |= unitFlags(codec, nal);
  }
  return flags;
}

function splitUnits(codec: NalCodec, bytes: Buffer): readonly Buffer[] {
  // Looked at as one parameter set, it is split at the start codes in it.
  const disguised = Buffer.concat([Buffer.from(codec.codec === "H264" ? [0x67] : [0x42, 0x01]), bytes]);
  return codec.units(disguised);
}

function unitFlags(codec: NalCodec, nal: Buffer): number {
  const type = codec.type(nal);
  if (codec.vcl(type)) return sliceFlags(codec, type, nal[codec.headerBytes]);
  return codec.parameterSet(type) > 0 ? SCAN.parameterSets : 0;
}

/** `behind`: the byte behind the header. Its first bit: first_mb_in_slice is 0, or first_slice_segment_in_pic_flag. */
function sliceFlags(codec: NalCodec, type: number, behind: number | undefined): number {
  return SCAN.content | (codec.random(type) ? SCAN.random : 0) | (((behind ?? 0) & 0x80) !== 0 ? SCAN.first : 0);
}
