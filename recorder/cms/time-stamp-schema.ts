import { EncapsulatedContentInfo, SignerInfos } from "@peculiar/asn1-cms";
import {
  AsnIntegerArrayBufferConverter,
  AsnProp,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  OctetString,
} from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Extensions, GeneralName } from "@peculiar/asn1-x509";

type FieldOptions = Parameters<typeof AsnProp>[0];

/** Object identifiers of time stamps. */
export const TIME_STAMP_OID = {
  /** What is signed (RFC 3161 2.4.2). */
  info: "1.2.840.113549.1.9.16.1.4",
  /** By which certificate, named by SHA-1 (RFC 2634 5.4) or another hash (RFC 5035 5.4.1.1). */
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
  /** What its certificate is for (RFC 3161 2.3). */
  purpose: "1.3.6.1.5.5.7.3.8",
} as const;

/** `MessageImprint` (RFC 3161 2.4.1). */
export class MessageImprint {
  hashAlgorithm = new AlgorithmIdentifier();
  hashedMessage = new OctetString();
}
sequence(MessageImprint, { hashAlgorithm: { type: AlgorithmIdentifier }, hashedMessage: { type: OctetString } });

/** `TimeStampReq` (RFC 3161 2.4.1), without the fields that we do not send. */
export class TimeStampRequest {
  version = 1;
  messageImprint = new MessageImprint();
  nonce = new ArrayBuffer(0);
  certReq = true;
}
sequence(TimeStampRequest, {
  version: { type: AsnPropTypes.Integer },
  messageImprint: { type: MessageImprint },
  nonce: { type: AsnPropTypes.Integer, converter: AsnIntegerArrayBufferConverter },
  certReq: { type: AsnPropTypes.Boolean, defaultValue: false },
});

/** `PKIStatusInfo` (RFC 3161 2.4.2). */
export class StatusInfo {
  status = -1;
  statusString?: string[];
  failInfo?: ArrayBuffer;
}
sequence(StatusInfo, {
  status: { type: AsnPropTypes.Integer },
  statusString: { type: AsnPropTypes.Utf8String, repeated: "sequence", optional: true },
  failInfo: { type: AsnPropTypes.BitString, optional: true },
});

/** `TimeStampResp` (RFC 3161 2.4.2). */
export class TimeStampResponse {
  status = new StatusInfo();
  token?: ArrayBuffer;
}
sequence(TimeStampResponse, { status: { type: StatusInfo }, token: { type: AsnPropTypes.Any, optional: true } });

/** `Accuracy` (RFC 3161 2.4.2): how far the time may be off. */
export class Accuracy {
  seconds?: number;
  millis?: ArrayBuffer;
  micros?: ArrayBuffer;
}
sequence(Accuracy, {
  seconds: { type: AsnPropTypes.Integer, optional: true },
  millis: { type: AsnPropTypes.Integer, context: 0, implicit: true, optional: true },
  micros: { type: AsnPropTypes.Integer, context: 1, implicit: true, optional: true },
});

/** `TSTInfo` (RFC 3161 2.4.2): what an authority signs. */
export class TimeStampInfo {
  version = 0;
  policy = "";
  messageImprint = new MessageImprint();
  serialNumber = new ArrayBuffer(0);
  genTime = new Date(0);
  accuracy?: Accuracy;
  ordering = false;
  nonce?: ArrayBuffer;
  tsa?: GeneralName;
  extensions?: Extensions;
}
sequence(TimeStampInfo, {
  version: { type: AsnPropTypes.Integer },
  policy: { type: AsnPropTypes.ObjectIdentifier },
  messageImprint: { type: MessageImprint },
  serialNumber: { type: AsnPropTypes.Integer, converter: AsnIntegerArrayBufferConverter },
  genTime: { type: AsnPropTypes.GeneralizedTime },
  accuracy: { type: Accuracy, optional: true },
  ordering: { type: AsnPropTypes.Boolean, defaultValue: false },
  nonce: { type: AsnPropTypes.Integer, converter: AsnIntegerArrayBufferConverter, optional: true },
  tsa: { type: GeneralName, context: 0, optional: true },
  extensions: { type: Extensions, context: 1, implicit: true, optional: true },
});

/** `SignedData` (RFC 5652 5.1), with certificates as they came: they are named by hashes. */
export class SignedToken {
  version = 0;
  digestAlgorithms: ArrayBuffer[] = [];
  encapContentInfo = new EncapsulatedContentInfo();
  certificates?: ArrayBuffer[];
  crls?: ArrayBuffer[];
  signerInfos = new SignerInfos();
}
sequence(SignedToken, {
  version: { type: AsnPropTypes.Integer },
  digestAlgorithms: { type: AsnPropTypes.Any, repeated: "set" },
  encapContentInfo: { type: EncapsulatedContentInfo },
  certificates: { type: AsnPropTypes.Any, repeated: "set", context: 0, implicit: true, optional: true },
  crls: { type: AsnPropTypes.Any, repeated: "set", context: 1, implicit: true, optional: true },
  signerInfos: { type: SignerInfos },
});

/** `ESSCertID` (RFC 2634 5.4.1): a certificate by its SHA-1. */
class CertificateId {
  certHash = new OctetString();
  issuerSerial?: ArrayBuffer;
}
sequence(CertificateId, {
  certHash: { type: OctetString },
  issuerSerial: { type: AsnPropTypes.Any, optional: true },
});

/** `ESSCertIDv2` (RFC 5035 4): a certificate by its hash; SHA-256 where none is named. */
class CertificateIdV2 {
  hashAlgorithm?: AlgorithmIdentifier;
  certHash = new OctetString();
  issuerSerial?: ArrayBuffer;
}
sequence(CertificateIdV2, {
  hashAlgorithm: { type: AlgorithmIdentifier, optional: true },
  certHash: { type: OctetString },
  issuerSerial: { type: AsnPropTypes.Any, optional: true },
});

/** `SigningCertificate` (RFC 2634 5.4). */
export class SigningCertificate {
  certs: CertificateId[] = [];
  policies?: ArrayBuffer;
}
sequence(SigningCertificate, {
  certs: { type: CertificateId, repeated: "sequence" },
  policies: { type: AsnPropTypes.Any, optional: true },
});

/** `SigningCertificateV2` (RFC 5035 3). */
export class SigningCertificateV2 {
  certs: CertificateIdV2[] = [];
  policies?: ArrayBuffer;
}
sequence(SigningCertificateV2, {
  certs: { type: CertificateIdV2, repeated: "sequence" },
  policies: { type: AsnPropTypes.Any, optional: true },
});

/** What decorators would say, in a form whose types can be stripped. */
function sequence<T extends object>(type: new () => T, fields: { readonly [K in keyof T]-?: FieldOptions }): void {
  AsnType({ type: AsnTypeTypes.Sequence })(type);
  for (const [name, options] of Object.entries<FieldOptions>(fields)) AsnProp(options)(type.prototype, name);
}
