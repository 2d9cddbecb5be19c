import { writeFile } from "node:fs/promises";
import { KeyRing } from "../../keys/ring.ts";
import { KeyStore } from "../../keys/store.ts";
import type { KeyFinder } from "../../recorder/cipher.ts";
import { decryptSegment } from "../../recorder/decrypt.ts";
import { diskFiles } from "../../recorder/files.ts";

/** A ring over `keys.db` of a folder, under a master key that every test knows. */
export async function openRing(
  folder: string,
  master = Buffer.alloc(32, 7),
): Promise<{ readonly ring: KeyRing; readonly store: KeyStore; readonly close: () => Promise<void> }> {
  const store = await KeyStore.open(`${folder}/keys.db`);
  const ring = await KeyRing.open(store, master, undefined);
  return { ring, store, close: () => store.close() };
}

/** Writes a segment without its encryption. */
export async function decryptTo(from: string, to: string, keys: KeyFinder): Promise<void> {
  const file = await diskFiles.open(from, "read");
  try {
    await writeFile(to, Buffer.concat(await Array.fromAsync(decryptSegment(file, keys))));
  } finally {
    await file.close();
  }
}
