import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { OpenFile } from "../files.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { Pace } from "../pace.ts";
import { WriteBehind } from "../write-behind.ts";
import type { Bundle, Content } from "./bundle.ts";
import { ZIP_SALT_BYTES, ZipCipher } from "./zip-cipher.ts";
import { centralRecord, endRecords, localRecord, type ZipEntry } from "./zip-format.ts";

/** Of a password that is made for an export: 116 bits, for the format makes guessing cheap. */
export const PASSWORD_LETTERS = 20;

const LIMITS = {
  /** Files in one ZIP file: their directory is kept in memory. */
  entries: 100_000,
  nameBytes: 1024,
};

/**
 * A ZIP file that is written from front to end: nothing compressed (pictures are), sizes of 64 bits, and with a password each file
 * encrypted with AES-256 (AE-2), which 7-Zip and WinZip open, and Windows' own folders do not. Names and sizes are in clear.
 */
export class ZipBundle implements Bundle {
  readonly #file: OpenFile;
  readonly #password: Secret | undefined;
  readonly #modified: UnixMillis;
  readonly #entries: ZipEntry[] = [];
  readonly #writing = new WriteBehind();
  #position = 0;

  /** `file` is empty; it is closed by {@link finish} or {@link abandon}. `modified`: the time of all files in it. */
  constructor(file: OpenFile, o: { readonly password: Secret | undefined; readonly modified: UnixMillis }) {
    this.#file = file;
    this.#password = o.password;
    this.#modified = o.modified;
  }

  async add(name: string, content: Content): Promise<void> {
    if (this.#entries.length >= LIMITS.entries || Buffer.byteLength(name) > LIMITS.nameBytes)
      throw new Fault("invalid", `a ZIP file does not take ${name.slice(0, 80)}`);
    const encrypted = this.#password !== undefined;
    const begun: ZipEntry = {
      name,
      modified: this.#modified,
      encrypted,
      offset: this.#position,
      crc: 0,
      bytes: 0,
      storedBytes: 0,
    };
    await this.#write(localRecord(begun));
    const contentAt = this.#position;
    const { bytes, crc } = await (this.#password === undefined
      ? this.#store(content)
      : this.#encrypt(content, this.#password));
    const entry = { ...begun, bytes, crc, storedBytes: this.#position - contentAt };
    await this.#writing.done();
    await this.#file.write([localRecord(entry)], entry.offset);
    this.#entries.push(entry);
  }

  async finish(): Promise<void> {
    const offset = this.#position;
    for (const entry of this.#entries) await this.#write(centralRecord(entry));
    await this.#write(endRecords(this.#entries.length, offset, this.#position - offset));
    await this.#writing.done();
    await this.#file.datasync();
    await this.#file.close();
  }

  async abandon(): Promise<void> {
    await this.#writing.done().catch(() => undefined);
    await this.#file.close();
  }

  async #store(content: Content): Promise<{ readonly bytes: number; readonly crc: number }> {
    const pace = new Pace();
    let [bytes, crc] = [0, 0];
    for await (const part of content) {
      await pace.walk([part], (piece) => {
        crc = crc32(piece, crc);
      });
      bytes += part.length;
      await this.#write(part);
    }
    return { bytes, crc };
  }

  async #encrypt(content: Content, password: Secret): Promise<{ readonly bytes: number; readonly crc: number }> {
    const salt = randomBytes(ZIP_SALT_BYTES);
    const cipher = await ZipCipher.create(password, salt);
    await this.#write(Buffer.concat([salt, cipher.check]));
    const pace = new Pace();
    // What is given is not ours to change. One is written while the next is encrypted.
    let [room, other] = [new OneAtATime(), new OneAtATime()];
    let bytes = 0;
    for await (const part of content) {
      [room, other] = [other, room];
      const encrypted = room.of(part.length);
      encrypted.set(part);
      await pace.walk([encrypted], (piece) => {
        cipher.crypt(piece, bytes);
        cipher.authenticate(piece);
        bytes += piece.length;
      });
      await this.#write(encrypted);
    }
    await this.#write(cipher.tag());
    return { bytes, crc: 0 };
  }

  /** Behind what is being written; begun when it returns. */
  async #write(bytes: Buffer): Promise<void> {
    const position = this.#position;
    this.#position += bytes.length;
    await this.#writing.begin(() => this.#file.write([bytes], position));
  }
}
