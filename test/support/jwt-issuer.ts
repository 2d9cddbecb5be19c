import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** Somebody who makes tokens, also such as no library would make. */
export interface TestIssuer {
  readonly issuer: string;
  /** Its JWKS. */
  keySet(): string;
  /** Another key in the place of the one before it, under another name. */
  changeKey(kid: string): void;
  /** A token signed by ES256, with these claims and header members besides the usual ones; `undefined` leaves one out. */
  token(claims?: object, header?: object): string;
  readonly privateKey: KeyObject;
}

export function testIssuer(issuer: string, nowSeconds: () => number, kid = "first"): TestIssuer {
  let name = kid;
  let pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    issuer,
    get privateKey() {
      return pair.privateKey;
    },
    keySet: () => JSON.stringify({ keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: name, use: "sig" }] }),
    changeKey(next) {
      name = next;
      pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    },
    token(claims = {}, header = {}) {
      const now = nowSeconds();
      return signed(
        { alg: "ES256", typ: "JWT", kid: name, ...header },
        { iss: issuer, aud: "viaduct", sub: "vms", nbf: now - 10, exp: now + 300, ...claims },
        pair.privateKey,
      );
    },
  };
}

/** A token of that header and those claims (text: as they stand), signed by ES256, or by RS256 where the key is one of RSA. */
export function signed(header: object | string, claims: object | string, key: KeyObject): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** The same with HMAC, as who confuses a public key with a secret would check it. */
export function signedByHmac(header: object, claims: object, secret: string | Buffer): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

export function part(value: object | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}
