import { filesAt, firstOf } from "./files.ts";
import { type AuditFilter, type Fields, matcherOf } from "./filter.ts";
import { sequenceOf } from "./line.ts";
import { linesBackwardOf, linesOf } from "./read.ts";

const LIMITS = {
  /** Read for one answer; where that is not enough the next one goes on. */
  bytes: 64 * 1024 * 1024,
} as const;

/** One page of what was found. */
export interface Found {
  /** The newest first. */
  readonly entries: readonly Fields[];
  /** Go on with entries before this one; undefined where there are no more. Entries may still follow where none were found. */
  readonly next: number | undefined;
}

/** Entries of a log from the newest back, `limit` at most, before the entry `before`. Fault `unavailable` when it cannot be read. */
export async function findEntries(
  path: string,
  filter: AuditFilter,
  { limit, before = Number.POSITIVE_INFINITY }: { readonly limit: number; readonly before?: number | undefined },
): Promise<Found> {
  const match = matcherOf(filter);
  const entries: Fields[] = [];
  let bytes = 0;
  for (const file of filesAt(path).toReversed()) {
    if (firstOf(file.path) >= before) continue;
    for await (const lines of linesBackwardOf(file.path))
      for (const line of lines) {
        bytes += line.length;
        const seq = sequenceOf(line);
        if (seq === undefined || seq >= before) continue;
        if (filter.from !== undefined && timeOf(line) < filter.from) return { entries, next: undefined };
        const fields = match(line);
        if (fields !== undefined) entries.push(fields);
        if (entries.length >= limit || bytes > LIMITS.bytes) return { entries, next: seq > 1 ? seq : undefined };
      }
  }
  return { entries, next: undefined };
}

/** Entries of a log that are wanted, the oldest first, as lines and as what they say. Fault `unavailable` when it cannot be read. */
export async function* allEntries(
  path: string,
  filter: AuditFilter,
): AsyncGenerator<{ readonly line: Buffer; readonly fields: Fields }> {
  const match = matcherOf(filter);
  for (const file of filesAt(path))
    for await (const lines of linesOf(file.path))
      for (const { line } of lines) {
        const fields = match(line);
        if (fields !== undefined) yield { line, fields };
      }
}

/** Of our own lines, in which the time stands second. */
function timeOf(line: Buffer): number {
  return Date.parse(/"time":"([^"]{1,32})"/.exec(line.toString("latin1", 0, 80))?.[1] ?? "");
}
