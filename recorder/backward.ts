import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { PacketGroup } from "../media/group.ts";
import type { Reading } from "../media/source.ts";
import type { TimedSample } from "./fragment-read.ts";
import { Lanes } from "./lanes.ts";
import type { Opened, Place, Places } from "./places.ts";
import type { FragmentExtent } from "./segment.ts";

const LIMITS = {
  /** Of one group of pictures, which is held at once. One that is larger cannot be shown backwards and is passed over. */
  stretchBytes: 64 * 1024 * 1024,
};

/** Fragments that belong together: the first begins with a key frame. */
interface Stretch {
  readonly first: number;
  readonly end: number;
}

/**
 * One stream from late to early: groups of pictures in reverse order, each from its key frame on. Groups of pictures do not reach
 * beyond a segment, for a segment begins with a key frame.
 */
export async function* readBackward(
  places: Places,
  range: { readonly fromUs: number; readonly toUs: number },
  { memory, numbering, withoutVideo = false }: Omit<Reading, "from" | "to">,
  signal: AbortSignal,
): AsyncGenerator<PacketGroup> {
  let lanes: Lanes | undefined;
  for (
    let place = await places.atOrBefore(range.fromUs);
    place !== undefined && place.endUs > range.toUs && !signal.aborted;
    place = await before(places, place)
  ) {
    const opened = await places.open(place);
    if (opened === undefined) continue;
    try {
      lanes ??= new Lanes(opened.tracks, { baseTicks: randomInt(2 ** 32), memory, numbering });
      for (const stretch of stretches(opened.fragments, range.fromUs)) {
        const groups = await groupsOf(places, opened, stretch, { place, withoutVideo });
        for (const group of groups.reverse()) {
          const [key] = group;
          if (signal.aborted) return;
          if (key === undefined || key.presentUs > range.fromUs) continue;
          // A discontinuity at each beginning, and times counted anew: what follows is earlier.
          lanes.begin(opened.tracks, opened.fragments[stretch.first] as FragmentExtent, undefined, true);
          for (const sample of group) {
            if (sample.presentUs > range.fromUs) continue;
            const made = lanes.group(sample);
            if (made !== undefined) yield made;
          }
          await setImmediate();
          if (key.presentUs <= range.toUs) return;
        }
      }
    } finally {
      await opened.handle.close();
    }
  }
}

/** The segment that begins last before another. */
async function before(places: Places, place: Place): Promise<Place | undefined> {
  const found = await places.atOrBefore(place.startUs - 1);
  // A clock that was set back leaves segments that lie about their order; going round in circles must not come of it.
  return found !== undefined && found.startUs < place.startUs ? found : undefined;
}

/** Late to early, from the one that holds `us`. */
function* stretches(fragments: readonly FragmentExtent[], us: number): Generator<Stretch> {
  let end = fragments.findLastIndex((one) => one.startUs <= us) + 1;
  while (end > 0) {
    let first = end - 1;
    let bytes = fragments[first]?.bytes ?? 0;
    while (first > 0 && fragments[first]?.key === false) {
      first -= 1;
      bytes += fragments[first]?.bytes ?? 0;
    }
    if (bytes <= LIMITS.stretchBytes) yield { first, end };
    end = first;
  }
}

/** The samples of a stretch, a list for each group of pictures, or for each sample of anything else, in the order of time. */
async function groupsOf(
  places: Places,
  opened: Opened,
  { first, end }: Stretch,
  { place, withoutVideo }: { readonly place: Place; readonly withoutVideo: boolean },
): Promise<TimedSample[][]> {
  const groups: TimedSample[][] = [];
  for (const fragment of opened.fragments.slice(first, end)) {
    const samples = (await places.samples(opened, fragment, place)) ?? [];
    const video = !withoutVideo && samples.some((one) => one.video);
    for (const sample of samples) {
      if (video !== sample.video) continue;
      if (sample.key) groups.push([]);
      // What has no key frame before it cannot be decoded.
      groups.at(-1)?.push(sample);
    }
  }
  return groups;
}
