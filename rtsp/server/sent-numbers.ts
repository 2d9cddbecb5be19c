import { randomInt } from "node:crypto";
import { FRAME_HEADER_BYTES } from "../../media/framed-packets.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Numbering } from "../../media/source.ts";

/** How the packets of one session's tracks are numbered, so that a jump in what is played is none in RTP (RFC 2326 B). */
export class SentNumbers {
  readonly #tracks = new Map<number, Numbering>();

  /** Of the next packet of track `index`. */
  of(index: number): Numbering {
    const known = this.#tracks.get(index) ?? { ssrc: randomInt(2 ** 32), sequence: randomInt(2 ** 16) };
    this.#tracks.set(index, known);
    return known;
  }

  /** The group is on its way. */
  sent({ track, bytes, packetCount }: PacketGroup): void {
    if (packetCount === 0) return;
    const first = bytes.readUInt16BE(FRAME_HEADER_BYTES + 2);
    this.#tracks.set(track, { ssrc: this.of(track).ssrc, sequence: (first + packetCount) & 0xffff });
  }
}
