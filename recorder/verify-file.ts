import { ifValid, whenValid } from "../base/fault.ts";
import { u32 } from "./box.ts";
import type { KeyFinder } from "./cipher.ts";
import type { OpenFile } from "./files.ts";
import { type FoundSignature, findSignature } from "./find-signature.ts";
import { FRAGMENT_BOX_BYTES, FRAGMENT_UUID, type FragmentHeader, linkOf, readFragmentBox } from "./integrity.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { Pace } from "./pace.ts";
import { cipherSizeOf } from "./protection.ts";
import { type Scan, scanSegment } from "./scan.ts";
import { findNext } from "./search.ts";
import { CLOSING, randomAccess } from "./segment.ts";
import type { SegmentSignature } from "./signature.ts";

const LIMITS = {
  /** Of one fragment. */
  fragmentBytes: 64 * 1024 * 1024,
  /** Fragments, or what looks like the beginning of one: as many as a segment may have. What follows is not looked at. */
  fragments: 20_000,
};

/** How a fragment box begins. */
const FRAGMENT_MARK = Buffer.concat([u32(FRAGMENT_BOX_BYTES), Buffer.from("uuid"), FRAGMENT_UUID]);

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
  /** Something stands where nothing should, in a file with a signature. */
  readonly junk: boolean;
  /** It is encrypted, and there is no key. */
  readonly locked: boolean;
  /** Of the header; undefined where it is encrypted and does not open. */
  readonly header: string | undefined;
}

/** Is shown each fragment that opens: all behind its `uuid` box, for as long as it looks. */
export type Look = (body: Buffer, scan: Scan) => void;

/** Reads a file that may have been tampered with, and passes over nothing that can still be recognized. Rejects only when reading fails. */
export async function readFound(file: OpenFile, keys: KeyFinder | undefined, look?: Look): Promise<Found> {
  const scan = await scanSegment(file, false, keys);
  const size = await file.size();
  const signed = await findSignature(file);
  const end = signed?.offset ?? size;
  const locked = scan.protection !== undefined && scan.cipher === undefined;
  const pieces: Piece[] = [];
  const room = new OneAtATime();
  let junk = signed !== undefined && !(await isClosed(file, signed, size, scan));
  // Of a header that cannot be read, nobody knows where it ends.
  let at = scan.openingBytes > 0 ? scan.openingBytes : ((await findNext(file, FRAGMENT_MARK, 0, end)) ?? end);
  for (let places = 0; at < end && places < LIMITS.fragments; places += 1) {
    const piece = await readPiece(file, { at, end, room }, scan, { locked, look });
    if (piece === undefined) junk = true;
    else pieces.push(piece.piece);
    at = piece?.end ?? (await findNext(file, FRAGMENT_MARK, at + 1, end)) ?? end;
  }
  if (at < end) junk = true;
  const header = scan.opening.length === 0 ? undefined : linkOf(scan.opening).toString("hex");
  return { scan, signature: signed?.signature, pieces, junk, locked, header };
}

async function readPiece(
  file: OpenFile,
  { at, end, room }: { readonly at: number; readonly end: number; readonly room: OneAtATime },
  scan: Scan,
  { locked, look }: { readonly locked: boolean; readonly look: Look | undefined },
): Promise<{ readonly piece: Piece; readonly end: number } | undefined> {
  const { protection, cipher } = scan;
  const lead = Buffer.alloc(FRAGMENT_BOX_BYTES + 32);
  await file.read(lead.subarray(0, Math.min(lead.length, end - at)), at);
  const head = Buffer.from(lead.subarray(0, FRAGMENT_BOX_BYTES));
  const known = ifValid(() => {
    const box = readFragmentBox(head);
    return { box, bytes: protection === undefined ? box.length : cipherSizeOf(lead.subarray(FRAGMENT_BOX_BYTES)) };
  });
  const bodyAt = at + FRAGMENT_BOX_BYTES;
  if (known === undefined || known.bytes > LIMITS.fragmentBytes || bodyAt + known.bytes > end) return undefined;
  const { box, bytes } = known;
  const body = room.of(locked ? 0 : bytes);
  await file.read(body, bodyAt);
  const plain = locked || cipher === undefined ? body : await whenValid(cipher.decrypt(box.sequence, [head], body));
  const hash = locked || plain === undefined ? undefined : (await new Pace().hash([plain])).toString("hex");
  if (hash !== undefined && plain !== undefined) look?.(plain, scan);
  return { piece: { head, box, hash }, end: bodyAt + bytes };
}

/** Whether nothing but the index that belongs there follows the signature. */
async function isClosed(
  file: OpenFile,
  { end }: FoundSignature,
  size: number,
  { header, protection, fragments }: Scan,
): Promise<boolean> {
  const index = protection !== undefined ? CLOSING : header && randomAccess(header, fragments);
  if (index === undefined || size - end !== index.length) return false;
  const stored = Buffer.alloc(index.length);
  await file.read(stored, end);
  return stored.equals(index);
}
