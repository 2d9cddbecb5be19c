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
} from "@peculiar/asn1-x509";
import { Fault } from "../../base/fault.ts";
import { remembered } from "../../base/remember.ts";
import type { UnixMillis } from "../../base/units.ts";
import { TIME_STAMP_OID } from "./time-stamp-schema.ts";

const LIMITS = {
  /** Certificates of a token and of the authority that are looked at. */
  certificates: 120,
  /** From the one that signed up to one that is trusted. */
  depth: 6,
};

/** Critical extensions whose meaning is minded here; another one makes a certificate unusable (RFC 5280 4.2). */
const MINDED: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
]);

/** Certificates of a file that was read already (PEM). Faults `invalid` where it holds none. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Fault("invalid", "there is no certificate (PEM)");
  return found.map((one) => new X509Certificate(one));
}

/**
 * Checks that a certificate is for time stamps alone (RFC 3161 2.3), and that it leads to one of `trusted` by certificates that were
 * good `at` that time. Every one of `trusted` is an end of the way, whether it signed itself or not. Revocation is not asked
 * for. Fault `denied`.
 */
export function checkChain(
  leaf: X509Certificate,
  o: {
    /** As they came with the token: in any order, with others among them. */
    readonly among: readonly X509Certificate[];
    readonly trusted: readonly X509Certificate[];
    readonly at: UnixMillis;
  },
): void {
  const { trusted, at } = o;
  const known = [...trusted, ...o.among].slice(0, LIMITS.certificates);
  const name = nameOf(leaf);
  if (!isForTimeStamps(leaf)) throw new Fault("denied", `the certificate of ${name} is not for time stamps alone`);
  let last = leaf;
  for (let below = 0; below < LIMITS.depth; below += 1) {
    assertGood(last, at);
    if (trusted.some(({ raw }) => raw.equals(last.raw))) return;
    const issuer = known.find((one) => isIssuer(one, last, below));
    if (issuer === undefined || issuer.raw.equals(last.raw)) break;
    last = issuer;
  }
  throw new Fault("denied", `the certificate of ${name} does not lead to the authority that is trusted`);
}

/** For people: the common name, or all of the name. */
export function nameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll("\n", ", ");
}

/** `below`: certificates between the issuer and the one that signed the time stamp. */
function isIssuer(issuer: X509Certificate, of: X509Certificate, below: number): boolean {
  if (!issuer.ca || !of.checkIssued(issuer) || !of.verify(issuer.publicKey)) return false;
  const constraints = extensionOf(issuer, id_ce_basicConstraints);
  const most = constraints && AsnConvert.parse(constraints.extnValue.buffer, BasicConstraints).pathLenConstraint;
  return most === undefined || below <= most;
}

function assertGood(certificate: X509Certificate, at: UnixMillis): void {
  const name = nameOf(certificate);
  const unknown = extensionsOf(certificate).find(({ critical, extnID }) => critical && !MINDED.has(extnID));
  if (unknown !== undefined)
    throw new Fault(
      "denied",
      `the certificate of ${name} has a critical extension that is not known here, ${unknown.extnID}`,
    );
  if (!(at >= certificate.validFromDate.getTime() && at <= certificate.validToDate.getTime()))
    throw new Fault("denied", `the certificate of ${name} was not valid at the time of the stamp`);
}

function isForTimeStamps(certificate: X509Certificate): boolean {
  const purposes = extensionOf(certificate, id_ce_extKeyUsage);
  if (purposes?.critical !== true) return false;
  const [purpose, ...others] = AsnConvert.parse(purposes.extnValue.buffer, ExtendedKeyUsage);
  return purpose === TIME_STAMP_OID.purpose && others.length === 0;
}

function extensionOf(certificate: X509Certificate, id: string) {
  return extensionsOf(certificate).find(({ extnID }) => extnID === id);
}

/** Reading a certificate takes longer than checking its signature. */
const extensionsOf = remembered(
  ({ raw }: X509Certificate) => AsnConvert.parse(raw, Certificate).tbsCertificate.extensions ?? [],
);
