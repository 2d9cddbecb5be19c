import { FRAME_HEADER_BYTES, FramedPackets, writeFrameHeader } from "./framed-packets.ts";
import type { ReusedMemory } from "./reused-memory.ts";

const LIMITS = {
  /** Room that an access unit of ordinary cameras finds at once. */
  firstBytes: 4 * 1024,
};

const NOTHING = Buffer.alloc(0);

/**
 * The packets of the access unit that is being received, framed. They are copied as they come to where they stay, so that what they
 * came in can be used again at once: memory for each piece that a socket reads would cost more, at the hands of the collector, than all
 * else that is done to a packet.
 */
export class GroupAssembly {
  readonly #channel: number;
  readonly #memory: ReusedMemory;
  #room: Buffer = NOTHING;
  #length = 0;
  #count = 0;

  /** `channel`: that the packets are framed for. `memory`: where they lie; nobody else takes any of it. */
  constructor(channel: number, memory: ReusedMemory) {
    this.#channel = channel;
    this.#memory = memory;
  }

  get count(): number {
    return this.#count;
  }

  /** Of the packets with their frame headers. */
  get bytes(): number {
    return this.#length;
  }

  /** A packet of at most 65 535 bytes. */
  add(packet: Buffer): void {
    const start = this.#length + FRAME_HEADER_BYTES;
    const end = start + packet.length;
    if (end > this.#room.length) this.#grow(end);
    writeFrameHeader(this.#room, this.#length, this.#channel, packet.length);
    this.#room.set(packet, start);
    this.#length = end;
    this.#count += 1;
  }

  /** The packets, with this RTP timestamp. Nothing is left here. */
  take(rtpTime: number): FramedPackets {
    const bytes = this.#memory.cut(this.#room, this.#length);
    for (let at = 0; at < bytes.length; at += FRAME_HEADER_BYTES + bytes.readUInt16BE(at + 2))
      bytes.writeUInt32BE(rtpTime, at + FRAME_HEADER_BYTES + 4);
    const framed = new FramedPackets(bytes, this.#count);
    this.#room = NOTHING;
    this.clear();
    return framed;
  }

  clear(): void {
    this.#memory.give(this.#room);
    this.#room = NOTHING;
    this.#length = 0;
    this.#count = 0;
  }

  #grow(bytes: number): void {
    const room = this.#memory.takeRest(Math.max(bytes, this.#length * 1.5, LIMITS.firstBytes));
    this.#room.copy(room, 0, 0, this.#length);
    this.#memory.give(this.#room);
    this.#room = room;
  }
}
