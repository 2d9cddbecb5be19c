import { verify, type X509Certificate } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Fault } from "../../base/fault.ts";
import { isoOf, MINUTE, type UnixMillis, unixMillis } from "../../base/units.ts";
import { subjectOf } from "./certificate-names.ts";
import { type Der, derOf, eachChildOf, extensionsOf, malformed, partsOf, TAG } from "./der.ts";
import { NOT_TAKEN, signatureHashOf } from "./signature-algorithm.ts";

/** The longest list that is read: about a hundred thousand certificates. */
export const LIST_BYTES = 4 * 1024 * 1024;

const LIMITS = {
  /** Clocks differ. */
  aheadMs: 5 * MINUTE,
  /** Entries that are read before streams and clients have their turn: 2 ms of them. */
  entriesPerTurn: 500,
} as const;

const PEM = { begin: "-----BEGIN X509 CRL-----", end: "-----END X509 CRL-----" } as const;

/** Extensions in `[0]` at the end of a list. */
const EXTENSIONS = 0xa0;

/** What an authority says of which of its certificates are good no longer. */
export interface RevocationList {
  readonly from: UnixMillis;
  /** By then another one has to be there: from then on this one says nothing. */
  readonly until: UnixMillis;
  /** Serial numbers, as {@link serialOf} writes them. */
  readonly revoked: ReadonlySet<string>;
}

/**
 * Reads a list of revoked certificates (RFC 5280 5), PEM or DER, that one of the authorities has signed. Fault `invalid`, telling what is wrong: it
 * cannot be read, nobody of them has signed it, it is not of now, or it is one of part of the certificates, or of changes alone.
 */
export async function readRevocationList(
  bytes: Buffer,
  authorities: readonly X509Certificate[],
  now: UnixMillis,
): Promise<RevocationList> {
  if (bytes.length > LIST_BYTES) throw refused(`it is longer than ${LIST_BYTES} bytes`);
  const [signed, algorithm, signature] = partsOf(derOf(inDer(bytes)));
  if (signed === undefined || signature?.tag !== TAG.bits) throw malformed("no signature");
  const parts = [...partsOf(signed)];
  if (parts[0]?.tag === TAG.integer) parts.shift();
  const [inner, issuer, from, ...rest] = parts;
  if (algorithm === undefined || inner === undefined || !algorithm.whole.equals(inner.whole))
    throw malformed("two algorithms");
  if (!authorities.some((one) => isSignedBy(one, signed, algorithm, signature, issuer)))
    throw refused("none of the authorities has signed it");
  const list = { from: timeOf(from), until: timeOf(isTime(rest[0]) ? rest.shift() : undefined) };
  if (list.from > now + LIMITS.aheadMs) throw refused(`it is good from ${isoOf(list.from)} on, and not before`);
  if (list.until <= now) throw refused(`another one should have been there by ${isoOf(list.until)}`);
  const entries = rest[0]?.tag === TAG.sequence ? rest.shift() : undefined;
  if (rest[0]?.tag === EXTENSIONS) assertOfAll(extensionsOf(derOf(rest[0].content)));
  const revoked = new Set<string>();
  let read = 0;
  for (const entry of entries === undefined ? [] : eachChildOf(entries.content)) {
    revoked.add(revokedIn(entry));
    read += 1;
    if (read % LIMITS.entriesPerTurn === 0) await setImmediate();
  }
  return { ...list, revoked };
}

/** A serial number, by which an authority names a certificate: hexadecimal, without leading zeros, with a minus where it is negative. */
export function serialOf(certificate: X509Certificate): string {
  return plainSerial(certificate.serialNumber);
}

function revokedIn(entry: Der): string {
  const [serial, , extensions] = partsOf(entry);
  if (serial?.tag !== TAG.integer) throw malformed("an entry without a serial number");
  if (extensions !== undefined) assertOfAll(extensionsOf(extensions));
  const hex = serial.content.toString("hex");
  // There are authorities that have made such numbers, which RFC 5280 4.1.2.2 asks to be prepared for.
  const negative = (serial.content[0] ?? 0) >= 0x80;
  return plainSerial(negative ? BigInt.asIntN(serial.content.length * 8, BigInt(`0x${hex}`)).toString(16) : hex);
}

/** Node.js writes pairs of digits. */
function plainSerial(hex: string): string {
  return hex.toLowerCase().replace(/^(-?)0+(?=.)/, "$1");
}

/** What must be understood and is not: lists of part of the certificates, of changes, of another authority. */
function assertOfAll(extensions: readonly { readonly oid: string; readonly critical: boolean }[]): void {
  const strange = extensions.find(({ critical }) => critical);
  if (strange !== undefined)
    throw refused(`it is not a list of all certificates of its authority (it has ${strange.oid}): publish a full one`);
}

function isSignedBy(
  authority: X509Certificate,
  signed: Der,
  algorithm: Der,
  signature: Der,
  issuer: Der | undefined,
): boolean {
  const hash = signatureHashOf(algorithm);
  if (hash === undefined) throw refused(NOT_TAKEN);
  if (issuer === undefined || subjectOf(authority.raw)?.equals(issuer.whole) !== true) return false;
  const { publicKey } = authority;
  if ((publicKey.asymmetricKeyType === "ed25519") !== (hash === null)) return false;
  // The first byte says how many bits of the last one are no part of it.
  return signature.content[0] === 0 && verify(hash, signed.whole, publicKey, signature.content.subarray(1));
}

function isTime(of: Der | undefined): boolean {
  return of?.tag === TAG.utcTime || of?.tag === TAG.generalizedTime;
}

/** RFC 5280 5.1.2.4: to the second, in UTC. Two digits of a year are 1950 to 2049. */
function timeOf(of: Der | undefined): UnixMillis {
  const text = of?.content.toString("latin1") ?? "";
  const [, year = "", rest = ""] = /^((?:\d\d)?\d\d)(\d{10})Z$/.exec(text) ?? [];
  if (!isTime(of) || (of?.tag === TAG.utcTime) !== (year.length === 2))
    throw malformed("a time, or none where one has to be");
  const full = year.length === 4 ? year : `${Number(year) < 50 ? "20" : "19"}${year}`;
  const at = Date.parse(`${full}-${rest.replace(/^(..)(..)(..)(..)(..)$/, "$1-$2T$3:$4:$5Z")}`);
  if (Number.isNaN(at)) throw malformed("a time that there is not");
  return unixMillis(at);
}

function inDer(bytes: Buffer): Buffer {
  const begin = bytes.indexOf(PEM.begin);
  const end = bytes.indexOf(PEM.end, begin);
  if (begin < 0 || end < 0) return bytes;
  return Buffer.from(bytes.toString("latin1", begin + PEM.begin.length, end), "base64");
}

function refused(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
