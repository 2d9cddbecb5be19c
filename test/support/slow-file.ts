import { subtle } from "node:crypto";
import type { OpenFile } from "../../recorder/files.ts";

const NOTHING = Buffer.alloc(0);

/** Writes what lies there when a hundred other things were done in the pool of threads, as a disk that is busy does. */
export function slowFile(file: OpenFile): OpenFile {
  return {
    ...file,
    async write(buffers, position) {
      for (let turn = 0; turn < 100; turn += 1) await subtle.digest("SHA-256", NOTHING);
      await file.write(buffers, position);
    },
  };
}
