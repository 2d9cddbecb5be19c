import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { diskFiles } from "../files.ts";
import { EXPORT_FILES } from "./manifest.ts";
import { type Readable, ZipFile } from "./zip-reader.ts";

const LIMITS = {
  files: 100_000,
  /** Of a manifest, and of whatever else is read whole. */
  bytes: 32 * 1024 * 1024,
};

/** The files of an export, wherever they are. */
export interface ExportFiles {
  /** Below the export, with `/`, in order. */
  readonly names: readonly string[];
  /** To be closed. */
  open(name: string): Promise<Readable>;
  close(): Promise<void>;
}

/** Whether `path` is an export: a ZIP file, or a folder with a manifest or its signature in it. */
export async function isExport(path: string): Promise<boolean> {
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isDirectory() === true) {
    const names = await readdir(path);
    return [EXPORT_FILES.manifest, EXPORT_FILES.manifestSignature, EXPORT_FILES.sums].some((name) =>
      names.includes(name),
    );
  }
  if (kind?.isFile() !== true) return false;
  const file = await open(path, constants.O_RDONLY);
  try {
    const magic = Buffer.alloc(4);
    await file.read(magic, 0, 4, 0);
    return magic.toString("latin1") === "PK\x03\x04";
  } finally {
    await file.close();
  }
}

/** Fault `invalid` where it is no ZIP file of ours, `unauthenticated` where its password is missing or wrong. */
export async function openExport(path: string, password: Secret | undefined): Promise<ExportFiles> {
  return (await stat(path)).isDirectory() ? openFolder(path) : openZip(path, password);
}

async function openFolder(path: string): Promise<ExportFiles> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  if (entries.length > LIMITS.files) throw new Fault("invalid", `more than ${LIMITS.files} files`);
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(path, "/").length))
    .toSorted();
  // Links are not followed: they could lead anywhere.
  return { names, open: (name) => diskFiles.open(join(path, name), "read"), close: async () => undefined };
}

async function openZip(path: string, password: Secret | undefined): Promise<ExportFiles> {
  const file = await diskFiles.open(path, "read");
  try {
    const zip = await ZipFile.open(file, password);
    for (const name of zip.names.slice(0, 1)) await (await zip.open(name)).close();
    return { names: zip.names, open: (name) => zip.open(name), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** All bytes of a small file; undefined where it is not there. */
export async function readSmall(files: ExportFiles, name: string): Promise<Buffer | undefined> {
  if (!files.names.includes(name)) return undefined;
  const file = await files.open(name);
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), LIMITS.bytes));
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}
