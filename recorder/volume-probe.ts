import { Fault } from "../base/fault.ts";
import type { Files } from "./files.ts";
import type { Volume } from "./volume.ts";

/** What is tried to be written on a volume that failed. */
const PROBE_FILE = "viaduct-probe";

/** Less than this free, and a disk that was full still is. */
const LEAST_FREE_BYTES = 16 * 1024 * 1024;

/** Writes a few bytes to a volume that failed, and takes them away. Rejects where it still cannot be recorded to. */
export async function probe(files: Files, { folder, keepFreeBytes }: Volume, wasFull: boolean): Promise<void> {
  const path = `${folder}/${PROBE_FILE}`;
  await files.remove(path);
  const file = await files.open(path, "create");
  try {
    await file.write([Buffer.from("Written to see whether this disk can be written. It may be removed.\n")], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.remove(path);
  const least = Math.max(keepFreeBytes / 2, LEAST_FREE_BYTES);
  if (wasFull && (await files.freeBytes(folder)) < least) throw new Fault("unavailable", "it is still full");
}
