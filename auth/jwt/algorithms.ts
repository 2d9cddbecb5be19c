/** What a key must be for an algorithm of RFC 7518 3.1 or RFC 8037 3.1, by the members of its JWK. */
interface Fit {
  readonly kty: "EC" | "RSA" | "OKP";
  readonly crv?: string;
}

/** Those that may sign a JWT: with a public key we check, and can make none ourselves. So neither `none` nor HMAC. */
export const JWT_ALGORITHMS = {
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
} as const satisfies Readonly<Record<string, Fit>>;

export type JwtAlgorithm = keyof typeof JWT_ALGORITHMS;

export function isJwtAlgorithm(name: unknown): name is JwtAlgorithm {
  return typeof name === "string" && Object.hasOwn(JWT_ALGORITHMS, name);
}

/** Whether a key of that kind can have signed by the algorithm. */
export function fits(algorithm: JwtAlgorithm, { kty, crv }: { readonly kty: string; readonly crv?: string }): boolean {
  const fit: Fit = JWT_ALGORITHMS[algorithm];
  return fit.kty === kty && (fit.crv === undefined || fit.crv === crv);
}
