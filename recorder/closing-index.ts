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
  /** Read of a file's end: holds the signature of some 500 fragments. Ours have 30. */
  endBytes: 64 * 1024,
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
  const end = Buffer.alloc(Math.min(size, LIMITS.endBytes));
  const [start] = await Promise.all([readStart(file, keys), file.read(end, size - end.length)]);
  if (start === undefined || start.opening.length === 0 || start.protection?.mode === "light") return undefined;
  const signed = closingSignature(end);
  const signature = signed && ifValid(() => readSignatureBox(signed));
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
  return offset === size - end.length + (signed?.byteOffset ?? 0) - end.byteOffset
    ? { ...start, fragments }
    : undefined;
}

/** The signature box before the index that closes a file, where all of it is in these bytes of the file's end. */
function closingSignature(end: Buffer): Buffer | undefined {
  const indexAt = end.length - sizeBefore(end, end.length);
  const at = indexAt - sizeBefore(end, indexAt);
  if (at < 0 || indexAt - at < BOX_HEADER_BYTES) return undefined;
  const box = end.subarray(at, indexAt);
  return signatureSizeOf(box) === box.length ? box : undefined;
}

function sizeBefore(bytes: Buffer, at: number): number {
  return at < SIZE_BYTES || at > bytes.length ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(at - SIZE_BYTES);
}
