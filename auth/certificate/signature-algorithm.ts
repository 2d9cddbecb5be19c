import { type Der, oidOf, partsOf } from "./der.ts";

/** By object identifier, with the hash that Node.js has to be told; none for Ed25519. */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.3.101.112", null],
]);

/** For who has signed with something else. */
export const NOT_TAKEN = "its signature is of a kind that is not taken: SHA-256 on, RSA, ECDSA, Ed25519";

/**
 * The hash of an AlgorithmIdentifier (RFC 5280 4.1.1.2), null where it is part of the algorithm. Undefined for what no authority should sign
 * with: whoever has something harmless signed by way of SHA-1 may have made something else with the same hash. Fault `invalid`.
 */
export function signatureHashOf(algorithm: Der | undefined): string | null | undefined {
  return HASHES.get(oidOf(partsOf(algorithm)[0]));
}
