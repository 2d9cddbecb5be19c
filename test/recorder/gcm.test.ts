import { createCipheriv } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";
import { SegmentCipher } from "../../recorder/cipher.ts";
import { type GcmKey, gcmKey } from "../../recorder/gcm.ts";
import { isRight, type NativeGcm } from "../../recorder/native-gcm.ts";
import { nativeCipher, SENDERS, useNative } from "../support/native.ts";

setFlagsFromString("--expose-gc");

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const KEY = Buffer.alloc(32, 7);
const NONCE = Buffer.alloc(12, 9);

/** Test cases 13 to 16 of the GCM specification (McGrew and Viega, 2005): those of 256 bits and a nonce of 96. */
const FEFF = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const D931 =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
const C522 =
  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
const VECTORS = [
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    bound: "",
    plain: "",
    sealed: "",
    tag: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    bound: "",
    plain: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: FEFF,
    nonce: "cafebabefacedbaddecaf888",
    bound: "",
    plain: D931,
    sealed: C522,
    tag: "b094dac5d93471bdec1a502270e3cc6c",
  },
  {
    key: FEFF,
    nonce: "cafebabefacedbaddecaf888",
    bound: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plain: D931.slice(0, 120),
    sealed: C522.slice(0, 120),
    tag: "76fc6ece0f4e1768cddf8853bb2d551b",
  },
];

/** All of `bytes`, cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function turnedAll(message: ReturnType<GcmKey["sealing"] | GcmKey["opening"]>, pieces: readonly Buffer[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      const to = Buffer.alloc(piece.length);
      message.turn(piece, to);
      return to;
    }),
  );
}

for (const way of SENDERS)
  describe(`AES-256-GCM by ${way}`, () => {
    useNative(way, nativeCipher);

    it("makes what the specification has of its test cases, and reads it", () => {
      for (const { key, nonce, bound, plain, sealed, tag } of VECTORS) {
        const sealing = gcmKey(hex(key)).sealing(hex(nonce));
        sealing.bind(hex(bound));
        expect(turnedAll(sealing, [hex(plain)]).toString("hex")).to.equal(sealed);
        expect(sealing.tag().toString("hex")).to.equal(tag);
        const opening = gcmKey(hex(key)).opening(hex(nonce));
        opening.bind(hex(bound));
        expect(turnedAll(opening, [hex(sealed)]).toString("hex")).to.equal(plain);
        expect(opening.opens(hex(tag))).to.equal(true);
      }
    });

    it("comes to the bytes of node:crypto in any pieces, in place or elsewhere, and back", () => {
      const bytes = fc.uint8Array({ maxLength: 70_000, size: "max" });
      const places = fc.array(fc.nat(70_000), { maxLength: 5 });
      fc.assert(
        fc.property(bytes, fc.uint8Array({ maxLength: 300 }), places, places, (given, aad, one, other) => {
          const [plain, bound] = [Buffer.from(given), Buffer.from(aad)];
          const cipher = createCipheriv("aes-256-gcm", KEY, NONCE).setAAD(bound);
          const expected = Buffer.concat([cipher.update(plain), cipher.final()]);
          const key = gcmKey(KEY);
          const sealing = key.sealing(NONCE);
          for (const piece of cut(bound, one)) sealing.bind(piece);
          const there = turnedAll(sealing, cut(plain, one));
          const tag = sealing.tag();
          expect(there.equals(expected)).to.equal(true);
          expect(tag.equals(cipher.getAuthTag())).to.equal(true);
          const opening = key.opening(NONCE);
          for (const piece of cut(bound, other)) opening.bind(piece);
          for (const piece of cut(there, other)) opening.turn(piece, piece);
          expect(there.equals(plain)).to.equal(true);
          expect(opening.opens(tag)).to.equal(true);
        }),
        { numRuns: 60 },
      );
    });

    it("refuses what had one bit changed, in what was encrypted, what was bound, tag, nonce or key", () => {
      const sealing = gcmKey(KEY).sealing(NONCE);
      sealing.bind(Buffer.from("bound"));
      const sealed = turnedAll(sealing, [Buffer.from("a secret of 27 bytes, kept.")]);
      const good = { key: KEY, nonce: NONCE, bound: Buffer.from("bound"), sealed, tag: sealing.tag() };
      const opens = ({ key, nonce, bound, sealed, tag }: typeof good): boolean => {
        const opening = gcmKey(key).opening(nonce);
        opening.bind(bound);
        turnedAll(opening, [sealed]);
        return opening.opens(tag);
      };
      expect(opens(good)).to.equal(true);
      for (const what of Object.keys(good) as (keyof typeof good)[])
        for (let at = 0; at < good[what].length; at += 1) {
          const changed = Buffer.from(good[what]);
          changed[at] = (changed[at] ?? 0) ^ 0x10;
          expect(opens({ ...good, [what]: changed }), `${what}, byte ${at}`).to.equal(false);
        }
    });

    it("leaves nothing of the plaintext behind where the tag is another one", async () => {
      const protection = { mode: "full", keyId: "00".repeat(16), salt: Buffer.alloc(32), description: "" } as const;
      const cipher = new SegmentCipher(protection, KEY);
      const secret = Buffer.alloc(700_001, "a secret ");
      const box = Buffer.concat(await cipher.encrypt(1, [], [{ bytes: Buffer.from(secret), clear: false }]));
      const changed = Buffer.from(box);
      changed[changed.length - secret.length - 1] = (changed[changed.length - secret.length - 1] ?? 0) ^ 1;
      const caught: unknown = await cipher.decrypt(1, [], changed).catch((error: unknown) => error);
      expect(isFault(caught, "invalid")).to.equal(true);
      expect(changed.subarray(-secret.length).every((byte) => byte === 0)).to.equal(true);
      expect((await cipher.decrypt(1, [], box)).equals(secret)).to.equal(true);
    });
  });

describe("the native cipher", () => {
  let gcm: NativeGcm;
  before(function () {
    gcm = nativeCipher(this);
  });

  const TAG = Buffer.alloc(16);
  const ended = (): unknown => {
    const state = gcm.begin(KEY, NONCE, true);
    gcm.seal(state, Buffer.alloc(16));
    return state;
  };
  const turned = (): unknown => {
    const state = gcm.begin(KEY, NONCE, true);
    gcm.turn(state, Buffer.alloc(1), Buffer.alloc(1));
    return state;
  };
  const memory = Buffer.alloc(100);
  const others: readonly unknown[] = [undefined, null, 5, "state", {}, [], Buffer.alloc(64), new Int8Array(4)];
  const wrong: readonly (readonly [name: keyof NativeGcm, args: () => readonly unknown[]])[] = [
    ...others.flatMap((one) => [
      ["begin", () => [one, NONCE, true]] as const,
      ["begin", () => [KEY, one, true]] as const,
      ["begin", () => [KEY, NONCE, one]] as const,
      ["bind", () => [one, KEY]] as const,
      ["turn", () => [one, KEY, KEY]] as const,
      ["turn", () => [gcm.begin(KEY, NONCE, true), KEY, one]] as const,
      ["seal", () => [one, TAG]] as const,
      ["seal", () => [gcm.begin(KEY, NONCE, true), one]] as const,
      ["open", () => [one, TAG]] as const,
      ["open", () => [gcm.begin(KEY, NONCE, false), one]] as const,
    ]),
    ["begin", () => []],
    ["begin", () => [KEY, NONCE]],
    ["bind", () => [ended(), KEY]],
    ["turn", () => [ended(), KEY, KEY]],
    ["seal", () => [ended(), TAG]],
    ["open", () => [ended(), TAG]],
    ["bind", () => [turned(), KEY]],
    ["seal", () => [gcm.begin(KEY, NONCE, false), TAG]],
    ["open", () => [gcm.begin(KEY, NONCE, true), TAG]],
    ["turn", () => [gcm.begin(KEY, NONCE, true), memory.subarray(0, 50), memory.subarray(0, 49)]],
    ["turn", () => [gcm.begin(KEY, NONCE, true), memory.subarray(0, 50), memory.subarray(1, 51)]],
    ["turn", () => [gcm.begin(KEY, NONCE, true), memory.subarray(49, 99), memory.subarray(0, 50)]],
  ];
  it(`refuses ${wrong.length} wrong ways to call it`, () => {
    for (const [name, args] of wrong) {
      const given = args();
      const call = gcm[name] as (...args: readonly unknown[]) => unknown;
      expect(() => call(...given), `${name}(${inspect(given)})`).to.throw(TypeError);
    }
  });

  it("is not taken where it makes another thing than the specification, or opens everything", () => {
    expect(isRight(gcm)).to.equal(true);
    const faulty: readonly Partial<NativeGcm>[] = [
      { open: () => true },
      { open: () => false },
      { turn: () => undefined },
      { bind: () => undefined },
      { seal: () => undefined },
      { begin: (key, _nonce, encrypts) => gcm.begin(key, NONCE, encrypts) },
      {
        begin() {
          throw new Error("OpenSSL failed");
        },
      },
    ];
    for (const one of faulty) expect(isRight({ ...gcm, ...one }), Object.keys(one).join()).to.equal(false);
  });

  it("frees what was begun and never ended", async () => {
    const gc = runInNewContext("gc") as () => void;
    const before = process.memoryUsage.rss();
    // Some 1400 bytes each: 280 MB, if they stayed.
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 10_000; count += 1) gcm.begin(KEY, NONCE, true);
      gc();
      await setImmediate();
    }
    expect(process.memoryUsage.rss() - before).to.be.lessThan(140_000_000);
  });
});
