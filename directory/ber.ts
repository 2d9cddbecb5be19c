import { elementAt as anyElementAt, type Element } from "../base/ber.ts";
import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** Elements in elements. What LDAP has is less than ten deep. */
  depth: 24,
  /** Elements of one message: a group with a hundred thousand members is one. */
  elements: 500_000,
} as const;

const CONSTRUCTED = 0x20;

/**
 * The element at `offset`; undefined while its tag and length are not there yet. Its content may still be on the way. Fault
 * `invalid` for what LDAP does not have: indefinite lengths, tags of several bytes (RFC 4511 5.1).
 */
export function elementAt(bytes: Uint8Array, offset: number): Element | undefined {
  return anyElementAt(bytes, offset, malformed);
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
