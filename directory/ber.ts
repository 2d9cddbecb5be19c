import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** Elements in elements. What LDAP has is less than ten deep. */
  depth: 24,
  /** Elements of one message: a group with a hundred thousand members is one. */
  elements: 500_000,
} as const;

const CONSTRUCTED = 0x20;
const LONG_LENGTH = 0x80;
/** Longer lengths are of messages that we do not take. */
const MAX_LENGTH_BYTES = 4;

/** One element of BER (ITU-T X.690), by where it stands in its buffer. */
export interface Element {
  readonly tag: number;
  /** Where its content begins, and where it ends. */
  readonly start: number;
  readonly end: number;
}

/**
 * The element at `offset`; undefined while its tag and length are not there yet. Its content may still be on the way. Fault
 * `invalid` for what LDAP does not have: indefinite lengths, tags of several bytes (RFC 4511 5.1).
 */
export function elementAt(bytes: Uint8Array, offset: number): Element | undefined {
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

/**
 * Throws `invalid` unless every element in the message fills the one that it is in, to the byte. What reads the message next
 * believes the lengths in it.
 */
export function assertWhole(message: Uint8Array): void {
  const ends = [message.length];
  let elements = 0;
  for (let at = 0; ; ) {
    while (at === ends.at(-1)) {
      ends.pop();
      if (ends.length === 0) return;
    }
    const limit = ends.at(-1) ?? 0;
    const element = elementAt(message, at);
    if (element === undefined || element.end > limit) throw malformed("an element that is longer than what it is in");
    elements += 1;
    if (elements > LIMITS.elements) throw malformed(`more than ${LIMITS.elements} elements`);
    if ((element.tag & CONSTRUCTED) === 0) at = element.end;
    else {
      if (ends.length >= LIMITS.depth) throw malformed(`elements nested deeper than ${LIMITS.depth}`);
      ends.push(element.end);
      at = element.start;
    }
  }
}

function malformed(what: string): Fault {
  const tell = `the directory server sent a message that is not LDAP: ${what}`;
  return new Fault("invalid", tell, { tell });
}
