import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { Fault } from "../../base/fault.ts";
import { fits, isJwtAlgorithm, JWT_ALGORITHMS, type JwtAlgorithm } from "./algorithms.ts";

const LIMITS = {
  /** Real ones, with their certificates, stay below a tenth of it. */
  characters: 256 * 1024,
  /** Issuers publish two or three, and a few while they change them. */
  keys: 64,
  nameLength: 256,
  /** Smaller ones are broken (RFC 7518 3.3); larger ones cost too much to check. */
  rsaBits: { least: 2048, most: 8192 },
} as const;

/** The longest JWKS that is read. */
export const KEY_SET_BYTES = LIMITS.characters;

/** A public key of an issuer. */
export interface IssuerKey {
  /** The same for the same key, whatever is written beside it. */
  readonly id: string;
  readonly kid: string | undefined;
  /** What it can have signed by. */
  readonly algorithms: ReadonlySet<JwtAlgorithm>;
  readonly key: KeyObject;
}

const setSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(LIMITS.keys) });

const keySchema = z.object({
  kty: z.enum(["EC", "RSA", "OKP"]),
  crv: z.string().optional(),
  kid: z.string().min(1).max(LIMITS.nameLength).optional(),
  alg: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
});

/**
 * The keys for signatures of a JWKS (RFC 7517 5): what is for something else, or of a kind that we do not know, is left out, as it asks for.
 * Fault `invalid`, telling why: it is no JWKS, too long, has a private key in it, or no key that is of use.
 */
export function readKeySet(text: string): readonly IssuerKey[] {
  if (text.length > LIMITS.characters) throw unusable(`is longer than ${LIMITS.characters} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unusable("is no JSON", cause);
  }
  const read = setSchema.safeParse(json);
  if (!read.success) throw unusable(`is no JWKS of up to ${LIMITS.keys} keys: {"keys":[…]} (RFC 7517 5)`, read.error);
  if (read.data.keys.some((jwk) => Object.hasOwn(jwk, "d")))
    throw unusable("has a private key in it, which is for its issuer alone: whoever has read it can make tokens");
  const keys = read.data.keys.flatMap((jwk) => keyOf(jwk) ?? []);
  if (keys.length === 0)
    throw unusable("has no public key for signatures of RSA (2048 bits on), P-256 to P-521 or Ed25519");
  return keys;
}

function keyOf(jwk: Readonly<Record<string, unknown>>): IssuerKey | undefined {
  const read = keySchema.safeParse(jwk);
  if (!read.success) return undefined;
  const { kty, crv, kid, alg, use = "sig", key_ops: uses = ["verify"] } = read.data;
  if (use !== "sig" || !uses.includes("verify")) return undefined;
  const named = alg === undefined ? Object.keys(JWT_ALGORITHMS) : [alg];
  const algorithms = named
    .filter(isJwtAlgorithm)
    .filter((one) => fits(one, { kty, ...(crv === undefined ? {} : { crv }) }));
  const key = publicKey(jwk);
  if (algorithms.length === 0 || key === undefined) return undefined;
  const id = key.export({ type: "spki", format: "der" }).toString("base64");
  return { id, kid, algorithms: new Set(algorithms), key };
}

/** Undefined where it is none, or of a size that is not taken. */
function publicKey(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const { modulusLength: bits = LIMITS.rsaBits.least } = key.asymmetricKeyDetails ?? {};
    return bits >= LIMITS.rsaBits.least && bits <= LIMITS.rsaBits.most ? key : undefined;
  } catch {
    return undefined;
  }
}

function unusable(why: string, cause?: unknown): Fault {
  return new Fault("invalid", why, { tell: why, cause });
}
