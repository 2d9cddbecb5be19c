import { createHash, type KeyObject, randomBytes, verify, X509Certificate } from "node:crypto";
import { ContentInfo, id_contentType, id_messageDigest, id_signedData, type SignerInfo } from "@peculiar/asn1-cms";
import { AsnConvert, AsnObjectIdentifierConverter, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { Fault } from "../../base/fault.ts";
import { isoOf, type UnixMillis, unixMillis } from "../../base/units.ts";
import { onlyValue, setOf } from "./attributes.ts";
import { checkChain, FOR_TIME_STAMPS, nameOf } from "./chain.ts";
import {
  MessageImprint,
  SignedToken,
  SigningCertificate,
  SigningCertificateV2,
  TIME_STAMP_OID,
  TimeStampInfo,
  TimeStampRequest,
  TimeStampResponse,
} from "./time-stamp-schema.ts";

/** Of a token and of an answer; with the certificates of its authority it has some 2 to 10 KiB. */
export const TIME_STAMP_BYTES = 32 * 1024;

const LIMITS = {
  /** What an authority says why it refuses. */
  words: 200,
};

const SHA256 = "2.16.840.1.101.3.4.2.1";

/** Hashes that are taken: SHA-1 is not. */
const DIGESTS: Readonly<Record<string, string>> = {
  [SHA256]: "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** Signatures that are taken: for which keys, and with which hash, where the identifier says one (RFC 5754 3). */
const SIGNATURES: Readonly<Record<string, { readonly key: KeyObject["asymmetricKeyType"]; readonly digest?: string }>> =
  {
    "1.2.840.113549.1.1.1": { key: "rsa" },
    "1.2.840.113549.1.1.11": { key: "rsa", digest: "sha256" },
    "1.2.840.113549.1.1.12": { key: "rsa", digest: "sha384" },
    "1.2.840.113549.1.1.13": { key: "rsa", digest: "sha512" },
    "1.2.840.10045.4.3.2": { key: "ec", digest: "sha256" },
    "1.2.840.10045.4.3.3": { key: "ec", digest: "sha384" },
    "1.2.840.10045.4.3.4": { key: "ec", digest: "sha512" },
  };

/** What a time stamp says: that something was there then. */
export interface TimeStamp {
  /** By the clock of the authority. */
  readonly time: UnixMillis;
  /** Who stamped, as its certificate names it. */
  readonly authority: string;
}

/** A random number that the answer must have: a positive INTEGER of DER with as many bytes as it has itself. */
export function newNonce(): Buffer {
  const nonce = randomBytes(16);
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40;
  return nonce;
}

/** Asks for a stamp over `hash`, a SHA-256, with the certificates (RFC 3161 2.4.1). */
export function printTimeStampRequest(hash: Buffer, nonce: Buffer): Buffer {
  const request = new TimeStampRequest();
  request.messageImprint = new MessageImprint();
  request.messageImprint.hashAlgorithm = new AlgorithmIdentifier({ algorithm: SHA256, parameters: null });
  request.messageImprint.hashedMessage = new OctetString(hash);
  request.nonce = plain(nonce);
  return Buffer.from(AsnConvert.serialize(request));
}

/** The token of an answer (RFC 3161 2.4.2). Faults: `unavailable` (the authority refuses), `invalid` (that is no answer). */
export function tokenIn(answer: Buffer): Buffer {
  const { status, token } = reading("an answer of a time stamp authority", answer, () =>
    AsnConvert.parse(answer, TimeStampResponse),
  );
  if (status.status !== 0 && status.status !== 1) {
    const words = (status.statusString ?? []).join(" ").slice(0, LIMITS.words);
    throw new Fault("unavailable", `the authority does not stamp: status ${status.status} ${words}`.trimEnd());
  }
  if (token === undefined) throw new Fault("invalid", "the authority says that it stamped, and sent no time stamp");
  return Buffer.from(token);
}

/**
 * Checks a token (RFC 3161 2.4.2): that it is over `hash`, a SHA-256, has the `nonce`, if one was sent, and is signed by whom its
 * certificate names, who leads to one of `trusted`. Faults: `invalid` (it is no good time stamp of this), `denied` (it is by somebody who is
 * not trusted to stamp).
 */
export function checkTimeStamp(
  token: Buffer,
  o: { readonly hash: Buffer; readonly nonce?: Buffer; readonly trusted: readonly X509Certificate[] },
): TimeStamp {
  const { signer, content, certificates, leaf, info } = reading("a time stamp", token, () => partsOf(token));
  const { messageImprint, nonce, genTime, version } = info;
  if (version !== 1) throw new Fault("invalid", `a time stamp of version ${version}`);
  if (messageImprint.hashAlgorithm.algorithm !== SHA256 || !o.hash.equals(bytes(messageImprint.hashedMessage.buffer)))
    throw new Fault("invalid", "the time stamp is over something else");
  if (o.nonce !== undefined && (nonce === undefined || !o.nonce.equals(bytes(nonce))))
    throw new Fault("invalid", "the time stamp answers another request");
  if (!reading("a signature of a time stamp", token, () => isSigned(signer, content, leaf)))
    throw new Fault("invalid", "the time stamp is not as it was signed");
  const time = unixMillis(genTime.getTime());
  reading("a certificate of a time stamp", token, () =>
    checkChain(leaf, { purpose: FOR_TIME_STAMPS, among: certificates, trusted: o.trusted, at: time }),
  );
  return { time, authority: nameOf(leaf) };
}

/** For people. */
export function printTimeStamp({ time, authority }: TimeStamp): string {
  return `${isoOf(time)} by ${authority}`;
}

function partsOf(token: Buffer) {
  const outer = AsnConvert.parse(token, ContentInfo);
  if (outer.contentType !== id_signedData) throw new Fault("invalid", "a time stamp is not signed");
  const { encapContentInfo, signerInfos, certificates: all = [] } = AsnConvert.parse(outer.content, SignedToken);
  const [signer, ...others] = signerInfos;
  const inner = encapContentInfo.eContent?.single;
  if (encapContentInfo.eContentType !== TIME_STAMP_OID.info || inner === undefined)
    throw new Fault("invalid", "what is signed is no time stamp");
  if (signer === undefined || others.length > 0) throw new Fault("invalid", "a time stamp has one signer");
  const content = bytes(inner.buffer);
  const certificates = all.map((one) => new X509Certificate(Buffer.from(one)));
  const leaf = certificates.find((one) => isNamed(one, signer));
  if (leaf === undefined) throw new Fault("invalid", "the certificate that a time stamp names is not in it");
  return { signer, content, certificates, leaf, info: AsnConvert.parse(content, TimeStampInfo) };
}

/** Whether the signer says, under the signature, that the certificate is its own. */
function isNamed({ raw }: X509Certificate, { signedAttrs = [] }: SignerInfo): boolean {
  const newer = onlyValue(signedAttrs, TIME_STAMP_OID.signingCertificateV2);
  if (newer !== undefined) {
    const [first] = AsnConvert.parse(newer, SigningCertificateV2).certs;
    const digest = DIGESTS[first?.hashAlgorithm?.algorithm ?? SHA256];
    return first !== undefined && digest !== undefined && hashOf(digest, raw).equals(bytes(first.certHash.buffer));
  }
  const older = onlyValue(signedAttrs, TIME_STAMP_OID.signingCertificate);
  const [first] = older === undefined ? [] : AsnConvert.parse(older, SigningCertificate).certs;
  // It only says which one: the certificate proves itself by its chain.
  return first !== undefined && hashOf("sha1", raw).equals(bytes(first.certHash.buffer));
}

function isSigned(signer: SignerInfo, content: Buffer, { publicKey }: X509Certificate): boolean {
  const { signedAttrs = [], signatureAlgorithm, digestAlgorithm, signature } = signer;
  const digest = DIGESTS[digestAlgorithm.algorithm];
  const way = SIGNATURES[signatureAlgorithm.algorithm];
  if (digest === undefined || way === undefined || (way.digest ?? digest) !== digest)
    throw new Fault(
      "invalid",
      `a time stamp signed by ${signatureAlgorithm.algorithm} with ${digestAlgorithm.algorithm}`,
    );
  const type = Buffer.from(AsnObjectIdentifierConverter.toASN(TIME_STAMP_OID.info).toBER());
  const imprint = Buffer.from(AsnConvert.serialize(new OctetString(hashOf(digest, content))));
  return (
    publicKey.asymmetricKeyType === way.key &&
    onlyValue(signedAttrs, id_contentType)?.equals(type) === true &&
    onlyValue(signedAttrs, id_messageDigest)?.equals(imprint) === true &&
    verify(digest, setOf(signedAttrs), publicKey, bytes(signature.buffer))
  );
}

/** Foreign bytes: whatever they make a parser throw, they are `invalid`. */
function reading<T>(what: string, from: Buffer, read: () => T): T {
  try {
    if (from.length > TIME_STAMP_BYTES) throw new Fault("invalid", `${what} of ${from.length} bytes`);
    return read();
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("invalid", `${what} cannot be read`, { cause });
  }
}

function hashOf(algorithm: string, of: Uint8Array): Buffer {
  return createHash(algorithm).update(of).digest();
}

function bytes(of: ArrayBuffer): Buffer {
  return Buffer.from(of);
}

function plain(of: Buffer): ArrayBuffer {
  return new Uint8Array(of).buffer;
}
