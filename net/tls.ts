// Must come before @peculiar/x509, which reads decorator metadata while it loads.
import "reflect-metadata";
import {
  constants,
  createPrivateKey,
  type KeyObject,
  X509Certificate as NodeCertificate,
  randomBytes,
  webcrypto,
} from "node:crypto";
import { mkdir } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { plainAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { DAY, type UnixMillis } from "../base/units.ts";
import { readIfThere, writeWhole } from "../base/whole-file.ts";

const LIMITS = {
  /** What browsers take at most from a public authority; longer ones make some clients refuse. */
  lifetimeMs: 397 * DAY,
  /** A certificate with less than this left is renewed at the start. */
  renewMs: 30 * DAY,
  /** Of the certificate that signs recordings. */
  signingMs: 20 * 365 * DAY,
  /** Clients whose clock is behind must not find it in their future. */
  backdateMs: 1 * DAY,
  /** Names and addresses in one certificate. */
  names: 64,
} as const;

const KEY_FILE = "tls-key.pem";
const CERT_FILE = "tls-cert.pem";
/** Marks the certificates that we made and may renew. Another one was put there by the administrator and is served as it is. */
const SUBJECT = "CN=Viaduct";
const ED25519 = { name: "Ed25519" };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Who we are to TLS clients. */
export interface Identity {
  /** PEM, PKCS #8. */
  readonly key: string;
  /** PEM; followed by its chain where the administrator put one. */
  readonly cert: string;
  /** SHA-256 of the certificate in hexadecimal pairs with colons, as browsers show it. */
  readonly fingerprint: string;
  /** Clients are asked for a certificate of theirs. Who has none, or any, goes on: what it is good for is decided at the log-in. */
  readonly asksForCertificate?: true;
}

/**
 * Loads the identity in `folder` (`tls-key.pem`, `tls-cert.pem`, both 0600), or makes a self-signed one on P-256 that names
 * `hosts` (DNS names and IP addresses). A certificate of ours that ends within 30 days, or lacks one of `hosts`, is made
 * anew with the same key, so that clients that remember the key go on. A certificate that is not ours is never touched.
 * Fault `invalid` when key and certificate do not belong together, `unavailable` when the files cannot be read or written.
 */
export async function loadIdentity(folder: string, hosts: readonly string[], clock: Clock): Promise<Identity> {
  const [key, cert] = await Promise.all([readIfThere(join(folder, KEY_FILE)), readIfThere(join(folder, CERT_FILE))]);
  if (key !== undefined && cert !== undefined) {
    const present = parsed(cert);
    const fits = present.checkPrivateKey(createPrivateKey(key));
    const ours = present.subject === SUBJECT && present.issuer === SUBJECT;
    if (!ours && !fits) throw new Fault("invalid", `${KEY_FILE} and ${CERT_FILE} in ${folder} do not belong together`);
    if (!ours || (fits && isCurrent(present, hosts, clock.now())))
      return { key, cert, fingerprint: present.fingerprint256 };
  }
  if (key === undefined && cert !== undefined)
    throw new Fault("invalid", `${CERT_FILE} in ${folder} has no ${KEY_FILE}`);

  const keys =
    key === undefined ? await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) : await pairOf(key);
  const made = key ?? pem("PRIVATE KEY", Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)));
  const issued = await issue(keys, hosts, clock.now());
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unavailable(folder));
  // The key first: a crash in between leaves a key without certificate, which the next start completes.
  if (key === undefined) await writeWhole(join(folder, KEY_FILE), made);
  await writeWhole(join(folder, CERT_FILE), issued);
  return { key: made, cert: issued, fingerprint: parsed(issued).fingerprint256 };
}

/** TLS 1.2 with forward secrecy and authenticated ciphers, TLS 1.3, no renegotiation (ONVIF Security Baseline; RFC 9325). */
export function serverTlsOptions(identity: Identity): SecureContextOptions & TlsOptions {
  return {
    key: identity.key,
    cert: identity.cert,
    minVersion: "TLSv1.2",
    ciphers: [
      "TLS_AES_128_GCM_SHA256",
      "TLS_AES_256_GCM_SHA384",
      "TLS_CHACHA20_POLY1305_SHA256",
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-CHACHA20-POLY1305",
      // For an administrator's own certificate with an RSA key.
      "ECDHE-RSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-RSA-CHACHA20-POLY1305",
    ].join(":"),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(identity.asksForCertificate === true ? { requestCert: true, rejectUnauthorized: false } : {}),
  };
}

/** A certificate for a key of Ed25519 (PKCS #8, DER) that signs itself, for twenty years: it has to outlive what it signs. PEM. */
export async function selfSigned(pkcs8: Uint8Array, name: string, now: UnixMillis): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name,
      notBefore: new Date(now - LIMITS.backdateMs),
      notAfter: new Date(now + LIMITS.signingMs),
      signingAlgorithm: ED25519,
      keys: await ed25519PairOf(pkcs8),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

/**
 * Asks an authority for a certificate of a key of Ed25519 or RSA (PKCS #8, DER) for signatures (PKCS #10, RFC 2986; RFC 8410). PEM. `name`: as
 * in RFC 4514, `CN=…,O=…`. Fault `invalid` where it is none.
 */
export async function certificateRequest(pkcs8: Uint8Array, name: string): Promise<string> {
  const isRsa = keyOf(pkcs8).asymmetricKeyType === "rsa";
  const [keys, signingAlgorithm] = isRsa ? [await rsaPairOf(pkcs8), RSA] : [await ed25519PairOf(pkcs8), ED25519];
  const extensions = [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)];
  const asked = { name: nameIn(name), keys, signingAlgorithm, extensions };
  const request = await Pkcs10CertificateRequestGenerator.create(asked, webcrypto);
  return `${request.toString("pem")}\n`;
}

function nameIn(text: string): ReturnType<Name["toJSON"]> {
  try {
    const name = new Name(text).toJSON();
    if (name.some((part) => part["CN"]?.some((value) => value !== "") === true)) return name;
  } catch {
    // Told below.
  }
  const tell = `${text} is no name of a certificate with a common name: CN=Recordings of the harbour,O=Example`;
  throw new Fault("invalid", tell, { tell });
}

async function ed25519PairOf(pkcs8: Uint8Array): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey("pkcs8", Uint8Array.from(pkcs8), ED25519, true, ["sign"]);
  const { d: _, key_ops: __, ...open } = await subtle.exportKey("jwk", privateKey);
  return { privateKey, publicKey: await subtle.importKey("jwk", open, ED25519, true, ["verify"]) };
}

async function rsaPairOf(pkcs8: Uint8Array): Promise<webcrypto.CryptoKeyPair> {
  const { subtle } = webcrypto;
  const { n = "", e = "" } = keyOf(pkcs8).export({ format: "jwk" });
  return {
    privateKey: await subtle.importKey("pkcs8", Uint8Array.from(pkcs8), RSA, true, ["sign"]),
    publicKey: await subtle.importKey("jwk", { kty: "RSA", n, e }, RSA, true, ["verify"]),
  };
}

function keyOf(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
}

/** A certificate for a key of RSA that the holder of a key of {@link selfSigned} makes, for as long. Both keys PKCS #8, DER. PEM. */
export async function issuedBy(
  issuer: { readonly pkcs8: Uint8Array; readonly name: string },
  o: { readonly pkcs8: Uint8Array; readonly name: string; readonly now: UnixMillis },
): Promise<string> {
  const { subtle } = webcrypto;
  const signingKey = await subtle.importKey("pkcs8", Uint8Array.from(issuer.pkcs8), ED25519, false, ["sign"]);
  const { publicKey } = await rsaPairOf(o.pkcs8);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: o.name,
      issuer: issuer.name,
      notBefore: new Date(o.now - LIMITS.backdateMs),
      notAfter: new Date(o.now + LIMITS.signingMs),
      signingAlgorithm: ED25519,
      publicKey,
      signingKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

/** Positive, and at most 20 bytes (RFC 5280 4.1.2.2). */
function serialNumber(): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.toString("hex");
}

async function issue(keys: webcrypto.CryptoKeyPair, hosts: readonly string[], now: UnixMillis): Promise<string> {
  const names = [...new Set(["localhost", "127.0.0.1", ...hosts])].slice(0, LIMITS.names).map((host) => {
    const ip = plainAddress(host);
    return ip === undefined ? ({ type: "dns", value: host } as const) : ({ type: "ip", value: ip } as const);
  });
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: SUBJECT,
      notBefore: new Date(now - LIMITS.backdateMs),
      notAfter: new Date(now + LIMITS.lifetimeMs - LIMITS.backdateMs),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(names),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

function isCurrent(certificate: NodeCertificate, hosts: readonly string[], now: UnixMillis): boolean {
  const named = (host: string): boolean =>
    isIP(host) === 0 ? certificate.checkHost(host) !== undefined : certificate.checkIP(host) !== undefined;
  return (
    Date.parse(certificate.validTo) - now > LIMITS.renewMs &&
    Date.parse(certificate.validFrom) <= now &&
    hosts.slice(0, LIMITS.names - 2).every(named)
  );
}

async function pairOf(key: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    const secret = createPrivateKey(key);
    const pkcs8 = secret.export({ type: "pkcs8", format: "der" });
    const privateKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
    const { d: _, key_ops: __, ...open } = await webcrypto.subtle.exportKey("jwk", privateKey);
    return { privateKey, publicKey: await webcrypto.subtle.importKey("jwk", open, ALGORITHM, true, ["verify"]) };
  } catch (cause) {
    throw new Fault("invalid", `${KEY_FILE} is not a P-256 key of ours`, { cause });
  }
}

function parsed(cert: string): NodeCertificate {
  try {
    return new NodeCertificate(cert);
  } catch (cause) {
    throw new Fault("invalid", `${CERT_FILE} is no certificate`, { cause });
  }
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function unavailable(file: string): (cause: unknown) => never {
  return (cause) => {
    throw new Fault("unavailable", `cannot read or write ${file}`, { cause });
  };
}
