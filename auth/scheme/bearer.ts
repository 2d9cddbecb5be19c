import { TOKEN_PREFIX } from "../api-token.ts";
import type { ApiTokens } from "../api-tokens.ts";
import type { CertificateLogIns } from "../certificate/certificate-log-ins.ts";
import type { JwtLogIns } from "../jwt/jwt-log-ins.ts";
import type { Peer, Principal } from "../principal.ts";
import type { Interface } from "../right.ts";

/** What somebody comes by who sends a token, inside TLS alone: the caller sees to it. */
export interface BearerTokens {
  /** Whether it is of a kind that we know what to do with at `door`. There are clients that send one of their own to everybody. */
  takes(text: string, door: Interface): boolean;
  /** Who comes with it through `door`. Faults: `unauthenticated`, `busy` (throttled), `unavailable`. */
  verify(text: string, peer: Peer, door: Interface): Promise<Principal>;
  /** Who has the certificate of the connection; undefined where there is none, or it is nobody's. Faults: `unauthenticated`, `busy`. */
  ofCertificate(peer: Peer, door: Interface): Principal | undefined;
}

/**
 * Our own tokens, and JWTs and certificates of the issuers and authorities that are listed; none of these where `jwts` and `certificates` are
 * absent. A certificate that is a token is nothing else.
 */
export function bearerTokens(
  tokens: Pick<ApiTokens, "verify" | "verifyCertificate">,
  jwts: Pick<JwtLogIns, "takes" | "verify"> | undefined,
  certificates?: Pick<CertificateLogIns, "verify">,
): BearerTokens {
  return {
    takes: (text, door) => text.startsWith(TOKEN_PREFIX) || jwts?.takes(text, door) === true,
    verify: async (text, peer, door) =>
      jwts?.takes(text, door) === true ? jwts.verify(text, peer, door) : tokens.verify(text, peer, door),
    ofCertificate: (peer, door) => {
      const { certificate, certificateDer: der } = peer;
      if (certificate === undefined) return undefined;
      return (
        tokens.verifyCertificate(certificate, peer, door) ??
        (der === undefined ? undefined : certificates?.verify(der, certificate, peer, door))
      );
    },
  };
}

/**
 * The token of `Authorization: Bearer …` (RFC 6750 2.1). Empty where it has none in it; undefined where the field is of another scheme, or
 * absent.
 */
export function bearerIn(authorization: string | undefined): string | undefined {
  const [scheme = "", ...rest] = (authorization ?? "").trim().split(/\s+/);
  return scheme.toLowerCase() === "bearer" ? rest.join(" ") : undefined;
}
