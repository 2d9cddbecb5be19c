import { createHash } from "node:crypto";
import { isFault } from "../base/fault.ts";
import { BOX_HEADER_BYTES, bodyAt, boxesIn, readBoxHeader } from "./box.ts";
import type { OpenFile } from "./files.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readMovie } from "./fmp4-read.ts";
import {
  FRAGMENT_BOX_BYTES,
  type FragmentHeader,
  type Link,
  linkOf,
  PRFT_BYTES,
  readFragmentBox,
  readSegmentBox,
  type SegmentHeader,
} from "./integrity.ts";
import type { FragmentPlace } from "./segment.ts";

const LIMITS = {
  /** `ftyp`, `moov` and our box; ours have one or two thousand bytes. */
  headerBytes: 64 * 1024,
  /** A fragment box and the `prft` boxes behind it, two at most for each of as many tracks as we write. */
  leadBytes: FRAGMENT_BOX_BYTES + 2 * 16 * PRFT_BYTES + BOX_HEADER_BYTES,
  /** Read and hashed in one go. */
  pieceBytes: 256 * 1024,
  /** The longest segment has a fragment every half second for ten minutes, and some more. */
  fragments: 20_000,
};

/** What stands in a segment's file. */
export interface Scan {
  /** Undefined when the file does not begin as a segment does; then nothing else is known. */
  readonly header: (SegmentHeader & { readonly tracks: readonly Fmp4Track[] }) | undefined;
  /** All that are whole, up to the first that is not. */
  readonly fragments: readonly FragmentPlace[];
  /** Of the last good fragment. */
  readonly link: Link;
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

const DAMAGED: Scan = {
  header: undefined,
  fragments: [],
  link: Buffer.alloc(0),
  goodBytes: 0,
  sealed: false,
  tail: "damaged",
};

/**
 * Walks a segment. With `verify` all bytes are read and their hashes compared; without it only the chain of the fragment
 * boxes is, which is enough to find places in a file that was sealed. Rejects only when reading fails.
 */
export async function scanSegment(file: OpenFile, verify: boolean): Promise<Scan> {
  const size = await file.size();
  const start = Buffer.alloc(Math.min(size, LIMITS.headerBytes));
  await file.read(start, 0);
  const opened = readOpening(start);
  if (opened === undefined) return start.length < LIMITS.headerBytes || isZero(start) ? tornOr(start) : DAMAGED;
  const { header } = opened;

  const fragments: FragmentPlace[] = [];
  let { link } = opened;
  let offset = opened.bytes;
  const found = (tail: Scan["tail"], sealed = false): Scan => ({
    header,
    fragments,
    link,
    goodBytes: offset,
    sealed,
    tail,
  });
  const lead = Buffer.alloc(LIMITS.leadBytes);
  while (offset < size) {
    if (fragments.length >= LIMITS.fragments) return found("damaged");
    const got = lead.subarray(0, await file.read(lead.subarray(0, size - offset), offset));
    if (isIndex(got, size - offset)) return found("none", true);
    const next = readFragment(got);
    if (next === undefined) return found(got.length < FRAGMENT_BOX_BYTES || isZero(got) ? "torn" : "damaged");
    const { box, moofAt } = next;
    const end = offset + FRAGMENT_BOX_BYTES + box.length;
    if (end > size) return found("torn");
    if (box.sequence !== fragments.length + 1 || !box.previous.equals(link)) return found("damaged");
    if (verify && !(await hashOf(file, offset + FRAGMENT_BOX_BYTES, box.length)).equals(box.hash))
      return found(await tearOf(file, offset, end, size));
    link = linkOf(got.subarray(0, FRAGMENT_BOX_BYTES));
    const { key, time, startUs, endUs } = box;
    fragments.push({ offset, bytes: end - offset, moofOffset: offset + moofAt, key, time, startUs, endUs });
    offset = end;
  }
  return found("none");
}

/** The tracks of a segment, without a look at what is recorded; undefined when the file does not begin as a segment does. */
export async function tracksOf(file: OpenFile): Promise<readonly Fmp4Track[] | undefined> {
  const start = Buffer.alloc(Math.min(await file.size(), LIMITS.headerBytes));
  await file.read(start, 0);
  return readOpening(start)?.header?.tracks;
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

function readOpening(start: Buffer):
  | {
      readonly header: Scan["header"];
      readonly bytes: number;
      readonly link: Link;
    }
  | undefined {
  return orUndefined(() => {
    let bytes = 0;
    for (const type of ["ftyp", "moov", "uuid"]) {
      const found = readBoxHeader(start, bytes, start.length - bytes);
      if (found.type !== type) return undefined;
      bytes += found.size;
    }
    const all = start.subarray(0, bytes);
    const own = readSegmentBox(boxesIn(all)[2]?.body ?? Buffer.alloc(0));
    return { header: { ...own, tracks: readMovie(bodyAt(all, "moov")) }, bytes, link: linkOf(all) };
  });
}

function readFragment(lead: Buffer): { readonly box: FragmentHeader; readonly moofAt: number } | undefined {
  return orUndefined(() => {
    const box = readFragmentBox(lead);
    let moofAt = FRAGMENT_BOX_BYTES;
    for (;;) {
      const { size, type } = readBoxHeader(lead, moofAt, 0xffffffff);
      if (type === "moof") return { box, moofAt };
      if (type !== "prft") return undefined;
      moofAt += size;
    }
  });
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
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
