import type { OpenFile } from "./files.ts";

/** Read at once. Small, for a file may have been made so that there is something in every window. */
const WINDOW_BYTES = 64 * 1024;

/** Where `pattern` stands first from `from` on, whole before `end`; undefined where it does not. */
export async function findNext(
  file: Pick<OpenFile, "read">,
  pattern: Buffer,
  from: number,
  end: number,
): Promise<number | undefined> {
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  for (let at = from; at < end; at += window.length - pattern.length + 1) {
    const got = await file.read(window.subarray(0, Math.min(window.length, end - at)), at);
    const place = window.subarray(0, got).indexOf(pattern);
    if (place >= 0) return at + place;
  }
  return undefined;
}

/** Where `pattern` stands last, whole before `end`; undefined where it does not. */
export async function findLast(file: OpenFile, pattern: Buffer, end: number): Promise<number | undefined> {
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  for (let to = end; to >= pattern.length; ) {
    const from = Math.max(0, to - window.length);
    const got = await file.read(window.subarray(0, to - from), from);
    const place = window.subarray(0, got).lastIndexOf(pattern);
    if (place >= 0) return from + place;
    if (from === 0) return undefined;
    to = from + pattern.length - 1;
  }
  return undefined;
}
