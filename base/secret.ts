import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A key object, which Node.js takes several times faster than bytes. */
const compareKey = createSecretKey(randomBytes(32));

/** Equal or not, in a time that depends on neither content nor length. */
export function equalInConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** Likewise of texts of a length that everybody knows, as digests are, in a tenth of the time. Other lengths are not equal. */
export function equalDigests(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function digest(value: string | Uint8Array): Buffer {
  return createHmac("sha256", compareKey).update(value).digest();
}

/** A password, key or token. Prints as `[secret]` wherever it is logged, inspected or put into JSON or a string. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Every call of this is a place to review. */
  reveal(): string {
    return this.#value;
  }

  equals(other: string): boolean {
    return equalInConstantTime(this.#value, other);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** Letters and digits that people do not take for one another; none of them needs escaping in a URL or a shell. */
const UNAMBIGUOUS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/** A random secret of `length` characters, 5.8 bits each. */
export function makeSecret(length: number): Secret {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // The largest multiple of the alphabet below 256 keeps every letter equally likely.
      if (byte < 256 - (256 % UNAMBIGUOUS.length) && text.length < length)
        text += UNAMBIGUOUS.charAt(byte % UNAMBIGUOUS.length);
    }
  }
  return new Secret(text);
}
