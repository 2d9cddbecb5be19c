import { Fault } from "../base/fault.ts";
import { errorCode, type Files } from "./files.ts";
import { folderOf } from "./naming.ts";

const DRAFT = ".new";

/** The text of a file; undefined where there is none. Fault `invalid` where it has more than so many bytes. */
export async function readText(files: Files, path: string, mostBytes: number): Promise<string | undefined> {
  try {
    const file = await files.open(path, "read");
    try {
      const size = await file.size();
      if (size > mostBytes) throw new Fault("invalid", `${path} has ${size} bytes, more than ${mostBytes}`);
      const bytes = Buffer.alloc(size);
      return bytes.toString("utf8", 0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts a text in the place of the one that is there: a power cut leaves one of them, and once this resolves the new one. */
export async function replaceText(files: Files, path: string, text: string): Promise<void> {
  const draft = path + DRAFT;
  // Of a crash.
  await files.remove(draft);
  const file = await files.open(draft, "create");
  try {
    await file.write([Buffer.from(text)], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(draft, path);
  await files.syncFolder(folderOf(path));
}

/**
 * Writes bytes at `at`, or at the end of the file, which is made if it is not there; nothing stays behind them. Once this resolves a power
 * cut does not undo it; before that, it may leave a part of them. Resolves with the new end.
 */
export async function appendTo(files: Files, path: string, bytes: Uint8Array, at?: number): Promise<number> {
  const isThere = await files.exists(path);
  const file = await files.open(path, isThere ? "edit" : "create");
  let end: number;
  try {
    const begin = at ?? (await file.size());
    end = begin + bytes.length;
    await file.write([bytes], begin);
    await file.truncate(end);
    await file.datasync();
  } finally {
    await file.close();
  }
  if (!isThere) await files.syncFolder(folderOf(path));
  return end;
}
