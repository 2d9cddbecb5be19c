import { Fault } from "../base/fault.ts";

/** Fixed part of the header (RFC 3550 5.1). */
export const RTP_HEADER_BYTES = 12;

/** An RTP packet, looked at (RFC 3550 5.1). Views into the packet: nothing is copied. */
export interface RtpPacket {
  readonly marker: boolean;
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits, in the track's clock. */
  readonly timestamp: number;
  readonly ssrc: number;
  /** Offset of the payload in the packet: behind header, CSRCs and extension. */
  readonly payloadOffset: number;
  /** Without padding. May be empty. */
  readonly payload: Buffer;
}

/** Checks a packet once, so that everything behind may trust it. Fault `invalid`. */
export function readRtp(packet: Buffer): RtpPacket {
  const offset = payloadOffset(packet);
  if (offset === undefined) throw new Fault("invalid", `${packet.length} bytes that are no RTP packet`);
  const second = packet[1] as number;
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payloadOffset: offset,
    payload: packet.subarray(offset, packet.length - paddingOf(packet)),
  };
}

/** Writes the fixed part of a header at `offset`, without padding, extension and CSRCs. */
export function writeRtpHeader(
  bytes: Buffer,
  header: Pick<RtpPacket, "marker" | "payloadType" | "sequence" | "timestamp" | "ssrc">,
  offset = 0,
): void {
  bytes[offset] = 0x80;
  bytes[offset + 1] = (header.marker ? 0x80 : 0) | header.payloadType;
  const { sequence, timestamp, ssrc } = header;
  // Byte by byte, for there are a hundred thousand a gigabit: each of Buffer's methods looks at its arguments first.
  bytes[offset + 2] = sequence >> 8;
  bytes[offset + 3] = sequence;
  bytes[offset + 4] = timestamp >>> 24;
  bytes[offset + 5] = timestamp >>> 16;
  bytes[offset + 6] = timestamp >>> 8;
  bytes[offset + 7] = timestamp;
  bytes[offset + 8] = ssrc >>> 24;
  bytes[offset + 9] = ssrc >>> 16;
  bytes[offset + 10] = ssrc >>> 8;
  bytes[offset + 11] = ssrc;
}

/**
 * Where in `bytes` the payload of the packet from `start` to `end` begins (RFC 3550 5.1), without allocating; undefined for what is
 * no RTP packet.
 */
export function payloadOffset(bytes: Buffer, start = 0, end = bytes.length): number | undefined {
  if (end - start < RTP_HEADER_BYTES) return undefined;
  const first = bytes[start] as number;
  if (first >> 6 !== 2) return undefined;
  let offset = start + RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (offset + 4 > end) return undefined;
    offset += 4 + bytes.readUInt16BE(offset + 2) * 4;
  }
  return offset + paddingOf(bytes, start, end) > end ? undefined : offset;
}

/** Bytes at the end of the packet from `start` to `end` that are none of its payload, as it says. */
export function paddingOf(bytes: Buffer, start = 0, end = bytes.length): number {
  return ((bytes[start] as number) & 0x20) === 0 ? 0 : (bytes[end - 1] as number);
}
