import { expect } from "chai";
import * as fc from "fast-check";
import { H264_CODEC, H265_CODEC } from "../../../media/nal-codec.ts";
import { readDocument } from "../../../media/signing/document.ts";
import { readSigningSei, signingSchemeOf } from "../../../media/signing/sei.ts";
import { orRefused } from "../../support/garbled.ts";
import { isMessage, signedFilm } from "../../support/signed-film.ts";

/** 2026-12-01 00:00:00 UTC in counts of 100 ns since 1601, and a second later. */
const [FROM, TO] = [134_405_568_000_000_000n, 134_405_568_010_000_000n];
const HASH = Buffer.alloc(32, 0xaa);
const PREVIOUS = Buffer.alloc(32, 0xbb);

function tag(number: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  return Buffer.concat([Buffer.of(number, value.length >> 8, value.length & 0xff), value]);
}

function statement(order: "BE" | "LE"): Buffer {
  const fields = Buffer.alloc(22);
  fields[`writeBigUInt64${order}`](FROM, 0);
  fields[`writeBigUInt64${order}`](TO, 8);
  fields[`writeUInt32${order}`](7, 16);
  fields[`writeUInt16${order}`](10, 20);
  return tag(1, [2, 25, 12, 3, 0], fields, HASH, PREVIOUS);
}

describe("what a camera's signature says", () => {
  for (const order of ["BE", "LE"] as const)
    it(`is read with numbers in ${order === "BE" ? "the order of the reference implementation" : "that of the specification"}`, () => {
      const { group } = readDocument(statement(order));
      expect(group).to.deep.include({ isPartial: false, counter: 7, hash: HASH, previous: PREVIOUS });
      expect(group?.counts[0]).to.equal(10);
      expect([group?.from, group?.to].map((at) => new Date(at ?? 0).toISOString())).to.deep.equal([
        "2026-12-01T00:00:00.000Z",
        "2026-12-01T00:00:01.000Z",
      ]);
    });

  const wrong: readonly (readonly [string, Buffer])[] = [
    ["a tag that is cut off", statement("BE").subarray(0, 40)],
    ["a statement of another version", tag(1, [3], Buffer.alloc(90))],
    ["hashes of an odd length", tag(1, [2, 25, 12, 3, 0], Buffer.alloc(22), Buffer.alloc(61))],
    ["a signature that is longer than its tag", tag(3, [1, 0, 9], Buffer.alloc(8))],
    ["a hash algorithm that nobody knows", tag(4, [1, 3, 6, 1, 42, 0, 0, 0])],
    ["more tags than there are", Buffer.concat(Array.from({ length: 33 }, () => tag(200)))],
  ];
  for (const [what, tags] of wrong)
    it(`is refused with ${what}`, () => {
      expect(orRefused(() => readDocument(tags))).to.equal(undefined);
    });

  it("is passed over in tags that it does not know", () => {
    expect(readDocument(Buffer.concat([tag(99, [1, 2, 3]), statement("BE")])).group?.counter).to.equal(7);
  });

  it("is told from other messages by its UUID alone, in both codecs", () => {
    const uuid = Buffer.from("5369676e656420566964656f2e2e2e30", "hex");
    const axis = (header: readonly number[]): Buffer =>
      Buffer.concat([Buffer.from([...header, 5, 17]), uuid, Buffer.of(0, 0x80)]);
    expect(signingSchemeOf(axis([6]), H264_CODEC)).to.equal("axis-signed-video");
    expect(signingSchemeOf(axis([0x4e, 1]), H265_CODEC)).to.equal("axis-signed-video");
    expect(signingSchemeOf(axis([6]), H265_CODEC)).to.equal(undefined);
    expect(signingSchemeOf(Buffer.concat([Buffer.of(6, 5, 17), Buffer.alloc(18)]), H264_CODEC)).to.equal(undefined);
    expect(signingSchemeOf(Buffer.alloc(0), H264_CODEC)).to.equal(undefined);
  });

  it("is read or refused, whatever the bytes are", () => {
    const film = signedFilm("plain.264");
    const messages = film.pictures.flat().filter(isMessage(film));
    expect(messages).to.have.length.greaterThan(0);
    fc.assert(
      fc.property(
        fc.constantFrom(...messages),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.nat(),
        (nal, changes, cut) => {
          const copy = Buffer.from(nal);
          for (const [at, byte] of changes) copy[at % copy.length] = byte;
          const bytes = copy.subarray(0, copy.length - (cut % 60));
          const sei = orRefused(() => readSigningSei(bytes, H264_CODEC));
          if (sei === undefined) return;
          expect(sei.document.length).to.be.at.most(bytes.length);
          orRefused(() => readDocument(sei.tags));
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void orRefused(() => readDocument(Buffer.from(bytes)))),
    );
  });
});
