import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { unreadable } from "./files.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Of reading backward, while others wait: some hundred lines, a millisecond or two. */
const BLOCK_BYTES = 128 * 1024;

/** One line without its end, valid until the next one. */
export interface Line {
  readonly line: Buffer;
  /** False of a last line that a crash has cut. */
  readonly isEnded: boolean;
}

/** The lines of a file from its beginning. Empty ones are left out: a crash can leave one. */
export function* linesOfSync(path: string): Generator<Line> {
  const fd = openSync(path, "r");
  try {
    const splitter = new Splitter();
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
      yield* splitter.push(chunk.subarray(0, read));
    yield* splitter.end();
  } finally {
    closeSync(fd);
  }
}

/** As {@link linesOfSync}, a megabyte at a time. Fault `unavailable` when it cannot be read. */
export async function* linesOf(path: string): AsyncGenerator<readonly Line[]> {
  try {
    const handle = await open(path, "r");
    try {
      const splitter = new Splitter();
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await handle.read(chunk);
        if (bytesRead === 0) break;
        yield [...splitter.push(chunk.subarray(0, bytesRead))];
      }
      yield [...splitter.end()];
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Cuts chunks into lines. A line without an end grows up to the file's size: files are our own, of 16 MiB. */
class Splitter {
  #rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<Line> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let begin = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, begin)) {
      if (end > begin) yield { line: bytes.subarray(begin, end), isEnded: true };
      begin = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(begin));
  }

  *end(): Generator<Line> {
    if (this.#rest.length > 0) yield { line: this.#rest, isEnded: false };
  }
}

/** The lines of a file from its end, in blocks, the newest first. Fault `unavailable` when it cannot be read. */
export async function* linesBackwardOf(path: string): AsyncGenerator<readonly Buffer[]> {
  try {
    const handle = await open(path, "r");
    try {
      let end = (await handle.stat()).size;
      // What stands before the first line end of a block belongs to the block before.
      let rest: Buffer = Buffer.alloc(0);
      while (end > 0) {
        const begin = Math.max(0, end - BLOCK_BYTES);
        const block = Buffer.alloc(end - begin);
        await handle.read(block, 0, block.length, begin);
        const bytes = Buffer.concat([block, rest]);
        const cut = begin === 0 ? -1 : bytes.indexOf(0x0a);
        rest = cut < 0 && begin > 0 ? bytes : bytes.subarray(0, Math.max(0, cut));
        const whole = cut < 0 && begin > 0 ? Buffer.alloc(0) : bytes.subarray(cut + 1);
        const splitter = new Splitter();
        yield [...splitter.push(whole), ...splitter.end()].map(({ line }) => line).reverse();
        end = begin;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
