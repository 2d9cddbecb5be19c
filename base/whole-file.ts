import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "./fault.ts";

/** How many files of one kind may be put aside. */
const MOST_ASIDE = 1000;

/** The text of a file; undefined where there is none. Fault `unavailable` when it cannot be read. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unavailable("read", file, cause);
  }
}

/**
 * Writes a file for its owner alone, in the place of the one that is there. All of it or nothing: a power cut leaves the old file
 * or the new one, and once this resolves the new one. Fault `unavailable` when that fails.
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.new`);
  // Of a power cut, or of somebody else.
  await rm(draft, { force: true }).catch((cause: unknown) => {
    throw unavailable("write", file, cause);
  });
  await create(draft, text);
  await moveWhole(draft, file);
}

/** As {@link writeWhole}, but never over a file that is there. */
export async function writeNew(file: string, text: string): Promise<void> {
  await create(file, text);
  await syncFolder(file);
}

/** What was written to a file, by whomever, survives a power cut once this resolves, with its name. Nothing where there is none. */
export async function syncFile(file: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw unavailable("read", file, cause);
  }
  try {
    await handle.sync();
  } catch (cause) {
    throw unavailable("write", file, cause);
  } finally {
    await handle.close();
  }
  await syncFolder(file);
}

/** Gives a file another name, which a power cut does not undo once this resolves. */
export async function moveWhole(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    throw unavailable("write", to, cause);
  }
  await syncFolder(to);
}

/**
 * Moves a file out of the way, over no other one: to the first of `nameOf(1)`, `nameOf(2)`, … in its folder that is free. Resolves
 * with that name; undefined where there is no such file.
 */
export async function putAside(file: string, nameOf: (count: number) => string): Promise<string | undefined> {
  if (!(await isThere(file))) return undefined;
  const aside = await freeBeside(file, nameOf);
  await moveWhole(file, aside);
  return aside;
}

/** As {@link putAside}, but the file stays where it is too. */
export async function keepCopy(file: string, nameOf: (count: number) => string): Promise<string | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const copy = await freeBeside(file, nameOf);
  await writeNew(copy, text);
  return copy;
}

async function freeBeside(file: string, nameOf: (count: number) => string): Promise<string> {
  for (let count = 1; count <= MOST_ASIDE; count += 1) {
    const aside = join(dirname(file), nameOf(count));
    if (!(await isThere(aside))) return aside;
  }
  throw new Fault("unavailable", `too many files were put aside beside ${file}`);
}

export async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw unavailable("read", file, cause);
  }
}

/** What was begun is removed where it cannot be finished. */
async function create(file: string, text: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(file, "wx", 0o600);
  } catch (cause) {
    throw unavailable("write", file, cause);
  }
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (cause) {
    await rm(file, { force: true });
    throw unavailable("write", file, cause);
  } finally {
    await handle.close();
  }
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unavailable(what: "read" | "write", file: string, cause: unknown): Fault {
  const tell = `cannot ${what} ${file}: ${(cause as Error).message}`;
  return new Fault("unavailable", tell, { tell, cause });
}
