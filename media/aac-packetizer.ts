import { Fault } from "../base/fault.ts";
import type { FramedPackets } from "./framed-packets.ts";
import { PAYLOAD_BYTES, type PacketNumbers, PacketWriter } from "./packet-writer.ts";
import type { Sample } from "./sample.ts";
import type { Track } from "./track.ts";

/** Length of the AU headers in bits, and one AU header of 16. */
const AAC_HEADER_BYTES = 4;

/** Sizes in AU headers have 13 bits (RFC 3640 3.3.6). */
const MAX_AAC_BYTES = 8191;

/** Packets of AAC (RFC 3640, AAC-hbr): an access unit a packet, or fragments of one. */
export class AacPacketizer {
  readonly track: Track;
  readonly #writer: PacketWriter;

  constructor(track: Track, numbers: PacketNumbers) {
    this.track = track;
    this.#writer = new PacketWriter(numbers);
  }

  get ssrc(): number {
    return this.#writer.ssrc;
  }

  get nextSequence(): number {
    return this.#writer.nextSequence;
  }

  /** Fault `invalid` for an access unit of more than 8191 bytes. */
  packets(sample: Sample, rtpTime: number): FramedPackets {
    const { data } = sample;
    if (data.length > MAX_AAC_BYTES) throw new Fault("invalid", `AAC access unit of ${data.length} bytes`);
    const room = PAYLOAD_BYTES - AAC_HEADER_BYTES;
    const packets = Math.ceil(data.length / room);
    this.#writer.begin(data.length + packets * AAC_HEADER_BYTES, packets, rtpTime);
    for (let at = 0; at < data.length; at += room) {
      this.#writer.open();
      this.#writer.u16(16);
      this.#writer.u16(data.length << 3);
      this.#writer.copy(data, at, Math.min(at + room, data.length));
      this.#writer.close();
    }
    return this.#writer.end(true);
  }
}
