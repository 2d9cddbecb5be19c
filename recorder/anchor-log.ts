import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "../base/clock.ts";
import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { DAY, HOUR, isoOf, later, unixMillis } from "../base/units.ts";
import { type AnchoredSegment, type AnchorName, printAnchor, readAnchor } from "./anchor.ts";
import {
  type AnchorFile,
  anchorFileOf,
  anchorFilesIn,
  anchorLinesOf,
  firstSeqOf,
  timeStampFileOf,
  timeStampFilesIn,
} from "./anchor-files.ts";
import type { Catalog } from "./catalog.ts";
import type { Files } from "./files.ts";
import { NO_LINK } from "./integrity.ts";
import { STATEMENTS_FOLDER } from "./removal-log.ts";
import type { Signer } from "./signature.ts";
import { hashOfText, isSignedWith } from "./signed-text.ts";
import { appendTo } from "./whole-text.ts";

const LIMITS = {
  periodMs: HOUR,
  /** Streams that are asked for in one turn of the loop. */
  streamsPerTurn: 20,
  /** A file of a day that has not come yet, for the clock was set back, is followed by one of the day after it: years would not fit into one. */
  fileBytes: 8 * 1024 * 1024,
};

interface AnchorPlace {
  readonly folder: string;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly signer: Signer;
  /** The number of the newest statement of what was removed. */
  readonly removals: () => number;
  /** The newest line of the audit log; absent: there is none. */
  readonly auditHead?: (() => AnchorName) | undefined;
  /** Told of each anchor, once it survives a power cut: somebody is to keep it elsewhere. */
  readonly anchored?: ((anchor: AnchorName) => void) | undefined;
}

/**
 * Signs every hour, at the end, and at a start that comes later than that, which segment of each stream is the newest: who takes the
 * newest segments away, or all of a camera, has to take the anchors away too, and those are told of elsewhere.
 */
export class AnchorLog {
  readonly #place: AnchorPlace;
  readonly #timer: Timer;
  #isResumed = false;
  #seq = 0;
  #prev = NO_LINK.toString("hex");
  #time = Number.NEGATIVE_INFINITY;
  /** The file of the newest anchor, and where the next one goes. */
  #file: AnchorFile | undefined;
  #end = 0;
  #working: Promise<void> = Promise.resolve();

  private constructor(place: AnchorPlace) {
    this.#place = place;
    this.#timer = place.clock.every(LIMITS.periodMs, () => void this.anchor());
  }

  /** Goes on behind the newest anchor. Anchors that this bridge did not sign are put aside. Never rejects for what the disk does. */
  static async open(place: AnchorPlace): Promise<AnchorLog> {
    const made = new AnchorLog(place);
    await made.#inTurn(async () => {
      await made.#resume();
      if (place.clock.now() - made.#time >= LIMITS.periodMs) await made.#append();
    });
    return made;
  }

  /** The newest one; undefined where there is none. */
  get newest(): AnchorName | undefined {
    return this.#seq === 0 ? undefined : { seq: this.#seq, hash: this.#prev };
  }

  /** Makes one now. Resolves when it is on the disk, or could not be written, which is logged: the next one is an hour away. */
  anchor(): Promise<void> {
    return this.#inTurn(() => this.#append());
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.anchor();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working
      .then(work)
      .catch((err: unknown) => this.#place.log.error({ err }, "the recordings cannot be anchored"));
    return this.#working;
  }

  /**
   * Finds the newest anchor, once. Rejects as the disk does, and is asked again with the next anchor then: to begin anew would accuse the
   * site, for others know the anchors that there are.
   */
  async #resume(): Promise<void> {
    if (this.#isResumed) return;
    try {
      if (!(await this.#find())) await this.#putAside();
    } catch (err) {
      if (!isFault(err, "invalid")) throw err;
      this.#place.log.error({ err }, "the newest anchor of the recordings makes no sense");
      await this.#putAside();
    }
    this.#isResumed = true;
  }

  /** False where the newest anchor is not by this bridge. */
  async #find(): Promise<boolean> {
    const { folder, files, signer } = this.#place;
    await files.makeFolder(`${folder}/${STATEMENTS_FOLDER}`);
    this.#file = undefined;
    for (const file of (await anchorFilesIn(files, folder)).toReversed()) {
      const lines = await anchorLinesOf(files, file);
      this.#file ??= file;
      if (this.#file === file) this.#end = lines.reduce((end, line) => end + Buffer.byteLength(line) + 1, 0);
      const line = lines.findLast((one) => one !== "");
      if (line === undefined) continue;
      const newest = readAnchor(line);
      if (!newest.valid || !isSignedWith(newest, signer)) return false;
      this.#seq = newest.anchor.seq;
      this.#prev = newest.hash;
      this.#time = Date.parse(newest.anchor.time);
      break;
    }
    return true;
  }

  async #putAside(): Promise<void> {
    const { folder, files, clock, log } = this.#place;
    log.error("anchors of the recordings that this bridge did not sign are put aside, and begin anew");
    const mark = isoOf(clock.now()).replaceAll(":", "-");
    const all = [...(await timeStampFilesIn(files, folder)), ...(await anchorFilesIn(files, folder))];
    for (const { path } of all) await files.rename(path, `${path}.${mark}.aside`);
    this.#file = undefined;
  }

  async #append(): Promise<void> {
    const { folder, files, clock, signer, removals, auditHead, anchored } = this.#place;
    await this.#resume();
    const segments = await this.#newest();
    if (segments.length === 0 && this.#seq === 0) return;
    const now = clock.now();
    const today = anchorFileOf(folder, now);
    // Where the clock was set back, still behind the anchor before.
    const file = this.#file !== undefined && this.#file.day > today.day ? this.#laterThan(this.#file) : today;
    const seq = this.#seq + 1;
    const { old, first = seq } = await this.#outlived(file);
    const line = printAnchor(
      { seq, time: isoOf(now), prev: this.#prev, first, removals: removals(), audit: auditHead?.() ?? null },
      segments,
      signer,
    );
    const at = file.path === this.#file?.path ? this.#end : undefined;
    this.#end = await appendTo(files, file.path, Buffer.from(`${line}\n`), at);
    this.#file = file;
    this.#seq = seq;
    this.#prev = hashOfText(line.slice(0, line.indexOf("\t")));
    this.#time = now;
    anchored?.({ seq, hash: this.#prev });
    // Before the anchors that they are of: a time stamp without its anchor would accuse somebody.
    for (const one of old) await files.remove(timeStampFileOf(folder, one));
    for (const { path } of old) await files.remove(path);
  }

  #laterThan(file: AnchorFile): AnchorFile {
    return this.#end < LIMITS.fileBytes
      ? file
      : anchorFileOf(this.#place.folder, later(unixMillis(Date.parse(file.day)), DAY));
  }

  async #newest(): Promise<readonly AnchoredSegment[]> {
    const { catalog } = this.#place;
    const found: AnchoredSegment[] = [];
    for (const { camera } of await catalog.volumes.totals())
      for (const stream of await catalog.segments.streams(camera)) {
        // What was fetched from a camera has a chain of its own.
        for (const how of ["live", "fetched"] as const) {
          const row = await catalog.segments.newestOf(camera, stream, how);
          if (row === undefined) continue;
          const { startUs, endUs, seal } = row;
          found.push({ camera, stream, startUs, endUs, link: Buffer.from(seal).toString("hex") });
        }
        if (found.length % LIMITS.streamsPerTurn === 0) await setImmediate();
      }
    return found;
  }

  /** Files of days before the oldest segment, and the first anchor of those that stay; undefined where none does. */
  async #outlived(
    current: AnchorFile,
  ): Promise<{ readonly old: readonly AnchorFile[]; readonly first: number | undefined }> {
    const { folder, files, catalog, clock } = this.#place;
    const [oldest] = await catalog.segments.oldest(1);
    const day = anchorFileOf(folder, oldest === undefined ? clock.now() : unixMillis(oldest.startUs / 1000)).day;
    const all = await anchorFilesIn(files, folder);
    const old = all.filter((one) => one.day < day && one.path !== current.path && one.path !== this.#file?.path);
    for (const file of all) {
      const first = old.includes(file) ? undefined : await firstSeqOf(files, file);
      if (first !== undefined) return { old, first };
    }
    return { old, first: undefined };
  }
}
