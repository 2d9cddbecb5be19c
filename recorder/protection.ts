import { ByteReader } from "../base/bytes.ts";
import { Fault } from "../base/fault.ts";
import { BOX_HEADER_BYTES, box, u16, u32 } from "./box.ts";

/** Types of our boxes (ISO/IEC 14496-12 11.1), chosen at random once and for all. */
const PROTECTION_UUID = Buffer.from("7b2f6a1c93e84d5ab0c1f4e86d2a9730", "hex");
const CIPHER_UUID = Buffer.from("c4918e5d0b7f4f62a1d39e40b8657f1a", "hex");

const VERSION = 1;
const KEY_ID_BYTES = 16;
export const SALT_BYTES = 32;
export const TAG_BYTES = 16;
/** Box, type and version, and how many runs. */
const CIPHER_LEAD_BYTES = BOX_HEADER_BYTES + 16 + 4 + 4;
const RUN_BYTES = 8;

const LIMITS = {
  /** One for each sample at most; as many as a fragment may have. */
  runs: 65_536,
};

/** How much of a segment is encrypted: of each video sample the beginning alone, or everything. */
export type ProtectionMode = "light" | "full";

/** What an encrypted segment says of its encryption, in clear. */
export interface Protection {
  readonly mode: ProtectionMode;
  /** Of the data key, 32 hexadecimal digits. */
  readonly keyId: string;
  /** With the data key, makes the key of this segment alone. */
  readonly salt: Buffer;
  /** The tracks as the catalog has them: recovery must get by without a key. */
  readonly description: string;
}

export function protectionBox({ mode, keyId, salt, description }: Protection): Buffer {
  const text = Buffer.from(description);
  const flags = mode === "light" ? 1 : 0;
  const fields = [u32((VERSION << 24) | flags), Buffer.from(keyId, "hex"), salt, u16(text.length), text];
  return box("uuid", PROTECTION_UUID, ...fields);
}

/** Undefined where `body`, of a `uuid` box, is of another type; a Fault `invalid` for a version that we do not know. */
export function readProtectionBox(body: Buffer): Protection | undefined {
  const reader = new ByteReader(body);
  if (body.length < PROTECTION_UUID.length || !reader.view(PROTECTION_UUID.length).equals(PROTECTION_UUID))
    return undefined;
  if (reader.u8() !== VERSION) throw new Fault("invalid", "encrypted by a newer program");
  const flags = reader.u24();
  const keyId = reader.view(KEY_ID_BYTES).toString("hex");
  const salt = Buffer.from(reader.view(SALT_BYTES));
  return {
    mode: flags === 1 ? "light" : "full",
    keyId,
    salt,
    description: reader.view(reader.u16()).toString("utf8"),
  };
}

/** A stretch of the plaintext that stands in the file as it is. */
export interface ClearRun {
  /** In the plaintext. */
  readonly offset: number;
  readonly length: number;
}

/** The box of something encrypted, up to its tag: `runs` in order, and how many bytes follow the tag. */
export function cipherLead(runs: readonly ClearRun[], plainBytes: number): Buffer {
  const size = CIPHER_LEAD_BYTES + runs.length * RUN_BYTES + TAG_BYTES + plainBytes;
  const lead = [u32(size), Buffer.from("uuid"), CIPHER_UUID, u32((VERSION << 24) >>> 0, runs.length)];
  return Buffer.concat([...lead, u32(...runs.flatMap(({ offset, length }) => [offset, length]))]);
}

/** Something encrypted, as it stands in the file. */
export interface CipherBox {
  /** All of the box. */
  readonly size: number;
  /** What {@link cipherLead} made. */
  readonly lead: Buffer;
  readonly runs: readonly ClearRun[];
  readonly plainBytes: number;
  /** Of the tag, from the beginning of the box; the encrypted bytes follow it, then the clear ones. */
  readonly tagAt: number;
}

/** The size of a cipher box without runs, of so much plaintext. */
export function fullCipherBytes(plainBytes: number): number {
  return CIPHER_LEAD_BYTES + TAG_BYTES + plainBytes;
}

/** The size of the cipher box that `bytes` begin with; a Fault `invalid` where they begin with anything else. */
export function cipherSizeOf(bytes: Buffer): number {
  return readLead(bytes).size;
}

/** Reads the box that `bytes` are. Throws a Fault `invalid` when they are another, or its runs make no sense. */
export function readCipherBox(bytes: Buffer): CipherBox {
  const { size, count } = readLead(bytes);
  const tagAt = CIPHER_LEAD_BYTES + count * RUN_BYTES;
  const plainBytes = size - tagAt - TAG_BYTES;
  if (count > LIMITS.runs || plainBytes < 0 || size > bytes.length)
    throw new Fault("invalid", `cipher box of ${size} bytes with ${count} runs`);
  const runs: ClearRun[] = [];
  let end = 0;
  for (let at = CIPHER_LEAD_BYTES; at < tagAt; at += RUN_BYTES) {
    const run = { offset: bytes.readUInt32BE(at), length: bytes.readUInt32BE(at + 4) };
    if (run.offset < end || run.length === 0) throw new Fault("invalid", "runs out of order");
    end = run.offset + run.length;
    runs.push(run);
  }
  if (end > plainBytes) throw new Fault("invalid", "run beyond its box");
  return { size, lead: bytes.subarray(0, tagAt), runs, plainBytes, tagAt };
}

function readLead(bytes: Buffer): { readonly size: number; readonly count: number } {
  const reader = new ByteReader(bytes);
  const size = reader.u32();
  if (reader.ascii(4) !== "uuid" || !reader.view(CIPHER_UUID.length).equals(CIPHER_UUID))
    throw new Fault("invalid", "no cipher box");
  if (reader.u8() !== VERSION) throw new Fault("invalid", "encrypted by a newer program");
  reader.skip(3);
  return { size, count: reader.u32() };
}
