import { constants, type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { WriteBehind } from "../write-behind.ts";

/** Bytes in order. Each buffer belongs to whoever takes it, until the next but one is asked for: it may be written while the next one is made. */
export type Content = AsyncIterable<Buffer> | Iterable<Buffer>;

/** Where the files of an export go: a folder or a ZIP file. One file is added at a time, and never read back. */
export interface Bundle {
  /** `name`: below the export, with `/`. Memory is bounded by what `content` yields at once. */
  add(name: string, content: Content): Promise<void>;
  /** Everything is there and survives a power cut once this resolves. */
  finish(): Promise<void>;
  /** Where it cannot be finished: closes what is open. What was written stays, for the caller to remove. */
  abandon(): Promise<void>;
}

/** A folder that did not exist. Its files are readable by their owner only, for recordings are private. */
export class FolderBundle implements Bundle {
  readonly #folder: string;
  #open: FileHandle | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Rejects with the system's error `EEXIST` where something is there. */
  static async create(folder: string): Promise<FolderBundle> {
    await mkdir(folder, { mode: 0o700 });
    return new FolderBundle(folder);
  }

  async add(name: string, content: Content): Promise<void> {
    const path = join(this.#folder, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "wx", 0o600);
    this.#open = file;
    const writing = new WriteBehind();
    try {
      for await (const bytes of content) await writing.begin(() => file.writeFile(bytes));
    } finally {
      await writing.done();
    }
    await file.datasync();
    await this.abandon();
  }

  async finish(): Promise<void> {
    const folder = await open(this.#folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async abandon(): Promise<void> {
    const file = this.#open;
    this.#open = undefined;
    await file?.close();
  }
}
