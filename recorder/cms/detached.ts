import { createHash, sign, verify, X509Certificate } from "node:crypto";
import {
  Attribute,
  CertificateChoices,
  CertificateSet,
  CMSVersion,
  ContentInfo,
  DigestAlgorithmIdentifiers,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  id_contentType,
  id_data,
  id_messageDigest,
  id_signedData,
  id_signingTime,
  SignedData,
  SignerIdentifier,
  SignerInfo,
  SignerInfos,
} from "@peculiar/asn1-cms";
import { AsnConvert, AsnObjectIdentifierConverter, AsnUTCTimeConverter, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Certificate } from "@peculiar/asn1-x509";
import { Fault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import type { Signer } from "../signature.ts";
import { bytesOf, onlyValue, setOf } from "./attributes.ts";

const OID = {
  sha256: "2.16.840.1.101.3.4.2.1",
  rsa: "1.2.840.113549.1.1.1",
} as const;

const LIMITS = {
  bytes: 64 * 1024,
};

/** Of an attribute's values, the only one. */
const NULL = Uint8Array.of(5, 0).buffer;

/**
 * A detached signature over `content` (CMS, RFC 5652), with the certificate and those behind it: RSA with SHA-256, which every tool there is can check.
 * The signing time is our clock's; nobody else stamps it.
 */
export function signCms(
  content: Buffer,
  { privateKey, certificate, authorities = [] }: Signer,
  at: UnixMillis,
): Buffer {
  const digest = new AlgorithmIdentifier({ algorithm: OID.sha256, parameters: NULL });
  const own = AsnConvert.parse(certificate, Certificate);
  const { issuer, serialNumber } = own.tbsCertificate;
  const signedAttrs = inOrder([
    attribute(id_contentType, AsnObjectIdentifierConverter.toASN(id_data).toBER()),
    attribute(id_signingTime, AsnUTCTimeConverter.toASN(new Date(at)).toBER()),
    attribute(id_messageDigest, AsnConvert.serialize(new OctetString(sha256(content)))),
  ]);
  const signer = new SignerInfo({
    version: CMSVersion.v1,
    sid: new SignerIdentifier({ issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber }) }),
    digestAlgorithm: digest,
    signedAttrs,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: OID.rsa, parameters: NULL }),
    signature: new OctetString(sign("sha256", setOf(signedAttrs), privateKey)),
  });
  const data = new SignedData({
    version: CMSVersion.v1,
    digestAlgorithms: new DigestAlgorithmIdentifiers([digest]),
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: id_data }),
    certificates: new CertificateSet(
      [own, ...authorities.map((one) => AsnConvert.parse(one, Certificate))].map(
        (one) => new CertificateChoices({ certificate: one }),
      ),
    ),
    signerInfos: new SignerInfos([signer]),
  });
  return Buffer.from(
    AsnConvert.serialize(new ContentInfo({ contentType: id_signedData, content: AsnConvert.serialize(data) })),
  );
}

/** Who signed `content`, and whether it is what was signed. Whether to trust the certificate is for the caller to say. */
export interface CmsCheck {
  readonly certificate: X509Certificate;
  readonly valid: boolean;
}

/** Fault `invalid` where `signature` is none of the kind that {@link signCms} makes. */
export function checkCms(content: Buffer, signature: Buffer): CmsCheck {
  try {
    if (signature.length > LIMITS.bytes) throw new Fault("invalid", `a signature of ${signature.length} bytes`);
    const info = AsnConvert.parse(signature, ContentInfo);
    const { signerInfos, certificates } = AsnConvert.parse(info.content, SignedData);
    const [signer, ...others] = signerInfos;
    const found = certificates?.find(
      ({ certificate }) => certificate && signer && isOf(signer, certificate),
    )?.certificate;
    if (signer === undefined || others.length > 0 || found === undefined)
      throw new Fault("invalid", "one signer with a certificate is expected");
    const certificate = new X509Certificate(Buffer.from(AsnConvert.serialize(found)));
    return { certificate, valid: isValid(content, signer, certificate) };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("invalid", "this is no signature", { cause });
  }
}

/** Whether the signer names it (RFC 5652 5.3). */
function isOf({ sid: { issuerAndSerialNumber: named } }: SignerInfo, { tbsCertificate: one }: Certificate): boolean {
  const issuer = (name: typeof one.issuer): Buffer => Buffer.from(AsnConvert.serialize(name));
  return (
    named !== undefined &&
    Buffer.from(named.serialNumber).equals(Buffer.from(one.serialNumber)) &&
    issuer(named.issuer).equals(issuer(one.issuer))
  );
}

function isValid(content: Buffer, signer: SignerInfo, { publicKey }: X509Certificate): boolean {
  const { signedAttrs = [], signatureAlgorithm, digestAlgorithm, signature } = signer;
  const digest = Buffer.from(AsnConvert.serialize(new OctetString(sha256(content))));
  const type = Buffer.from(AsnObjectIdentifierConverter.toASN(id_data).toBER());
  const isOver =
    onlyValue(signedAttrs, id_messageDigest)?.equals(digest) === true &&
    onlyValue(signedAttrs, id_contentType)?.equals(type) === true;
  if (!isOver) return false;
  if (digestAlgorithm.algorithm !== OID.sha256 || signatureAlgorithm.algorithm !== OID.rsa) return false;
  if (publicKey.asymmetricKeyType !== "rsa") return false;
  return verify("sha256", setOf(signedAttrs), publicKey, Buffer.from(signature.buffer));
}

function attribute(attrType: string, value: ArrayBuffer): Attribute {
  return new Attribute({ attrType, attrValues: [value] });
}

/** As DER orders a SET: by their bytes. */
function inOrder(attributes: readonly Attribute[]): Attribute[] {
  return attributes.toSorted((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)));
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
