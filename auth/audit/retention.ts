import { closeSync, openSync, readSync } from "node:fs";
import type { Millis, UnixMillis } from "../../base/units.ts";
import type { Removal } from "./chain.ts";
import { type AuditFile, fullFiles } from "./files.ts";
import { fieldsOf, LONGEST_LINE_BYTES, prevOf, sequenceOf } from "./line.ts";

/** How much of the log is kept. */
export interface Keep {
  /** Files whose newest entry is older are removed. */
  readonly maxAgeMs: Millis;
  /** The oldest files are removed while all together have more. */
  readonly maxBytes: number;
}

/** Files that may go, and what is to be said of them in the log before they do. */
export interface Removable {
  readonly files: readonly AuditFile[];
  readonly statement: Removal & { readonly from: number; readonly why: "too old" | "too much" };
}

/**
 * The oldest files of the log, as a whole, that are too old or too many; never the one that is written. Undefined where there are
 * none. The last entry of a file is known by the first of the next one, which must be whole for that.
 */
export function removable(current: string, keep: Keep, now: UnixMillis, currentBytes: number): Removable | undefined {
  const files = fullFiles(current);
  let bytes = files.reduce((sum, file) => sum + file.bytes, currentBytes);
  let found: Removable | undefined;
  const from = beginningOf(files[0]?.path ?? current)?.seq ?? 1;
  for (const [at, file] of files.entries()) {
    const next = beginningOf(files[at + 1]?.path ?? current);
    // The next file's first entry is no older than this one's last.
    const tooOld = next !== undefined && now - next.time > keep.maxAgeMs;
    if (!tooOld && bytes <= keep.maxBytes) break;
    bytes -= file.bytes;
    if (next === undefined) continue;
    const why = tooOld ? "too old" : "too much";
    found = { files: files.slice(0, at + 1), statement: { from, to: next.seq - 1, hash: next.prev, why } };
  }
  return found;
}

/** The first line of a file; undefined where it is empty, or a crash has cut that line. */
export function beginningOf(
  path: string,
): { readonly seq: number; readonly prev: string; readonly time: number } | undefined {
  const bytes = Buffer.alloc(LONGEST_LINE_BYTES);
  const fd = openSync(path, "r");
  try {
    const line = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
    const end = line.indexOf(0x0a);
    const whole = line.subarray(0, Math.max(0, end));
    const [seq, prev] = [sequenceOf(whole), prevOf(whole)];
    if (seq === undefined || prev === undefined) return undefined;
    return { seq, prev, time: Date.parse(String(fieldsOf(whole)?.["time"])) };
  } finally {
    closeSync(fd);
  }
}
