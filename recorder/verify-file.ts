import { isFault } from "../base/fault.ts";
import { u32 } from "./box.ts";
import type { KeyFinder, SegmentCipher } from "./cipher.ts";
import type { OpenFile } from "./files.ts";
import { FRAGMENT_BOX_BYTES, FRAGMENT_UUID, type FragmentHeader, linkOf, readFragmentBox } from "./integrity.ts";
import { Pace } from "./pace.ts";
import { cipherSizeOf } from "./protection.ts";
import { type Scan, scanSegment } from "./scan.ts";
import { readSignatureBox, type SegmentSignature, SIGNATURE_UUID, signatureSizeOf } from "./signature.ts";

const LIMITS = {
  /** Read at once while something is searched for. */
  windowBytes: 1024 * 1024,
  /** Of one fragment. */
  fragmentBytes: 64 * 1024 * 1024,
  signatureBytes: 4 * 1024 * 1024,
};

/** How a fragment box begins, and how a signature box does behind its size. */
const FRAGMENT_MARK = Buffer.concat([u32(FRAGMENT_BOX_BYTES), Buffer.from("uuid"), FRAGMENT_UUID]);
const SIGNATURE_MARK = Buffer.concat([Buffer.from("uuid"), SIGNATURE_UUID]);
const SIZE_BYTES = 4;

/** A fragment as it stands in a file, whatever was done to it. */
export interface Piece {
  readonly head: Buffer;
  readonly box: FragmentHeader;
  /** SHA-256 of what follows, as hexadecimal; undefined where it is encrypted and does not open. */
  readonly hash: string | undefined;
}

/** A file as it was found. */
export interface Found {
  readonly scan: Scan;
  readonly signature: SegmentSignature | undefined;
  readonly pieces: readonly Piece[];
  /** Something stands where nothing should. */
  readonly junk: boolean;
  /** It is encrypted, and there is no key. */
  readonly locked: boolean;
  /** Of the header; undefined where it is encrypted and does not open. */
  readonly header: string | undefined;
}

/** Reads a file that may have been tampered with, and passes over nothing that can still be recognized. Rejects only when reading fails. */
export async function readFound(file: OpenFile, keys: KeyFinder | undefined): Promise<Found> {
  const scan = await scanSegment(file, false, keys);
  const size = await file.size();
  const signed = await findSignature(file, size);
  const end = signed?.offset ?? size;
  const locked = scan.protection !== undefined && scan.cipher === undefined;
  const pieces: Piece[] = [];
  const first = scan.fragments[0]?.offset ?? (await find(file, FRAGMENT_MARK, 0, end)) ?? end;
  let at = first;
  let junk = signed !== undefined && signed.behind;
  while (at < end) {
    const piece = await readPiece(file, at, end, scan, locked);
    if (piece !== undefined) pieces.push(piece.piece);
    else if (signed !== undefined || !(await isIndexAt(file, at))) junk = true;
    at = piece?.end ?? (await find(file, FRAGMENT_MARK, at + 1, end)) ?? end;
  }
  const header = scan.opening.length === 0 ? undefined : linkOf(scan.opening).toString("hex");
  return { scan, signature: signed?.signature, pieces, junk, locked, header };
}

async function readPiece(
  file: OpenFile,
  at: number,
  end: number,
  { protection, cipher }: Scan,
  locked: boolean,
): Promise<{ readonly piece: Piece; readonly end: number } | undefined> {
  const lead = Buffer.alloc(FRAGMENT_BOX_BYTES + 32);
  await file.read(lead.subarray(0, Math.min(lead.length, end - at)), at);
  const head = Buffer.from(lead.subarray(0, FRAGMENT_BOX_BYTES));
  const known = valid(() => {
    const box = readFragmentBox(head);
    return { box, bytes: protection === undefined ? box.length : cipherSizeOf(lead.subarray(FRAGMENT_BOX_BYTES)) };
  });
  const bodyAt = at + FRAGMENT_BOX_BYTES;
  if (known === undefined || known.bytes > LIMITS.fragmentBytes || bodyAt + known.bytes > end) return undefined;
  const { box, bytes } = known;
  const body = Buffer.allocUnsafe(locked ? 0 : bytes);
  await file.read(body, bodyAt);
  return {
    piece: { head, box, hash: locked ? undefined : await hashOf(box, head, body, cipher) },
    end: bodyAt + bytes,
  };
}

async function hashOf(
  { sequence }: FragmentHeader,
  head: Buffer,
  body: Buffer,
  cipher: SegmentCipher | undefined,
): Promise<string | undefined> {
  try {
    const plain = (await cipher?.decrypt(sequence, [head], body)) ?? body;
    return (await new Pace().hash([plain])).toString("hex");
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

/** The last signature of the file. */
async function findSignature(
  file: OpenFile,
  size: number,
): Promise<{ readonly signature: SegmentSignature; readonly offset: number; readonly behind: boolean } | undefined> {
  let found: Awaited<ReturnType<typeof findSignature>>;
  for (let mark = await find(file, SIGNATURE_MARK, 0, size); mark !== undefined; ) {
    const offset = mark - SIZE_BYTES;
    const lead = Buffer.alloc(24);
    await file.read(lead, offset);
    const bytes = signatureSizeOf(lead) ?? 0;
    if (offset >= 0 && bytes <= LIMITS.signatureBytes && offset + bytes <= size) {
      const box = Buffer.alloc(bytes);
      await file.read(box, offset);
      const signature = valid(() => readSignatureBox(box));
      const index = Buffer.alloc(8);
      await file.read(index, offset + bytes);
      const rest = size - offset - bytes;
      const behind = index.toString("latin1", 4, 8) !== "mfra" || index.readUInt32BE(0) !== rest;
      if (signature !== undefined) found = { signature, offset, behind };
    }
    mark = await find(file, SIGNATURE_MARK, mark + 1, size);
  }
  return found;
}

async function isIndexAt(file: OpenFile, at: number): Promise<boolean> {
  const lead = Buffer.alloc(8);
  await file.read(lead, at);
  return lead.toString("latin1", 4, 8) === "mfra";
}

/** Where `pattern` stands next, from `from` on. */
async function find(file: OpenFile, pattern: Buffer, from: number, end: number): Promise<number | undefined> {
  const window = Buffer.alloc(LIMITS.windowBytes);
  for (let at = from; at < end; at += window.length - pattern.length + 1) {
    const got = await file.read(window.subarray(0, Math.min(window.length, end - at)), at);
    const place = window.subarray(0, got).indexOf(pattern);
    if (place >= 0) return at + place;
  }
  return undefined;
}

function valid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}
