import { hkdfSync, randomBytes } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { box } from "./box.ts";
import { type GcmKey, gcmKey } from "./gcm.ts";
import { Pace } from "./pace.ts";
import {
  type ClearRun,
  cipherLead,
  type Protection,
  type ProtectionMode,
  protectionBox,
  readCipherBox,
  SALT_BYTES,
  TAG_BYTES,
} from "./protection.ts";

const NONCE_BYTES = 12;
/** The header of a segment; its fragments have their sequence, from 1 on. */
const HEADER_SEQUENCE = 0;
const BLIND_BYTES = 16;

/** Bytes of the plaintext in order, and whether they stay as they are. */
export interface Part {
  readonly bytes: Buffer;
  readonly clear: boolean;
}

/** A key for recordings, as the recorder gets it from whoever keeps keys. */
export interface RecordingKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Keys by the id that stands in the segments. Undefined where a key is gone, or not for us. */
export interface KeyFinder {
  find(id: string): Promise<Buffer | undefined>;
}

/**
 * Encrypts one segment: AES-256-GCM under a key that is the segment's alone, for its salt is random (HKDF-SHA-256, RFC 5869). Each
 * sequence is encrypted once, so that no nonce is used twice; a segment that broke off is never written to again.
 */
export class SegmentCipher {
  readonly protection: Protection;
  readonly #key: GcmKey;

  constructor(protection: Protection, dataKey: Buffer) {
    this.protection = protection;
    this.#key = gcmKey(Buffer.from(hkdfSync("sha256", dataKey, protection.salt, "viaduct segment v1", 32)));
  }

  /** For a new segment. */
  static create({ id, key }: RecordingKey, mode: ProtectionMode, description: string): SegmentCipher {
    return new SegmentCipher({ mode, keyId: id, salt: randomBytes(SALT_BYTES), description }, key);
  }

  /** `ftyp`, protection, encrypted `moov`, segment box. */
  async header(ftyp: Buffer, moov: Buffer, segment: Buffer): Promise<Buffer> {
    const lead = Buffer.concat([ftyp, protectionBox(this.protection)]);
    const parts = [{ bytes: Buffer.from(moov), clear: false }];
    const bytes = await this.encrypt(HEADER_SEQUENCE, [lead, segment], parts);
    return Buffer.concat([lead, ...bytes, segment]);
  }

  /** The `moov` of a header. Fault `invalid` where the key is another one, or anything of the header was changed. */
  movie(lead: Buffer, encrypted: Buffer, segment: Buffer): Promise<Buffer> {
    return this.decrypt(HEADER_SEQUENCE, [lead, segment], Buffer.from(encrypted));
  }

  /**
   * Of a fragment, or another thing with a sequence of its own: what is to be written for it. Its parts are encrypted where they lie.
   * `bound`: what stands beside it in clear.
   */
  async encrypt(sequence: number, bound: readonly Buffer[], parts: readonly Part[]): Promise<readonly Buffer[]> {
    const { runs, bytes } = runsOf(parts);
    const lead = cipherLead(runs, bytes);
    const hidden = parts.filter(({ clear }) => !clear).map((part) => part.bytes);
    const clear = parts.filter((part) => part.clear).map((part) => part.bytes);
    const message = this.#key.sealing(nonceOf(sequence));
    const pace = new Pace();
    await pace.walk([...bound, lead, ...clear], (piece) => message.bind(piece));
    await pace.walk(hidden, (piece) => message.turn(piece, piece));
    return [lead, message.tag(), ...hidden, ...clear];
  }

  /**
   * What was encrypted. It lies where the encrypted bytes stood, unless some were left in clear; these are gone in any case. Fault
   * `invalid` where one bit is not as it was, or the key is another one.
   */
  async decrypt(sequence: number, bound: readonly Buffer[], encrypted: Buffer): Promise<Buffer> {
    const { lead, runs, plainBytes, tagAt } = readCipherBox(encrypted);
    const clearBytes = runs.reduce((sum, { length }) => sum + length, 0);
    const hiddenAt = tagAt + TAG_BYTES;
    const clearAt = hiddenAt + plainBytes - clearBytes;
    const clear = encrypted.subarray(clearAt, hiddenAt + plainBytes);
    const message = this.#key.opening(nonceOf(sequence));
    const pace = new Pace();
    await pace.walk([...bound, lead, clear], (piece) => message.bind(piece));
    const plain =
      runs.length === 0 ? encrypted.subarray(hiddenAt, hiddenAt + plainBytes) : Buffer.allocUnsafeSlow(plainBytes);
    const [holes, filled] = split(plain, runs);
    let from = hiddenAt;
    for (const hole of holes) {
      let at = 0;
      await pace.walk([encrypted.subarray(from, from + hole.length)], (piece) => {
        message.turn(piece, hole.subarray(at, at + piece.length));
        at += piece.length;
      });
      from += hole.length;
    }
    if (!message.opens(encrypted.subarray(tagAt, hiddenAt))) {
      plain.fill(0);
      throw new Fault("invalid", "encrypted bytes do not open: they were changed, or the key is another one");
    }
    from = clearAt;
    for (const place of filled) from += encrypted.copy(place, 0, from, from + place.length);
    return plain;
  }
}

/**
 * A box of random bytes that is hashed and encrypted with a fragment: hashes stand in clear, and must not tell whoever
 * guesses what was recorded that the guess is right. The header has none: its link confirms a guess of parameter sets.
 */
export function blind(): Buffer {
  return box("free", randomBytes(BLIND_BYTES));
}

function nonceOf(sequence: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(sequence, NONCE_BYTES - 4);
  return nonce;
}

/** Where the clear parts are. Those that touch become one. */
function runsOf(parts: readonly Part[]): { readonly runs: readonly ClearRun[]; readonly bytes: number } {
  const runs: { offset: number; length: number }[] = [];
  let at = 0;
  for (const { bytes, clear } of parts) {
    const last = runs.at(-1);
    if (clear && bytes.length > 0) {
      if (last !== undefined && last.offset + last.length === at) last.length += bytes.length;
      else runs.push({ offset: at, length: bytes.length });
    }
    at += bytes.length;
  }
  return { runs, bytes: at };
}

/** The views between the runs, and those of the runs. */
function split(plain: Buffer, runs: readonly ClearRun[]): readonly [hidden: Buffer[], clear: Buffer[]] {
  const hidden: Buffer[] = [];
  const clear: Buffer[] = [];
  let at = 0;
  for (const { offset, length } of runs) {
    hidden.push(plain.subarray(at, offset));
    clear.push(plain.subarray(offset, offset + length));
    at = offset + length;
  }
  hidden.push(plain.subarray(at));
  return [hidden, clear];
}
