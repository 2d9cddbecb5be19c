import type { Fault } from "./fault.ts";

const LONG_LENGTH = 0x80;
/** Longer lengths are of what nobody here takes. */
const MAX_LENGTH_BYTES = 4;

/** One element of BER or DER (ITU-T X.690), by where it stands in its buffer. */
export interface Element {
  readonly tag: number;
  /** Where its content begins, and where it ends. */
  readonly start: number;
  readonly end: number;
}

/**
 * The element at `offset`; undefined while its tag and length are not there yet. Its content may still be on the way. Throws what `malformed`
 * makes of indefinite lengths, lengths of more than four bytes, and tags of several bytes.
 */
export function elementAt(bytes: Uint8Array, offset: number, malformed: (what: string) => Fault): Element | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) throw malformed("a tag of several bytes");
  if (first < LONG_LENGTH) return { tag, start: offset + 2, end: offset + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > MAX_LENGTH_BYTES) throw malformed(`a length of ${count} bytes`);
  const start = offset + 2 + count;
  if (bytes.length < start) return undefined;
  let length = 0;
  for (let at = offset + 2; at < start; at += 1) length = length * 256 + (bytes[at] ?? 0);
  return { tag, start, end: start + length };
}
