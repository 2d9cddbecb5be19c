import { Fault } from "../base/fault.ts";
import { errorCode, type Files } from "./files.ts";
import type { Volume } from "./volume.ts";

/** The file that names the volume a disk is, so that an empty folder, or another disk, is not taken for it. */
export const MARK_FILE = "viaduct-volume";

/** A name and the end of its line; more is not read. */
const LONGEST_MARK_BYTES = 128;

/**
 * Why a volume is not there, in words; undefined where it is. A disk that was there once (`isKnown`) has its mark; a new one is
 * given it, unless `mayMark` is false.
 */
export async function whyAway(
  files: Files,
  { name, folder }: Volume,
  { isKnown, mayMark }: { readonly isKnown: boolean; readonly mayMark: boolean },
): Promise<string | undefined> {
  const found = await readMark(files, `${folder}/${MARK_FILE}`);
  if (found === name) return undefined;
  if (found !== undefined) return `the folder ${folder} is that of the volume ${found}`;
  if (isKnown || !mayMark) return `its disk is not mounted at ${folder}`;
  try {
    await writeMark(files, folder, name);
    return undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return `there is no folder ${folder}`;
    throw error;
  }
}

async function readMark(files: Files, path: string): Promise<string | undefined> {
  const file = await files.open(path, "read").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(LONGEST_MARK_BYTES);
    const text = bytes.toString("latin1", 0, await file.read(bytes, 0));
    const [, name] = /^([A-Za-z0-9_-]{1,64})\n$/.exec(text) ?? [];
    if (name === undefined) throw new Fault("invalid", `${path} names no volume`);
    return name;
  } finally {
    await file.close();
  }
}

async function writeMark(files: Files, folder: string, name: string): Promise<void> {
  const file = await files.open(`${folder}/${MARK_FILE}`, "create");
  try {
    await file.write([Buffer.from(`${name}\n`)], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.syncFolder(folder);
}
