import type { Millis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { MemoryBudget } from "../../recorder/memory-budget.ts";

const LIMITS = {
  /** Of one stream: 16 s of 8 Mbit/s. */
  bytes: 16 * 1024 * 1024,
};

/** A key frame, and what came until the next one. */
interface Stretch {
  readonly groups: PacketGroup[];
  bytes: number;
}

/**
 * The newest part of a stream, in memory: at least `lengthMs` of it, from a key frame on, or what there is room for. Room is that of
 * one stream and that of all of them together (`budget`); where it ends, the oldest goes first.
 */
export class PreRoll {
  readonly #budget: MemoryBudget;
  readonly #stretches: Stretch[] = [];
  #lengthMs: Millis = 0;
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From the next group on. 0: nothing is kept. */
  set lengthMs(lengthMs: Millis) {
    this.#lengthMs = lengthMs;
    if (lengthMs === 0) this.clear();
  }

  /** Keeps the group where it is taken. `starts`: a decoder can begin with it. */
  push(group: PacketGroup, starts: boolean): void {
    if (this.#lengthMs === 0) return;
    if (starts) {
      this.#dropBefore(group);
      this.#stretches.push({ groups: [], bytes: 0 });
    }
    // Without its key frame, what comes is of no use.
    if (this.#stretches.length === 0) return;
    const bytes = group.memoryBytes;
    while (this.#bytes + bytes > LIMITS.bytes || !this.#budget.take(bytes)) if (!this.#dropOldest()) return;
    // The one that it belongs to may just have gone.
    const last = this.#stretches.at(-1);
    if (last === undefined) {
      this.#budget.give(bytes);
      return;
    }
    group.keep();
    last.groups.push(group);
    last.bytes += bytes;
    this.#bytes += bytes;
  }

  /** All of it, in order; nothing is left. */
  take(): readonly PacketGroup[] {
    const groups = this.#stretches.flatMap((stretch) => stretch.groups);
    this.clear();
    return groups;
  }

  clear(): void {
    while (this.#dropOldest());
  }

  /** What is not needed to go back far enough from `now`, which begins a stretch itself. */
  #dropBefore(now: PacketGroup): void {
    const earliest = now.at - this.#lengthMs;
    for (let next = this.#stretches[1]; next !== undefined; next = this.#stretches[1]) {
      const [first] = next.groups;
      if (first !== undefined && first.at > earliest) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): boolean {
    const oldest = this.#stretches.shift();
    if (oldest === undefined) return false;
    this.#bytes -= oldest.bytes;
    this.#budget.give(oldest.bytes);
    return true;
  }
}
