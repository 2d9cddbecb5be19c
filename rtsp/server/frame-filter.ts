import type { UnixMillis } from "../../base/units.ts";
import { BPictures } from "../../media/b-pictures.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import type { ReplayManner } from "../wire/replay.ts";
import { hasVideo, type Lanes } from "./lane.ts";
import { closedUp } from "./replay-extension.ts";

/** With key frames alone, and at another speed than that of the capture, pictures come alone: sound cannot be played so. */
export function arePicturesAlone(lanes: Lanes, { frames, scale }: ReplayManner): boolean {
  return hasVideo(lanes) && (frames.pictures === "intra" || scale !== 1);
}

/**
 * Lets through what a client has set up and asked for. What is left out of a track leaves no gap in its sequence
 * numbers.
 */
export class FrameFilter {
  readonly #lanes: Lanes;
  readonly #memory: ReusedMemory;
  readonly #intervalMs: number | undefined;
  readonly #picturesOnly: boolean;
  #lastAt: UnixMillis | undefined;
  /** Of each track of pictures, where they are left out. */
  readonly #bPictures = new Map<number, BPictures>();
  /** Packets of each track. */
  readonly #leftOut = new Map<number, number>();

  /** `memory`: where the packets of all groups lie. */
  constructor(lanes: Lanes, manner: ReplayManner, memory: ReusedMemory) {
    const { frames } = manner;
    this.#lanes = lanes;
    this.#memory = memory;
    this.#intervalMs = frames.pictures === "intra" ? frames.intervalMs : undefined;
    this.#picturesOnly = arePicturesAlone(lanes, manner);
    if (frames.pictures !== "predicted") return;
    for (const [index, { track }] of lanes)
      if (track.kind === "video") this.#bPictures.set(index, new BPictures(track));
  }

  /** Whether anything of the group's track may pass. */
  isOf({ track }: PacketGroup): boolean {
    const lane = this.#lanes.get(track);
    return lane !== undefined && (lane.track.kind === "video" || !this.#picturesOnly);
  }

  /** Undefined where the group is left out; then its packets are given back. */
  passed(group: PacketGroup): PacketGroup | undefined {
    const leftOut = this.#leftOut.get(group.track) ?? 0;
    if (this.#passes(group)) return closedUp(group, leftOut, this.#memory);
    this.#leftOut.set(group.track, (leftOut + group.packetCount) & 0xffff);
    group.release();
    return undefined;
  }

  #passes(group: PacketGroup): boolean {
    if (!this.isOf(group) || this.#bPictures.get(group.track)?.has(group) === true) return false;
    if (this.#intervalMs === undefined || this.#lanes.get(group.track)?.track.kind !== "video") return true;
    if (!group.key) return false;
    if (this.#lastAt !== undefined && Math.abs(group.at - this.#lastAt) < this.#intervalMs) return false;
    this.#lastAt = group.at;
    return true;
  }
}
