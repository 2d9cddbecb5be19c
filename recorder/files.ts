import { constants, type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from "node:fs/promises";
import { Fault } from "../base/fault.ts";

/** A file that is open. Every method rejects with the system's error (`code` is `ENOSPC`, `EIO`, …). */
export interface OpenFile {
  /** Resolves when all bytes are written, gathered in as few calls as the system allows. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `into` from `position`; resolves with how many bytes there were. */
  read(into: Buffer, position: number): Promise<number>;
  size(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** What was written so far survives a power cut once this resolves. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** The file system as the recorder uses it, so that tests can make it full or broken. */
export interface Files {
  /** `create` fails with `EEXIST` when the file is there. */
  open(path: string, mode: "create" | "edit" | "read"): Promise<OpenFile>;
  exists(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when the file is not there. */
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** False, and nothing happens, when the folder holds anything or is not there. */
  removeEmptyFolder(path: string): Promise<boolean>;
  /** Makes renames in the folder survive a power cut. */
  syncFolder(path: string): Promise<void>;
  /** Names in the folder, sorted; none when it does not exist. */
  list(path: string): Promise<{ readonly files: readonly string[]; readonly folders: readonly string[] }>;
  freeBytes(path: string): Promise<number>;
}

/** The error code of the system (`ENOENT`, …) or of Node.js (`ERR_…`); undefined for errors of other origin. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The system's alone: a disk may be to blame. */
export function systemCode(error: unknown): string | undefined {
  const code = errorCode(error);
  return code?.startsWith("ERR_") === true ? undefined : code;
}

const FLAGS = {
  create: constants.O_CREAT | constants.O_EXCL | constants.O_RDWR,
  edit: constants.O_RDWR,
  read: constants.O_RDONLY,
};

/** Node's file system. What it makes only its own user can read: recordings are private. */
export const diskFiles: Files = {
  open: async (path, mode) => wrap(await open(path, FLAGS[mode] | constants.O_NOFOLLOW, 0o600)),
  exists: (path) => unless(["ENOENT", "ENOTDIR"], false, async () => (await stat(path)).isFile()),
  rename,
  remove: (path) => rm(path, { force: true }),
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  removeEmptyFolder: (path) =>
    unless(["ENOTEMPTY", "EEXIST", "ENOENT"], false, async () => {
      await rmdir(path);
      return true;
    }),
  async syncFolder(path) {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  list: (path) =>
    unless(["ENOENT"], { files: [], folders: [] }, async () => {
      const entries = (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
      return {
        files: entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
        folders: entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
      };
    }),
  async freeBytes(path) {
    const found = await statfs(path);
    return found.bavail * found.bsize;
  },
};

async function unless<T>(codes: readonly string[], otherwise: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (codes.includes(errorCode(error) ?? "")) return otherwise;
    throw error;
  }
}

function wrap(handle: FileHandle): OpenFile {
  return {
    async write(buffers, position) {
      let rest = buffers.filter((buffer) => buffer.length > 0);
      let at = position;
      while (rest.length > 0) {
        let { bytesWritten } = await handle.writev(rest, at);
        if (bytesWritten === 0) throw new Fault("unavailable", "the disk takes no more bytes");
        at += bytesWritten;
        // A call may write less than asked for, when the disk fills up or the list is longer than the system's limit.
        let done = 0;
        for (const buffer of rest) {
          if (bytesWritten < buffer.length) break;
          bytesWritten -= buffer.length;
          done += 1;
        }
        rest = rest.slice(done);
        if (bytesWritten > 0 && rest[0] !== undefined) rest[0] = rest[0].subarray(bytesWritten);
      }
    },
    async read(into, position) {
      let got = 0;
      while (got < into.length) {
        const { bytesRead } = await handle.read(into, got, into.length - got, position + got);
        if (bytesRead === 0) break;
        got += bytesRead;
      }
      return got;
    },
    size: async () => (await handle.stat()).size,
    truncate: (bytes) => handle.truncate(bytes),
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}
