import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import {
  type GroupStatement,
  hashNameOf,
  type OlderGroup,
  readHashes,
  type SigningDocument,
  type VendorInfo,
} from "./document.ts";
import { readTags } from "./tags.ts";

const LIMITS = {
  /** A public key as text: RSA with 4096 bits has 800. */
  keyBytes: 4096,
};

/** Tags of a message (AxisCommunications/signed-video-framework, sv_defines.h). */
const TAG = { general: 1, key: 2, product: 3, hashes: 4, signature: 5, vendor: 129 } as const;
/** Before the hashes of a group. */
const SALT = Buffer.of(1);
const FLAGS = { timed: 1, partial: 2 } as const;

/** Reads the tags of a message of Axis Signed Video. Fault `invalid`. */
export function readAxisDocument(tags: Buffer): SigningDocument {
  const found = readTags(tags, "axis-signed-video");
  const value = <T>(tag: number, read: (value: ByteReader) => T): T | undefined => {
    const [bytes] = found.get(tag) ?? [];
    return bytes && read(new ByteReader(bytes));
  };
  const { group, older } = value(TAG.general, readGeneral) ?? {};
  return {
    group,
    older,
    hashes: value(TAG.hashes, readHashes),
    signature: value(TAG.signature, readSignature),
    // It may be told in some messages alone, and their hashes tell it in all.
    hashName: group === undefined ? undefined : hashNameOf(group.hash.length),
    vendor: value(TAG.product, readProduct),
    chains: [],
    key: value(TAG.key, readKey),
    attested: value(TAG.vendor, readAttested),
  };
}

/** Versions 1 and 2 are of the form before release 2.0; 4 alone tells when the group ends. */
function readGeneral(value: ByteReader): { readonly group?: GroupStatement; readonly older?: OlderGroup } {
  const version = value.u8();
  if (version < 1 || version > 4) throw new Fault("invalid", `version ${version} of a group's statement`);
  const counter = value.u32();
  const count = value.u16();
  value.skip(3);
  const flags = version === 1 ? 0 : value.u8();
  const from = (flags & FLAGS.timed) === 0 ? unixMillis(0) : timeIn(value);
  if (version < 3) return { older: { counter, from, count } };
  const to = version === 4 && (flags & FLAGS.timed) !== 0 ? timeIn(value) : from;
  const hashBytes = value.remaining / 2;
  hashNameOf(hashBytes);
  const previous = value.view(hashBytes);
  const hash = value.view(hashBytes);
  const isPartial = (flags & FLAGS.partial) !== 0;
  return { group: { isPartial, from, to, counter, counts: count === 0 ? [] : [count], hash, salt: SALT, previous } };
}

/** Microseconds since 1970. */
function timeIn(value: ByteReader): UnixMillis {
  return unixMillis(Math.max(0, Math.floor(value.u64() / 1000)));
}

function readSignature(value: ByteReader): Buffer {
  const version = value.u8();
  if (version !== 1 && version !== 2) throw new Fault("invalid", `version ${version} of a signature`);
  // How its group was read, and, in version 1, which hash is signed.
  value.skip(version === 1 ? 2 : 1);
  return value.view(value.u16());
}

function readProduct(value: ByteReader): VendorInfo {
  value.skip(1);
  // Version 1 has a zero behind each text.
  const text = (): string => value.view(value.u8()).toString("utf8").replace(/\0+$/, "");
  text();
  const [firmware, serial, manufacturer] = [text(), text(), text()];
  return { firmware, serial, manufacturer };
}

function readKey(value: ByteReader): Buffer {
  const version = value.u8();
  if (version !== 1 && version !== 2) throw new Fault("invalid", `version ${version} of a public key`);
  // Version 1 tells the algorithm, which stands in the key itself.
  if (version === 1) value.skip(1);
  if (value.remaining > LIMITS.keyBytes) throw new Fault("invalid", `a public key of ${value.remaining} bytes`);
  return value.view(value.remaining);
}

function readAttested(value: ByteReader): NonNullable<SigningDocument["attested"]> {
  const version = value.u8();
  if (version !== 1) throw new Fault("invalid", `version ${version} of an attestation`);
  const report = value.view(value.u8());
  return { report, pem: value.view(value.remaining) };
}
