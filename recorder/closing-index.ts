import { ifValid } from "../base/fault.ts";
import { BOX_HEADER_BYTES } from "./box.ts";
import type { KeyFinder } from "./cipher.ts";
import type { OpenFile } from "./files.ts";
import { FRAGMENT_BOX_BYTES, linkOf, readFragmentBox } from "./integrity.ts";
import { fullCipherBytes } from "./protection.ts";
import { readStart, type Start } from "./scan.ts";
import type { FragmentExtent } from "./segment.ts";
import { readSignatureBox, signatureSizeOf } from "./signature.ts";

const LIMITS = {
  /** Read of a file's end: holds the signature of some 500 fragments. */
  endBytes: 64 * 1024,
  /** Read of it first, for ours have 30: large buffers for each jump would have V8 go through its whole heap. */
  usualEndBytes: 8192,
};

const SIZE_BYTES = 4;

/** A segment by its beginning and its end. */
export interface IndexedSegment extends Start {
  readonly fragments: readonly FragmentExtent[];
}

/**
 * Where the fragments of a sealed file stand by its signature, which has their boxes once more: two reads, where a walk takes one for
 * each fragment. Undefined where that does not come out to the byte (not signed, encrypted lightly, not sealed, changed): then the
 * file has to be walked. Rejects only when reading fails.
 */
export async function readIndexed(file: OpenFile, keys: KeyFinder | undefined): Promise<IndexedSegment | undefined> {
  const size = await file.size();
  const [start, near] = await Promise.all([readStart(file, keys), signedEnd(file, size, LIMITS.usualEndBytes)]);
  if (start === undefined || start.opening.length === 0 || start.protection?.mode === "light") return undefined;
  const signed = near ?? (await signedEnd(file, size, LIMITS.endBytes));
  const signature = signed && ifValid(() => readSignatureBox(signed.box));
  if (signature?.valid !== true || signature.statement.header !== linkOf(start.opening).toString("hex"))
    return undefined;
  let offset = start.openingBytes;
  const fragments: FragmentExtent[] = [];
  for (const head of signature.heads) {
    const { length, key, time, startUs, endUs } = readFragmentBox(head);
    const bytes = FRAGMENT_BOX_BYTES + (start.protection === undefined ? length : fullCipherBytes(length));
    fragments.push({ offset, bytes, key, time, startUs, endUs });
    offset += bytes;
  }
  return offset === signed?.offset ? { ...start, fragments } : undefined;
}

/** The signature box before the index that closes a file, and where it stands; undefined where it is not within the last `bytes`. */
async function signedEnd(
  file: OpenFile,
  size: number,
  bytes: number,
): Promise<{ readonly box: Buffer; readonly offset: number } | undefined> {
  const end = Buffer.alloc(Math.min(size, bytes));
  await file.read(end, size - end.length);
  const indexAt = end.length - sizeBefore(end, end.length);
  const at = indexAt - sizeBefore(end, indexAt);
  if (at < 0 || indexAt - at < BOX_HEADER_BYTES) return undefined;
  const box = end.subarray(at, indexAt);
  return signatureSizeOf(box) === box.length ? { box, offset: size - end.length + at } : undefined;
}

function sizeBefore(bytes: Buffer, at: number): number {
  return at < SIZE_BYTES || at > bytes.length ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(at - SIZE_BYTES);
}
