import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { DAY, isoOf, MINUTE, type Millis, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Catalog } from "./catalog.ts";
import type { Cursor, SegmentRow } from "./catalog-rows.ts";
import type { Files } from "./files.ts";
import type { Journal, Mark } from "./journal.ts";
import { removeDoomed } from "./recover.ts";
import type { RemovalLog } from "./removal-log.ts";
import type { RemovalReason } from "./removals.ts";
import { SteadyTime } from "./steady-time.ts";
import type { Volume } from "./volume.ts";
import type { Volumes } from "./volumes.ts";
import type { RecordingKeys } from "./writer-context.ts";

const LIMITS = {
  /** Segments that are looked at in one step; between steps others have their turn. */
  batch: 50,
  /** Segments that go under one statement: a lock that is made meanwhile comes too late for them. */
  statement: 500,
  periodMs: MINUTE,
};

/** Who has this trouble, among volumes. */
const CLOCK = "the clock";

/** What is kept of one camera. Absent: no bound of this kind. */
export interface Retention {
  /** What is younger goes neither for `maxBytes`, nor for others as long as anything else can go. */
  readonly minAgeMs?: Millis;
  readonly maxAgeMs?: Millis;
  readonly maxBytes?: number;
}

/** What is kept in all. */
export interface ArchiveBounds {
  /** Of all volumes together. */
  readonly maxBytes?: number;
}

/** What becomes of a segment: it goes, and why; it is passed over; or it and all that is younger stay. */
type Verdict = Exclude<RemovalReason, "unknown"> | "kept" | "stays";

interface RetainerParts {
  readonly volumes: Volumes;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys?: RecordingKeys | undefined;
  readonly journal?: Journal | undefined;
  /** Where it is stated what is removed; absent: nowhere. */
  readonly removals?: RemovalLog | undefined;
  readonly bounds: ArchiveBounds;
  /** For cameras of which nothing else is said: also those that are recorded no more. */
  readonly each: Retention;
  /** Told before a minimum is broken, and where nothing more may go; undefined when that is over. */
  readonly trouble?: (words: string | undefined) => void;
}

/** Which segments are looked at: of one camera or of all, on these volumes. */
interface Choice {
  readonly camera?: string;
  readonly volumes: readonly string[];
}

/** Removes the oldest segments beyond the bounds, but no locked ones, every minute and whenever the disk is full. */
export class Retainer {
  readonly #o: RetainerParts;
  readonly #cameras = new Map<string, Retention>();
  readonly #timer: Timer;
  readonly #time: SteadyTime;
  /** By volume, or of all together. */
  readonly #troubles = new Map<string, string>();
  /** Out of the catalog, and not yet removed. */
  #going: SegmentRow[] = [];
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(o: RetainerParts) {
    this.#o = o;
    this.#timer = o.clock.every(LIMITS.periodMs, () => void this.run());
    this.#time = new SteadyTime(o.clock);
  }

  /** Instead of what is said for each camera. */
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
    const { catalog, volumes } = this.#o;
    const now = this.#time.now();
    const words = "the clock was set ahead: by that, nothing is deleted for its age until it has stayed so for a day";
    this.#tell(CLOCK, this.#time.isHeld ? words : undefined);
    // On a disk that is away nothing is removed: it would be forgotten, and there again when the disk is.
    const there: Volume[] = [];
    for (const volume of volumes.all) if (await volumes.isHere(volume)) there.push(volume);
    if (there.length === 0) return;
    const names = there.map(({ name }) => name);
    for (const volume of there) await removeDoomed({ ...this.#o, volume });
    // What is away neither counts nor goes.
    const held = Map.groupBy(
      (await catalog.volumes.held()).filter(({ volume }) => names.includes(volume)),
      ({ camera }) => camera,
    );
    let all = 0;
    for (const [camera, parts] of held) {
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const { maxAgeMs = Infinity, maxBytes = Infinity } = this.#of(camera);
      const oldUs = (now - maxAgeMs) * 1000;
      let left = bytes;
      await this.#remove({ camera, volumes: names }, (row) => {
        const isOld = row.endUs < oldUs;
        if (!isOld && (left <= maxBytes || this.#isYoung(row))) return "stays";
        left -= row.bytes;
        return isOld ? "age" : "camera-bytes";
      });
      all += left;
    }
    await this.#discard();
    for (const camera of await catalog.gaps.cameras()) {
      const { maxAgeMs } = this.#of(camera);
      if (maxAgeMs !== undefined) await catalog.gaps.forget(camera, (now - maxAgeMs) * 1000);
    }
    for (const camera of (await this.#o.journal?.cameras()) ?? []) await this.#forget(camera);
    await this.#keepSum(all, names);
    for (const volume of there) await this.#keepRoom(volume);
    for (const camera of (await this.#o.keys?.cameras()) ?? []) {
      const { maxAgeMs } = this.#of(camera);
      if (maxAgeMs === undefined) continue;
      // A segment may reach into the next day.
      const oldest = dayOf(unixMillis(Math.max(0, now - maxAgeMs - 2 * DAY)));
      await this.#shred(camera, (day) => day < oldest);
    }
  }

  #of(camera: string): Retention {
    return this.#cameras.get(camera) ?? this.#o.each;
  }

  /** Within its camera's minimum. */
  #isYoung({ camera, endUs }: SegmentRow): boolean {
    const { minAgeMs } = this.#of(camera);
    return minAgeMs !== undefined && endUs >= (this.#time.now() - minAgeMs) * 1000;
  }

  /** `all`: the bytes on the volumes that are there, together. */
  #keepSum(all: number, volumes: readonly string[]): Promise<void> {
    return this.#makeRoom(all - (this.#o.bounds.maxBytes ?? Infinity), volumes, { name: "", mayMove: () => false });
  }

  async #keepRoom(volume: Volume): Promise<void> {
    const { files, catalog, volumes, log } = this.#o;
    const { name, folder, maxBytes, keepFreeBytes } = volume;
    const held = (await catalog.volumes.held()).filter((one) => one.volume === name);
    const bytes = held.reduce((sum, one) => sum + one.bytes, 0);
    let free = Infinity;
    if (keepFreeBytes > 0)
      try {
        free = await files.freeBytes(folder);
      } catch (err) {
        log.warn({ err, volume: name }, "it cannot be told how much is free on a volume");
      }
    const missing = Math.max(bytes - maxBytes, keepFreeBytes - free);
    // More would only be lost to the catalog, pass by pass, and free nothing.
    if (missing > 0 && (await this.#isStuck(volume))) {
      const words = "there is no room, and the disk does not let go of what is due to go";
      this.#tell(name, volumes.fill(volume, true) ? undefined : words);
      return;
    }
    await this.#makeRoom(missing, [name], { name, mayMove: (full) => volumes.fill(volume, full) });
  }

  /** Whether something that was to be removed from it is still there. */
  async #isStuck({ name, folder }: Volume): Promise<boolean> {
    const { catalog, files } = this.#o;
    for (const { file, volume } of await catalog.doomed.all())
      if (volume === name && (await files.exists(`${folder}/${file}`))) return true;
    return false;
  }

  /**
   * So many bytes go: the oldest first, what has a minimum last. `mayMove` is told that all that has none is gone, and there is still
   * no room, and answers whether what is new can be recorded elsewhere; then what has a minimum stays.
   */
  async #makeRoom(
    bytes: number,
    volumes: readonly string[],
    { name, mayMove }: { readonly name: string; readonly mayMove: (full: boolean) => boolean },
  ): Promise<void> {
    let missing = bytes;
    const take = (row: SegmentRow): Verdict => {
      if (missing <= 0) return "stays";
      missing -= row.bytes;
      return "room";
    };
    if (missing > 0) await this.#remove({ volumes }, (row) => (missing > 0 && this.#isYoung(row) ? "kept" : take(row)));
    await this.#discard();
    if (mayMove(missing > 0) || missing <= 0) {
      this.#tell(name, undefined);
      return;
    }
    // Before anything of it goes: somebody may want to act.
    this.#tell(name, "there is no room for what is to be kept at least: the oldest of it is deleted");
    await this.#remove({ volumes }, take);
    await this.#discard();
    if (missing > 0) this.#tell(name, "there is no room, and nothing may be deleted: all that is left is locked");
  }

  #tell(name: string, trouble: string | undefined): void {
    if (trouble === this.#troubles.get(name)) return;
    if (trouble === undefined) this.#troubles.delete(name);
    else this.#troubles.set(name, trouble);
    if (trouble !== undefined) this.#o.log.error(name === "" || name === CLOCK ? {} : { volume: name }, trouble);
    const [first] = this.#troubles.values();
    this.#o.trouble?.(first);
  }

  /** Events and bookmarks go with the footage that they are of; those of a camera without any, by their age alone. */
  async #forget(camera: string): Promise<void> {
    const { catalog, journal } = this.#o;
    const { maxAgeMs = Infinity } = this.#of(camera);
    const now = this.#time.now();
    const [oldest] = await catalog.segments.oldest(1, camera);
    await journal?.forget(camera, unixMillis(Math.max(now - maxAgeMs, (oldest?.startUs ?? 0) / 1000)));
  }

  /** Dooms segments, oldest first, until one stays. Locked ones are passed over whatever is said of them. */
  async #remove({ camera, volumes }: Choice, judge: (row: SegmentRow) => Verdict): Promise<void> {
    const { catalog } = this.#o;
    let cursor: Cursor | undefined;
    while (!this.#closed) {
      const page = await catalog.segments.oldest(LIMITS.batch, camera, cursor, volumes);
      const going = new Map<RemovalReason, SegmentRow[]>();
      // Asked for each page: a lock that is made meanwhile counts.
      const locks = await this.#locksOf(new Set(page.map((row) => row.camera)));
      let ended = page.length === 0;
      for (const row of page) {
        const verdict = isLocked(row, locks) ? "kept" : judge(row);
        ended = verdict === "stays";
        if (ended) break;
        if (verdict !== "kept" && verdict !== "stays") going.set(verdict, [...(going.get(verdict) ?? []), row]);
      }
      cursor = page.at(-1);
      for (const [why, rows] of going) {
        await catalog.doomed.add(rows, why);
        this.#going.push(...rows);
      }
      if (this.#going.length >= LIMITS.statement) await this.#discard();
      if (ended) return;
    }
  }

  /** Removes what was doomed, of all cameras under one statement for each volume. */
  async #discard(): Promise<void> {
    const { catalog, log, volumes } = this.#o;
    const going = this.#going;
    if (going.length === 0) return;
    this.#going = [];
    for (const volume of volumes.all)
      if (volumes.here.includes(volume.name)) await removeDoomed({ ...this.#o, volume });
    log.debug({ segments: going.length }, "old recordings are removed");
    for (const [camera, rows] of Map.groupBy(going, (row) => row.camera)) {
      const [left] = await catalog.segments.oldest(1, camera);
      if (left !== undefined) await catalog.gaps.forget(camera, left.startUs);
      const days = new Set(rows.map(({ file }) => dayIn(file)));
      await this.#shred(camera, (day) => days.has(day));
    }
  }

  async #locksOf(cameras: ReadonlySet<string>): Promise<readonly Mark[]> {
    const { journal } = this.#o;
    if (journal === undefined) return [];
    const locks = await Promise.all([...cameras].map((camera) => journal.marks(camera, EVER, "lock")));
    return locks.flat();
  }

  /**
   * Destroys the keys of days of which the last segment was removed now, or that are too old for anything to be left of them:
   * what a disk still holds of these stays closed for ever. Never those of segments that are missing for another reason, which
   * may be a disk that is not there today, nor of days of which anything is locked.
   */
  async #shred(camera: string, gone: (day: string) => boolean): Promise<void> {
    const { catalog, keys, log } = this.#o;
    if (keys === undefined) return;
    // What is being written, or waits for recovery or for its removal, is not in the order of the segments.
    const pending = [...(await catalog.opened()), ...(await catalog.doomed.all())];
    const kept = new Set([
      ...pending.flatMap(({ file }) => (file.startsWith(`${camera}/`) ? [dayIn(file)] : [])),
      ...(await catalog.segments.days(camera)),
    ]);
    const locks = (await this.#locksOf(new Set([camera]))).map(({ from, to }) => [dayOf(from), dayOf(to)] as const);
    const shredded = await keys.shred(
      camera,
      (day) => gone(day) && !kept.has(day) && !locks.some(([from, to]) => from <= day && day <= to),
    );
    if (shredded > 0) log.info({ camera, shredded }, "keys of recordings that are gone are destroyed");
  }
}

const EVER = { from: unixMillis(0), to: unixMillis(Number.MAX_SAFE_INTEGER) };

function isLocked({ camera, startUs, endUs }: SegmentRow, locks: readonly Mark[]): boolean {
  return locks.some((lock) => lock.camera === camera && lock.from * 1000 <= endUs && lock.to * 1000 >= startUs);
}

/** `2026-11-24` in UTC, as it stands in paths. */
function dayOf(at: UnixMillis): string {
  return isoOf(at).slice(0, 10);
}

/** `2026-11-24` of a segment's path. */
function dayIn(file: string): string {
  return file.split("/")[1] ?? "";
}
