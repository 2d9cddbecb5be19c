import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { DAY, isoOf, MINUTE, type Millis, unixMillis } from "../base/units.ts";
import type { Catalog, SegmentRow } from "./catalog.ts";
import type { Files } from "./files.ts";
import type { Journal } from "./journal.ts";
import { removeDoomed } from "./recover.ts";
import type { RecordingKeys } from "./writer.ts";

const LIMITS = {
  /** Segments that go in one step; between steps others have their turn. */
  batch: 50,
  periodMs: MINUTE,
};

/** What is kept of one camera. Absent: no bound of this kind. */
export interface Retention {
  readonly maxAgeMs?: Millis;
  readonly maxBytes?: number;
}

/** What is kept in all. */
export interface ArchiveBounds {
  readonly maxBytes?: number;
  /** Space on the disk that is left to others. */
  readonly keepFreeBytes?: number;
}

/** Removes the oldest segments beyond the bounds, every minute and whenever the disk is full. */
export class Retainer {
  readonly #o: {
    readonly folder: string;
    readonly files: Files;
    readonly catalog: Catalog;
    readonly clock: Clock;
    readonly log: Log;
    readonly keys?: RecordingKeys | undefined;
    readonly journal?: Journal | undefined;
    readonly bounds: ArchiveBounds;
    readonly each: Retention;
  };
  readonly #cameras = new Map<string, Retention>();
  readonly #timer: Timer;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(o: {
    readonly folder: string;
    readonly files: Files;
    readonly catalog: Catalog;
    readonly clock: Clock;
    readonly log: Log;
    readonly keys?: RecordingKeys | undefined;
    readonly journal?: Journal | undefined;
    readonly bounds: ArchiveBounds;
    /** For cameras of which nothing else is said: also those that are recorded no more. */
    readonly each: Retention;
  }) {
    this.#o = o;
    this.#timer = o.clock.every(LIMITS.periodMs, () => void this.run());
  }

  retain(camera: string, retention: Retention): void {
    this.#cameras.set(camera, retention);
  }

  /** One pass; resolves when it is done. Calls during a pass wait for one more. Never rejects. */
  run(): Promise<void> {
    if (this.#running !== undefined) this.#again = true;
    this.#running ??= this.#passes().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#running;
  }

  async #passes(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#pass();
      } catch (err) {
        this.#o.log.error({ err }, "old recordings cannot be removed");
      }
    } while (this.#again && !this.#closed);
  }

  async #pass(): Promise<void> {
    const { folder, files, catalog, clock, bounds, each } = this.#o;
    await removeDoomed(this.#o);
    let all = 0;
    for (const { camera, bytes } of await catalog.totals()) {
      const { maxAgeMs = Infinity, maxBytes = Infinity } = this.#cameras.get(camera) ?? each;
      const bornUs = (clock.now() - maxAgeMs) * 1000;
      let left = bytes;
      await this.#removeWhile(camera, (row) => {
        const goes = row.endUs < bornUs || left > maxBytes;
        if (goes) left -= row.bytes;
        return goes;
      });
      all += left;
    }
    for (const camera of await catalog.camerasWithGaps()) {
      const { maxAgeMs } = this.#cameras.get(camera) ?? each;
      if (maxAgeMs !== undefined) await catalog.forgetGaps(camera, (clock.now() - maxAgeMs) * 1000);
    }
    for (const camera of (await this.#o.journal?.cameras()) ?? []) await this.#forget(camera);
    const { maxBytes = Infinity, keepFreeBytes = 0 } = bounds;
    let missing = Math.max(all - maxBytes, keepFreeBytes > 0 ? keepFreeBytes - (await files.freeBytes(folder)) : 0);
    await this.#removeWhile(undefined, (row) => {
      const goes = missing > 0;
      if (goes) missing -= row.bytes;
      return goes;
    });
    for (const camera of (await this.#o.keys?.cameras()) ?? []) {
      const { maxAgeMs } = this.#cameras.get(camera) ?? each;
      if (maxAgeMs === undefined) continue;
      // A segment may reach into the next day.
      const oldest = isoOf(unixMillis(Math.max(0, clock.now() - maxAgeMs - 2 * DAY)));
      await this.#shred(camera, (day) => day < oldest.slice(0, oldest.indexOf("T")));
    }
  }

  /** Events and bookmarks go with the footage that they are of; those of a camera without any, by their age alone. */
  async #forget(camera: string): Promise<void> {
    const { catalog, clock, each, journal } = this.#o;
    const { maxAgeMs = Infinity } = this.#cameras.get(camera) ?? each;
    const [oldest] = await catalog.oldest(1, camera);
    await journal?.forget(camera, unixMillis(Math.max(clock.now() - maxAgeMs, (oldest?.startUs ?? 0) / 1000)));
  }

  /** Removes segments, oldest first, as long as `goes` says so. */
  async #removeWhile(camera: string | undefined, goes: (row: SegmentRow) => boolean): Promise<void> {
    const { catalog, log } = this.#o;
    while (!this.#closed) {
      const oldest = await catalog.oldest(LIMITS.batch, camera);
      const stays = oldest.findIndex((row) => !goes(row));
      const going = stays === -1 ? oldest : oldest.slice(0, stays);
      if (going.length === 0) return;
      await catalog.doom(going.map((row) => row.file));
      await removeDoomed(this.#o);
      log.debug({ camera, segments: going.length }, "old recordings are removed");
      const left = oldest[going.length];
      for (const one of new Set(going.map((row) => row.camera))) {
        if (left?.camera === one) await catalog.forgetGaps(one, left.startUs);
        const days = new Set(going.filter((row) => row.camera === one).map(({ file }) => dayIn(file)));
        await this.#shred(one, (day) => days.has(day));
      }
      if (stays !== -1) return;
    }
  }

  /**
   * Destroys the keys of days of which the last segment was removed now, or that are too old for anything to be left of them:
   * what a disk still holds of these stays closed for ever. Never those of segments that are missing for another reason, which
   * may be a disk that is not there today.
   */
  async #shred(camera: string, gone: (day: string) => boolean): Promise<void> {
    const { catalog, keys, log } = this.#o;
    if (keys === undefined) return;
    const [oldest] = await catalog.oldest(1, camera);
    // What is being written, or waits for recovery or for its removal, is not in the order of the segments.
    const pending = [...(await catalog.opened()), ...(await catalog.doomed())];
    const kept = new Set(pending.filter((file) => file.startsWith(`${camera}/`)).map(dayIn));
    const first = oldest === undefined ? "~" : dayIn(oldest.file);
    const shredded = await keys.shred(camera, (day) => gone(day) && day < first && !kept.has(day));
    if (shredded > 0) log.info({ camera, shredded }, "keys of recordings that are gone are destroyed");
  }
}

/** `2026-11-24` of a segment's path. */
function dayIn(file: string): string {
  return file.split("/")[1] ?? "";
}
