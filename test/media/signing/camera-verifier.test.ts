import type { X509Certificate } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import type { CameraTrust } from "../../../media/signing/certificates.ts";
import { changed, flipped, isSlice, swapped, withMessage, without, withPictures } from "../../support/film-changes.ts";
import {
  accused,
  DANGLING,
  isMessage,
  type SignedFilm,
  saidOf,
  signedFilm,
  signingCertificate,
} from "../../support/signed-film.ts";

const ANY = [
  "plain.264",
  "plain.265",
  "low-bitrate.264",
  "signed-together.264",
  "partial.264",
  "partial-low-bitrate.264",
  "certificate-message.264",
  "escaped.265",
  "sha512.264",
  "rsa.265",
  "late.264",
  "yard.264",
  "axis.264",
  "axis.265",
  "axis-gop.264",
  "axis-gop.265",
  "axis-together.264",
  "axis-partial.264",
  "axis-golden.264",
  "axis-unescaped.264",
  "axis-sha512.264",
  "axis-late.264",
  "axis-factory.264",
  "axis-older.264",
  "axis-older.265",
] as const;

const plain = signedFilm("plain.264");
const low = signedFilm("low-bitrate.264");
const together = signedFilm("signed-together.264");
const partial = signedFilm("partial.264");

describe("the camera's own signature", () => {
  // Some go through hundreds of films, which takes its time on a busy machine.
  for (const name of ANY)
    it(`holds for every picture of ${name} up to those that are signed later`, () => {
      const said = saidOf(signedFilm(name));
      expect(said.at(-1)).to.match(new RegExp(`-64 ${DANGLING}$`));
      expect(said.slice(0, -1).map((line) => line.replace(/^[\d-]+ /, ""))).to.deep.equal(
        Array(said.length - 1).fill("ok"),
      );
      expect(said[0]).to.match(/^0-/);
      expect(said.length).to.be.greaterThan(/late/.test(name) ? 3 : 6);
    });

  for (const name of ANY)
    it(`accuses no stretch of ${name}, wherever it begins and ends`, () => {
      const { codec, pictures } = signedFilm(name);
      for (let from = 0; from < pictures.length; from += 1)
        for (const to of [from + 3, from + 9, from + 17, pictures.length]) {
          const said = saidOf({ codec, pictures: pictures.slice(from, to) });
          expect(
            said.filter((line) => /changed|missing|untrusted/.test(line)),
            `${from} to ${to}`,
          ).to.deep.equal([]);
        }
    });

  const rows: readonly (readonly [string, SignedFilm, readonly string[]])[] = [
    ["a changed picture", changed(plain, 12), ["20-30 changed: 2 of its 10 parts are not as the camera signed them"]],
    [
      "a changed key picture",
      changed(plain, 10),
      ["20-30 changed: 2 of its 10 parts are not as the camera signed them"],
    ],
    [
      "a changed first picture",
      changed(plain, 0),
      ["0-10 changed: 2 of its 10 parts are not as the camera signed them"],
    ],
    [
      "a changed picture of H.265",
      changed(signedFilm("plain.265"), 12),
      ["20-30 changed: 1 of its 5 parts are not as the camera signed them"],
    ],
    ["a changed picture without hash lists", changed(low, 12), ["20-30 changed: it is not what the camera signed"]],
    [
      "a changed picture in a group that is signed later",
      changed(together, 12),
      ["20-30 changed: 2 of its 11 parts are not as the camera signed them"],
    ],
    [
      "a changed picture in a part of a group",
      changed(partial, 12),
      ["24-32 changed: 1 of its 4 parts are not as the camera signed them"],
    ],
    [
      "a dropped picture",
      without(plain, 12, 13),
      ["20-28 missing: 2 of the 10 parts that the camera signed are not here"],
    ],
    [
      "a dropped key picture",
      without(plain, 10, 11),
      ["20-28 missing: 2 of the 10 parts that the camera signed are not here"],
    ],
    [
      "a dropped picture without hash lists",
      without(low, 12, 13),
      ["20-28 changed: it is not what the camera signed: it has 8 parts, and the camera signed 10"],
    ],
    [
      "a dropped picture in a part of a group",
      without(partial, 12, 13),
      ["24-30 missing: 1 of the 4 parts that the camera signed are not here"],
    ],
    [
      "a dropped slice",
      withPictures(plain, (nals, index) => [index === 12 ? nals.slice(0, -1) : nals]),
      ["20-30 missing: 1 of the 10 parts that the camera signed are not here"],
    ],
    [
      "a dropped group, with the signature of the one before",
      without(plain, 10, 15),
      [
        "10-20 missing: the camera's signature of it is not here",
        "20-20 missing: the camera signed 1 more group of pictures here, which is not there",
      ],
    ],
    [
      "two pictures in each other's place",
      swapped(plain, 12, 13),
      ["20-30 changed: its pictures stand in another order than the camera signed"],
    ],
    [
      "a picture that stands there twice",
      withPictures(plain, (nals, index) => (index === 12 ? [nals, nals] : [nals])),
      ["20-32 changed: 2 parts are in it that the camera did not sign"],
    ],
    [
      "a signature that was taken out",
      withMessage(plain, 3, () => undefined),
      ["20-30 missing: the camera's signature of it is not here"],
    ],
    [
      "a signature that was taken out of a part of a group",
      withMessage(partial, 3, () => undefined),
      ["16-24 missing: the camera's signature of it is not here"],
    ],
    [
      "a changed signature",
      withMessage(plain, 3, (nal) => flipped(nal, nal.length - 20)),
      ["20-30 changed: the camera's signature is not over what stands in it"],
    ],
    [
      "a message that is cut off",
      withMessage(plain, 3, (nal) => nal.subarray(0, nal.length / 2)),
      ["20-30 missing: the camera's signature of it is not here"],
    ],
    [
      "the signature over several groups, taken out",
      withMessage(together, 3, () => undefined),
      [
        "0-10 unknown: it is signed together with later pictures, which are not here as they were signed",
        "10-20 unknown: it is signed together with later pictures, which are not here as they were signed",
        "20-30 missing: the camera's signature of it is not here",
      ],
    ],
    [
      "all signatures taken out",
      withPictures(plain, (nals) => [nals.filter((nal) => !isMessage(plain)(nal))]),
      ["0-64 unsigned"],
    ],
    [
      "signatures taken out of the rest",
      withPictures(plain, (nals, index) => [index < 11 ? nals : nals.filter((nal) => !isMessage(plain)(nal))]),
      ["10-50 unsigned: no signature of the camera follows"],
    ],
    [
      "a group played once more",
      withPictures(plain, (nals, index) => (index === 14 ? [nals, ...plain.pictures.slice(5, 10)] : [nals])),
      ["30-40 changed: it does not stand where the camera signed it"],
    ],
    [
      "other pictures under all signatures",
      withPictures(plain, (nals, index) => [
        [
          ...nals.filter(isMessage(plain)),
          ...(signedFilm("yard.264").pictures[index] ?? []).filter((nal) => !isMessage(plain)(nal)),
        ],
      ]),
      [],
    ],
  ];
  for (const [what, film, said] of rows)
    it(`tells ${what}`, () => {
      if (said.length > 0) expect(accused(film)).to.deep.equal(said);
      else expect(saidOf(film).filter((line) => line.endsWith(" ok"))).to.deep.equal([]);
    });

  it("says of footage of another camera that it does not stand where it was signed, or is of somebody else", () => {
    const yard = signedFilm("yard.264");
    const spliced = {
      ...plain,
      pictures: [...plain.pictures.slice(0, 10), ...yard.pictures.slice(10, 20), ...plain.pictures.slice(20)],
    };
    const said = accused(spliced);
    expect(said.join()).to.match(/20-30 .*another certificate|20-30 changed|20-30 missing/);
    expect(saidOf(spliced).filter((line) => line.endsWith(" ok"))).to.deep.equal(["0-10 ok", "40-50 ok", "50-60 ok"]);
  });

  it("does not accuse the camera of what the recorder has noted as lost", () => {
    const said = accused(without(plain, 12, 13), { lost: [12] });
    expect(said.map((line) => line.slice(0, 13))).to.deep.equal(["20-28 unknown"]);
  });

  for (const name of ANY.filter((one) => !/late/.test(one)))
    it(`accuses nobody of what the recorder has noted as lost from ${name}, wherever that is`, () => {
      const film = signedFilm(name);
      for (let from = 1; from < 24; from += 1)
        for (const length of [1, 5, 8]) {
          const said = saidOf(without(film, from, from + length), { lost: [from] });
          expect(
            said.filter((line) => /changed|missing|untrusted/.test(line)),
            `${from} ${length}`,
          ).to.deep.equal([]);
        }
    });

  it("takes messages that are sent several times for one", () => {
    const film = withPictures(plain, (nals) => [nals.flatMap((nal) => (isMessage(plain)(nal) ? [nal, nal] : [nal]))]);
    expect(accused(film)).to.deep.equal([]);
  });

  it("tells a film that is played once more from its beginning, though a camera begins to count anew when it starts", () => {
    const twice = saidOf({ ...plain, pictures: [...plain.pictures, ...plain.pictures] });
    const said = twice.filter((line) => !line.endsWith(" ok")).map((line) => line.replace(/^\S+ /, ""));
    expect(new Set(said)).to.deep.equal(
      new Set([
        "unknown: the camera began to sign anew, and did not sign it any more",
        "changed: the camera signed it once, and it stands here once more",
        DANGLING,
      ]),
    );
    expect(twice.filter((line) => line.endsWith(" ok")).map((line) => Number.parseInt(line, 10))).to.satisfy(
      (from: number[]) => from.every((one) => one < 64),
    );
    const other = saidOf({ ...plain, pictures: [...plain.pictures, ...signedFilm("low-bitrate.264").pictures] });
    expect(other.join()).to.include("anew");
  });

  const makers: CameraTrust = ([leaf], at) => {
    const maker = signingCertificate("maker.pem");
    expect(new Date(at).toISOString()).to.match(/^2026-12-01T00:00:0\d\.\d00Z$/);
    return leaf?.verify(maker.publicKey) === true ? undefined : "not one of ours";
  };

  it("asks whether the certificate is trusted at the time that the camera signed", () => {
    expect(accused(plain, { trust: makers })).to.deep.equal([]);
    expect(accused(signedFilm("rsa.265"), { trust: makers })).to.deep.equal([]);
    const said = saidOf(signedFilm("foreign.264"), { trust: makers }).slice(0, -1);
    expect(new Set(said.map((line) => line.replace(/^\S+ /, "")))).to.deep.equal(
      new Set(["untrusted: not one of ours"]),
    );
  });

  it("does not know what it has no certificate for, unless somebody gives it", () => {
    const film = withMessage(signedFilm("certificate-message.264"), 1, () => undefined);
    const known: readonly X509Certificate[] = [signingCertificate("gate.pem")];
    expect(new Set(accused(film).map((line) => line.replace(/^\S+ /, "")))).to.deep.equal(
      new Set(["unknown: the camera's certificate is not in what is here"]),
    );
    expect(accused(film, { known })).to.deep.equal([]);
  });

  it("says of no group that it is good of which one bit is another one", () => {
    const films = [plain, low, together, partial, signedFilm("plain.265")];
    fc.assert(
      fc.property(fc.constantFrom(...films), fc.nat(), fc.nat(), fc.nat(7), (film, which, where, bit) => {
        const at = which % film.pictures.length;
        const slices = (film.pictures[at] ?? []).filter((nal) => isSlice(film, nal));
        const slice = slices[where % slices.length] as Buffer;
        const copy = Buffer.from(slice);
        const place = where % copy.length;
        copy[place] = (copy[place] ?? 0) ^ (1 << bit);
        const tampered = withPictures(film, (nals) => [nals.map((nal) => (nal === slice ? copy : nal))]);
        const begin = at * 2;
        for (const line of saidOf(tampered)) {
          const [, from = 0, to = 0] = /^(\d+)-(\d+) ok$/.exec(line) ?? [];
          expect(Number(from) <= begin && begin < Number(to), `${line} of ${at}, byte ${place}`).to.equal(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("makes something of all bytes, and of films in which anything was changed", () => {
    const units = [...plain.pictures, ...together.pictures].flat();
    const unit = fc.oneof(
      fc.constantFrom(...units),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.constantFrom(...units.filter(isMessage(plain))), fc.nat(), fc.nat(255)).map(([nal, at, byte]) => {
        const copy = Buffer.from(nal);
        copy[at % 200] = byte;
        return copy.subarray(0, copy.length - (at % 7));
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(unit, { minLength: 1, maxLength: 4 }), { maxLength: 30 }), (pictures) => {
        for (const line of saidOf({ ...plain, pictures }))
          expect(line).to.match(/^\d+-\d+ (?:ok|changed|missing|unsigned|untrusted|unknown)/);
      }),
      { numRuns: 200 },
    );
  });
});
