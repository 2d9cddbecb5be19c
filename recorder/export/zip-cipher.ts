import { type Cipheriv, createCipheriv, createHmac, type Hmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Secret } from "../../base/secret.ts";
import { release } from "../gcm.ts";

const derive = promisify(pbkdf2);

const BLOCK_BYTES = 16;
const WORDS_PER_BLOCK = BLOCK_BYTES / 4;
/** Worked on at once: results of OpenSSL stay small enough to come from memory that is in the cache. */
const SCRATCH_BYTES = 16 * 1024;
const KEY_BYTES = 32;
const CHECK_BYTES = 2;
/** Set by the format, and few: what protects is the password, which is generated. */
const ITERATIONS = 1000;

export const ZIP_SALT_BYTES = 16;
/** What stands before and behind the content of an encrypted file: salt and check; the tag. */
export const ZIP_LEAD_BYTES = ZIP_SALT_BYTES + CHECK_BYTES;
export const ZIP_TAG_BYTES = 10;

/**
 * AES-256 as WinZip has it in ZIP files ("AE-2"): CTR with a counter that begins at 1 and is little-endian, HMAC-SHA-1 of what is
 * encrypted, cut to 80 bits, keys by PBKDF2-HMAC-SHA-1 from the password and a salt of each file's own.
 */
export class ZipCipher {
  /** Tells a wrong password from a right one in all but one case of 65 536. */
  readonly check: Buffer;
  readonly #blocks: Cipheriv;
  readonly #mac: Hmac;
  readonly #scratch = new Uint32Array(SCRATCH_BYTES / 4);

  private constructor(keys: Buffer) {
    this.#blocks = createCipheriv("aes-256-ecb", keys.subarray(0, KEY_BYTES), null).setAutoPadding(false);
    this.#mac = createHmac("sha1", keys.subarray(KEY_BYTES, 2 * KEY_BYTES));
    this.check = keys.subarray(2 * KEY_BYTES);
  }

  static async create(password: Secret, salt: Buffer): Promise<ZipCipher> {
    return new ZipCipher(await derive(password.reveal(), salt, ITERATIONS, 2 * KEY_BYTES + CHECK_BYTES, "sha1"));
  }

  /** Encrypts or decrypts bytes that stand at `position` of the content, in place. Node's own CTR counts the other way round. */
  crypt(bytes: Buffer, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      const skip = (position + at) % BLOCK_BYTES;
      const piece = bytes.subarray(at, at + SCRATCH_BYTES - skip);
      this.#cryptPiece(piece, Math.floor((position + at) / BLOCK_BYTES), skip);
      at += piece.length;
    }
  }

  #cryptPiece(piece: Buffer, block: number, skip: number): void {
    const blocks = Math.ceil((skip + piece.length) / BLOCK_BYTES);
    const words = this.#scratch.subarray(0, blocks * WORDS_PER_BLOCK);
    const bytes = Buffer.from(words.buffer, 0, words.byteLength);
    // All processors that Node.js runs on are little-endian. A block's number is its place, from 1 on.
    words.fill(0);
    for (let at = 0, counter = block + 1; at < words.length; at += WORDS_PER_BLOCK, counter += 1) {
      words[at] = counter >>> 0;
      words[at + 1] = Math.floor(counter / 2 ** 32);
    }
    const key = this.#blocks.update(bytes);
    const keyWords = new Uint32Array(key.buffer, key.byteOffset, words.length);
    piece.copy(bytes, skip);
    for (let at = 0; at < words.length; at += 1) words[at] = (words[at] ?? 0) ^ (keyWords[at] ?? 0);
    release(key);
    bytes.copy(piece, 0, skip, skip + piece.length);
  }

  /** Takes encrypted bytes into the tag; in order, all of them, each once. */
  authenticate(encrypted: Buffer): void {
    this.#mac.update(encrypted);
  }

  /** Of all that was authenticated; once. */
  tag(): Buffer {
    return this.#mac.digest().subarray(0, ZIP_TAG_BYTES);
  }

  isTag(tag: Buffer): boolean {
    return timingSafeEqual(this.tag(), tag);
  }
}
