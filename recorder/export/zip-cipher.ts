import { type Cipheriv, createCipheriv, createHmac, type Hmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Secret } from "../../base/secret.ts";

const derive = promisify(pbkdf2);

const BLOCK_BYTES = 16;
const WORDS_PER_BLOCK = BLOCK_BYTES / 4;
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

  private constructor(keys: Buffer) {
    this.#blocks = createCipheriv("aes-256-ecb", keys.subarray(0, KEY_BYTES), null).setAutoPadding(false);
    this.#mac = createHmac("sha1", keys.subarray(KEY_BYTES, 2 * KEY_BYTES));
    this.check = keys.subarray(2 * KEY_BYTES);
  }

  static async create(password: Secret, salt: Buffer): Promise<ZipCipher> {
    return new ZipCipher(await derive(password.reveal(), salt, ITERATIONS, 2 * KEY_BYTES + CHECK_BYTES, "sha1"));
  }

  /** Encrypts or decrypts bytes that stand at `position` of the content. Node's own CTR counts the other way round. */
  crypt(bytes: Buffer, position: number): Buffer {
    const skip = position % BLOCK_BYTES;
    const blocks = Math.ceil((skip + bytes.length) / BLOCK_BYTES);
    const counters = new Uint32Array(blocks * WORDS_PER_BLOCK);
    // All processors that Node.js runs on are little-endian.
    for (let index = 0, counter = Math.floor(position / BLOCK_BYTES) + 1; index < blocks; index += 1, counter += 1) {
      counters[index * WORDS_PER_BLOCK] = counter >>> 0;
      counters[index * WORDS_PER_BLOCK + 1] = Math.floor(counter / 2 ** 32);
    }
    const key = this.#blocks.update(Buffer.from(counters.buffer));
    const keyWords = new Uint32Array(key.buffer, key.byteOffset, counters.length);
    bytes.copy(Buffer.from(counters.buffer), skip);
    for (let index = 0; index < counters.length; index += 1)
      counters[index] = (counters[index] ?? 0) ^ (keyWords[index] ?? 0);
    return Buffer.from(counters.buffer, skip, bytes.length);
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
