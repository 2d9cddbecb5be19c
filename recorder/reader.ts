import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import type { PacketGroup } from "../media/group.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Reading, RecordedSource, Span } from "../media/source.ts";
import type { Track } from "../media/track.ts";
import { readBackward } from "./backward.ts";
import type { Catalog } from "./catalog.ts";
import type { Cursor } from "./catalog-rows.ts";
import type { SegmentExtent } from "./catalog-segments.ts";
import type { TimedSample } from "./fragment-read.ts";
import { Lanes } from "./lanes.ts";
import { type Place, Places, type ReaderContext } from "./places.ts";
import type { FragmentExtent } from "./segment.ts";

const LIMITS = {
  /** Packets handed on before the loop goes round, should the reader never wait for anything itself. */
  bytesPerTurn: 256 * 1024,
  /** More than this between two segments is a gap. */
  gapUs: 1_500_000,
};

/** One stream of one camera, over all its segments and into the one that is being written. */
export class StreamReader implements RecordedSource {
  readonly #camera: string;
  readonly #stream: string;
  readonly #catalog: Catalog;
  readonly #volumes: ReaderContext["volumes"];
  readonly #places: Places;
  readonly #memory: ReusedMemory;

  constructor(camera: string, stream: string, context: ReaderContext) {
    this.#camera = camera;
    this.#stream = stream;
    this.#catalog = context.catalog;
    this.#volumes = context.volumes;
    this.#memory = context.memory;
    this.#places = new Places(camera, stream, context);
  }

  async tracks(from?: UnixMillis): Promise<readonly Track[]> {
    const place = from === undefined ? await this.#places.newest() : await this.#places.locate(toUs(from));
    const tracks = place && (await this.#places.tracks(place));
    return tracks === undefined ? [] : new Lanes(tracks).tracks;
  }

  async extent(): Promise<Span | undefined> {
    const first = await this.#places.next({ startUs: 0, file: "" });
    const last = await this.#places.newest();
    if (first === undefined || last === undefined) return undefined;
    return { from: unixMillis(first.startUs / 1000), to: unixMillis(Math.max(first.endUs, last.endUs) / 1000) };
  }

  /** Stretches without a gap that touch the range, cut to it. */
  async spans(from: UnixMillis, to: UnixMillis): Promise<Span[]> {
    const spans: { from: number; to: number }[] = [];
    const add = (one: { readonly startUs: number; readonly endUs: number }): void => {
      const last = spans.at(-1);
      if (last !== undefined && one.startUs - last.to <= LIMITS.gapUs) last.to = Math.max(last.to, one.endUs);
      else spans.push({ from: one.startUs, to: one.endUs });
    };
    const live = this.#places.live();
    const first = await this.#places.locate(toUs(from));
    if (first !== undefined) add(first);
    let cursor: Cursor | undefined = first;
    while (cursor !== undefined && cursor.startUs < toUs(to)) {
      const page: readonly SegmentExtent[] = await this.#catalog.segments.extents(
        this.#camera,
        this.#stream,
        cursor,
        toUs(to),
        this.#volumes.here,
      );
      for (const row of page) add(row);
      cursor = page.at(-1);
      await setImmediate();
    }
    if (live !== undefined && live.startUs >= (spans.at(-1)?.from ?? 0)) add(live);
    return spans
      .map((span) => ({ from: Math.max(span.from, toUs(from)), to: Math.min(span.to, toUs(to)) }))
      .filter((span) => span.from < span.to)
      .map((span) => ({ from: unixMillis(span.from / 1000), to: unixMillis(span.to / 1000) }));
  }

  /**
   * RTP times follow the capture times from a random beginning, across gaps and segments. They count as the camera did
   * (sample by sample, exactly) as long as that stays within 10 ms of the capture time. Where the recorded clock was set
   * back, capture times go back too, marked as a discontinuity; RTP times go on.
   */
  async *read(range: Reading, signal: AbortSignal): AsyncGenerator<PacketGroup> {
    for await (const group of this.#forward(range, false, signal)) if (group !== undefined) yield group;
  }

  follow(range: Reading, signal: AbortSignal): AsyncGenerator<PacketGroup | undefined> {
    return this.#forward(range, true, signal);
  }

  readBackward({ from, to, ...how }: Reading, signal: AbortSignal): AsyncGenerator<PacketGroup> {
    const range = { fromUs: toUs(from), toUs: to === undefined ? 0 : toUs(to) };
    return readBackward(this.#places, range, how, signal);
  }

  /** Yields undefined, if it is to `follow`, where there is nothing more at the moment. */
  async *#forward(
    { from, to, memory, numbering }: Reading,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<PacketGroup | undefined> {
    const fromUs = toUs(from);
    const endUs = to === undefined ? Infinity : toUs(to);
    let turn = 0;
    let lanes: Lanes | undefined;
    let lastUs: number | undefined;
    /** The segment that was looked at last, whether it could be read or not. */
    let last: Cursor | undefined;
    let place = await this.#places.locate(fromUs);
    while (!signal.aborted) {
      if (place === undefined) {
        if (!follow) return;
        yield undefined;
        place = await (last === undefined ? this.#places.locate(fromUs) : this.#places.next(last));
        continue;
      }
      if (place.startUs >= endUs) return;
      last = place;
      const opened = await this.#places.open(place);
      if (opened === undefined) {
        place = await this.#places.next(place);
        continue;
      }
      try {
        const { fragments } = opened;
        let index = lastUs === undefined ? startOf(fragments, fromUs) : 0;
        let following: Place | undefined;
        do {
          for (let one = fragments[index]; one !== undefined; one = fragments[index]) {
            index += 1;
            if (signal.aborted || one.startUs >= endUs) return;
            // Used again for another fragment: groups are copies.
            const bytes = this.#memory.take(one.bytes);
            try {
              const samples = await this.#places.samples(opened, one, place, bytes);
              lanes ??= new Lanes(opened.tracks, { baseTicks: randomInt(2 ** 32), memory, numbering });
              lanes.begin(opened.tracks, one, lastUs, samples === undefined);
              const wanted = samples === undefined ? [] : lastUs === undefined ? fromKey(samples, fromUs) : samples;
              lastUs = one.endUs;
              for (const sample of wanted) {
                if (signal.aborted) return;
                const group = sample.presentUs < endUs ? lanes.group(sample) : undefined;
                if (group === undefined) continue;
                yield group;
                turn += group.byteLength;
                if (turn < LIMITS.bytesPerTurn) continue;
                turn = 0;
                await setImmediate();
              }
            } finally {
              this.#memory.give(bytes);
            }
          }
          following = await this.#places.next(place);
          const atEnd = index >= fragments.length;
          if (atEnd && following !== undefined) break;
          if (atEnd && !follow) return;
          if (atEnd) yield undefined;
          // The writer may have gone on, and even begun the next segment, while we looked.
        } while (!signal.aborted);
        place = following;
      } finally {
        await opened.handle.close();
      }
    }
  }
}

function toUs(at: UnixMillis): number {
  return Math.round(at * 1000);
}

/** The last fragment at or before `us` that begins with a key frame; the first one where there is none. */
function startOf(fragments: readonly FragmentExtent[], us: number): number {
  return Math.max(
    0,
    fragments.findLastIndex((one) => one.key && one.startUs <= us),
  );
}

/** From the last key frame at or before `us`; what other tracks have from that instant on. */
function fromKey(samples: readonly TimedSample[], us: number): readonly TimedSample[] {
  const video = samples.some((one) => one.video);
  const start = samples.findLast((one) => one.key && (one.video || !video) && one.presentUs <= us);
  if (start === undefined) return samples;
  return samples.slice(samples.indexOf(start));
}
