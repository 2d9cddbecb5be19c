import { type KeyObject, X509Certificate } from "node:crypto";
import { ByteReader } from "../base/bytes.ts";
import { Fault, ifValid } from "../base/fault.ts";
import { isSignedBy, signText } from "../base/sign.ts";
import { BOX_HEADER_BYTES, box, u16, u32 } from "./box.ts";
import { treeRoot } from "./hash-tree.ts";
import { FRAGMENT_BOX_BYTES, type Link, linkOf, readFragmentBox } from "./integrity.ts";

/** Type of our box (ISO/IEC 14496-12 11.1), chosen at random once and for all. */
export const SIGNATURE_UUID = Buffer.from("e07d5c1b48a64c6f9b3a2f71c59e8d04", "hex");
const VERSION = 1;
const DOMAIN = "viaduct segment statement v1\n";

/** Of a certificate that signs segments: each of them has it. */
export const MAX_CERTIFICATE_BYTES = 16 * 1024;

const LIMITS = {
  statementBytes: 4096,
  signatureBytes: 1024,
  /** As many as a segment may have. */
  fragments: 20_000,
};

/** What is signed of a segment. Times in microseconds since 1970; hashes in hexadecimal. */
export interface Statement {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly fragments: number;
  /** Of the hash tree over the fragment boxes, which have the hashes of what follows them. */
  readonly root: string;
  /** The last link of the segment before, of the header, and of this segment. */
  readonly previous: string;
  readonly header: string;
  readonly link: string;
  /** Its recording broke off, and it was finished at the next start. */
  readonly recovered: boolean;
  /** When it began to be fetched from the camera's own recording: the signature is of then. Absent where it was recorded live. */
  readonly fetchedUs?: number;
}

/** Who signs. */
export interface Signer {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificate: Buffer;
  /** DER, of the authorities behind it, from the one that issued it on; none where the certificate is one of our own. */
  readonly authorities?: readonly Buffer[] | undefined;
}

/** Who signs exports: an RSA key. */
export interface ExportSigner extends Signer {
  /** DER: where an authority has issued the certificate, the one of the same key that the key of recordings has made. */
  readonly vouched?: Buffer | undefined;
}

/** A signature with what it is over. */
export interface SegmentSignature {
  readonly statement: Statement;
  readonly certificate: X509Certificate;
  /** The 116 bytes of each fragment's box, in order. */
  readonly heads: readonly Buffer[];
  /** The signature is over this statement by this certificate's key, the statement is over these fragments, and nothing else stands in its box. */
  readonly valid: boolean;
}

/** The box that closes a signed segment, in front of its index. `heads`: the boxes of all fragments. */
export function signatureBox(
  o: Pick<Statement, "camera" | "stream" | "recovered"> & {
    readonly fetchedUs?: number | undefined;
    readonly header: Link;
    readonly previous: Link;
    readonly heads: readonly Buffer[];
  },
  signer: Signer,
): Buffer {
  const boxes = o.heads.map(readFragmentBox);
  const last = o.heads.at(-1);
  const statement: Statement = {
    camera: o.camera,
    stream: o.stream,
    startUs: boxes[0]?.startUs ?? 0,
    endUs: boxes.reduce((latest, { endUs }) => Math.max(latest, endUs), 0),
    fragments: boxes.length,
    root: treeRoot(o.heads).toString("hex"),
    previous: o.previous.toString("hex"),
    header: o.header.toString("hex"),
    link: (last === undefined ? o.header : linkOf(last)).toString("hex"),
    recovered: o.recovered,
    ...(o.fetchedUs === undefined ? {} : { fetchedUs: o.fetchedUs }),
  };
  const text = Buffer.from(JSON.stringify(statement));
  const signature = signText(signer.privateKey, DOMAIN + text.toString());
  const parts = [
    SIGNATURE_UUID,
    u32((VERSION << 24) >>> 0, text.length),
    text,
    u16(signer.certificate.length),
    signer.certificate,
    u16(signature.length),
    signature,
    u32(o.heads.length),
    ...o.heads,
  ];
  const size = BOX_HEADER_BYTES + parts.reduce((sum, { length }) => sum + length, 4);
  // Its size once more, so that it is found from the end of the file.
  return box("uuid", ...parts, u32(size));
}

/** The size of the signature box that `bytes` begin with; undefined where they begin with anything else. */
export function signatureSizeOf(bytes: Buffer): number | undefined {
  if (bytes.length < BOX_HEADER_BYTES + SIGNATURE_UUID.length) return undefined;
  const body = bytes.subarray(BOX_HEADER_BYTES, BOX_HEADER_BYTES + SIGNATURE_UUID.length);
  return bytes.toString("latin1", 4, 8) === "uuid" && body.equals(SIGNATURE_UUID) ? bytes.readUInt32BE(0) : undefined;
}

/** Reads the box that `bytes` are. Throws a Fault `invalid` when they are another, or make no sense. */
export function readSignatureBox(bytes: Buffer): SegmentSignature {
  const size = signatureSizeOf(bytes);
  if (size !== bytes.length) throw new Fault("invalid", "no signature box");
  const reader = new ByteReader(bytes);
  reader.skip(BOX_HEADER_BYTES + SIGNATURE_UUID.length);
  if (reader.u8() !== VERSION) throw new Fault("invalid", "signed by a newer program");
  const flags = reader.u24();
  const text = reader.ascii(bounded(reader.u32(), LIMITS.statementBytes));
  const der = reader.view(bounded(reader.u16(), MAX_CERTIFICATE_BYTES));
  const signature = reader.view(bounded(reader.u16(), LIMITS.signatureBytes));
  const count = bounded(reader.u32(), LIMITS.fragments);
  const heads = Array.from({ length: count }, () => reader.view(FRAGMENT_BOX_BYTES));
  const certificate = certificateOf(der);
  const statement = statementOf(text);
  const sizes = ifValid(() => [reader.u32(), reader.remaining]) ?? [];
  const valid =
    flags === 0 &&
    certificate.raw.equals(der) &&
    sizes[0] === size &&
    sizes[1] === 0 &&
    isSignedBy(certificate.publicKey, DOMAIN + text, signature) &&
    statement.fragments === count &&
    treeRoot(heads).toString("hex") === statement.root &&
    isChain(heads, statement);
  return { statement, certificate, heads, valid };
}

function isChain(heads: readonly Buffer[], { header, link }: Statement): boolean {
  let last = header;
  for (const head of heads) {
    if (readFragmentBox(head).previous.toString("hex") !== last) return false;
    last = linkOf(head).toString("hex");
  }
  return last === link;
}

function bounded(value: number, limit: number): number {
  if (value > limit) throw new Fault("invalid", `signature box with a field of ${value}`);
  return value;
}

export function certificateOf(bytes: Buffer | string): X509Certificate {
  try {
    const certificate = new X509Certificate(bytes);
    // Its key is read when it is first asked for, and may be none.
    if (certificate.publicKey.asymmetricKeyType === undefined) throw new Error("its key is of no known kind");
    return certificate;
  } catch (cause) {
    throw new Fault("invalid", "that is no certificate", { cause });
  }
}

function statementOf(text: string): Statement {
  let found: Partial<Record<keyof Statement, unknown>>;
  try {
    found = JSON.parse(text) as typeof found;
  } catch (cause) {
    throw new Fault("invalid", "the statement of a signature is not JSON", { cause });
  }
  const words = ["camera", "stream", "root", "previous", "header", "link"] as const;
  const numbers = ["startUs", "endUs", "fragments"] as const;
  const right =
    words.every((name) => typeof found[name] === "string") &&
    numbers.every((name) => Number.isSafeInteger(found[name])) &&
    (found.fetchedUs === undefined || Number.isSafeInteger(found.fetchedUs)) &&
    typeof found.recovered === "boolean";
  if (!right) throw new Fault("invalid", "the statement of a signature lacks something");
  return found as Statement;
}
