import { createHash } from "node:crypto";
import { ifValid, whenValid } from "../base/fault.ts";
import { BOX_HEADER_BYTES, bodyAt, readBoxHeader } from "./box.ts";
import { type KeyFinder, SegmentCipher } from "./cipher.ts";
import { describeTracks } from "./describe.ts";
import type { OpenFile } from "./files.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readMovie } from "./fmp4-read.ts";
import {
  FRAGMENT_BOX_BYTES,
  type FragmentHeader,
  type Link,
  linkOf,
  NO_LINK,
  PRFT_BYTES,
  readFragmentBox,
  readSegmentBox,
  type SegmentHeader,
} from "./integrity.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { Pace } from "./pace.ts";
import { cipherSizeOf, type Protection, readCipherBox, readProtectionBox } from "./protection.ts";
import type { FragmentPlace } from "./segment.ts";
import { signatureSizeOf } from "./signature.ts";

/** Of {@link blind}, which a decrypted fragment begins with. */
const BLIND_BOX_BYTES = BOX_HEADER_BYTES + 16;

const LIMITS = {
  /** `ftyp`, `moov` and our box; ours have one or two thousand bytes. */
  headerBytes: 64 * 1024,
  /** What is read of them first, for whoever looks at no more: large buffers for each jump would have V8 go through its whole heap. */
  usualHeaderBytes: 4096,
  /** A fragment box and the `prft` boxes behind it, two at most for each of as many tracks as we write. */
  leadBytes: FRAGMENT_BOX_BYTES + BLIND_BOX_BYTES + 2 * 16 * PRFT_BYTES + BOX_HEADER_BYTES,
  /** Read and hashed in one go. */
  pieceBytes: 256 * 1024,
  /** A whole encrypted fragment is read at once, so that it is opened or not. */
  encryptedBytes: 64 * 1024 * 1024,
  /** Of an encrypted fragment without a key, the end is looked at. */
  keylessBytes: 4096,
  keylessZeros: 64,
  /** The longest segment has a fragment every half second for ten minutes, and some more. */
  fragments: 20_000,
};

/** How a segment begins. */
export interface Start {
  readonly header: ScannedHeader;
  /** How it is encrypted; undefined where it is not. */
  readonly protection: Protection | undefined;
  /** Opens its fragments; undefined where they are not encrypted, or there is no key. */
  readonly cipher: SegmentCipher | undefined;
  /** `ftyp`, `moov` and our own box, decrypted; empty where they are not known. */
  readonly opening: Buffer;
  /** How many bytes it has in the file. */
  readonly openingBytes: number;
}

/** What stands in a segment's file. */
export interface Scan extends Omit<Start, "header"> {
  /** Undefined when the file does not begin as a segment does; then nothing else is known, and it begins with 0 bytes. */
  readonly header: ScannedHeader | undefined;
  /** All that are whole, up to the first that is not. */
  readonly fragments: readonly FragmentPlace[];
  /** Of the last good fragment. */
  readonly link: Link;
  /** The boxes of the fragments, 116 bytes each. */
  readonly heads: readonly Buffer[];
  /** Where the signature is, in a file that has one. */
  readonly signature: { readonly offset: number; readonly bytes: number } | undefined;
  /** Where the last good fragment ends. */
  readonly goodBytes: number;
  /** The index that closes a sealed file stands behind the last fragment. */
  readonly sealed: boolean;
  /**
   * What follows the good bytes, where that is neither nothing nor the index: `torn` is what a crash or a power cut
   * leaves (a fragment that is not whole, or zeros), `damaged` is anything else.
   */
  readonly tail: "none" | "torn" | "damaged";
}

export interface ScannedHeader extends SegmentHeader {
  /** None where they are encrypted and there is no key. */
  readonly tracks: readonly Fmp4Track[];
  /** They as the catalog has them. */
  readonly description: string;
}

const NOTHING = Buffer.alloc(0);

const DAMAGED: Scan = {
  header: undefined,
  protection: undefined,
  cipher: undefined,
  opening: NOTHING,
  openingBytes: 0,
  fragments: [],
  link: NOTHING,
  heads: [],
  signature: undefined,
  goodBytes: 0,
  sealed: false,
  tail: "damaged",
};

/**
 * Walks a segment. With `verify` all bytes are read and their hashes compared; without it only the chain of the fragment
 * boxes is, which is enough to find places in a file that was sealed. What is encrypted and has no key in `keys` is
 * walked all the same; only its bytes are not compared. Rejects only when reading fails.
 */
export async function scanSegment(file: OpenFile, verify: boolean, keys?: KeyFinder): Promise<Scan> {
  const size = await file.size();
  const start = Buffer.alloc(Math.min(size, LIMITS.headerBytes));
  await file.read(start, 0);
  const opened = readOpening(start);
  if (opened === undefined) return start.length < LIMITS.headerBytes || isZero(start) ? tornOr(start) : DAMAGED;
  const { protection } = opened;
  const { header, cipher, opening } = await unlocked(opened, keys);
  if (header === undefined) return DAMAGED;
  const fragments: FragmentPlace[] = [];
  // Without a key, the first fragment is believed.
  let link = opening.length === 0 ? undefined : linkOf(opening);
  let offset = opened.bytes;
  const heads: Buffer[] = [];
  let signature: Scan["signature"];
  const found = (tail: Scan["tail"], sealed = false): Scan => ({
    header,
    protection,
    cipher,
    opening,
    openingBytes: opened.bytes,
    fragments,
    link: link ?? NO_LINK,
    heads,
    signature,
    goodBytes: offset,
    sealed,
    tail,
  });
  const lead = Buffer.alloc(LIMITS.leadBytes);
  const room = new OneAtATime();
  while (offset < size) {
    if (fragments.length >= LIMITS.fragments) return found("damaged");
    const got = lead.subarray(0, await file.read(lead.subarray(0, size - offset), offset));
    if (isIndex(got, size - offset)) return found("none", true);
    const signed = signatureSizeOf(got);
    if (signed !== undefined) {
      const index = Buffer.alloc(Math.max(0, Math.min(BOX_HEADER_BYTES, size - offset - signed)));
      await file.read(index, offset + signed);
      if (!isIndex(index, size - offset - signed)) return found("torn");
      signature = { offset, bytes: signed };
      return found("none", true);
    }
    const next = readFragment(got, protection !== undefined);
    if (next === undefined) return found(got.length < FRAGMENT_BOX_BYTES || isZero(got) ? "torn" : "damaged");
    const { box, moofAt, bodyBytes } = next;
    const bodyAtOffset = offset + FRAGMENT_BOX_BYTES;
    const end = bodyAtOffset + bodyBytes;
    if (end > size) return found("torn");
    if (box.sequence !== fragments.length + 1 || !box.previous.equals(link ?? box.previous)) return found("damaged");
    const head = Buffer.from(got.subarray(0, FRAGMENT_BOX_BYTES));
    if (verify && !(await isWhole({ file, head, box, at: bodyAtOffset, bytes: bodyBytes, protection, cipher, room })))
      return found(await tearOf(file, offset, end, size));
    link = linkOf(head);
    heads.push(head);
    const { key, time, startUs, endUs } = box;
    const moofOffset = protection === undefined ? offset + moofAt : 0;
    fragments.push({ offset, bytes: end - offset, moofOffset, key, time, startUs, endUs });
    offset = end;
  }
  return found("none");
}

/** How a segment begins, without a look at what is recorded; undefined when the file does not begin as one, or does not open with its key. */
export async function readStart(file: OpenFile, keys?: KeyFinder): Promise<Start | undefined> {
  const opened = (await openingIn(file, LIMITS.usualHeaderBytes)) ?? (await openingIn(file, LIMITS.headerBytes));
  if (opened === undefined) return undefined;
  const { header, cipher, opening } = await unlocked(opened, keys);
  const { protection, bytes: openingBytes } = opened;
  return header && { header, protection, cipher, opening, openingBytes };
}

async function openingIn(file: OpenFile, bytes: number): Promise<Opening | undefined> {
  const start = Buffer.alloc(bytes);
  return readOpening(start.subarray(0, await file.read(start, 0)));
}

/** What a segment says of itself, without a key; undefined when the file does not begin as a segment does. */
export async function headerOf(file: OpenFile): Promise<SegmentHeader | undefined> {
  const start = Buffer.alloc(Math.min(await file.size(), LIMITS.headerBytes));
  await file.read(start, 0);
  return readOpening(start)?.own;
}

/** A file that ends within its header, or holds nothing but zeros: nothing was ever in it. */
function tornOr(start: Buffer): Scan {
  return isZero(start) || isPrefixOfSegment(start) ? { ...DAMAGED, tail: "torn" } : DAMAGED;
}

function isPrefixOfSegment(start: Buffer): boolean {
  if (start.length < BOX_HEADER_BYTES) return true;
  if (start.toString("latin1", 4, 8) !== "ftyp") return false;
  for (let offset = 0; offset + BOX_HEADER_BYTES <= start.length; ) {
    const size = start.readUInt32BE(offset);
    // Zeros where a box should begin: the disk had taken the file's length, not yet its bytes.
    if (size === 0) return isZero(start.subarray(offset));
    if (size < BOX_HEADER_BYTES || size > LIMITS.headerBytes) return false;
    offset += size;
    if (offset > start.length) return true;
  }
  return true;
}

interface Opening {
  readonly own: SegmentHeader;
  readonly bytes: number;
  readonly protection: Protection | undefined;
  /** `ftyp` and what follows it up to `moov`, `moov` or the box that it is encrypted in, and our own. */
  readonly lead: Buffer;
  readonly movie: Buffer;
  readonly segment: Buffer;
}

function readOpening(start: Buffer): Opening | undefined {
  return ifValid(() => {
    const boxes: Buffer[] = [];
    let at = 0;
    const next = (type: string): Buffer | undefined => {
      const found = readBoxHeader(start, at, start.length - at);
      if (found.type !== type) return undefined;
      at += found.size;
      boxes.push(start.subarray(at - found.size, at));
      return boxes.at(-1);
    };
    const ftyp = next("ftyp");
    if (ftyp === undefined) return undefined;
    const guard = next("uuid");
    const protection = guard && readProtectionBox(guard.subarray(BOX_HEADER_BYTES));
    const movie = next(guard === undefined ? "moov" : "uuid");
    const segment = next("uuid");
    if (movie === undefined || segment === undefined || (guard !== undefined && protection === undefined))
      return undefined;
    if (protection !== undefined) readCipherBox(movie);
    const own = readSegmentBox(segment.subarray(BOX_HEADER_BYTES));
    const lead = guard === undefined ? ftyp : start.subarray(0, ftyp.length + guard.length);
    return { own, bytes: at, protection, lead, movie, segment };
  });
}

/** The header with its tracks, and its bytes; both as far as they can be known without a key. */
async function unlocked(
  { own, protection, lead, movie, segment }: Opening,
  keys: KeyFinder | undefined,
): Promise<{
  readonly header: ScannedHeader | undefined;
  readonly cipher: SegmentCipher | undefined;
  readonly opening: Buffer;
}> {
  let moov = movie;
  let cipher: SegmentCipher | undefined;
  if (protection !== undefined) {
    const key = await keys?.find(protection.keyId);
    if (key === undefined)
      return {
        header: { ...own, tracks: [], description: protection.description },
        cipher: undefined,
        opening: NOTHING,
      };
    cipher = new SegmentCipher(protection, key);
    const decrypted = await whenValid(cipher.movie(lead, movie, segment));
    if (decrypted === undefined) return { header: undefined, cipher, opening: NOTHING };
    moov = decrypted;
  }
  const ftyp = lead.subarray(0, readBoxHeader(lead, 0, lead.length).size);
  const tracks = ifValid(() => readMovie(bodyAt(moov, "moov")));
  const header = tracks && { ...own, tracks, description: describeTracks(tracks) };
  return { header, cipher, opening: Buffer.concat([ftyp, moov, segment]) };
}

function readFragment(
  lead: Buffer,
  encrypted: boolean,
): { readonly box: FragmentHeader; readonly moofAt: number; readonly bodyBytes: number } | undefined {
  return ifValid(() => {
    const box = readFragmentBox(lead);
    let moofAt = FRAGMENT_BOX_BYTES;
    if (encrypted) return { box, moofAt, bodyBytes: cipherSizeOf(lead.subarray(moofAt)) };
    for (;;) {
      const { size, type } = readBoxHeader(lead, moofAt, 0xffffffff);
      if (type === "moof") return { box, moofAt, bodyBytes: box.length };
      if (type !== "prft" && type !== "free") return undefined;
      moofAt += size;
    }
  });
}

/** Whether the bytes of a fragment are those of its hash; of an encrypted one without a key, whether they may be. */
async function isWhole(o: {
  readonly file: OpenFile;
  readonly head: Buffer;
  readonly box: FragmentHeader;
  readonly at: number;
  readonly bytes: number;
  readonly protection: Protection | undefined;
  readonly cipher: SegmentCipher | undefined;
  readonly room: OneAtATime;
}): Promise<boolean> {
  const { file, head, box, at, bytes, protection, cipher, room } = o;
  if (protection === undefined) return (await hashOf(file, at, bytes)).equals(box.hash);
  if (bytes > LIMITS.encryptedBytes) return false;
  const body = room.of(Math.min(bytes, cipher === undefined ? LIMITS.keylessBytes : bytes));
  if ((await file.read(body, at + bytes - body.length)) < body.length) return false;
  // Zeros at the end are what a power cut leaves.
  if (cipher === undefined) return !isZero(body.subarray(-LIMITS.keylessZeros));
  const plain = await whenValid(cipher.decrypt(box.sequence, [head], body));
  return plain !== undefined && (await new Pace().hash([plain])).equals(box.hash);
}

function isIndex(lead: Buffer, rest: number): boolean {
  return lead.length >= BOX_HEADER_BYTES && lead.toString("latin1", 4, 8) === "mfra" && lead.readUInt32BE(0) === rest;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

async function hashOf(file: OpenFile, offset: number, length: number): Promise<Buffer> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(Math.min(length, LIMITS.pieceBytes));
  for (let done = 0; done < length; ) {
    const got = await file.read(piece.subarray(0, length - done), offset + done);
    if (got === 0) break;
    hash.update(piece.subarray(0, got));
    done += got;
  }
  return hash.digest();
}

/** A last fragment that ends in zeros was cut off by a power failure; a wrong hash elsewhere is damage. */
async function tearOf(file: OpenFile, offset: number, end: number, size: number): Promise<Scan["tail"]> {
  if (end < size) return "damaged";
  const last = Buffer.alloc(Math.min(16, end - offset));
  await file.read(last, end - last.length);
  return isZero(last) ? "torn" : "damaged";
}
