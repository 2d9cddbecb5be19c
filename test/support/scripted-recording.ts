import { unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";

/** A recording in memory, and what was read of it. */
export interface ScriptedRecording extends RecordedSource {
  /** Groups that readers have taken. */
  readonly taken: () => number;
  /** Readings that are going on. */
  readonly open: () => number;
  /** Recorded from now on, too. */
  add(...groups: readonly PacketGroup[]): void;
}

/** A recording of video alone. `first`: groups in the order of their capture, the first one a key frame. */
export function scriptedRecording(track: Track, first: readonly PacketGroup[]): ScriptedRecording {
  const groups = [...first];
  let [taken, open] = [0, 0];
  const startOf = (from: number): number =>
    Math.max(
      0,
      groups.findLastIndex(({ at, key }) => key && at <= from),
    );
  async function* forward(from: number, to: number, follow: boolean): AsyncGenerator<PacketGroup | undefined> {
    open += 1;
    try {
      for (let index = startOf(from); ; ) {
        const group = groups[index];
        if (group === undefined) {
          if (!follow) return;
          yield undefined;
          continue;
        }
        if (group.at >= to) return;
        index += 1;
        taken += 1;
        yield group;
      }
    } finally {
      open -= 1;
    }
  }
  return {
    taken: () => taken,
    open: () => open,
    add: (...more) => void groups.push(...more),
    tracks: () => Promise.resolve(groups.length === 0 ? [] : [track]),
    extent: () => {
      const [from, to] = [groups[0]?.at, groups.at(-1)?.at];
      return Promise.resolve(from === undefined || to === undefined ? undefined : { from, to: unixMillis(to + 40) });
    },
    read: ({ from, to = Number.POSITIVE_INFINITY }) => forward(from, to, false) as AsyncIterable<PacketGroup>,
    follow: ({ from, to = Number.POSITIVE_INFINITY }) => forward(from, to, true),
    async *readBackward({ from }) {
      open += 1;
      try {
        for (let end = groups.findLastIndex(({ at }) => at <= from) + 1; end > 0; ) {
          const start = groups.findLastIndex(({ key }, index) => key && index < end);
          for (const group of groups.slice(start, end)) {
            taken += 1;
            yield group;
          }
          end = start;
        }
      } finally {
        open -= 1;
      }
    },
  };
}
