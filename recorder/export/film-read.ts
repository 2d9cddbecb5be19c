import { ifValid } from "../../base/fault.ts";
import { BOX_HEADER_BYTES, readBoxHeader, u32 } from "../box.ts";
import { diskFiles } from "../files.ts";
import type { Fmp4Track } from "../fmp4.ts";
import { FRAGMENT_BOX_BYTES, FRAGMENT_UUID, readFragmentBox } from "../integrity.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { Pace } from "../pace.ts";
import { findNext } from "../search.ts";
import { readSignatureBox, type SegmentSignature, signatureSizeOf } from "../signature.ts";
import type { Piece } from "../verify-file.ts";
import { BareFragments, type FilmLook, tracksIn } from "./film-look.ts";
import { isOrigin, type Origin, readOriginBox } from "./origin.ts";
import { backOf, shiftFragment } from "./shift.ts";
import type { Readable } from "./zip-reader.ts";

const LIMITS = {
  /** Of one fragment, and of any other box that is read whole. */
  fragmentBytes: 64 * 1024 * 1024,
  boxBytes: 4 * 1024 * 1024,
  /** Boxes, or what looks like the beginning of one; what follows is not looked at. A film of 2 GB has far fewer. */
  places: 1_000_000,
  /** Places at which nothing makes sense, each of which is a search. */
  junk: 10_000,
};

const FRAGMENT_MARK = Buffer.concat([u32(FRAGMENT_BOX_BYTES), Buffer.from("uuid"), FRAGMENT_UUID]);
/** What frames a film, and what fragments are made of where tracks were left out. */
const FRAME = ["ftyp", "moov", "meta", "mfra"];
const BARE = ["prft", "moof", "mdat"];

/** What a film has of one segment, turned back into what was recorded. */
export interface FilmSegment {
  /** Undefined of what stands before every origin box. */
  readonly origin: Origin | undefined;
  readonly pieces: readonly Piece[];
  readonly signature: SegmentSignature | undefined;
}

/** The boxes of a film as they were found, whatever was done to it. */
export interface FoundFilm {
  readonly segments: readonly FilmSegment[];
  /** Something stands where nothing should. */
  readonly junk: boolean;
  /** Where its `meta` box is; undefined where there is none, or more than one. */
  readonly meta: { readonly offset: number; readonly bytes: number } | undefined;
}

interface Growing extends FilmSegment {
  readonly tracks: readonly Fmp4Track[];
  readonly pieces: Piece[];
  signature: SegmentSignature | undefined;
}

/** Whether a file is a film of an export, by how it begins. */
export async function isFilm(path: string): Promise<boolean> {
  const file = await diskFiles.open(path, "read").catch(() => undefined);
  if (file === undefined) return false;
  try {
    let at = 0;
    for (const type of ["ftyp", "moov", "uuid"]) {
      const lead = await bytesAt(file, at, 64);
      const found = ifValid(() => readBoxHeader(lead, 0, LIMITS.boxBytes));
      if (found?.type !== type) return false;
      if (type === "uuid") return isOrigin(lead.subarray(BOX_HEADER_BYTES));
      at += found.size;
    }
    return false;
  } finally {
    await file.close();
  }
}

/** Walks through a film that may have been tampered with. Rejects only when reading fails. `look`: as the fragments were recorded. */
export async function readFilm(file: Readable, look?: FilmLook): Promise<FoundFilm> {
  const size = await file.size();
  const segments: Growing[] = [];
  const metas: { readonly offset: number; readonly bytes: number }[] = [];
  const room = new OneAtATime();
  const bare = look && new BareFragments(look);
  let junk = 0;
  let at = 0;
  for (let places = 0; at < size && places < LIMITS.places && junk < LIMITS.junk; places += 1) {
    const lead = await bytesAt(file, at, Math.min(FRAGMENT_BOX_BYTES, size - at));
    const found = ifValid(() => readBoxHeader(lead, 0, size - at));
    let end = found && at + found.size;
    if (found !== undefined && segments.length === 0 && bare?.wants(found.type, found.size) === true)
      bare.box(await bytesAt(file, at, found.size));
    if (found?.type === "meta") metas.push({ offset: at, bytes: found.size });
    else if (found?.type === "uuid" && found.size <= LIMITS.boxBytes)
      end = await readOwn(file, { at, bytes: found.size, size }, lead, { segments, room, look });
    else if (
      found !== undefined &&
      !FRAME.includes(found.type) &&
      !(BARE.includes(found.type) && segments.length === 0)
    )
      end = undefined;
    if (end === undefined) junk += 1;
    at = end ?? (await findNext(file, FRAGMENT_MARK, at + 1, size)) ?? size;
  }
  const [meta, ...others] = metas;
  return { segments, junk: junk > 0 || at < size, meta: others.length === 0 ? meta : undefined };
}

/** Reads a `uuid` box of ours, of a fragment with what follows it. Where it ends; undefined where it makes no sense. */
async function readOwn(
  file: Readable,
  { at, bytes, size }: { readonly at: number; readonly bytes: number; readonly size: number },
  lead: Buffer,
  {
    segments,
    room,
    look,
  }: { readonly segments: Growing[]; readonly room: OneAtATime; readonly look: FilmLook | undefined },
): Promise<number | undefined> {
  if (isOrigin(lead.subarray(BOX_HEADER_BYTES))) {
    const box = await bytesAt(file, at, bytes);
    const origin = ifValid(() => readOriginBox(box));
    const tracks = origin === undefined || look === undefined ? [] : tracksIn(origin.opening);
    if (origin !== undefined) segments.push({ origin, tracks, pieces: [], signature: undefined });
    return origin && at + bytes;
  }
  const segment = segments.at(-1) ?? { origin: undefined, tracks: [], pieces: [], signature: undefined };
  if (segments.length === 0) segments.push(segment);
  if (signatureSizeOf(lead) !== undefined) {
    const box = await bytesAt(file, at, bytes);
    const signature = segment.signature === undefined ? ifValid(() => readSignatureBox(box)) : undefined;
    segment.signature ??= signature;
    return signature && at + bytes;
  }
  const box = ifValid(() => readFragmentBox(lead));
  const bodyAt = at + FRAGMENT_BOX_BYTES;
  if (box === undefined || box.length > LIMITS.fragmentBytes || bodyAt + box.length > size) return undefined;
  const body = room.of(box.length);
  await file.read(body, bodyAt);
  const hash = await recordedHash(body, segment.origin);
  segment.pieces.push({ head: Buffer.from(lead), box, hash });
  if (hash !== undefined) look?.(body, segment.tracks);
  return bodyAt + box.length;
}

/** Of the fragment as it was recorded; undefined where it cannot be turned back. */
async function recordedHash(body: Buffer, origin: Origin | undefined): Promise<string | undefined> {
  if (origin === undefined) return undefined;
  const recorded = ifValid(() => {
    shiftFragment(body, backOf(origin.shift));
    return body;
  });
  return recorded && (await new Pace().hash([recorded])).toString("hex");
}

async function bytesAt(file: Readable, at: number, bytes: number): Promise<Buffer> {
  const found = Buffer.alloc(bytes);
  await file.read(found, at);
  return found;
}
