import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import type { PacketGroup } from "../media/group.ts";
import type { RecordedSource, Span } from "../media/source.ts";
import type { Track } from "../media/track.ts";
import type { Catalog, Cursor, SegmentRow } from "./catalog.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readSamples, type TimedSample } from "./fragment-read.ts";
import { Lanes } from "./lanes.ts";
import { PART } from "./naming.ts";
import { scanSegment } from "./scan.ts";
import type { FragmentPlace, SegmentFile } from "./segment.ts";

const LIMITS = {
  /** Packets handed on before the loop goes round, should the reader never wait for anything itself. */
  bytesPerTurn: 256 * 1024,
  /** More than this between two segments is a gap. */
  gapUs: 1_500_000,
};

/** What readers share with the archive. */
export interface ReaderContext {
  readonly folder: string;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly log: Log;
  /** The segment that is being written now. */
  live(): SegmentFile | undefined;
}

/** A segment in the order of time: in the catalog, or being written. */
interface Place extends Cursor {
  readonly endUs: number;
  readonly live: SegmentFile | undefined;
}

interface Opened {
  readonly handle: OpenFile;
  readonly tracks: readonly Fmp4Track[];
  /** Grows while the segment is being written. */
  readonly fragments: readonly FragmentPlace[];
}

/** One stream of one camera, over all its segments and into the one that is being written. */
export class StreamReader implements RecordedSource {
  readonly #camera: string;
  readonly #stream: string;
  readonly #context: ReaderContext;

  constructor(camera: string, stream: string, context: ReaderContext) {
    this.#camera = camera;
    this.#stream = stream;
    this.#context = context;
  }

  async tracks(from?: UnixMillis): Promise<readonly Track[]> {
    const place = from === undefined ? await this.#newest() : await this.#locate(toUs(from));
    const opened = place && (await this.#open(place));
    if (opened === undefined) return [];
    await opened.handle.close();
    return new Lanes(opened.tracks).tracks;
  }

  async extent(): Promise<Span | undefined> {
    const first = await this.#next({ startUs: 0, file: "" });
    const last = await this.#newest();
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
    const live = placeOf(this.#context.live());
    const first = await this.#locate(toUs(from));
    if (first !== undefined) add(first);
    let cursor: Cursor | undefined = first;
    while (cursor !== undefined && cursor.startUs < toUs(to)) {
      const page: readonly SegmentRow[] = await this.#context.catalog.after(this.#camera, this.#stream, cursor);
      for (const row of page) if (row.startUs < toUs(to)) add(row);
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
  async *read(
    range: { readonly from: UnixMillis; readonly to?: UnixMillis },
    signal: AbortSignal,
  ): AsyncGenerator<PacketGroup> {
    const fromUs = toUs(range.from);
    const endUs = range.to === undefined ? Infinity : toUs(range.to);
    let lanes: Lanes | undefined;
    let lastUs: number | undefined;
    let place = await this.#locate(fromUs);
    while (place !== undefined && place.startUs < endUs && !signal.aborted) {
      const opened = await this.#open(place);
      if (opened === undefined) {
        place = await this.#next(place);
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
            const samples = await this.#samples(opened, one, place);
            if (lanes === undefined) lanes = new Lanes(opened.tracks, randomInt(2 ** 32));
            lanes.begin(opened.tracks, one, lastUs, samples === undefined);
            const wanted = samples === undefined ? [] : lastUs === undefined ? fromKey(samples, fromUs) : samples;
            lastUs = one.endUs;
            yield* groupsOf(lanes, wanted, endUs, signal);
          }
          following = await this.#next(place);
          // The writer may have gone on, and even begun the next segment, while we looked.
        } while (index < fragments.length);
        place = following;
      } finally {
        await opened.handle.close();
      }
    }
  }

  /** The segment that holds `us`, or the first one behind. */
  async #locate(us: number): Promise<Place | undefined> {
    const live = placeOf(this.#context.live());
    const row = await this.#context.catalog.atOrBefore(this.#camera, this.#stream, us);
    const before =
      live !== undefined && live.startUs <= us && live.file !== row?.file ? live : row && { ...row, live: undefined };
    if (before === undefined) return this.#next({ startUs: 0, file: "" });
    return before.endUs > us ? before : this.#next(before);
  }

  async #newest(): Promise<Place | undefined> {
    const live = placeOf(this.#context.live());
    if (live !== undefined) return live;
    const row = await this.#context.catalog.atOrBefore(this.#camera, this.#stream, Number.MAX_SAFE_INTEGER);
    return row && { ...row, live: undefined };
  }

  async #next(cursor: Cursor): Promise<Place | undefined> {
    // In this order: a segment that is sealed in between is seen twice, and not missed.
    const live = placeOf(this.#context.live());
    const [row] = await this.#context.catalog.after(this.#camera, this.#stream, cursor, 1);
    const found = row && { ...row, live: undefined };
    if (live === undefined || !isBehind(live, cursor)) return found;
    return found === undefined || isBehind(found, live) ? live : found;
  }

  /** Undefined, and a line in the log, where the file is gone or cannot be read. */
  async #open(place: Place): Promise<Opened | undefined> {
    const { folder, files, log } = this.#context;
    const path = `${folder}/${place.file}`;
    try {
      if (place.live !== undefined) {
        const handle = await files.open(path + PART, "read").catch((error: unknown) => {
          // It was sealed in the meantime.
          if (errorCode(error) === "ENOENT") return files.open(path, "read");
          throw error;
        });
        return { handle, tracks: place.live.plan.tracks, fragments: place.live.fragments };
      }
      const handle = await files.open(path, "read");
      const scan = await scanSegment(handle, false).catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      if (scan.header !== undefined) return { handle, tracks: scan.header.tracks, fragments: scan.fragments };
      await handle.close();
      log.error({ file: place.file }, "a recording cannot be read");
    } catch (err) {
      log.error({ err, file: place.file }, "a recording cannot be opened");
    }
    return undefined;
  }

  /** Undefined where the fragment cannot be read. */
  async #samples(opened: Opened, place: FragmentPlace, { file }: Cursor): Promise<readonly TimedSample[] | undefined> {
    const bytes = Buffer.allocUnsafeSlow(place.bytes);
    try {
      if ((await opened.handle.read(bytes, place.offset)) === bytes.length) return readSamples(bytes, opened.tracks);
    } catch (err) {
      if (!isFault(err, "invalid") && errorCode(err) === undefined) throw err;
      this.#context.log.error({ err, file, offset: place.offset }, "a part of a recording cannot be read");
    }
    return undefined;
  }
}

function toUs(at: UnixMillis): number {
  return Math.round(at * 1000);
}

function placeOf(live: SegmentFile | undefined): Place | undefined {
  const first = live?.fragments[0];
  if (live === undefined || first === undefined) return undefined;
  return { startUs: first.startUs, file: live.file, endUs: live.fragments.at(-1)?.endUs ?? first.endUs, live };
}

function isBehind(place: Cursor, cursor: Cursor): boolean {
  return place.startUs > cursor.startUs || (place.startUs === cursor.startUs && place.file > cursor.file);
}

/** The last fragment at or before `us` that begins with a key frame; the first one where there is none. */
function startOf(fragments: readonly FragmentPlace[], us: number): number {
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

async function* groupsOf(
  lanes: Lanes,
  samples: readonly TimedSample[],
  endUs: number,
  signal: AbortSignal,
): AsyncGenerator<PacketGroup> {
  let turn = 0;
  for (const sample of samples) {
    if (signal.aborted) return;
    if (sample.presentUs >= endUs) continue;
    const group = lanes.group(sample);
    if (group === undefined) continue;
    turn += group.byteLength;
    yield group;
    if (turn < LIMITS.bytesPerTurn) continue;
    turn = 0;
    await setImmediate();
  }
}
