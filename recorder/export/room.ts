import { Fault } from "../../base/fault.ts";
import type { Files } from "../files.ts";

/** Beside the recordings: boxes, signatures, papers. */
const MORE_BYTES = 64 * 1024 * 1024;

/**
 * Fault `unavailable`, in words, where a folder's disk has not the room for an export of recordings of so many bytes and for what is to
 * stay free.
 */
export async function assertRoom(
  files: Files,
  folder: string,
  recordedBytes: number,
  keepFreeBytes: number,
): Promise<void> {
  const needed = recordedBytes + MORE_BYTES + keepFreeBytes;
  const free = await files.freeBytes(folder).catch((cause: unknown) => {
    const tell = `cannot write into ${folder}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  });
  if (free >= needed) return;
  const tell = `the disk has not the room for it: ${gigabytes(needed)} GB are needed, ${gigabytes(free)} GB are free in ${folder}`;
  throw new Fault("unavailable", tell, { tell });
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
