import { type FileHandle, open } from "node:fs/promises";
import { firstOf, fullFiles } from "./files.ts";
import { LONGEST_LINE_BYTES, sequenceOf } from "./line.ts";

/** Read at once. */
const BLOCK_BYTES = 256 * 1024;

/** How far somebody has read: in the file whose first entry is `first`, up to `offset`, the newest entry being `seq`. */
export interface TailPosition {
  readonly first: number;
  readonly offset: number;
  readonly seq: number;
}

export const BEGINNING: TailPosition = { first: 0, offset: 0, seq: 0 };

/** What came after a position. */
export interface TailBlock {
  /** Whole lines, without their ends. Empty where there are none yet. */
  readonly lines: readonly Buffer[];
  readonly position: TailPosition;
  /** Entries that were removed before they were read: from the first to the last number. */
  readonly lost?: { readonly from: number; readonly to: number } | undefined;
}

/**
 * Reads on in a log that is being written, over all its files; `current` is the one that is written. A log that ends before the position is
 * another one, and is read from its beginning. Throws what reading throws.
 */
export async function readOn(current: string, position: TailPosition): Promise<TailBlock> {
  for (;;) {
    const full = fullFiles(current).map(({ path }) => path);
    // There are hundreds of them, and this is asked every second: those that were read are not opened.
    const block = await readIn([...full.filter((path) => firstOf(path) >= position.first), current], position);
    if (block === undefined) return readOn(current, BEGINNING);
    // What was put aside while others were read stood under neither name, and is not lost.
    if (block.lost === undefined || fullFiles(current).at(-1)?.path === full.at(-1)) return block;
  }
}

/** Undefined where they end before the position. */
async function readIn(paths: readonly string[], position: TailPosition): Promise<TailBlock | undefined> {
  for (const [at, path] of paths.entries()) {
    const isLast = at === paths.length - 1;
    const handle = await open(path, "r");
    try {
      // Which file this is says its content: one that is full now has another name than when it was listed.
      const first = await firstIn(handle);
      if (first === undefined) continue;
      const same = first === position.first;
      if (first < position.first || (same && (await handle.stat()).size < position.offset)) {
        if (isLast) return undefined;
        continue;
      }
      const lost = !same && first > position.seq + 1 ? { from: position.seq + 1, to: first - 1 } : undefined;
      const block = await blockAt(handle, { first, offset: same ? position.offset : 0, seq: position.seq });
      if (block.lines.length > 0 || isLast) return { ...block, lost };
    } finally {
      await handle.close();
    }
  }
  return { lines: [], position };
}

async function blockAt(handle: FileHandle, from: TailPosition): Promise<TailBlock> {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, from.offset);
  const lines: Buffer[] = [];
  let [begin, seq] = [0, from.seq];
  for (let end = bytes.indexOf(0x0a); end >= 0 && end < bytesRead; end = bytes.indexOf(0x0a, begin)) {
    const line = bytes.subarray(begin, end);
    if (line.length > 0) lines.push(line);
    seq = Math.max(seq, sequenceOf(line) ?? 0);
    begin = end + 1;
  }
  return { lines, position: { first: from.first, offset: from.offset + begin, seq } };
}

/** The number of the first whole line. */
async function firstIn(handle: FileHandle): Promise<number | undefined> {
  const bytes = Buffer.alloc(LONGEST_LINE_BYTES);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
  let begin = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0 && end < bytesRead; end = bytes.indexOf(0x0a, begin)) {
    const number = sequenceOf(bytes.subarray(begin, end));
    if (number !== undefined) return number;
    begin = end + 1;
  }
  return undefined;
}
