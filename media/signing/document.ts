import { X509Certificate } from "node:crypto";
import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { readTags } from "./tags.ts";

const LIMITS = {
  /** Of one chain. */
  certificates: 8,
  chainBytes: 64 * 1024,
  /** Of one (partial) group: the reference implementation lists 600 at most. */
  hashes: 4096,
};

/** Tags of a message (ONVIF Media Signing, "TLV tags"). */
const TAG = { general: 1, hashes: 2, signature: 3, crypto: 4, vendor: 5, certificates: 6 } as const;

/** From 1601-01-01, where its times begin, to 1970, in milliseconds. */
const MILLIS_1970 = 11_644_473_600_000;
/** No camera signed before, and none will soon after. */
const PLAUSIBLE = { from: Date.UTC(1970, 0, 1), to: Date.UTC(2200, 0, 1) };

export type HashName = "sha256" | "sha384" | "sha512";

/** How many bytes a hash has. */
export const HASH_BYTES: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** Which algorithm has hashes of so many bytes. Fault `invalid`. */
export function hashNameOf(bytes: number): HashName {
  const name = (["sha256", "sha384", "sha512"] as const).find((one) => HASH_BYTES[one] === bytes);
  if (name === undefined) throw new Fault("invalid", `hashes of ${bytes} bytes`);
  return name;
}

/** Serialized OIDs, with or without their ASN.1 header. */
const HASHES: ReadonlyMap<string, HashName> = new Map([
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
]);

/** What is signed of a group of pictures, or of a part of one ("General GOP information"). */
export interface GroupStatement {
  /** It ends before the group does. */
  readonly isPartial: boolean;
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  /** Counts all (partial) groups that the camera has signed. */
  readonly counter: number;
  /** NAL units; more than one where it is not known which byte comes first, and none where the camera could not count them. */
  readonly counts: readonly number[];
  /** Of all their hashes, behind the salt where there is one. */
  readonly hash: Buffer;
  readonly salt?: Buffer;
  /** Of the first NAL unit of the (partial) group before; all zeros in the first one, and undefined where it is not told. */
  readonly previous: Buffer | undefined;
}

/** What is told of a group in the form of Axis before release 2.0: its hashes are in the list, and the first one of the group behind is the last. */
export interface OlderGroup {
  readonly counter: number;
  readonly from: UnixMillis;
  /** NAL units, and the one behind. */
  readonly count: number;
}

/** Who says that the camera is theirs; empty where it is not said. */
export interface VendorInfo {
  readonly firmware: string;
  readonly serial: string;
  readonly manufacturer: string;
}

/** What a message says. */
export interface SigningDocument {
  readonly group: GroupStatement | undefined;
  /** Of each NAL unit, one behind the other; undefined where the camera saves bytes ("low bitrate mode"). */
  readonly hashes: Buffer | undefined;
  readonly signature: Buffer | undefined;
  readonly hashName: HashName | undefined;
  readonly vendor: VendorInfo | undefined;
  /** Of the vendor, and perhaps of the user: see {@link readChain}. */
  readonly chains: readonly { readonly isOfUser: boolean; readonly pem: Buffer }[];
  readonly older?: OlderGroup | undefined;
  /** Why it cannot be compared with pictures. */
  readonly unclear?: string | undefined;
  /** Of Axis: the key that signs, as text (PEM). */
  readonly key?: Buffer | undefined;
  /** Of Axis: the chain of the certificate that vouches for the key, by a report; where this is empty, the certificate's own key signs. */
  readonly attested?: { readonly report: Buffer; readonly pem: Buffer } | undefined;
}

/** Reads the tags of a message. Unknown ones are passed over. Fault `invalid`. */
export function readDocument(tags: Buffer): SigningDocument {
  const found = readTags(tags, "onvif-media-signing");
  const value = <T>(tag: number, read: (value: ByteReader) => T): T | undefined => {
    const [bytes] = found.get(tag) ?? [];
    return bytes && read(new ByteReader(bytes));
  };
  return {
    group: value(TAG.general, readGroup),
    hashes: value(TAG.hashes, readHashes),
    signature: value(TAG.signature, readSignature),
    hashName: value(TAG.crypto, readHashName),
    vendor: value(TAG.vendor, readVendor),
    chains: (found.get(TAG.certificates) ?? []).map((bytes) => readShown(new ByteReader(bytes))),
  };
}

function readGroup(value: ByteReader): GroupStatement {
  const version = value.u8();
  if (version !== 1 && version !== 2) throw new Fault("invalid", `version ${version} of a group's statement`);
  value.skip(3);
  const isPartial = value.u8() !== 0;
  const times = [value.view(8), ...(version === 1 ? [] : [value.view(8)])];
  const counter = value.view(4);
  const count = value.view(2);
  const first = times[0] as Buffer;
  const last = times[1] ?? first;
  // The specification says that the last byte comes first, and the reference implementation, after which cameras are made, does not.
  const isLittle = timeOf(first, false) === undefined && timeOf(first, true) !== undefined;
  const hashBytes = value.remaining / 2;
  hashNameOf(hashBytes);
  const counts = [count.readUInt16BE(0), count.readUInt16LE(0)].filter((one) => one > 0 && one < 0xffff);
  return {
    isPartial,
    from: timeOf(first, isLittle) ?? unixMillis(0),
    to: timeOf(last, isLittle) ?? unixMillis(0),
    counter: isLittle ? counter.readUInt32LE(0) : counter.readUInt32BE(0),
    counts: isLittle ? counts.toReversed() : counts,
    hash: value.view(hashBytes),
    previous: value.view(hashBytes),
  };
}

/** Of a count of 100 ns; undefined where no camera can have signed then. */
function timeOf(bytes: Buffer, isLittle: boolean): UnixMillis | undefined {
  const ticks = isLittle ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0);
  const at = Number(ticks / 10_000n) - MILLIS_1970;
  return at >= PLAUSIBLE.from && at < PLAUSIBLE.to ? unixMillis(at) : undefined;
}

function assertVersion(value: ByteReader, what: string): void {
  const version = value.u8();
  if (version !== 1) throw new Fault("invalid", `version ${version} of ${what}`);
}

/** The list of hashes, in the form that both formats have it. */
export function readHashes(value: ByteReader): Buffer {
  assertVersion(value, "a list of hashes");
  if (value.remaining > LIMITS.hashes * 64) throw new Fault("invalid", "too many hashes");
  return value.view(value.remaining);
}

function readSignature(value: ByteReader): Buffer {
  assertVersion(value, "a signature");
  return value.view(value.u16());
}

function readHashName(value: ByteReader): HashName {
  assertVersion(value, "the algorithms");
  const oid = value.view(value.u8()).toString("hex");
  const name = HASHES.get(oid.startsWith("0609") ? oid.slice(4) : oid);
  if (name === undefined) throw new Fault("invalid", `hash algorithm ${oid}`);
  return name;
}

function readVendor(value: ByteReader): VendorInfo {
  assertVersion(value, "the vendor's information");
  const text = (): string => value.view(value.u8()).toString("utf8");
  return { firmware: text(), serial: text(), manufacturer: text() };
}

function readShown(value: ByteReader): SigningDocument["chains"][number] {
  assertVersion(value, "a chain of certificates");
  const isOfUser = value.u8() !== 0;
  return { isOfUser, pem: value.view(value.remaining) };
}

/** A chain as a message shows it: the certificate that signs first, and then those that lead to an authority. Fault `invalid`. */
export function readChain(pem: Buffer): readonly X509Certificate[] {
  if (pem.length > LIMITS.chainBytes) throw new Fault("invalid", `a chain of ${pem.length} bytes`);
  const found = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0 || found.length > LIMITS.certificates)
    throw new Fault("invalid", `a chain of ${found.length} certificates`);
  try {
    return found.map(certificateOf);
  } catch (cause) {
    throw new Fault("invalid", "a certificate that makes no sense", { cause });
  }
}

/** A key that makes no sense is found when it is read. */
function certificateOf(pem: string): X509Certificate {
  const certificate = new X509Certificate(pem);
  if (certificate.publicKey.type !== "public") throw new Fault("invalid", "a certificate without a public key");
  return certificate;
}
