import { type FileHandle, open, readFile, readlink, rm, writeFile } from "node:fs/promises";

/** Knows what of a database's log was brought to the disk: what a power cut leaves of it. Checkpoints bring the rest there by themselves. */
export class Flushed {
  readonly #contents = new Map<string, Buffer>();
  readonly #undo: () => void;

  private constructor(prototype: FileHandle) {
    const { value: sync } = Object.getOwnPropertyDescriptor(prototype, "sync") as { value: FileHandle["sync"] };
    const contents = this.#contents;
    prototype.sync = async function (this: FileHandle) {
      const path = await readlink(`/proc/self/fd/${this.fd}`);
      const content = path.endsWith("-wal") ? await readFile(path) : undefined;
      await sync.call(this);
      if (content !== undefined) contents.set(path, content);
    };
    this.#undo = () => {
      prototype.sync = sync;
    };
  }

  /** Looks at every file that this process syncs from now on, until it is closed. */
  static async watch(): Promise<Flushed> {
    const handle = await open(import.meta.filename);
    await handle.close();
    return new Flushed(Object.getPrototypeOf(handle) as FileHandle);
  }

  /** Takes from a copy of the database `file` what a power cut would have taken from the original just now. */
  async cut(copy: string, file: string): Promise<void> {
    await rm(`${copy}-shm`, { force: true });
    const flushed = this.#contents.get(`${file}-wal`) ?? Buffer.alloc(0);
    // Where there is none, or another one was begun since, a checkpoint has brought to the disk what stood in it.
    const log = await readFile(`${copy}-wal`).catch(() => undefined);
    if (log?.subarray(0, flushed.length).equals(flushed) === true) await writeFile(`${copy}-wal`, flushed);
  }

  close(): void {
    this.#undo();
  }
}
