import type { Log, Repeats } from "../base/log.ts";
import type { Catalog } from "./catalog.ts";
import type { SegmentRow, SegmentTime, StoredFile } from "./catalog-rows.ts";
import { describeTracks, timeOf } from "./describe.ts";
import { cameraGap, type GapReason, LEAST_GAP_US, STOPPED } from "./gap.ts";
import { type Link, NO_LINK } from "./integrity.ts";
import type { SegmentFile } from "./segment.ts";

const LIMITS = {
  /** Rows that wait until the catalog takes them ... */
  rows: 64,
  /** ... and names of files without rows, a week of segments of a minute, for the next start to enter; others are for `viaduct check` to find. */
  names: 10_000,
  /** Notes that wait until it answers: an hour of segments of a minute. Then the stream waits, with what is to be written. */
  waiting: 192,
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
 * an error of the catalog is logged, and stops nothing; while it gives no answer, notes wait for it, and the stream goes on. What is
 * fetched from a camera fills gaps, and makes none.
 */
export class StreamNotes {
  readonly #o: StreamPlace;
  #past: Past | undefined;
  #rows: (SegmentRow & SegmentTime)[] = [];
  /** Files whose rows were too many to wait. */
  #names: StoredFile[] = [];
  readonly #waiting = new Set<Promise<unknown>>();

  constructor(o: StreamPlace) {
    this.#o = o;
  }

  /** So many wait for the catalog that the stream does, too. */
  get areFull(): boolean {
    return this.#waiting.size >= LIMITS.waiting;
  }

  /** What was recorded last, once {@link before} or {@link recorded} has told. */
  get past(): Past | undefined {
    return this.#past;
  }

  /** What was recorded last; from the catalog before the first segment. */
  async before(): Promise<Past> {
    if (this.#past === undefined) {
      const { camera, stream, catalog } = this.#o;
      // It is waited for: without its link, the chain would begin anew.
      const row = await catalog.patient.segments
        .newestOf(camera, stream, this.#isFetched ? "fetched" : "live")
        .catch((err: unknown) => this.#complain(err));
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
    const { camera, stream } = this.#o;
    const endUs = this.#past?.endUs;
    if (endUs !== undefined && startUs - endUs > LEAST_GAP_US) await this.gap(endUs, cameraGap("nothing was received"));
    await this.noted((catalog) => catalog.gaps.end(camera, stream, Math.max(startUs, endUs ?? 0)));
  }

  /** Enters a segment that was sealed now. */
  async sealed(segment: SegmentFile): Promise<void> {
    const { camera, stream, fetchedUs } = this.#o;
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
    if (this.#isFetched) await this.noted((catalog) => catalog.gaps.filled(camera, stream, startUs, endUs));
  }

  /** A row that the next {@link enter} brings into the catalog. */
  add(row: SegmentRow & SegmentTime): void {
    this.#rows.push(row);
  }

  /** Brings finished segments into the catalog; what it refuses waits for the next time. */
  async enter(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    for (const row of rows)
      await this.asked(
        (catalog) => catalog.sealed(row),
        () => this.#wait(row),
      );
    if (this.#rows.length === 0) await this.#name();
  }

  #wait(row: SegmentRow & SegmentTime): void {
    this.#rows.push(row);
    const tooMany = this.#rows.splice(0, this.#rows.length - LIMITS.rows);
    this.#names.push(...tooMany.map(({ file, volume }) => ({ file, volume })));
    this.#names.splice(0, this.#names.length - LIMITS.names);
  }

  /** Once rows are taken again: the next start looks for files that were being written, and else for those of the last hour alone. */
  async #name(): Promise<void> {
    for (let file = this.#names.pop(); file !== undefined; file = this.#names.pop()) {
      const name = file;
      let isRefused = false;
      await this.asked(
        (catalog) => catalog.opening(name),
        () => {
          isRefused = true;
          this.#names.push(name);
        },
      );
      if (isRefused) return;
    }
  }

  /** A gap begins, unless one is open. */
  async gap(fromUs: number, { cause, why }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream } = this.#o;
    await this.noted((catalog) => catalog.gaps.begin({ camera, stream, fromUs, reason: why, cause }));
  }

  /** A gap begins, and ends an open one of another cause. */
  async changeGap(fromUs: number, { cause, why }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream } = this.#o;
    await this.before();
    await this.noted((catalog) => catalog.gaps.change({ camera, stream, fromUs, reason: why, cause }));
  }

  /** Of what was recorded, this is not there now. */
  async missed(fromUs: number, toUs: number, { cause, why: reason }: GapReason): Promise<void> {
    if (this.#isFetched) return;
    const { camera, stream } = this.#o;
    await this.noted((catalog) => catalog.gaps.missed({ camera, stream, fromUs, toUs, cause, reason }));
  }

  get #isFetched(): boolean {
    return this.#o.fetchedUs !== undefined;
  }

  /** Whether it failed, or is done when the catalog answers, nobody hears. */
  async noted(act: (catalog: Catalog) => Promise<void>): Promise<void> {
    await this.asked(act);
  }

  /** Undefined where the catalog failed, and where it is done later, for it gives no answer now. */
  async asked<T>(act: (catalog: Catalog) => Promise<T>, failed: () => void = () => undefined): Promise<T | undefined> {
    const { patient } = this.#o.catalog;
    while (this.areFull) await Promise.race(this.#waiting);
    const work = act(patient).catch((err: unknown) => {
      failed();
      return this.#complain(err);
    });
    this.#waiting.add(work);
    void work.finally(() => this.#waiting.delete(work));
    return patient.whileAnswering(work).catch(() => undefined);
  }

  #complain(err: unknown): undefined {
    if (this.#o.repeats.admit("catalog") !== undefined) this.#o.log.error({ err }, "the catalog cannot be written");
    return undefined;
  }
}
