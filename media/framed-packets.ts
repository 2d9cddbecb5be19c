import type { ReusedMemory } from "./reused-memory.ts";
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
  readonly #spareBytes: number;
  #list: readonly Buffer[] | undefined;

  /**
   * `bytes`: `count` packets with their frame headers, and nothing else. `spareBytes`: of their memory, that lie before them and are free,
   * for {@link widened}.
   */
  constructor(bytes: Buffer, count: number, spareBytes = 0) {
    this.bytes = bytes;
    this.count = count;
    this.#spareBytes = spareBytes;
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

  /** Gives their memory back, of which they are a piece. They are gone then. */
  giveBack(memory: ReusedMemory): void {
    memory.give({ buffer: this.bytes.buffer, byteOffset: this.bytes.byteOffset - this.#spareBytes });
  }

  /**
   * The same packets with `more` bytes, of any content, at `at` of all the bytes, which is within the first one. What stands before it is moved
   * into spare memory; all of it to another place in `memory` where there is too little. These here are used up, unless they are others'.
   */
  widened(at: number, more: number, memory: ReusedMemory): FramedPackets {
    const { buffer, byteOffset, length } = this.bytes;
    const isRoom = this.#spareBytes >= more;
    const wide = isRoom ? Buffer.from(buffer, byteOffset - more, length + more) : memory.take(length + more);
    this.bytes.copy(wide, 0, 0, at);
    wide.writeUInt16BE(wide.readUInt16BE(2) + more, 2);
    if (isRoom) return new FramedPackets(wide, this.count, this.#spareBytes - more);
    this.bytes.copy(wide, at + more, at);
    this.giveBack(memory);
    return new FramedPackets(wide, this.count);
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
