import { FRAME_HEADER_BYTES, FramedPackets, writeFrameHeader } from "./framed-packets.ts";
import type { ReusedMemory } from "./reused-memory.ts";
import { RTP_HEADER_BYTES, writeRtpHeader } from "./rtp.ts";

/** Of one RTP packet with its header: fits, with headers of UDP, IP and some tunnel, in an Ethernet frame. */
const PACKET_BYTES = 1400;

/** What one packet has room for. */
export const PAYLOAD_BYTES = PACKET_BYTES - RTP_HEADER_BYTES;

/** Before the packets of a sample that lie in somebody's memory: as much as ONVIF's extension of a replay takes (ONVIF Streaming 6.3). */
const SPARE_BYTES = 16;

const NOTHING = Buffer.alloc(0);

/** Where a packetizer's numbers begin. */
export interface PacketNumbers {
  readonly payloadType: number;
  readonly ssrc: number;
  readonly sequence: number;
  /** Interleaved channel that the packets are framed for; 0 if absent. */
  readonly channel?: number;
  /** Where they lie; memory of their own if absent. */
  readonly memory?: ReusedMemory;
}

/** Writes the packets of one sample after another, framed, in one buffer a sample. */
export class PacketWriter {
  readonly ssrc: number;
  readonly #payloadType: number;
  readonly #channel: number;
  readonly #memory: ReusedMemory | undefined;
  readonly #spareBytes: number;
  #sequence: number;
  #count = 0;
  #buffer: Buffer = NOTHING;
  #at = 0;
  #start = 0;
  #timestamp = 0;

  constructor(numbers: PacketNumbers) {
    this.ssrc = numbers.ssrc >>> 0;
    this.#payloadType = numbers.payloadType;
    this.#channel = numbers.channel ?? 0;
    this.#memory = numbers.memory;
    this.#spareBytes = numbers.memory === undefined ? 0 : SPARE_BYTES;
    this.#sequence = numbers.sequence & 0xffff;
  }

  /** Of the next packet. */
  get nextSequence(): number {
    return this.#sequence;
  }

  /** Begins a sample whose packets have at most so many bytes of payload and so many packets. */
  begin(payloadBytes: number, packets: number, rtpTime: number): void {
    const bytes = payloadBytes + packets * (FRAME_HEADER_BYTES + RTP_HEADER_BYTES);
    this.#buffer = this.#memory?.take(this.#spareBytes + bytes) ?? Buffer.allocUnsafeSlow(bytes);
    this.#count = 0;
    this.#at = this.#spareBytes;
    this.#timestamp = rtpTime;
  }

  /** Begins a packet, `ticks` after the sample's beginning. */
  open(ticks = 0): void {
    this.#start = this.#at + FRAME_HEADER_BYTES;
    const header = {
      marker: false,
      payloadType: this.#payloadType,
      sequence: this.#sequence,
      timestamp: (this.#timestamp + ticks) >>> 0,
      ssrc: this.ssrc,
    };
    writeRtpHeader(this.#buffer, header, this.#start);
    this.#at = this.#start + RTP_HEADER_BYTES;
  }

  bytes(values: readonly number[]): void {
    for (let index = 0; index < values.length; index += 1) this.u8(values[index] as number);
  }

  u8(value: number): void {
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }

  u16(value: number): void {
    this.u8(value >> 8);
    this.u8(value);
  }

  copy(source: Buffer, from = 0, to = source.length): void {
    this.#at += source.copy(this.#buffer, this.#at, from, to);
  }

  /** Ends a packet. `extended`: a header extension was written before its payload. */
  close(extended = false): void {
    if (extended) this.#buffer.writeUInt8((this.#buffer[this.#start] ?? 0) | 0x10, this.#start);
    writeFrameHeader(this.#buffer, this.#start - FRAME_HEADER_BYTES, this.#channel, this.#at - this.#start);
    this.#count += 1;
    this.#sequence = (this.#sequence + 1) & 0xffff;
  }

  /** The packets of the sample. `marked`: the last one ends an access unit. */
  end(marked: boolean): FramedPackets {
    if (marked && this.#count > 0) this.#buffer[this.#start + 1] = (this.#buffer[this.#start + 1] ?? 0) | 0x80;
    const framed = new FramedPackets(this.#buffer.subarray(this.#spareBytes, this.#at), this.#count, this.#spareBytes);
    this.#buffer = NOTHING;
    return framed;
  }
}
