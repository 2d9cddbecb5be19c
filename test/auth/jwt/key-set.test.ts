import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import { readKeySet } from "../../../auth/jwt/key-set.ts";
import { isFault } from "../../../base/fault.ts";
import { testIssuer } from "../../support/jwt-issuer.ts";

const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: "jwk" }), ...more });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
const ED = generateKeyPairSync("ed25519").publicKey;

describe("the keys of an issuer", () => {
  const read = (...keys: readonly object[]): readonly (readonly string[])[] =>
    readKeySet(JSON.stringify({ keys })).map(({ algorithms }) => [...algorithms]);

  const rows: readonly (readonly [string, object, readonly string[]])[] = [
    ["P-256", jwk(EC.publicKey), ["ES256"]],
    ["Ed25519", jwk(ED), ["EdDSA"]],
    ["RSA", jwk(RSA), ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]],
    ["RSA for one algorithm", jwk(RSA, { alg: "PS256" }), ["PS256"]],
  ];
  for (const [name, key, algorithms] of rows)
    it(`of ${name} are for ${algorithms.join(", ")}`, () => expect(read(key)).to.deep.equal([algorithms]));

  const left: readonly (readonly [string, object])[] = [
    ["for encryption", jwk(RSA, { use: "enc" })],
    ["for encryption, by its operations", jwk(RSA, { key_ops: ["encrypt"] })],
    ["for an algorithm that it does not fit", jwk(RSA, { alg: "ES256" })],
    ["for HMAC", jwk(RSA, { alg: "HS256" })],
    ["that are secrets", { kty: "oct", k: "AAAA" }],
    ["of RSA with 1024 bits", jwk(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)],
    ["that are no point of their curve", { ...jwk(EC.publicKey), x: "AAAA" }],
    ["on another curve", jwk(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey)],
  ];
  for (const [name, key] of left)
    it(`${name} are left out`, () => expect(read(key, jwk(EC.publicKey))).to.deep.equal([["ES256"]]));

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["no JSON", "{", /is no JSON/],
    ["a single key", JSON.stringify(jwk(EC.publicKey)), /is no JWKS/],
    ["a private key", JSON.stringify({ keys: [jwk(EC.privateKey)] }), /has a private key/],
    ["no key", '{"keys":[]}', /has no public key/],
    [
      "65 keys",
      JSON.stringify({ keys: Array.from({ length: 65 }, () => jwk(EC.publicKey)) }),
      /is no JWKS of up to 64/,
    ],
    ["what is too long", `{"keys":[],"x":"${"x".repeat(256 * 1024)}"}`, /is longer/],
  ];
  for (const [name, text, why] of refused)
    it(`are refused where there is ${name}`, () => expect(() => readKeySet(text)).to.throw(why));

  it("end in nothing but a Fault, whatever somebody publishes", () => {
    const whole = testIssuer("x", () => 0).keySet();
    const text = fc.oneof(
      fc.json(),
      fc
        .tuple(fc.nat(whole.length), fc.nat(8), fc.string())
        .map(([at, gone, put]) => whole.slice(0, at) + put + whole.slice(at + gone)),
      fc
        .record({
          keys: fc.array(
            fc.dictionary(fc.constantFrom("kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"), fc.jsonValue()),
          ),
        })
        .map((set) => JSON.stringify(set)),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          readKeySet(one);
        } catch (error) {
          expect(isFault(error, "invalid")).to.equal(true);
        }
      }),
    );
  });
});
