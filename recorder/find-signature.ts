import { ifValid } from "../base/fault.ts";
import { BOX_HEADER_BYTES } from "./box.ts";
import type { OpenFile } from "./files.ts";
import { findLast } from "./search.ts";
import { readSignatureBox, type SegmentSignature, SIGNATURE_UUID, signatureSizeOf } from "./signature.ts";

const LIMITS = {
  signatureBytes: 4 * 1024 * 1024,
  /** Places that look like a signature and are none, after which a file counts as unsigned. Ours have one place. */
  places: 16,
};

/** How a signature box begins, behind its size. */
const MARK = Buffer.concat([Buffer.from("uuid"), SIGNATURE_UUID]);
const SIZE_BYTES = 4;

export interface FoundSignature {
  readonly signature: SegmentSignature;
  readonly offset: number;
  /** Where its box ends, and the index should follow. */
  readonly end: number;
}

/** The last signature of a file, whatever stands around it. Rejects only when reading fails. */
export async function findSignature(file: OpenFile): Promise<FoundSignature | undefined> {
  const size = await file.size();
  const closing = await closingSignature(file, size);
  if (closing !== undefined) return closing;
  let end = size;
  for (let place = 0; place < LIMITS.places; place += 1) {
    const mark = await findLast(file, MARK, end);
    if (mark === undefined) return undefined;
    const found = await signatureAt(file, mark - SIZE_BYTES, size);
    if (found !== undefined) return found;
    end = mark + MARK.length - 1;
  }
  return undefined;
}

/** As a sealed file has it: the last four bytes are the size of the index, those before the index that of the signature. */
async function closingSignature(file: OpenFile, size: number): Promise<FoundSignature | undefined> {
  const indexBytes = await sizeBefore(file, size);
  return signatureAt(file, size - indexBytes - (await sizeBefore(file, size - indexBytes)), size);
}

async function sizeBefore(file: OpenFile, end: number): Promise<number> {
  const bytes = Buffer.alloc(SIZE_BYTES);
  if (end >= SIZE_BYTES) await file.read(bytes, end - SIZE_BYTES);
  return bytes.readUInt32BE();
}

async function signatureAt(file: OpenFile, offset: number, size: number): Promise<FoundSignature | undefined> {
  if (offset < 0) return undefined;
  const lead = Buffer.alloc(BOX_HEADER_BYTES + SIGNATURE_UUID.length);
  await file.read(lead, offset);
  const bytes = signatureSizeOf(lead) ?? 0;
  if (bytes < lead.length || bytes > LIMITS.signatureBytes || offset + bytes > size) return undefined;
  const box = Buffer.alloc(bytes);
  await file.read(box, offset);
  const signature = ifValid(() => readSignatureBox(box));
  return signature && { signature, offset, end: offset + bytes };
}
