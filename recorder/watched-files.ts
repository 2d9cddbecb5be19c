import type { Clock } from "../base/clock.ts";
import type { Millis } from "../base/units.ts";
import { DiskTurns } from "./disk-turns.ts";
import type { Files, OpenFile } from "./files.ts";
import type { Volume } from "./volume.ts";

const LIMITS = {
  /** Operations on one volume at a time, of each kind: enough for a disk to be busy. */
  perKind: 8,
  /** Threads that all volumes together leave to what else the process does. */
  otherThreads: 4,
  /** Of Node.js, where nothing else is said. */
  usualThreads: 4,
};

/** What a volume is asked for. A disk may hang for the one and not for the other. `catalog`: of the main volume, whatever that is asked. */
export type Kind = "reading" | "writing" | "catalog";

type FileKind = Exclude<Kind, "catalog">;
type Turns = Readonly<Record<FileKind, DiskTurns>>;

/**
 * Files on volumes, of which each has a few operations under way at a time, and a time for its answer: see {@link DiskTurns}. So a disk
 * that hangs neither takes all threads of the process, nor holds up who waits for it without end. Closing a file is waited for only
 * while its disk answers, and is done when it does.
 */
export class WatchedFiles implements Files {
  readonly #files: Files;
  readonly #volumes: readonly (readonly [folder: string, turns: Turns])[];

  constructor(
    files: Files,
    o: {
      readonly volumes: readonly Volume[];
      readonly clock: Clock;
      /** What takes longer hangs. */
      readonly answerMs: Millis;
      /** How many threads the process has for files. */
      readonly threads: number;
      /** Told when a volume begins to hang, and when it answers again. */
      readonly told: (volume: Volume, kind: FileKind, hangs: boolean) => void;
    },
  ) {
    const { volumes, clock, answerMs, threads } = o;
    this.#files = files;
    const share = Math.floor((threads - LIMITS.otherThreads) / (2 * volumes.length));
    const count = Math.max(1, Math.min(LIMITS.perKind, share));
    // Where there is no other disk, nothing is gained by not waiting.
    const givesUp = (): boolean => volumes.length > 1;
    this.#volumes = volumes.map((volume) => {
      const turns = (kind: FileKind): DiskTurns =>
        new DiskTurns({ clock, answerMs, count, givesUp, told: (hangs) => o.told(volume, kind, hangs) });
      return [volume.folder, { reading: turns("reading"), writing: turns("writing") }];
    });
  }

  /** From now on nobody waits for a disk that hangs, whether there is another one or not. */
  stop(): void {
    for (const [, { reading, writing }] of this.#volumes) {
      reading.stop();
      writing.stop();
    }
  }

  async open(path: string, mode: "create" | "edit" | "read"): Promise<OpenFile> {
    const turns = this.#turnsOf(path);
    if (turns === undefined) return this.#files.open(path, mode);
    const undo = async (file: OpenFile): Promise<void> => {
      await file.close();
      if (mode === "create") await this.#files.remove(path);
    };
    const kind = mode === "read" ? "reading" : "writing";
    const file = await turns[kind].run(() => this.#files.open(path, mode), undo);
    return watched(file, turns, kind);
  }

  exists = (path: string): Promise<boolean> => this.#ask("reading", path, (files) => files.exists(path));
  list = (path: string): ReturnType<Files["list"]> => this.#ask("reading", path, (files) => files.list(path));
  freeBytes = (path: string): Promise<number> => this.#ask("reading", path, (files) => files.freeBytes(path));
  rename = (from: string, to: string): Promise<void> => this.#ask("writing", to, (files) => files.rename(from, to));
  remove = (path: string): Promise<void> => this.#ask("writing", path, (files) => files.remove(path));
  makeFolder = (path: string): Promise<void> => this.#ask("writing", path, (files) => files.makeFolder(path));
  syncFolder = (path: string): Promise<void> => this.#ask("writing", path, (files) => files.syncFolder(path));
  removeEmptyFolder = (path: string): Promise<boolean> =>
    this.#ask("writing", path, (files) => files.removeEmptyFolder(path));

  #ask<T>(kind: FileKind, path: string, act: (files: Files) => Promise<T>): Promise<T> {
    const run = (): Promise<T> => act(this.#files);
    return this.#turnsOf(path)?.[kind].run(run) ?? run();
  }

  /** Undefined of what is on no volume. */
  #turnsOf(path: string): Turns | undefined {
    return this.#volumes.find(([folder]) => path === folder || path.startsWith(`${folder}/`))?.[1];
  }
}

function watched(file: OpenFile, turns: Turns, kind: FileKind): OpenFile {
  const { reading, writing } = turns;
  return {
    read: (into, position) => reading.run(() => file.read(into, position)),
    size: () => reading.run(() => file.size()),
    write: (buffers, position) => writing.run(() => file.write(buffers, position)),
    truncate: (bytes) => writing.run(() => file.truncate(bytes)),
    datasync: () => writing.run(() => file.datasync()),
    close: () => turns[kind].eventually(() => file.close()),
  };
}

/** How many threads a process has for files, by its environment. */
export function threadsIn(environment: Readonly<Record<string, string | undefined>>): number {
  const said = Number(environment["UV_THREADPOOL_SIZE"]);
  return Number.isInteger(said) && said > 0 ? said : LIMITS.usualThreads;
}
