import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault } from "../../base/fault.ts";

/** The file that is written now, in the data folder. */
export const AUDIT_FILE = "audit.log";

/** Beside it, the folder of those that are full, each named after its first entry. */
const FULL_FOLDER = "audit";
const FULL_NAME = /^(\d{12})\.log$/;

/** One file of the log. */
export interface AuditFile {
  readonly path: string;
  readonly bytes: number;
}

/** Where a full file goes that begins with entry `first`. */
export function fullFile(current: string, first: number): string {
  return join(fullFolder(current), `${String(first).padStart(12, "0")}.log`);
}

export function fullFolder(current: string): string {
  return join(dirname(current), FULL_FOLDER);
}

/** The number of the first entry of a full file, after which it is named; 0 of one that is still written. */
export function firstOf(path: string): number {
  return Number(FULL_NAME.exec(basename(path))?.[1] ?? 0);
}

/** The full files beside the one that is written, the oldest first. */
export function fullFiles(current: string): readonly AuditFile[] {
  return numbered(fullFolder(current));
}

/**
 * The files of a log in their order: of a data folder; of a folder with copies of files; or the one file. Fault `unavailable`
 * where there is none.
 */
export function filesAt(path: string): readonly AuditFile[] {
  try {
    if (statSync(path).isFile()) return [sized(path)];
    const current = join(path, AUDIT_FILE);
    const there = statSync(current, { throwIfNoEntry: false });
    const full = basename(path) === FULL_FOLDER || numbered(path).length > 0 ? numbered(path) : fullFiles(current);
    const files = [...full, ...(there === undefined ? [] : [{ path: current, bytes: there.size }])];
    if (files.length > 0) return files;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new Fault("unavailable", `there is no audit log in ${path}`);
}

export function unreadable(path: string, cause: unknown): Fault {
  return new Fault("unavailable", `cannot read the audit log ${path}`, { cause });
}

function numbered(folder: string): readonly AuditFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => FULL_NAME.test(name))
    .toSorted()
    .map((name) => sized(join(folder, name)));
}

function sized(path: string): AuditFile {
  return { path, bytes: statSync(path).size };
}
