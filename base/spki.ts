import { createHash, type X509Certificate } from "node:crypto";

/** By what a key is recognized whatever certificate it is in: SHA-256 of its SubjectPublicKeyInfo, base64 (RFC 7469 2.4). */
export function spkiOf(certificate: X509Certificate): string {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}
