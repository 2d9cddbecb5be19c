import { createPublicKey, hash, type X509Certificate } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { isSignedBy, signText } from "../base/sign.ts";
import { certificateOf, type Signer } from "./signature.ts";

const LIMITS = {
  /** Of a certificate and a signature in base64. */
  paperLength: 32 * 1024,
};

/** A text with who signed it. */
export interface SignedText {
  readonly text: string;
  readonly certificate: X509Certificate;
  /** The signature is over this text by this certificate's key. Whether to trust the certificate is for the caller to say. */
  readonly valid: boolean;
}

/** One line, without its end: the text, the signature over `domain`, a line feed and the text, and the certificate, with tabs between. */
export function signedLine(domain: string, text: string, { privateKey, certificate }: Signer): string {
  const signature = signText(privateKey, `${domain}\n${text}`);
  return [text, signature.toString("base64"), certificate.toString("base64")].join("\t");
}

/** Fault `invalid` where it is no such line. */
export function readSignedLine(domain: string, line: string): SignedText {
  const [text, signature, certificate, ...more] = line.split("\t");
  if (text === undefined || signature === undefined || certificate === undefined || more.length > 0)
    throw new Fault("invalid", "a signed line has three parts");
  if (Math.max(signature.length, certificate.length) > LIMITS.paperLength)
    throw new Fault("invalid", "a signature or a certificate is too long");
  const by = certificateOf(Buffer.from(certificate, "base64"));
  const valid = isSignedBy(by.publicKey, `${domain}\n${text}`, Buffer.from(signature, "base64"));
  return { text, certificate: by, valid };
}

/** Whether the key is the signer's, whatever certificate it was in. */
export function isSignedWith({ certificate }: Pick<SignedText, "certificate">, { privateKey }: Signer): boolean {
  const own = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return certificate.publicKey.export({ type: "spki", format: "der" }).equals(own);
}

/** By what a text is named in the one that follows it: SHA-256, hexadecimal. */
export function hashOfText(text: string): string {
  return hash("sha256", text, "hex");
}

/** Fault `invalid` where it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault("invalid", "a statement is not JSON", { cause });
  }
}
