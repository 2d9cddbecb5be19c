import type { PacketGroup } from "../../media/group.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import type { ReplayManner } from "../wire/replay.ts";
import { atRtpTime } from "./replay-extension.ts";

/**
 * RTP times of a replay that is faster or slower than its capture: players show it by them (RFC 2326 12.34, B). Without rate
 * control, and backwards, they stay those of the capture (ONVIF Streaming 6.4).
 */
export class ScaledTime {
  readonly #scale: number;
  readonly #memory: ReusedMemory;
  readonly #tracks = new Map<number, { last: number; readonly first: number; elapsedTicks: number }>();

  constructor({ scale, rateControl }: ReplayManner, memory: ReusedMemory) {
    this.#memory = memory;
    this.#scale = rateControl && scale > 0 ? scale : 1;
  }

  of(group: PacketGroup): PacketGroup {
    if (this.#scale === 1) return group;
    const { rtpTime, track } = group;
    const known = this.#tracks.get(track) ?? { last: rtpTime, first: rtpTime, elapsedTicks: 0 };
    // With B-frames, times go back and forth.
    known.elapsedTicks += (rtpTime - known.last) | 0;
    known.last = rtpTime;
    this.#tracks.set(track, known);
    return atRtpTime(group, (known.first + Math.round(known.elapsedTicks / this.#scale)) >>> 0, this.#memory);
  }
}
