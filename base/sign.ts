import { type KeyObject, sign, verify } from "node:crypto";

/** A signature over a text, by Ed25519 or by what the customer's key is. */
export function signText(privateKey: KeyObject, text: string): Buffer {
  return sign(hashFor(privateKey), Buffer.from(text), privateKey);
}

/** False for every other text, and where the key and the signature make no sense together. */
export function isSignedBy(publicKey: KeyObject, text: string, signature: Buffer): boolean {
  try {
    return verify(hashFor(publicKey), Buffer.from(text), publicKey, signature);
  } catch {
    return false;
  }
}

function hashFor({ asymmetricKeyType }: KeyObject): string | undefined {
  return asymmetricKeyType === "ed25519" ? undefined : "sha256";
}
