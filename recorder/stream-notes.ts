import type { Log, Repeats } from "../base/log.ts";
import type { Catalog } from "./catalog.ts";
import type { SegmentRow, SegmentTime } from "./catalog-rows.ts";
import { describeTracks, timeOf } from "./describe.ts";
import { cameraGap, type GapReason, LEAST_GAP_US, STOPPED } from "./gap.ts";
import { type Link, NO_LINK } from "./integrity.ts";
import type { SegmentFile } from "./segment.ts";

const LIMITS = {
  /** Rows that wait until the catalog takes them; the next start finds the others. */
  rows: 64,
};

/** Of which stream, and where it is noted. */
interface StreamPlace {
  readonly camera: string;
  readonly stream: string;
  /** When what is noted began to be fetched from the camera's own recording; undefined where it is recorded live. */
  readonly fetchedUs: number | undefined;
  readonly catalog: Catalog;
  readonly log: Log;
  readonly repeats: Repeats;
}

/** End of what was recorded last of a stream, and its link. */
interface Past {
  readonly endUs: number | undefined;
  readonly link: Link;
}

/**
 * What the writer of one stream tells the catalog: finished segments and gaps. The media are worth more than the notes about them, so
 * an error of the catalog is logged, and stops nothing. What is fetched from a camera fills gaps, and makes none.
 */
export class StreamNotes {
  readonly #o: StreamPlace;
  #past: Past | undefined;
  #rows: (SegmentRow & SegmentTime)[] = [];

  constructor(o: StreamPlace) {
    this.#o = o;
  }

  /** What was recorded last, once {@link before} or {@link recorded} has told. */
  get past(): Past | undefined {
    return this.#past;
  }

  /** What was recorded last; from the catalog before the first segment. */
  async before(): Promise<Past> {
    if (this.#past === undefined) {
      const { camera, stream, catalog } = this.#o;
      let row: SegmentRow | undefined;
      await this.noted(async () => {
        row = await catalog.segments.newestOf(camera, stream, this.#isFetched ? "fetched" : "live");
      });
      this.#past = { endUs: row?.endUs, link: row === undefined ? NO_LINK : Buffer.from(row.seal) };
      if (row !== undefined) await this.gap(row.endUs, STOPPED);
    }
    return this.#past;
  }

  /** What follows is behind this. */
  recorded(past: Past): void {
    this.#past = past;
  }

  /** A segment begins that is recorded live: so does a gap end, and one before it is noted that nobody knew of. */
  async begun(startUs: number): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream, catalog } = this.#o;
    const endUs = this.#past?.endUs;
    if (endUs !== undefined && startUs - endUs > LEAST_GAP_US) await this.gap(endUs, cameraGap("nothing was received"));
    await this.noted(() => catalog.gaps.end(camera, stream, Math.max(startUs, endUs ?? 0)));
  }

  /** Enters a segment that was sealed now. */
  async sealed(segment: SegmentFile): Promise<void> {
    const { camera, stream, catalog, fetchedUs } = this.#o;
    const endUs = Math.max(...segment.fragments.map((one) => one.endUs));
    const startUs = segment.fragments[0]?.startUs ?? segment.plan.zeroUs;
    this.#past = { endUs, link: segment.link };
    this.add({
      camera,
      stream,
      fetchedUs: fetchedUs ?? null,
      startUs,
      endUs,
      bytes: segment.bytes,
      file: segment.file,
      volume: segment.volume,
      tracks: describeTracks(segment.plan.tracks),
      seal: segment.link,
      ...timeOf(segment.fragments, segment.plan.cameraAheadMs),
    });
    await this.enter();
    if (this.#isFetched) await this.noted(() => catalog.gaps.filled(camera, stream, startUs, endUs));
  }

  /** A row that the next {@link enter} brings into the catalog. */
  add(row: SegmentRow & SegmentTime): void {
    this.#rows.push(row);
  }

  /** Brings finished segments into the catalog; what it does not take now waits for the next time. */
  async enter(): Promise<void> {
    for (let row = this.#rows[0]; row !== undefined; row = this.#rows[0]) {
      const entering = row;
      if (!(await this.noted(() => this.#o.catalog.sealed(entering)))) break;
      this.#rows.shift();
    }
    this.#rows = this.#rows.slice(-LIMITS.rows);
  }

  /** A gap begins, unless one is open. */
  async gap(fromUs: number, { cause, why }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream, catalog } = this.#o;
    await this.noted(() => catalog.gaps.begin({ camera, stream, fromUs, reason: why, cause }));
  }

  /** A gap begins, and ends an open one of another cause. */
  async changeGap(fromUs: number, { cause, why }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream, catalog } = this.#o;
    await this.before();
    await this.noted(() => catalog.gaps.change({ camera, stream, fromUs, reason: why, cause }));
  }

  /** Of what was recorded, this is not there now. */
  async missed(fromUs: number, toUs: number, { cause, why: reason }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream, catalog } = this.#o;
    await this.noted(() => catalog.gaps.missed({ camera, stream, fromUs, toUs, cause, reason }));
  }

  get #isFetched(): boolean {
    return this.#o.fetchedUs !== undefined;
  }

  /** False where the catalog failed. */
  async noted(act: () => Promise<void>): Promise<boolean> {
    const noted = async (): Promise<true> => {
      await act();
      return true;
    };
    return (await this.asked(noted)) ?? false;
  }

  /** Undefined where the catalog failed. */
  async asked<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (err) {
      if (this.#o.repeats.admit("catalog") !== undefined) this.#o.log.error({ err }, "the catalog cannot be written");
      return undefined;
    }
  }
}
