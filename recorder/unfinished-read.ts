import type { KeyFinder } from "./cipher.ts";
import { errorCode, type Files } from "./files.ts";
import { linkOf } from "./integrity.ts";
import { scanSegment } from "./scan.ts";

/** A file that is being recorded, or that a disk which failed, or the end of the process, has left. */
export interface UnfinishedFile {
  readonly file: string;
  readonly camera: string;
  readonly stream: string;
  readonly fromUs: number;
  readonly toUs: number;
  /** Of each fragment, as hexadecimal: what follows may follow any, for a disk that hung may have written more than it said. */
  readonly links: ReadonlySet<string>;
}

/** What is in such a file; undefined where that is nothing, or cannot be read, or is gone: it was sealed meanwhile. */
export async function readUnfinished(
  files: Files,
  path: string,
  {
    verify,
    keys,
  }: {
    /** Fragments count that are as their hashes say. */ readonly verify: boolean;
    readonly keys: KeyFinder | undefined;
  },
): Promise<UnfinishedFile | undefined> {
  try {
    const file = await files.open(path, "read");
    try {
      const { header, heads, fragments } = await scanSegment(file, verify, keys);
      const [first, last] = [fragments[0], fragments.at(-1)];
      if (header === undefined || first === undefined || last === undefined) return undefined;
      const links = new Set(heads.map((head) => linkOf(head).toString("hex")));
      const { camera, stream } = header;
      return { file: path, camera, stream, fromUs: first.startUs, toUs: last.endUs, links };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
