import { Fault } from "../../base/fault.ts";
import { KEY_BYTES } from "../wrap.ts";
import { decryptsBy, encryptFor, findKey, isOaepHash, type OaepHash, type TokenKey } from "./key.ts";
import { type TokenPlace, unusable } from "./place.ts";
import type { TokenSession } from "./session.ts";
import { withToken } from "./with-token.ts";

const MARK = "viaduct-token-1";
/** RSA of 16384 bits in base64; more was not written here. */
const MAX_CIPHERTEXT_CHARACTERS = 2732;

export function isUnderToken(text: string): boolean {
  return text.startsWith(MARK);
}

/**
 * Prints a master key encrypted for the key pair of the place: a mark, the hash of OAEP, the fingerprint of the public half, and the
 * ciphertext in base64. Fault `unavailable` where the token has no such pair, would give its private half away, or cannot decrypt.
 */
export function printUnderToken(place: TokenPlace, key: Buffer): Promise<string> {
  return withToken(place, (session) => {
    const pair = pairOf(session);
    if (!pair.stays)
      throw unusable(`token ${place.name} would give the key ${place.key} away (it is extractable): make another one`);
    const { hash, ciphertext } = encryptFor(pair, key);
    return `${MARK} ${hash} ${pair.fingerprint} ${ciphertext.toString("base64")}\n`;
  });
}

/** Fault `unavailable` where it does not open, `invalid` where the text was changed. */
export async function openUnderToken(text: string, file: string, place: TokenPlace | undefined): Promise<Buffer> {
  const [, hash = "", fingerprint = "", ciphertext = ""] = text.trim().split(" ");
  if (!isOaepHash(hash) || ciphertext.length > MAX_CIPHERTEXT_CHARACTERS)
    throw new Fault("invalid", `${file} holds no master key for a token: it was changed`);
  if (place === undefined)
    throw unusable(`the master key of ${file} is in a token, and the configuration names none: set keys.token`);
  return withToken(place, (session) => {
    const pair = pairOf(session);
    if (pair.fingerprint !== fingerprint)
      throw unusable(
        `the key ${place.key} in token ${place.name} is not the one that ${file} was encrypted for: plug that token in, or name its key`,
      );
    const key = decrypted(pair, Buffer.from(ciphertext, "base64"), hash);
    if (key?.length === KEY_BYTES) return Buffer.from(key);
    const tell = `${file} does not hold what the token decrypts to a master key: it was changed. Put your copy of it back`;
    throw new Fault("invalid", tell, { tell });
  });
}

/** Undefined where the token decrypts, but not this: of why, tokens tell little, and each something else. */
function decrypted(pair: TokenKey, ciphertext: Buffer, hash: OaepHash): Buffer | undefined {
  try {
    return pair.decrypt(ciphertext, hash);
  } catch (cause) {
    if (decryptsBy(pair) === undefined) throw cause;
    return undefined;
  }
}

function pairOf(session: TokenSession): TokenKey {
  const { place } = session;
  const found = findKey(session);
  if (found !== undefined) return found;
  throw unusable(
    `token ${place.name} has no RSA key ${place.key}: make it by \`viaduct keys token --make\`, or mend keys.token`,
  );
}
