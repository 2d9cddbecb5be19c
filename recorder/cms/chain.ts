import { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { Fault } from "../../base/fault.ts";
import { remembered } from "../../base/remember.ts";
import { isoOf, type UnixMillis } from "../../base/units.ts";
import { TIME_STAMP_OID } from "./time-stamp-schema.ts";

const LIMITS = {
  /** Certificates of a token and of the authority that are looked at. */
  certificates: 120,
  /** From the one that signed up to one that is trusted. */
  depth: 6,
};

/** What recordings may be signed with, where a certificate says what it is for: documents (RFC 9336; Microsoft's name for it) or anything. */
const DOCUMENTS: ReadonlySet<string> = new Set([
  "1.3.6.1.5.5.7.3.36",
  "1.3.6.1.4.1.311.10.3.12",
  "2.5.29.37.0", // anyExtendedKeyUsage
]);

/** Critical extensions whose meaning is minded here; another one makes a certificate unusable (RFC 5280 4.2). */
const MINDED: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
]);

/** Certificates of a file that was read already (PEM). Faults `invalid` where it holds none. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const found = pemsIn(pem);
  if (found.length === 0) throw new Fault("invalid", "there is no certificate (PEM)");
  return found.map((one) => new X509Certificate(one));
}

/** The text of each certificate in a file. */
export function pemsIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** What a certificate must be for, and what is said where it is not. */
export interface Purpose {
  readonly isMet: (certificate: X509Certificate) => boolean;
  readonly not: string;
}

/** Time stamps alone, and critically so (RFC 3161 2.3). */
export const FOR_TIME_STAMPS: Purpose = {
  isMet(certificate) {
    const purposes = extensionOf(certificate, id_ce_extKeyUsage);
    if (purposes?.critical !== true) return false;
    const [purpose, ...others] = AsnConvert.parse(purposes.extnValue.buffer, ExtendedKeyUsage);
    return purpose === TIME_STAMP_OID.purpose && others.length === 0;
  },
  not: "is not for time stamps alone",
};

/** Signatures over recordings: not an authority's, not one for web servers (RFC 5280 4.2.1.3, 4.2.1.12). */
export const FOR_RECORDINGS: Purpose = {
  isMet(certificate) {
    const purposes = extensionOf(certificate, id_ce_extKeyUsage);
    const isForDocuments =
      purposes === undefined ||
      AsnConvert.parse(purposes.extnValue.buffer, ExtendedKeyUsage).some((one) => DOCUMENTS.has(one));
    return !certificate.ca && isForSignatures(certificate) && isForDocuments;
  },
  not: "is not for signing documents",
};

/** Signatures of a camera over its stream: not an authority's (RFC 5280 4.2.1.3). */
export const FOR_CAMERAS: Purpose = {
  isMet: (certificate) => !certificate.ca && isForSignatures(certificate),
  not: "is not for signing",
};

/**
 * Checks that a certificate is for what it is used for, and that it leads to one of `trusted` by certificates that were
 * good `at` that time. Every one of `trusted` is an end of the way, whether it signed itself or not. Revocation is not asked
 * for. Fault `denied`.
 */
export function checkChain(
  leaf: X509Certificate,
  o: {
    readonly purpose: Purpose;
    /** As they came with what is signed: in any order, with others among them. */
    readonly among: readonly X509Certificate[];
    readonly trusted: readonly X509Certificate[];
    readonly at: UnixMillis;
  },
): void {
  const { trusted, at } = o;
  const known = [...trusted, ...o.among].slice(0, LIMITS.certificates);
  assertFor(leaf, o.purpose);
  let last = leaf;
  for (let below = 0; below < LIMITS.depth; below += 1) {
    assertGood(last, at);
    if (trusted.some(({ raw }) => raw.equals(last.raw))) return;
    // An authority that has renewed its own certificate has two of one key.
    const issuers = known.filter((one) => isIssuer(one, last, below));
    const issuer = issuers.find((one) => whyNotGood(one, at) === undefined) ?? issuers[0];
    if (issuer === undefined || issuer.raw.equals(last.raw)) break;
    last = issuer;
  }
  throw new Fault("denied", `the certificate of ${nameOf(leaf)} does not lead to the authority that is trusted`);
}

/**
 * Checks that each certificate was issued by the one behind it, that all are good `at` that time, and that the first one is for what it is
 * used for. Whether the last one is to be trusted is for others to say. Fault `denied`.
 */
export function checkOrder(
  chain: readonly X509Certificate[],
  { purpose, at }: { readonly purpose: Purpose; readonly at: UnixMillis },
): void {
  for (const [index, certificate] of chain.entries()) {
    if (index === 0) assertFor(certificate, purpose);
    assertGood(certificate, at);
    const issuer = chain[index + 1];
    if (issuer !== undefined && !isIssuer(issuer, certificate, index))
      throw new Fault(
        "denied",
        `the certificate of ${nameOf(issuer)} did not issue the one before it, of ${nameOf(certificate)}: each one has to stand behind the one that it issued`,
      );
  }
}

function isForSignatures(certificate: X509Certificate): boolean {
  const usage = extensionOf(certificate, id_ce_keyUsage);
  const flags = usage && AsnConvert.parse(usage.extnValue.buffer, KeyUsage).toNumber();
  return flags === undefined || (flags & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) !== 0;
}

/** For people: the common name, or all of the name. */
export function nameOf({ subject }: X509Certificate): string {
  return commonNameIn(subject);
}

/** For people, as {@link nameOf}. */
export function issuerOf({ subject, issuer }: X509Certificate): string {
  return subject === issuer ? "itself" : commonNameIn(issuer);
}

function commonNameIn(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll("\n", ", ");
}

/** `below`: certificates between the issuer and the one that signed. */
function isIssuer(issuer: X509Certificate, of: X509Certificate, below: number): boolean {
  if (!issuer.ca || !of.checkIssued(issuer) || !of.verify(issuer.publicKey)) return false;
  const constraints = extensionOf(issuer, id_ce_basicConstraints);
  const most = constraints && AsnConvert.parse(constraints.extnValue.buffer, BasicConstraints).pathLenConstraint;
  return most === undefined || below <= most;
}

function assertGood(certificate: X509Certificate, at: UnixMillis): void {
  const why = whyNotGood(certificate, at);
  if (why !== undefined) throw new Fault("denied", `the certificate of ${nameOf(certificate)} ${why}`);
}

function whyNotGood(certificate: X509Certificate, at: UnixMillis): string | undefined {
  const unknown = extensionsOf(certificate).find(({ critical, extnID }) => critical && !MINDED.has(extnID));
  if (unknown !== undefined) return `has a critical extension that is not known here, ${unknown.extnID}`;
  const { validFrom, validTo, validFromDate, validToDate } = certificate;
  return at >= validFromDate.getTime() && at <= validToDate.getTime()
    ? undefined
    : `was not valid then, ${isoOf(at)}: it is from ${validFrom} to ${validTo}`;
}

function assertFor(certificate: X509Certificate, { isMet, not }: Purpose): void {
  if (!isMet(certificate)) throw new Fault("denied", `the certificate of ${nameOf(certificate)} ${not}`);
}

function extensionOf(certificate: X509Certificate, id: string) {
  return extensionsOf(certificate).find(({ extnID }) => extnID === id);
}

/** Reading a certificate takes longer than checking its signature. */
const extensionsOf = remembered(
  ({ raw }: X509Certificate) => AsnConvert.parse(raw, Certificate).tbsCertificate.extensions ?? [],
);
