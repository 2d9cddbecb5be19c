import type { Millis, UnixMillis } from "../base/units.ts";
import { FramedPackets } from "./framed-packets.ts";
import type { ReusedMemory } from "./reused-memory.ts";

/** How the capture instant of a group is known, best first. */
export type TimeQuality =
  | "camera" // from the camera's RTCP sender reports, which agree with our clock
  | "corrected" // on the way from the one to the other: time runs up to a tenth too fast or too slow
  | "arrival" // from our clock, when the packets came
  | "jumped"; // from our clock, behind a jump of the camera's timestamps or of our clock

/** All of them, best first. */
export const TIME_QUALITIES: readonly TimeQuality[] = ["camera", "corrected", "arrival", "jumped"];

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
  /** How far the camera's clock is ahead of ours by its newest sender report, believed or not; undefined where there is none. */
  readonly cameraAheadMs?: Millis | undefined;
}

/** What the runtime needs for a group and for each of its packets, besides their bytes. */
const OVERHEAD_BYTES = { group: 512, packet: 128 };

/** Readers nearly always use channels 0 to 3; a peer that asks for odd ones must not make us keep a copy for each. */
const MAX_VARIANTS = 4;

/**
 * The RTP packets of one access unit of one track: what the hub hands on and every reader gets.
 *
 * All packets lie in one buffer that is already framed for interleaved transport, so that one group costs one write per
 * reader. Immutable, and shared by all readers, the key-frame cache and the recorder. Its memory is used again when all who know it
 * are done with it, which {@link keep} prevents.
 */
export class PacketGroup implements GroupMarks {
  readonly track: number;
  readonly rtpTime: number;
  readonly at: UnixMillis;
  readonly quality: TimeQuality;
  readonly key: boolean;
  readonly discontinuity: boolean;
  readonly cameraAheadMs: Millis | undefined;
  readonly #framed: FramedPackets;
  #memory: ReusedMemory | undefined;
  #variants: Map<number, Buffer> | undefined;
  #holders = 0;
  #isOver = false;

  /**
   * `packets` of at most 65 535 bytes each are copied once; framed ones are taken over. `memory`: where framed ones lie, if it is to have
   * them back.
   */
  constructor(marks: GroupMarks, packets: readonly Uint8Array[] | FramedPackets, memory?: ReusedMemory) {
    this.track = marks.track;
    this.rtpTime = marks.rtpTime;
    this.at = marks.at;
    this.quality = marks.quality;
    this.key = marks.key;
    this.discontinuity = marks.discontinuity;
    this.cameraAheadMs = marks.cameraAheadMs;
    this.#memory = memory;
    this.#framed = packets instanceof FramedPackets ? packets : FramedPackets.of(packets, usualChannel(marks.track));
  }

  /** For whoever looks at it, or at its packets, later than in the call in which they got it, and does not say when that ends. */
  keep(): void {
    this.#memory = undefined;
  }

  /** Likewise, for whoever says when it ends: by a call of what this returns, of which all but the first do nothing. */
  hold(): () => void {
    this.#holders += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      this.#giveBack();
    };
  }

  /** For whoever made it known, and knows of nobody else: it is over, and so are its packets, unless somebody keeps or holds them. */
  release(): void {
    this.#isOver = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isOver || this.#holders > 0 || this.#memory === undefined) return;
    this.#framed.giveBack(this.#memory);
    this.#memory = undefined;
  }

  /**
   * The same with `more` bytes, of any content, at `at` of all its bytes, which is within the first packet; in `memory`, and as far as may be
   * where it lies. This one is used up, unless it lies elsewhere.
   */
  widened(at: number, more: number, memory: ReusedMemory): PacketGroup {
    this.#memory = undefined;
    return new PacketGroup(this, this.#framed.widened(at, more, memory), memory);
  }

  /** All packets with their frame headers, as they lie in memory. */
  get bytes(): Buffer {
    return this.#framed.bytes;
  }

  /** RTP packets in order of their sequence numbers. Never written to. */
  get packets(): readonly Buffer[] {
    return this.#framed.list;
  }

  get packetCount(): number {
    return this.#framed.count;
  }

  /** Of all packets, without the fixed part of their headers. */
  get payloadBytes(): number {
    return this.#framed.payloadBytes;
  }

  /** Of its packets; undefined where it has none. */
  get ssrc(): number | undefined {
    return this.#framed.ssrc;
  }

  /** Bytes of all packets with their frame headers. */
  get byteLength(): number {
    return this.#framed.bytes.length;
  }

  /** About what it takes in memory: of a camera that sends next to nothing in each packet, many times its bytes. */
  get memoryBytes(): number {
    return this.byteLength + OVERHEAD_BYTES.group + this.packetCount * OVERHEAD_BYTES.packet;
  }

  /** All packets framed for `channel`; the track's usual one costs no copy. The result is shared: never write to it. */
  framed(channel: number): Buffer {
    const { bytes } = this.#framed;
    if (bytes.length === 0 || bytes[1] === channel) return bytes;
    const known = this.#variants?.get(channel);
    if (known !== undefined) return known;
    const copy = this.#framed.onChannel(channel);
    this.#variants ??= new Map();
    if (this.#variants.size < MAX_VARIANTS) this.#variants.set(channel, copy);
    return copy;
  }
}

/** The interleaved channel that most clients ask for: 0 for track 0, 2 for track 1, … */
export function usualChannel(track: number): number {
  return (track * 2) & 0xff;
}
