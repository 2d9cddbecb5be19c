import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type Millis, SECOND } from "../base/units.ts";
import type { Catalog } from "./catalog.ts";
import type { Cursor, Move, SegmentRow } from "./catalog-rows.ts";
import { COPY, copyFile } from "./copy-file.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { errorCode, type Files } from "./files.ts";
import { removeDoomed } from "./recover.ts";
import type { Volume } from "./volume.ts";
import type { Volumes } from "./volumes.ts";

const LIMITS = {
  periodMs: 10 * SECOND,
  /** Segments whose source is removed in one go, behind one flush of the catalog. */
  batch: 16,
  /** Of a volume's room: when so little is left, the oldest goes to the archive however young it is. */
  spare: 0.05,
  /** Segments that could not be read, and are left where they are until the next start. */
  passedOver: 1000,
};

/** When what is recorded goes to the archive, and how fast. */
export interface Archiving {
  readonly afterMs: Millis;
  readonly bytesPerSecond: number;
}

/**
 * Brings sealed segments from the volumes that are recorded to to the archive: copied, flushed, read again and compared; then the
 * catalog names the copy; and when that survives a power cut, the original goes. Whatever breaks off in between is undone or finished
 * by {@link Mover.settle}: one of the two copies is always there, and the catalog's row says which one counts.
 */
export class Mover {
  readonly #o: {
    readonly volumes: Volumes;
    readonly files: Files;
    readonly catalog: Catalog;
    readonly clock: Clock;
    readonly log: Log;
    readonly archiving: Archiving;
  };
  readonly #timer: Timer;
  readonly #stop = new AbortController();
  readonly #passedOver = new Set<string>();
  /** Files of which an earlier move cannot be ended yet. */
  #waiting: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;

  constructor(o: {
    readonly volumes: Volumes;
    readonly files: Files;
    readonly catalog: Catalog;
    readonly clock: Clock;
    readonly log: Log;
    readonly archiving: Archiving;
  }) {
    this.#o = o;
    this.#timer = o.clock.every(LIMITS.periodMs, () => void this.run());
  }

  /** One pass; resolves when it is done. Calls during a pass wait for it. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#pass()
      .catch((err: unknown) => this.#o.log.error({ err }, "recordings cannot be brought to the archive"))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Resolves when the file that is being copied is given up. */
  async close(): Promise<void> {
    this.#timer.cancel();
    this.#stop.abort();
    await this.#running;
  }

  async #pass(): Promise<void> {
    await this.settle();
    for (const source of this.#o.volumes.all) {
      if (source.role === "archive" || !this.#o.volumes.here.includes(source.name)) continue;
      await this.#empty(source);
    }
  }

  /** Brings what is due from one volume, in batches. */
  async #empty(source: Volume): Promise<void> {
    const { catalog, clock, archiving, volumes } = this.#o;
    let short = await this.#shortOf(source);
    let cursor: Cursor | undefined;
    for (;;) {
      const page = await catalog.segments.oldest(LIMITS.batch, undefined, cursor, [source.name]);
      if (page.length === 0) return;
      for (const row of page) {
        if (this.#stop.signal.aborted) return;
        const isDue = row.endUs <= (clock.now() - archiving.afterMs) * 1000 || short > 0;
        const target = isDue ? await this.#target(row) : undefined;
        if (target === undefined) return this.settle();
        if (await this.#move(row, source, target)) short -= row.bytes;
        else if (!volumes.here.includes(source.name)) return this.settle();
        cursor = row;
      }
      await this.settle();
    }
  }

  /** So many bytes are to go however young they are. */
  async #shortOf(source: Volume): Promise<number> {
    const { volumes, catalog, files } = this.#o;
    const room = await volumes.roomOf(source);
    const held = (await catalog.volumes.held()).filter((one) => one.volume === source.name);
    const bytes = held.reduce((sum, one) => sum + one.bytes, 0);
    const free = await files.freeBytes(source.folder).catch(() => Number.POSITIVE_INFINITY);
    const byDisk = source.keepFreeBytes > 0 ? source.keepFreeBytes + room * LIMITS.spare - free : 0;
    return Math.max(bytes - source.maxBytes * (1 - LIMITS.spare), byDisk);
  }

  /** The archive with the most room; undefined where none can take it. */
  async #target({ file, bytes }: SegmentRow): Promise<Volume | undefined> {
    const { volumes, files, catalog } = this.#o;
    const leaving = (await catalog.doomed.all()).filter((one) => one.file === file).map((one) => one.volume);
    const rooms: { readonly volume: Volume; readonly room: number }[] = [];
    for (const volume of volumes.all) {
      // A copy of an earlier move would be removed under the new name.
      if (volume.role !== "archive" || !volumes.isUsable(volume) || leaving.includes(volume.name)) continue;
      if (!(await volumes.isHere(volume)) || (await files.freeBytes(volume.folder)) < 2 * bytes) continue;
      rooms.push({ volume, room: await volumes.roomOf(volume) });
    }
    return rooms.toSorted((a, b) => b.room - a.room)[0]?.volume;
  }

  /** True where the catalog names the copy now. */
  async #move(row: SegmentRow, source: Volume, target: Volume): Promise<boolean> {
    const { catalog, files, clock, log, archiving, volumes } = this.#o;
    if (this.#passedOver.has(row.file) || this.#waiting.has(row.file)) return false;
    const move: Move = { file: row.file, source: source.name, target: target.name };
    try {
      await catalog.moves.begin(move);
      const way = { from: `${source.folder}/${row.file}`, to: `${target.folder}/${row.file}` };
      await copyFile(files, way, { clock, bytesPerSecond: archiving.bytesPerSecond, signal: this.#stop.signal });
      return await catalog.moves.arrived(move);
    } catch (err) {
      if (this.#stop.signal.aborted) return false;
      log.error({ err, file: row.file, target: target.name }, "a recording cannot be brought to the archive");
      const code = errorCode(err);
      if (code !== undefined) volumes.failed(target, code);
      // Of a disk that has just gone, or hangs, nothing can be read, and all of it when it is back.
      else if (
        !isNoAnswer((err as Error).cause) &&
        (await volumes.isHere(source)) &&
        this.#passedOver.size < LIMITS.passedOver
      )
        this.#passedOver.add(row.file);
      return false;
    }
  }

  /** Ends the moves that were begun: the original goes where the catalog names the copy, else the copy, as far as there is one. */
  async settle(): Promise<void> {
    const { catalog, volumes, files, log } = this.#o;
    const moves = await catalog.moves.all();
    const waiting = new Set<string>();
    this.#waiting = waiting;
    if (moves.length === 0) return;
    // Before an original goes, that the catalog names its copy must survive a power cut.
    await catalog.sync();
    for (const move of moves) {
      const target = volumes.find(move.target);
      if (target === undefined) continue;
      try {
        // Its halves are there when it is back.
        if (!(await volumes.isHere(target))) throw new Fault("unavailable", `the volume ${target.name} is not there`);
        await files.remove(`${target.folder}/${move.file}${COPY}`);
      } catch (err) {
        // It stays listed, and holds up no other.
        waiting.add(move.file);
        log.debug({ err, file: move.file, target: target.name }, "a move cannot be ended yet");
        continue;
      }
      const row = await catalog.segments.find(move.file);
      const copies = [move.source, move.target].filter((volume) => volume !== row?.volume);
      await catalog.moves.end(move.file, copies);
    }
    for (const volume of volumes.all)
      if (volumes.here.includes(volume.name))
        // Copies alone: what is lost has to be stated, by who does it.
        await removeDoomed({ ...this.#o, volume }, ({ facts }) => facts === undefined);
  }
}
