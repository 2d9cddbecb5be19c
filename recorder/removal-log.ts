import type { Clock } from "../base/clock.ts";
import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import { isoOf } from "../base/units.ts";
import type { AnchorName } from "./anchor.ts";
import type { Catalog } from "./catalog.ts";
import type { Cursor, DoomedRow, SegmentRow, StoredFile } from "./catalog-rows.ts";
import { errorCode, type Files } from "./files.ts";
import { NO_LINK, type SegmentHeader } from "./integrity.ts";
import {
  printRemovals,
  type RemovedRange,
  type RemovedSegment,
  readRemovals,
  type SignedRemovals,
  withRemoved,
} from "./removals.ts";
import { headerOf } from "./scan.ts";
import type { Signer } from "./signature.ts";
import { hashOfText, isSignedWith } from "./signed-text.ts";
import type { Volumes } from "./volumes.ts";
import { readText, replaceText } from "./whole-text.ts";

/** Statements about the recordings beside them, below the archive's folder. A name that no camera can have. */
export const STATEMENTS_FOLDER = "statements.d";

/** What was removed, in {@link STATEMENTS_FOLDER}. */
export const REMOVALS_FILE = "removed.txt";

const LIMITS = {
  fileBytes: 128 * 1024 * 1024,
};

interface Place {
  /** The archive's: statements are below it. */
  readonly folder: string;
  readonly volumes: Pick<Volumes, "pathOf">;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly log: Log;
}

interface StatingPlace extends Place {
  readonly clock: Clock;
  readonly signer: Signer;
  /** The newest anchor of the recordings; undefined where it is not known yet. */
  readonly anchor: () => AnchorName | undefined;
}

/** The statement that stands below an archive's folder; undefined where there is none. Fault `invalid` where it makes no sense. */
export async function removalsIn(files: Files, folder: string): Promise<SignedRemovals | undefined> {
  const text = await readText(files, `${folder}/${STATEMENTS_FOLDER}/${REMOVALS_FILE}`, LIMITS.fileBytes);
  return text === undefined ? undefined : readRemovals(text.trimEnd());
}

/**
 * Keeps the signed statement of what was removed of an archive: written before anything is removed, one file that each new
 * statement takes the place of, so that it grows with the number of streams and not with time.
 */
export class RemovalLog {
  readonly #place: StatingPlace;
  #seq = 0;
  #prev = NO_LINK.toString("hex");
  #ranges: readonly RemovedRange[] = [];
  #anchor: AnchorName | null = null;
  /** Nothing was stated yet: what was removed until now is not known. */
  #isNew = true;
  /** By file, what is to be stated; emptied where that was written. */
  readonly #pending = new Map<string, RemovedSegment>();
  /** Each statement goes on from the one before: of two at a time, one would be lost. */
  readonly #turns = new Turns();

  private constructor(place: StatingPlace) {
    this.#place = place;
  }

  /** A statement that is not ours, or makes no sense, is put aside, and a new one begun: it must not get our signature. */
  static async open(place: StatingPlace): Promise<RemovalLog> {
    const made = new RemovalLog(place);
    const { folder, files, log } = place;
    await files.makeFolder(`${folder}/${STATEMENTS_FOLDER}`);
    try {
      const found = await removalsIn(files, folder);
      if (found === undefined) return made;
      if (found.valid && isSignedWith(found, place.signer)) {
        made.#seq = found.removals.seq;
        made.#prev = found.hash;
        made.#ranges = found.removals.ranges;
        made.#anchor = found.removals.anchor;
        made.#isNew = false;
        return made;
      }
      log.error("the statement of what was removed is not signed by this bridge: it is put aside");
    } catch (err) {
      if (!isFault(err, "invalid")) throw err;
      log.error({ err }, "the statement of what was removed cannot be read: it is put aside");
    }
    const file = `${folder}/${STATEMENTS_FOLDER}/${REMOVALS_FILE}`;
    await files.rename(file, `${file}.${isoOf(place.clock.now()).replaceAll(":", "-")}.aside`);
    return made;
  }

  /** The number of the newest statement. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * The first statement: of what had been removed of each stream before there were statements, it says no more than that. Does
   * nothing once there is one. Rejects as the disk does.
   */
  async begin(): Promise<void> {
    if (!this.#isNew) return;
    const { catalog } = this.#place;
    const before: RemovedSegment[] = [];
    for (const { camera } of await catalog.volumes.totals())
      for (const stream of await catalog.segments.streams(camera)) {
        const oldest = await this.#oldestLive(camera, stream);
        const previous = oldest && (await this.#headerOf(oldest))?.previous;
        if (oldest === undefined || previous === undefined || previous.equals(NO_LINK)) continue;
        const span = { startUs: oldest.startUs, endUs: oldest.startUs };
        before.push({ camera, stream, ...span, previous: null, link: previous.toString("hex"), why: "unknown" });
      }
    await this.#write(before);
    this.#isNew = false;
  }

  /**
   * States what is about to be removed. It survives a power cut once this resolves; rejects as the disk does, and then it may be asked
   * again, also when the files are gone. Of a file that somebody else has removed, nothing is stated: it is missing.
   */
  state(rows: readonly DoomedRow[]): Promise<void> {
    return this.#turns.take(() => this.#state(rows));
  }

  async #state(rows: readonly DoomedRow[]): Promise<void> {
    // What is removed before the first statement is under that one.
    if (this.#isNew) return;
    for (const { file, volume, facts } of rows) {
      if (facts === undefined || facts.isStated || this.#pending.has(file)) continue;
      const path = this.#place.volumes.pathOf({ file, volume });
      if (path === undefined || !(await this.#place.files.exists(path))) continue;
      const { camera, stream, startUs, endUs, seal, why } = facts;
      const header = await this.#headerOf({ file, volume });
      const previous = header?.previous.toString("hex") ?? null;
      const link = Buffer.from(seal).toString("hex");
      const { fetchedUs } = header ?? {};
      this.#pending.set(file, { camera, stream, startUs, endUs, previous, link, fetchedUs, why });
    }
    if (this.#pending.size === 0) return;
    await this.#write([...this.#pending.values()]);
    this.#pending.clear();
  }

  async #write(segments: readonly RemovedSegment[]): Promise<void> {
    const { folder, files, clock, signer } = this.#place;
    const time = isoOf(clock.now());
    const ranges = withRemoved(this.#ranges, segments, time);
    const anchor = this.#place.anchor() ?? this.#anchor;
    const removals = { seq: this.#seq + 1, time, prev: this.#prev, by: "retention", anchor, ranges } as const;
    const line = printRemovals(removals, signer);
    await replaceText(files, `${folder}/${STATEMENTS_FOLDER}/${REMOVALS_FILE}`, `${line}\n`);
    this.#seq = removals.seq;
    this.#prev = hashOfText(line.slice(0, line.indexOf("\t")));
    this.#ranges = ranges;
    this.#anchor = anchor;
  }

  async #oldestLive(camera: string, stream: string): Promise<SegmentRow | undefined> {
    const { segments } = this.#place.catalog;
    let cursor: Cursor = { startUs: 0, file: "" };
    for (;;) {
      const page = await segments.after(camera, stream, cursor);
      const live = page.find(({ fetchedUs }) => fetchedUs === null);
      const last = page.at(-1);
      if (live !== undefined || last === undefined) return live;
      cursor = last;
    }
  }

  /** What a segment says of itself; undefined where its file cannot be read. */
  async #headerOf(stored: StoredFile): Promise<SegmentHeader | undefined> {
    const { volumes, files, log } = this.#place;
    const path = volumes.pathOf(stored);
    if (path === undefined) return undefined;
    try {
      const handle = await files.open(path, "read");
      try {
        return await headerOf(handle);
      } finally {
        await handle.close();
      }
    } catch (err) {
      if (errorCode(err) === undefined) throw err;
      log.warn({ err, file: stored.file }, "a recording cannot be read any more");
      return undefined;
    }
  }
}
