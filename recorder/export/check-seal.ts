import { constants, createHash, createVerify, type X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { Pace } from "../pace.ts";
import { certificateOf } from "../signature.ts";
import type { FoundFilm } from "./film-read.ts";
import { readSeal, SEAL_SALT_BYTES } from "./seal-boxes.ts";
import type { Readable } from "./zip-reader.ts";

const LIMITS = {
  /** Of `meta`; ours has two or three thousand. */
  metaBytes: 256 * 1024,
  pieceBytes: 256 * 1024,
};

/** What the bytes of a film are, as a whole. */
export interface SealCheck {
  /** Hexadecimal. */
  readonly sha256: string;
  /** The signature of an ONVIF export file; undefined where there is none that can be read. */
  readonly seal: { readonly certificate: X509Certificate; readonly valid: boolean } | undefined;
}

/** Reads a file once, for its hash and, where `meta` is known, its signature (ONVIF Export File Format 26.06, 6). */
export async function checkSeal(file: Readable, meta: FoundFilm["meta"]): Promise<SealCheck> {
  const place = await placeOf(file, meta);
  const size = await file.size();
  const hash = createHash("sha256");
  const verifier = createVerify("sha256");
  const pace = new Pace();
  const room = Buffer.allocUnsafeSlow(Math.min(LIMITS.pieceBytes, size));
  for (let at = 0; at < size; at += LIMITS.pieceBytes) {
    const bytes = room.subarray(0, Math.min(LIMITS.pieceBytes, size - at));
    if ((await file.read(bytes, at)) < bytes.length) break;
    await pace.walk([bytes], (piece) => hash.update(piece));
    // The signature is over zeros in its own place.
    if (place !== undefined)
      bytes.fill(0, clamp(place.from - at, bytes), clamp(place.from + place.signature.length - at, bytes));
    await pace.walk([bytes], (piece) => verifier.update(piece));
  }
  return { sha256: hash.digest("hex"), seal: place && { ...place, valid: isValid(verifier, place) } };
}

interface Place {
  readonly from: number;
  readonly signature: Buffer;
  readonly certificate: X509Certificate;
}

async function placeOf(file: Readable, meta: FoundFilm["meta"]): Promise<Place | undefined> {
  if (meta === undefined || meta.bytes > LIMITS.metaBytes) return undefined;
  const box = Buffer.alloc(meta.bytes);
  await file.read(box, meta.offset);
  return ifValid(() => {
    const { signatureAt, signatureBytes, certificate } = readSeal(box);
    const signature = Buffer.from(box.subarray(signatureAt, signatureAt + signatureBytes));
    return { from: meta.offset + signatureAt, signature, certificate: certificateOf(certificate) };
  });
}

function isValid(verifier: ReturnType<typeof createVerify>, { certificate, signature }: Place): boolean {
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType !== "rsa") return false;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verifier.verify({ key: publicKey, padding, saltLength: SEAL_SALT_BYTES }, signature);
}

function clamp(at: number, bytes: Buffer): number {
  return Math.max(0, Math.min(bytes.length, at));
}
