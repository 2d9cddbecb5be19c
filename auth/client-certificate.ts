import { X509Certificate } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { isoOf, type UnixMillis, unixMillis } from "../base/units.ts";

const LIMITS = {
  /** One of RSA with many names has a quarter of it. */
  characters: 16 * 1024,
  rsaBits: 2048,
} as const;

/** What a certificate may say that it is for (RFC 5280 4.2.1.12): clients of TLS, or anything. */
const FOR_CLIENTS = new Set(["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"]);

const CURVES = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** A certificate by which a client is known. */
export interface ClientCertificate {
  /** SHA-256 of it, in hexadecimal pairs with colons, as `openssl x509 -fingerprint -sha256` has it. */
  readonly fingerprint: string;
  readonly expires: UnixMillis;
}

/**
 * Reads a client's own certificate (PEM). Who has issued it does not matter: it is known by itself. Fault `invalid`, telling what is wrong: it is
 * not one, there is a private key or more beside it, it is of an authority, not for clients, of a weak key, or not good now.
 */
export function readClientCertificate(pem: string, now: UnixMillis): ClientCertificate {
  if (pem.length > LIMITS.characters) throw refused(`is longer than ${LIMITS.characters} characters`);
  if (pem.includes("PRIVATE KEY"))
    throw refused("comes with its private key, which is for the client alone: give the part BEGIN CERTIFICATE");
  if (pem.split("-----BEGIN CERTIFICATE-----").length !== 2)
    throw refused("is not exactly one in PEM: BEGIN CERTIFICATE");
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw refused("cannot be read", cause);
  }
  assertForClients(certificate);
  const expires = unixMillis(Date.parse(certificate.validTo));
  const begins = unixMillis(Date.parse(certificate.validFrom));
  if (!(begins <= now)) throw refused(`is not good before ${isoOf(begins)}`);
  if (!(now < expires)) throw refused(`has expired at ${isoOf(expires)}`);
  return { fingerprint: certificate.fingerprint256, expires };
}

/** Fault `invalid`: it is of an authority, not for clients, or of a weak key. */
export function assertForClients(certificate: X509Certificate): void {
  // Node.js calls the extended key usage so; undefined where the certificate does not limit it.
  const { ca, keyUsage: usages } = certificate;
  if (ca) throw refused("is one of an authority, and not a client's");
  if ((usages as readonly string[] | undefined)?.some((usage) => FOR_CLIENTS.has(usage)) === false)
    throw refused("is not for clients (its extended key usage lacks clientAuth)");
  if (!isStrong(certificate))
    throw refused("has a key of a kind that is not taken: RSA of 2048 bits on, P-256 to P-521, Ed25519");
}

function isStrong({ publicKey }: X509Certificate): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = "" } = {} } = publicKey;
  return (
    type === "ed25519" ||
    (type === "ec" && CURVES.has(namedCurve)) ||
    (type === "rsa" && modulusLength >= LIMITS.rsaBits)
  );
}

function refused(why: string, cause?: unknown): Fault {
  const tell = `the certificate ${why}`;
  return new Fault("invalid", tell, { tell, cause });
}
