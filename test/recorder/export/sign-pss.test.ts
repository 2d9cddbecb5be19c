import { constants, createHash, generateKeyPairSync, verify } from "node:crypto";
import { expect } from "chai";
import { Fault } from "../../../base/fault.ts";
import { signPss } from "../../../recorder/export/sign-pss.ts";

const MESSAGE = Buffer.from("what was filmed");
const HASH = createHash("sha256").update(MESSAGE).digest();

describe("a signature of what was hashed before", () => {
  // Of 1025 bits, the encoded hash is a byte shorter than the modulus.
  for (const [modulusLength, saltLength] of [
    [2048, 20],
    [3072, 20],
    [3072, 32],
    [2041, 0],
    [1031, 20],
    [1025, 20],
    [1024, 32],
  ] as const)
    it(`is what OpenSSL takes for one of the whole: ${modulusLength} bits, salt of ${saltLength} bytes`, () => {
      const { privateKey, publicKey: key } = generateKeyPairSync("rsa", { modulusLength });
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      for (let round = 0; round < 20; round += 1) {
        const signature = signPss(HASH, privateKey, saltLength);
        expect(verify("sha256", MESSAGE, { key, padding, saltLength }, signature)).to.equal(true);
        expect(verify("sha256", Buffer.from("another"), { key, padding, saltLength }, signature)).to.equal(false);
      }
    });

  it("is another one each time", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(signPss(HASH, privateKey, 20).equals(signPss(HASH, privateKey, 20))).to.equal(false);
  });

  it("is refused by keys and for hashes that it is not made of", () => {
    const { privateKey: ed25519 } = generateKeyPairSync("ed25519");
    const { privateKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    for (const act of [
      () => signPss(HASH, ed25519, 20),
      () => signPss(HASH, rsa, 100),
      () => signPss(HASH.subarray(1), rsa, 20),
    ])
      expect(act).to.throw(Fault).with.property("kind", "invalid");
  });
});
