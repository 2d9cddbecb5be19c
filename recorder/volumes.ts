import type { Clock, Timer } from "../base/clock.ts";
import { Fault, isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { MINUTE, SECOND } from "../base/units.ts";
import type { Catalog } from "./catalog.ts";
import type { Held, StoredFile } from "./catalog-rows.ts";
import { NO_ANSWER } from "./disk-turns.ts";
import { errorCode, type Files } from "./files.ts";
import { StreamPlaces } from "./stream-places.ts";
import type { Troubles } from "./troubles.ts";
import { MAIN_VOLUME, type UnnamedVolume, type Volume, type VolumeStatus } from "./volume.ts";
import { whyAway } from "./volume-mark.ts";
import { probe } from "./volume-probe.ts";
import { failureOf, soundVolume, stateWord, sumOf, type VolumeState, whatIsWrong } from "./volume-state.ts";
import type { Kind } from "./watched-files.ts";

const LIMITS = {
  /** How often volumes are looked at, where there are several. */
  lookMs: 10 * SECOND,
  /** A volume that failed is tried again after this; doubled with each failure within the time below. */
  firstPauseMs: 10 * SECOND,
  longestPauseMs: 5 * MINUTE,
  soundMs: 10 * MINUTE,
};

/** What volumes need of the others. */
export interface VolumesContext {
  readonly files: Files;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  /** Below the main volume's folder: there while its disk is. Absent: nothing is asked for, and every volume is there. */
  readonly mainMark?: string;
  /** Finishes what was left unfinished on a volume, when it is there for the first time. */
  readonly prepare?: (volume: Volume) => Promise<void>;
  /** Told whenever a volume can be recorded to, or can be no more. */
  readonly usable?: (volume: string, usable: boolean) => void;
  /** Nothing may be written: new volumes get no mark. */
  readonly readOnly?: boolean;
}

/**
 * The disks that recordings are on. One may fail, fill up, go and come back by itself: a stream is recorded to another one then, and
 * what is on a volume that is away stays in the catalog.
 */
export class Volumes {
  /** The main one first. */
  readonly all: readonly Volume[];
  readonly #o: VolumesContext;
  readonly #states = new Map<string, VolumeState>();
  readonly #places = new StreamPlaces();
  readonly #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  /** Those that were there once. */
  #known: Set<string> | undefined;
  /** What the catalog had on each when it answered last. */
  #heldLast: readonly Held[] = [];

  /** Every volume is taken to be there until {@link look}. */
  constructor(all: readonly Volume[], context: VolumesContext) {
    this.all = all;
    this.#o = context;
    for (const { name } of all) this.#states.set(name, soundVolume(LIMITS.firstPauseMs, context.prepare === undefined));
    if (all.length > 1 && context.readOnly !== true)
      this.#timer = context.clock.every(LIMITS.lookMs, () => void this.look());
  }

  get main(): Volume {
    return this.all[0] as Volume;
  }

  /** Names of those that are there. */
  get here(): readonly string[] {
    return this.all.filter(({ name }) => this.#isHere(name)).map(({ name }) => name);
  }

  /** Those that the catalog has recordings on, and no settings name. */
  async unnamed(): Promise<readonly UnnamedVolume[]> {
    const held = Map.groupBy(await this.#held(), ({ volume }) => volume);
    return [...held]
      .filter(([name]) => this.find(name) === undefined)
      .map(([name, rows]) => ({ name, ...sumOf(rows) }));
  }

  /**
   * Gives up a volume that will not come back: the catalog names its recordings no more. How many segments there were. Where its disk
   * comes back all the same, they are entered again. Fault `invalid` where it is there, `not-found` where there never was one.
   */
  async forget(name: string): Promise<number> {
    const { catalog } = this.#o;
    const named = this.find(name);
    if (name === MAIN_VOLUME || (named !== undefined && (await this.isHere(named)))) {
      const tell = `the volume ${name} is there: what is on it goes by its age, or with its files (viaduct check finds the rest)`;
      throw new Fault("invalid", tell, { tell });
    }
    const known = [...(await catalog.volumes.known()), ...(await this.unnamed()).map((one) => one.name)];
    if (named === undefined && !known.includes(name)) {
      const tell = `there was never a volume ${name}`;
      throw new Fault("not-found", tell, { tell });
    }
    // Nobody is to find it back and enter its recordings meanwhile.
    while (this.#looking !== undefined) await this.#looking;
    if (named !== undefined) this.#state(named).prepared = this.#o.prepare === undefined;
    const forgetting = catalog.volumes.forget(name, `it was on the volume ${name}, which is lost`);
    this.#looking = forgetting.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await forgetting;
    } finally {
      this.#looking = undefined;
    }
  }

  /** Undefined where no settings name it. */
  find(name: string): Volume | undefined {
    return this.all.find((one) => one.name === name);
  }

  /** Where a file is; undefined while its volume is not there. */
  pathOf({ volume, file }: StoredFile): string | undefined {
    return this.#isHere(volume) ? `${this.find(volume)?.folder}/${file}` : undefined;
  }

  /** Why a volume's footage cannot be had, in words; undefined where it can. */
  whyAway(name: string): string | undefined {
    return this.#isHere(name) ? undefined : `it is on the volume ${name}, which is not there now`;
  }

  /** Whether what is new can be written to it. */
  isUsable({ name }: Pick<Volume, "name">): boolean {
    const state = this.#states.get(name);
    return state?.prepared === true && stateWord(state) === "here";
  }

  /** Prepares the main volume, without which there is no archive, and those of the others that are there. */
  async start(): Promise<void> {
    await this.#o.prepare?.(this.main);
    this.#state(this.main).prepared = true;
    await this.look();
  }

  /** Looks at each volume: whether it is there, and whether one that failed can be written again. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    for (const volume of this.all) {
      const state = this.#state(volume);
      if (!(await this.isHere(volume))) continue;
      if (!state.prepared)
        try {
          await this.#o.prepare?.(volume);
          state.prepared = true;
        } catch (err) {
          this.#o.log.error({ err, volume: volume.name }, "what is unfinished on a volume cannot be finished yet");
          this.#setAway(volume, `it cannot be read (${errorCode(err) ?? "it is damaged"})`);
        }
      if (state.failing !== undefined && this.#o.clock.monotonic() >= state.retryAt) await this.#probe(volume, state);
    }
  }

  /** Whether its disk is there now, and answers. */
  async isHere(volume: Volume): Promise<boolean> {
    const { hangs } = this.#state(volume);
    const isOnly = this.all.length === 1;
    // It is waited for where there is no other.
    if (hangs.size > 0 && !isOnly) return false;
    this.#setAway(volume, await this.#whyAway(volume));
    return this.#state(volume).away === undefined && (hangs.size === 0 || isOnly);
  }

  /** A disk gives no answer any more, or has answered all that was asked of it. */
  hangs(volume: Volume, kind: Kind, hangs: boolean): void {
    const { hangs: kinds } = this.#state(volume);
    if (hangs) kinds.add(kind);
    else kinds.delete(kind);
    if (hangs && kind === "writing") this.failed(volume, NO_ANSWER);
    this.#set(volume, {});
    if (kinds.size === 0) void this.look();
  }

  async #whyAway(volume: Volume): Promise<string | undefined> {
    const { files, catalog, mainMark, readOnly } = this.#o;
    if (mainMark === undefined) return undefined;
    try {
      if (volume.name === MAIN_VOLUME)
        return (await files.exists(`${volume.folder}/${mainMark}`)) ? undefined : `there is no ${mainMark} in it`;
      // By a link, or mounted twice: its recordings would be taken for copies, and removed.
      if (await files.exists(`${volume.folder}/${mainMark}`))
        return `the folder ${volume.folder} is that of the volume main`;
      // Asked for once: the catalog may be on a disk that goes.
      this.#known ??= new Set(await catalog.volumes.known());
      const isKnown = this.#known.has(volume.name);
      const away = await whyAway(files, volume, { isKnown, mayMark: readOnly !== true });
      if (away === undefined && !isKnown && readOnly !== true) {
        await catalog.volumes.know(volume.name);
        this.#known.add(volume.name);
      }
      return away;
    } catch (error) {
      return `it cannot be read (${errorCode(error) ?? (error as Error).message})`;
    }
  }

  /**
   * The volume for a stream's next segment: the one that is `wanted`, else where it belongs, else one that can be written, by room.
   * Fault `unavailable` where no disk is there that answers.
   */
  async choose(stream: string, wanted?: string): Promise<Volume> {
    const candidates = this.#places.inOrder(stream, wanted, this.all, await this.#rooms());
    // Rather one that failed than none.
    for (const may of [(one: Volume) => this.isUsable(one), (one: Volume) => this.#state(one).prepared])
      for (const volume of candidates)
        if (may(volume) && (await this.isHere(volume))) {
          this.#places.settle(stream, volume);
          return volume;
        }
    const hangs = candidates.some((one) => this.#state(one).hangs.size > 0);
    throw new Fault("unavailable", `the disk with the recordings ${hangs ? "gives no answer" : "is not there"}`);
  }

  /** Of those that can be written; asked only where there is a choice. */
  async #rooms(): Promise<ReadonlyMap<Volume, number>> {
    const rooms = new Map<Volume, number>();
    if (this.all.length > 1)
      for (const volume of this.all) if (this.isUsable(volume)) rooms.set(volume, await this.roomOf(volume));
    return rooms;
  }

  /** Bytes that recordings have on it, and could have besides. */
  async roomOf(volume: Volume): Promise<number> {
    try {
      const held = (await this.#held()).filter((one) => one.volume === volume.name);
      const bytes = held.reduce((sum, one) => sum + one.bytes, 0);
      const room = bytes + (await this.#o.files.freeBytes(volume.folder)) - volume.keepFreeBytes;
      return Math.max(0, Math.min(volume.maxBytes, room));
    } catch {
      return 0;
    }
  }

  /** A stream is recorded no more. */
  leave(stream: string): void {
    this.#places.leave(stream);
  }

  /** It could not be written. True where another one can be: what was to be written belongs there, at once. */
  failed(volume: Volume, code: string): boolean {
    if (this.all.length === 1) return false;
    const state = this.#state(volume);
    const now = this.#o.clock.monotonic();
    if (state.failing === undefined) {
      const isNew = now - state.failedAt > LIMITS.soundMs;
      state.pauseMs = isNew ? LIMITS.firstPauseMs : Math.min(state.pauseMs * 2, LIMITS.longestPauseMs);
      state.retryAt = now + state.pauseMs;
    }
    state.failedAt = now;
    this.#set(volume, { failing: failureOf(code) });
    return this.all.some((one) => this.isUsable(one));
  }

  /** Whether it is short of room although all that may be deleted is. False where no other can take what is new. */
  fill(volume: Volume, full: boolean): boolean {
    const isElsewhere = this.all.some((one) => one !== volume && this.isUsable(one));
    this.#set(volume, { full: full && isElsewhere });
    return full && isElsewhere;
  }

  /** As the catalog has told last, where it gives no answer. */
  async #held(): Promise<readonly Held[]> {
    try {
      this.#heldLast = await this.#o.catalog.volumes.held();
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error;
    }
    return this.#heldLast;
  }

  /** Of each, with what the catalog has on it. */
  async status(): Promise<readonly VolumeStatus[]> {
    const held = Map.groupBy(await this.#held(), (one) => one.volume);
    return Promise.all(
      this.all.map(async (volume) => {
        const state = this.#state(volume);
        const rows = held.get(volume.name) ?? [];
        return {
          ...volume,
          state: stateWord(state),
          problem: whatIsWrong(volume, state),
          freeBytes:
            stateWord(state) === "away" || state.hangs.has("reading")
              ? undefined
              : await this.#o.files.freeBytes(volume.folder).catch(() => undefined),
          ...sumOf(rows),
          streams: this.#places.streamsOn(volume),
        };
      }),
    );
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#looking;
  }

  async #probe(volume: Volume, state: VolumeState): Promise<void> {
    const wasFull = state.failing?.startsWith("it is full") === true;
    try {
      await probe(this.#o.files, volume, wasFull);
      this.#set(volume, { failing: undefined });
    } catch {
      state.pauseMs = Math.min(state.pauseMs * 2, LIMITS.longestPauseMs);
      state.retryAt = this.#o.clock.monotonic() + state.pauseMs;
    }
  }

  #isHere(name: string): boolean {
    const state = this.#states.get(name);
    // The only one is asked each time: nobody looks whether it is back.
    return state !== undefined && (this.all.length === 1 || (state.away === undefined && !state.hangs.has("reading")));
  }

  #state({ name }: Volume): VolumeState {
    return this.#states.get(name) as VolumeState;
  }

  #setAway(volume: Volume, away: string | undefined): void {
    this.#set(volume, { away });
  }

  #set(volume: Volume, change: Partial<VolumeState>): void {
    const state = this.#state(volume);
    Object.assign(state, change);
    // Of the only one, each stream tells how it fares; while it hangs, none can.
    const words = this.all.length > 1 || state.hangs.size > 0 ? whatIsWrong(volume, state) : undefined;
    if (words === state.told) return;
    state.told = words;
    const { log, troubles, usable } = this.#o;
    if (words === undefined) log.info({ volume: volume.name }, "a volume can be recorded to again");
    else log.error({ volume: volume.name }, words);
    troubles.set(`volume ${volume.name}`, words);
    usable?.(volume.name, words === undefined);
  }
}
