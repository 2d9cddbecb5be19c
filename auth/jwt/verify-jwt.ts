import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { Fault } from "../../base/fault.ts";
import { isoOf, type Millis, SECOND, type UnixMillis, unixMillis } from "../../base/units.ts";
import { isJwtAlgorithm, type JwtAlgorithm } from "./algorithms.ts";
import type { HeldKey, IssuerKeys } from "./issuer-keys.ts";
import { RefusedJwt } from "./refused-jwt.ts";

/** A JWT as it is sent (RFC 7515 7.1): three parts in base64url, the first of which begins with `{"`. */
export const JWT_SHAPE = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** What a token says that it is (RFC 7519 5.1, RFC 9068 2.1; ONVIF Core 5.9). Others are not for log-ins. */
const TYPES = /^(?:application\/)?(?:at\+)?jwt$/i;

/** Of what a token says, in the log. */
const SHOWN_CHARACTERS = 64;

/** What a token must be like. */
export interface JwtRules {
  /** `iss`, letter by letter. */
  readonly issuer: string;
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  /** By so much the issuer's clock may be ahead, for `nbf` alone: no token is good longer than it says. */
  readonly toleranceMs: Millis;
  /** It must say from when on it is good (ONVIF Core 5.9). */
  readonly notBefore: "required" | "optional";
  /** It may be good for so much longer. */
  readonly longestMs: Millis;
}

/** A token that its issuer has signed, and that is good now. */
export interface VerifiedJwt {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly key: HeldKey;
  readonly expires: UnixMillis;
}

/** Who a token says that it is from, which nothing proves. {@link RefusedJwt}: it is none. */
export function issuerIn(text: string): string | undefined {
  try {
    return decodeJwt(text).iss;
  } catch (cause) {
    throw guess("it cannot be read", cause);
  }
}

/**
 * Checks signature and claims (RFC 7519 7.2, RFC 8725). Keys are those of the issuer that is expected, never ones that the token brings
 * or names (`jwk`, `jku`, `x5u`); extensions (`crit`) are refused, as there are none that we know. Faults: {@link RefusedJwt}, and those of
 * {@link IssuerKeys.find}.
 */
export async function verifyJwt(
  text: string,
  rules: JwtRules,
  keys: Pick<IssuerKeys, "find">,
  now: UnixMillis,
): Promise<VerifiedJwt> {
  let key: HeldKey | undefined;
  const verified = await jwtVerify(
    text,
    async ({ alg, kid, typ }) => {
      if (!isJwtAlgorithm(alg)) throw guess(`its algorithm is ${shown(alg)}`);
      if (typ === undefined || !TYPES.test(typ)) throw guess(`its typ is ${shown(typ)}, and not JWT`);
      key = await keys.find(kid, alg);
      if (key !== undefined) return key.key;
      throw guess(
        kid === undefined
          ? "it names no key (kid), and not just one would fit"
          : `its issuer has no key ${shown(kid)} for ${alg}`,
      );
    },
    {
      algorithms: [...rules.algorithms],
      issuer: rules.issuer,
      audience: [...rules.audiences],
      clockTolerance: rules.toleranceMs / SECOND,
      currentDate: new Date(now),
      requiredClaims: ["exp", ...(rules.notBefore === "required" ? ["nbf"] : [])],
    },
  ).catch((thrown: unknown) => {
    throw reasonOf(thrown);
  });
  if (key === undefined) throw new Fault("internal", "a JWT was taken without a key");
  return { claims: verified.payload, key, expires: expiryOf(verified.payload, rules, now) };
}

function expiryOf({ exp = 0, cnf }: JWTPayload, { longestMs }: JwtRules, now: UnixMillis): UnixMillis {
  const expires = unixMillis(exp * SECOND);
  // jose grants the tolerance to both ends.
  if (expires <= now) throw new RefusedJwt(`it has expired at ${isoOf(expires)}`);
  if (expires - now > longestMs) throw new RefusedJwt("it is good for longer than jwt.issuers allows (longestHours)");
  if (cnf !== undefined)
    throw new RefusedJwt("it is bound to a key of its owner (cnf), which cannot be asked for here");
  return expires;
}

function reasonOf(thrown: unknown): unknown {
  if (thrown instanceof errors.JWTExpired) return new RefusedJwt("it has expired", { cause: thrown });
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return new RefusedJwt(CLAIMS[thrown.claim] ?? `its ${thrown.claim} is wrong`, { cause: thrown });
  if (thrown instanceof errors.JWSSignatureVerificationFailed) return guess("its signature is wrong", thrown);
  if (thrown instanceof errors.JOSEAlgNotAllowed)
    return guess("its algorithm is not one of those that are listed for its issuer", thrown);
  return thrown instanceof errors.JOSEError
    ? guess(`it is malformed, or made in a way that is not taken (${thrown.code})`, thrown)
    : thrown;
}

/** Of a token that nobody we know has signed. */
function guess(why: string, cause?: unknown): RefusedJwt {
  return new RefusedJwt(why, { isGuess: true, cause });
}

/** Strangers wrote it. */
function shown(text: unknown): string {
  return JSON.stringify(text ?? "missing").slice(0, SHOWN_CHARACTERS);
}

/** Of what its issuer has signed. */
const CLAIMS: Readonly<Record<string, string>> = {
  aud: "it is not for here: its aud has none of the audiences that are listed for its issuer",
  nbf: "it is not good yet, or does not say from when on (nbf): compare the clocks, and see notBefore in jwt.issuers",
  exp: "it does not say until when it is good (exp)",
};
