import { Fault } from "../base/fault.ts";
import { boxesIn } from "./box.ts";
import type { KeyFinder } from "./cipher.ts";
import type { OpenFile } from "./files.ts";
import { FRAGMENT_BOX_BYTES, readFragmentBox } from "./integrity.ts";
import { scanSegment } from "./scan.ts";
import { type FragmentPlace, randomAccess } from "./segment.ts";

/**
 * The file that an encrypted segment would be without encryption: the same MP4, which any player reads, hashes and links
 * included. Of one that is not encrypted, its bytes as they are. Fault `unavailable` where its key is not in `keys`,
 * `invalid` where it cannot be read, anything of it was changed, or it is not finished; what was yielded before is good.
 */
export async function* decryptSegment(file: OpenFile, keys: KeyFinder): AsyncGenerator<Buffer> {
  const scan = await scanSegment(file, false, keys);
  const { header, protection, cipher, opening } = scan;
  if (header === undefined) throw new Fault("invalid", "this is no segment, or its beginning was changed");
  if (protection !== undefined && cipher === undefined)
    throw new Fault(
      "unavailable",
      `its key ${protection.keyId} is not here: it was destroyed, or another one opens it`,
    );
  yield opening;
  let offset = opening.length;
  const fragments: FragmentPlace[] = [];
  for (const place of scan.fragments) {
    const stored = Buffer.allocUnsafe(place.bytes);
    if ((await file.read(stored, place.offset)) < stored.length) throw new Fault("invalid", "the file became shorter");
    const head = stored.subarray(0, FRAGMENT_BOX_BYTES);
    const body = stored.subarray(FRAGMENT_BOX_BYTES);
    const { sequence } = readFragmentBox(head);
    const plain = (await cipher?.decrypt(sequence, [head], body)) ?? body;
    const moof = boxesIn(plain).find(({ type }) => type === "moof");
    if (moof === undefined) throw new Fault("invalid", "fragment without moof");
    fragments.push({ ...place, moofOffset: offset + head.length + moof.start });
    yield head;
    yield plain;
    offset += head.length + plain.length;
  }
  if (scan.tail === "none" && !scan.sealed)
    throw new Fault(
      "invalid",
      "it is not finished: it is being recorded, or broke off and is finished at the next start",
    );
  if (scan.tail !== "none") throw new Fault("invalid", `what follows the first ${scan.goodBytes} bytes is damaged`);
  if (scan.signature !== undefined) {
    const signature = Buffer.allocUnsafe(scan.signature.bytes);
    await file.read(signature, scan.signature.offset);
    yield signature;
  }
  yield randomAccess(header, fragments);
}
