import { RTP_HEADER_BYTES } from "./rtp.ts";

/** `$`, channel, 16-bit length (RFC 2326 10.12). */
export const FRAME_HEADER_BYTES = 4;
const DOLLAR = 0x24;

/**
 * RTP packets one behind the other in one buffer, each with the frame header of interleaved transport before it (RFC 2326 10.12),
 * so that all of them are one write. Never changed once they are handed on.
 */
export class FramedPackets {
  readonly bytes: Buffer;
  readonly count: number;
  #list: readonly Buffer[] | undefined;

  /** `bytes`: `count` packets with their frame headers, and nothing else. */
  constructor(bytes: Buffer, count: number) {
    this.bytes = bytes;
    this.count = count;
  }

  /** Copies packets, of at most 65 535 bytes each, and frames them. */
  static of(packets: readonly Uint8Array[], channel: number): FramedPackets {
    let length = 0;
    for (const packet of packets) length += FRAME_HEADER_BYTES + packet.length;
    const bytes = Buffer.allocUnsafeSlow(length);
    let offset = 0;
    for (const packet of packets) {
      writeFrameHeader(bytes, offset, channel, packet.length);
      bytes.set(packet, offset + FRAME_HEADER_BYTES);
      offset += FRAME_HEADER_BYTES + packet.length;
    }
    return new FramedPackets(bytes, packets.length);
  }

  /** The packets, views without their frame headers, in order. Made when somebody asks: who writes frames needs none. */
  get list(): readonly Buffer[] {
    this.#list ??= this.#split();
    return this.#list;
  }

  /** Undefined where there are no packets. */
  get ssrc(): number | undefined {
    return this.count === 0 ? undefined : this.bytes.readUInt32BE(FRAME_HEADER_BYTES + 8);
  }

  /** Of all packets, without the fixed part of their headers. */
  get payloadBytes(): number {
    return this.bytes.length - this.count * (FRAME_HEADER_BYTES + RTP_HEADER_BYTES);
  }

  /** A copy for another channel. */
  onChannel(channel: number): Buffer {
    const copy = Buffer.from(this.bytes);
    setChannel(copy, channel);
    return copy;
  }

  #split(): readonly Buffer[] {
    const packets: Buffer[] = [];
    for (let offset = 0; offset < this.bytes.length; ) {
      const end = frameEnd(this.bytes, offset);
      packets.push(this.bytes.subarray(offset + FRAME_HEADER_BYTES, end));
      offset = end;
    }
    return packets;
  }
}

/** Where the frame ends that begins at `offset`. */
export function frameEnd(bytes: Buffer, offset: number): number {
  return offset + FRAME_HEADER_BYTES + bytes.readUInt16BE(offset + 2);
}

/** Writes the header of a frame of `length` bytes. */
export function writeFrameHeader(bytes: Buffer, offset: number, channel: number, length: number): void {
  bytes[offset] = DOLLAR;
  bytes[offset + 1] = channel;
  bytes[offset + 2] = length >> 8;
  bytes[offset + 3] = length & 0xff;
}

function setChannel(bytes: Buffer, channel: number): void {
  for (let offset = 0; offset < bytes.length; ) {
    bytes[offset + 1] = channel;
    offset = frameEnd(bytes, offset);
  }
}
