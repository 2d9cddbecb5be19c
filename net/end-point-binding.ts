import { createHash, type X509Certificate } from "node:crypto";

/**
 * What a log-in inside TLS can be bound to, so that nobody in between can hand it on to another server: `tls-server-end-point` (RFC 5929
 * 4.1) of our certificate. Empty where its signature has no one hash (Ed25519, PSS).
 */
export function endPointBinding({ signatureAlgorithm, raw }: X509Certificate): Buffer {
  const bits = /sha-?(1|224|256|384|512)(?!\d)/i.exec(signatureAlgorithm ?? "")?.[1];
  const isMd5 = /md5/i.test(signatureAlgorithm ?? "");
  if (bits === undefined && !isMd5) return Buffer.alloc(0);
  const hash = bits === undefined || bits === "1" ? "sha256" : `sha${bits}`;
  return Buffer.concat([Buffer.from("tls-server-end-point:"), createHash(hash).update(raw).digest()]);
}
