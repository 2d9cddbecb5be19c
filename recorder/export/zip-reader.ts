import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import type { OpenFile } from "../files.ts";
import { ZIP_LEAD_BYTES, ZIP_SALT_BYTES, ZIP_TAG_BYTES, ZipCipher } from "./zip-cipher.ts";
import { IN_ZIP64, ZIP_EXTRA, ZIP_FLAG, ZIP_MAGIC, ZIP_METHOD, ZIP_RECORD_BYTES } from "./zip-format.ts";

const LIMITS = {
  entries: 100_000,
  /** Of the directory at the end. */
  directoryBytes: 64 * 1024 * 1024,
  /** Read at once while a file's tag is checked. */
  pieceBytes: 256 * 1024,
};

/** A file that can be read from any position, as {@link OpenFile} is. */
export type Readable = Pick<OpenFile, "read" | "size" | "close">;

interface Entry {
  readonly offset: number;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly encrypted: boolean;
}

/**
 * A ZIP file of the kind that {@link ZipBundle} writes: nothing compressed, in clear or with AES-256. Others are refused. It is
 * foreign input: whoever made it may have put anything into it.
 */
export class ZipFile {
  readonly #file: Readable;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #password: Secret | undefined;

  private constructor(file: Readable, entries: ReadonlyMap<string, Entry>, password: Secret | undefined) {
    this.#file = file;
    this.#entries = entries;
    this.#password = password;
  }

  /** Fault `invalid` where it is no ZIP file, or one that we do not read. */
  static async open(file: Readable, password: Secret | undefined): Promise<ZipFile> {
    return new ZipFile(file, await readDirectory(file), password);
  }

  /** In the order of the directory. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get encrypted(): boolean {
    return [...this.#entries.values()].some((entry) => entry.encrypted);
  }

  /** Fault `not-found` where there is no such file, `unauthenticated` where the password is missing or wrong. */
  async open(name: string): Promise<Readable> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Fault("not-found", `no file ${name}`);
    const { at, cipher } = await this.#begin(name, entry);
    return {
      size: async () => entry.bytes,
      read: async (into, position) => {
        const wanted = into.subarray(0, Math.max(0, Math.min(into.length, entry.bytes - position)));
        const got = await this.#file.read(wanted, at + position);
        cipher?.crypt(wanted.subarray(0, got), position);
        return got;
      },
      close: async () => undefined,
    };
  }

  /** Whether what is stored is what was encrypted; true of files in clear, of which that cannot be known. */
  async isWhole(name: string): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Fault("not-found", `no file ${name}`);
    const { at, cipher } = await this.#begin(name, entry);
    if (cipher === undefined) return true;
    const room = Buffer.allocUnsafeSlow(Math.min(LIMITS.pieceBytes, entry.bytes));
    for (let position = 0; position < entry.bytes; position += LIMITS.pieceBytes) {
      const piece = room.subarray(0, Math.min(LIMITS.pieceBytes, entry.bytes - position));
      if ((await this.#file.read(piece, at + position)) < piece.length) return false;
      cipher.authenticate(piece);
    }
    const tag = Buffer.alloc(ZIP_TAG_BYTES);
    await this.#file.read(tag, at + entry.bytes);
    return cipher.isTag(tag);
  }

  async #begin(name: string, { offset, encrypted }: Entry): Promise<{ at: number; cipher: ZipCipher | undefined }> {
    const record = Buffer.alloc(ZIP_RECORD_BYTES.local);
    await this.#file.read(record, offset);
    if (record.readUInt32LE(0) !== ZIP_MAGIC.local) throw new Fault("invalid", `the record of ${name} is not there`);
    const at = offset + record.length + record.readUInt16LE(26) + record.readUInt16LE(28);
    if (!encrypted) return { at, cipher: undefined };
    if (this.#password === undefined)
      throw new Fault("unauthenticated", `${name} is encrypted`, { tell: "it is encrypted: give its password" });
    const lead = Buffer.alloc(ZIP_LEAD_BYTES);
    await this.#file.read(lead, at);
    const cipher = await ZipCipher.create(this.#password, lead.subarray(0, ZIP_SALT_BYTES));
    if (!cipher.check.equals(lead.subarray(ZIP_SALT_BYTES)))
      throw new Fault("unauthenticated", `another password opens ${name}`, { tell: "the password is another one" });
    return { at: at + lead.length, cipher };
  }
}

async function readDirectory(file: Readable): Promise<ReadonlyMap<string, Entry>> {
  const size = await file.size();
  const tail = Buffer.alloc(ZIP_RECORD_BYTES.end64 + ZIP_RECORD_BYTES.locator64 + ZIP_RECORD_BYTES.end);
  if (size < tail.length) throw new Fault("invalid", "this is no ZIP file of an export");
  await file.read(tail, size - tail.length);
  const endAt = tail.length - ZIP_RECORD_BYTES.end;
  if (tail.readUInt32LE(0) !== ZIP_MAGIC.end64 || tail.readUInt32LE(endAt) !== ZIP_MAGIC.end)
    throw new Fault("invalid", "this is no ZIP file of an export, or its end is cut off");
  const [count, bytes, offset] = [32, 40, 48].map((at) => wide(tail, at)) as [number, number, number];
  if (count > LIMITS.entries || bytes > LIMITS.directoryBytes || offset + bytes > size)
    throw new Fault("invalid", `ZIP directory of ${count} files in ${bytes} bytes`);
  const directory = Buffer.alloc(bytes);
  await file.read(directory, offset);
  const entries = new Map<string, Entry>();
  const reader = new ByteReader(directory);
  for (let index = 0; index < count; index += 1) {
    const record = reader.view(ZIP_RECORD_BYTES.central);
    const name = reader.view(record.readUInt16LE(28)).toString("utf8");
    const extra = reader.view(record.readUInt16LE(30));
    reader.skip(record.readUInt16LE(32));
    if (entries.has(name)) throw new Fault("invalid", `${name} is there twice`);
    entries.set(name, entryOf(record, name, extra, offset));
  }
  return entries;
}

function entryOf(record: Buffer, name: string, extra: Buffer, directoryAt: number): Entry {
  const method = record.readUInt16LE(10);
  const encrypted = (record.readUInt16LE(8) & ZIP_FLAG.encrypted) !== 0;
  const right = method === (encrypted ? ZIP_METHOD.aes : ZIP_METHOD.stored);
  const is64 = [20, 24, 42].every((at) => record.readUInt32LE(at) === IN_ZIP64);
  if (record.readUInt32LE(0) !== ZIP_MAGIC.central || !right || !is64 || !isSafe(name))
    throw new Fault("invalid", `${name.slice(0, 80)} is not stored as an export's files are`);
  const field = fieldOf(extra, ZIP_EXTRA.zip64);
  if (field === undefined || field.length < 24) throw new Fault("invalid", `${name} has no sizes`);
  const [bytes, storedBytes, offset] = [0, 8, 16].map((at) => wide(field, at)) as [number, number, number];
  const around = encrypted ? ZIP_LEAD_BYTES + ZIP_TAG_BYTES : 0;
  if (storedBytes !== bytes + around || offset + storedBytes > directoryAt)
    throw new Fault("invalid", `sizes of ${name} that cannot be`);
  return { offset, bytes, storedBytes, encrypted };
}

/** Names that cannot lead out of the export, whatever takes them for paths. */
function isSafe(name: string): boolean {
  return /^[^/\\\0:]+(?:\/[^/\\\0:]+)*$/.test(name) && !name.split("/").some((part) => /^\.{1,2}$/.test(part));
}

function fieldOf(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === id && end <= extra.length) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

function wide(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Fault("invalid", `a size of ${value}`);
  return Number(value);
}
