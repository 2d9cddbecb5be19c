import type { UnixMillis } from "../base/units.ts";

/** How the capture instant of a group is known, best first. */
export type TimeQuality =
  | "camera" // from the camera's RTCP sender reports
  | "arrival"; // from our clock, when the packets came

/** What is known of a group besides its packets. */
export interface GroupMarks {
  /** Index into the stream's tracks. */
  readonly track: number;
  /** RTP timestamp in our numbering, 32 bits, in the track's clock. */
  readonly rtpTime: number;
  /** When it was captured. */
  readonly at: UnixMillis;
  readonly quality: TimeQuality;
  /** A decoder can begin here. True for every group of tracks that are not video. */
  readonly key: boolean;
  /** Packets are missing, or time has jumped, between the group before and this one. */
  readonly discontinuity: boolean;
}

/** `$`, channel, 16-bit length (RFC 2326 10.12). */
const FRAME_HEADER_BYTES = 4;
const DOLLAR = 0x24;

/** What the runtime needs for a group and for each of its packets, besides their bytes. */
const OVERHEAD_BYTES = { group: 512, packet: 128 };

/** Readers nearly always use channels 0 to 3; a peer that asks for odd ones must not make us keep a copy for each. */
const MAX_VARIANTS = 4;

/**
 * The RTP packets of one access unit of one track: what the hub hands on and every reader gets.
 *
 * All packets lie in one buffer that is already framed for interleaved transport, so that one group costs one write per
 * reader. Immutable, and shared by all readers, the key-frame cache and the recorder.
 */
export class PacketGroup implements GroupMarks {
  readonly track: number;
  readonly rtpTime: number;
  readonly at: UnixMillis;
  readonly quality: TimeQuality;
  readonly key: boolean;
  readonly discontinuity: boolean;
  /** RTP packets, views into the framed buffer, in order of their sequence numbers. Never written to. */
  readonly packets: readonly Buffer[];
  readonly #framed: Buffer;
  #variants: Map<number, Buffer> | undefined;

  /** Copies `packets` once. Each must have at most 65 535 bytes. */
  constructor(marks: GroupMarks, packets: readonly Uint8Array[]) {
    this.track = marks.track;
    this.rtpTime = marks.rtpTime;
    this.at = marks.at;
    this.quality = marks.quality;
    this.key = marks.key;
    this.discontinuity = marks.discontinuity;
    let bytes = 0;
    for (const packet of packets) bytes += FRAME_HEADER_BYTES + packet.length;
    const framed = Buffer.allocUnsafeSlow(bytes);
    const views: Buffer[] = [];
    let offset = 0;
    for (const packet of packets) {
      framed.writeUInt8(DOLLAR, offset);
      framed.writeUInt8(this.defaultChannel, offset + 1);
      framed.writeUInt16BE(packet.length, offset + 2);
      framed.set(packet, offset + FRAME_HEADER_BYTES);
      const start = offset + FRAME_HEADER_BYTES;
      offset = start + packet.length;
      views.push(framed.subarray(start, offset));
    }
    this.#framed = framed;
    this.packets = views;
  }

  /** The interleaved channel that costs no copy: 0 for track 0, 2 for track 1, … */
  get defaultChannel(): number {
    return (this.track * 2) & 0xff;
  }

  /** Bytes of all packets with their frame headers. */
  get byteLength(): number {
    return this.#framed.length;
  }

  /** About what it takes in memory: of a camera that sends next to nothing in each packet, many times its bytes. */
  get memoryBytes(): number {
    return this.byteLength + OVERHEAD_BYTES.group + this.packets.length * OVERHEAD_BYTES.packet;
  }

  /** All packets framed for `channel`. The result is shared: never write to it. */
  framed(channel: number): Buffer {
    if (channel === this.defaultChannel) return this.#framed;
    const known = this.#variants?.get(channel);
    if (known !== undefined) return known;
    const copy = Buffer.from(this.#framed);
    for (let offset = 0; offset < copy.length; ) {
      copy.writeUInt8(channel, offset + 1);
      offset += FRAME_HEADER_BYTES + copy.readUInt16BE(offset + 2);
    }
    this.#variants ??= new Map();
    if (this.#variants.size < MAX_VARIANTS) this.#variants.set(channel, copy);
    return copy;
  }
}
