import { expect } from "chai";
import * as fc from "fast-check";
import { type Fault, isFault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import { parseMikey, printMikey } from "../../media/mikey.ts";
import type { SrtpKeys } from "../../media/srtp-cipher.ts";

const NOW = unixMillis(Date.UTC(2026, 10, 25));

/** Of ONVIF Streaming 26.06, "Stream Initialization": AES-CM, key and salt joined, MKI 0000002f. */
const ONVIF =
  "AQAFAP1td9ABAADCD1UcAAAAAAoAAdOOGc75XD0BAAAAGAABAQEBEAIBAQMBFAcBAQgBAQoBAQsBCgAAACcAIQAe30C59UrClE0e27UP5h/Wty9UL8+dfzg+2ttmmo3kBAAAAC8A";

const keys = (suite: SrtpKeys["suite"], mki = Buffer.alloc(0)): SrtpKeys => ({
  suite,
  masterKey: Buffer.alloc(16, 1),
  masterSalt: Buffer.alloc(suite === "AEAD_AES_128_GCM" ? 12 : 14, 2),
  mki,
});

describe("MIKEY", () => {
  it("reads ONVIF's own example", () => {
    const read = parseMikey(Buffer.from(ONVIF, "base64"));
    expect(read.suite).to.equal("AES_CM_128_HMAC_SHA1_80");
    expect(read.masterKey.toString("hex")).to.equal("df40b9f54ac2944d1edbb50fe61fd6b7");
    expect(read.masterSalt.toString("hex")).to.equal("2f542fcf9d7f383edadb669a8de4");
    expect(read.mki.toString("hex")).to.equal("0000002f");
  });

  for (const suite of ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const)
    for (const mki of [Buffer.alloc(0), Buffer.from([0, 0, 0, 1])])
      it(`reads what it prints, with ${suite} and an MKI of ${mki.length} bytes`, () => {
        expect(parseMikey(printMikey(keys(suite, mki), { ssrc: 5, now: NOW }))).to.deep.equal(keys(suite, mki));
      });

  it("prints a salt as ONVIF has it: behind the key with AES-CM, by itself with GCM", () => {
    const [joined, apart] = (["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"] as const).map((suite) =>
      printMikey(keys(suite), { ssrc: 5, now: NOW }).toString("hex"),
    );
    expect(joined).to.match(/0020001e(01){16}(02){14}00$/);
    expect(apart).to.match(/00300010(01){16}000c(02){12}00$/);
  });

  const message = printMikey(keys("AES_CM_128_HMAC_SHA1_80"), { ssrc: 5, now: NOW });
  const at = (...path: readonly (readonly [offset: number, byte: number])[]): Buffer => {
    const changed = Buffer.from(message);
    for (const [offset, byte] of path) changed.writeUInt8(byte, offset);
    return changed;
  };
  const policyAt = 10 + 9 + 10 + 18;
  const kemacAt = message.length - 39;
  const refused: readonly (readonly [what: string, bytes: Buffer, words: RegExp])[] = [
    ["another version", at([0, 2]), /version 2/],
    ["a public key exchange", at([1, 2]), /type 2/],
    ["a payload that nobody needs", at([2, 6]), /payload 6/],
    ["another protocol", at([policyAt + 2, 1]), /another protocol/],
    ["AES-F8", at([policyAt + 7, 2]), /parameter 0 is 2/],
    ["a longer key", at([policyAt + 10, 32]), /parameter 1 is 32/],
    ["no encryption of SRTP", at([policyAt + 25, 0]), /parameter 7 is 0/],
    ["a shorter tag", at([policyAt + 34, 4]), /parameter 11 is 4/],
    ["an encrypted key", at([kemacAt + 1, 1]), /encrypted/],
    ["a TGK", at([kemacAt + 5, 0]), /type 0/],
    ["a validity in time", at([kemacAt + 5, 0x22]), /validity/],
    ["nothing", Buffer.alloc(0), /cut/],
    ["too much", Buffer.alloc(2000), /2000 bytes/],
  ];
  for (const [what, bytes, words] of refused)
    it(`refuses ${what}`, () => expect(() => parseMikey(bytes)).to.throw(words));

  it("reads the policy of GStreamer, which says the tag's length where the authentication key's belongs", () => {
    expect(parseMikey(at([policyAt + 16, 10])).suite).to.equal("AES_CM_128_HMAC_SHA1_80");
  });

  it("throws nothing but a Fault at whatever may come, at every place where it may be cut or changed", () => {
    const tried = (bytes: Buffer): void => {
      try {
        parseMikey(bytes);
      } catch (thrown) {
        expect(isFault(thrown, "invalid"), String((thrown as Fault).stack)).to.equal(true);
      }
    };
    for (let end = 0; end < message.length; end += 1) tried(message.subarray(0, end));
    fc.assert(fc.property(fc.nat(message.length - 1), fc.nat(255), (offset, byte) => tried(at([offset, byte]))));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tried(Buffer.from(bytes))));
  });
});
