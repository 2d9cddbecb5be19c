import { createPublicKey, type X509Certificate } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import { whyNotAttested } from "../../../media/signing/axis-attestation.ts";
import { readAxisDocument } from "../../../media/signing/axis-document.ts";
import type { CameraTrust } from "../../../media/signing/certificates.ts";
import { readChain } from "../../../media/signing/document.ts";
import { readSigningSei } from "../../../media/signing/sei.ts";
import { checkChain, FOR_CAMERAS } from "../../../recorder/cms/chain.ts";
import { changed, flipped, isSlice, swapped, withMessage, without, withPictures } from "../../support/film-changes.ts";
import { orRefused } from "../../support/garbled.ts";
import {
  accused,
  isMessage,
  type SignedFilm,
  saidOf,
  signedFilm,
  signingCertificate,
} from "../../support/signed-film.ts";

const BARE = "untrusted: one key signed it all, and nothing says whose that is";
const axis = signedFilm("axis.264");
const gop = signedFilm("axis-gop.264");
const older = signedFilm("axis-older.264");
const bare = signedFilm("axis-bare.264");

/** What is said of all but the end, whenever it is. */
const words = (film: SignedFilm, o?: Parameters<typeof saidOf>[1]): readonly string[] => [
  ...new Set(
    saidOf(film, o)
      .slice(0, -1)
      .map((line) => line.replace(/^\S+ /, "")),
  ),
];

const messagesOf = (film: SignedFilm) =>
  film.pictures
    .flat()
    .filter(isMessage(film))
    .map((nal) => readSigningSei(nal, film.codec));

describe("Axis Signed Video", () => {
  const rows: readonly (readonly [string, (film: SignedFilm) => SignedFilm, listed: RegExp, whole: RegExp])[] = [
    ["a changed picture", (film) => changed(film, 12), /^20-30 changed: 2 of its 10 parts/, /^20-30 changed/],
    ["a changed key picture", (film) => changed(film, 10), /^20-30 changed: 2 of its 10 parts/, /^20-30 changed/],
    [
      "a dropped picture",
      (film) => without(film, 12, 13),
      /^20-28 missing: 2 of the 10 parts/,
      /^20-28 changed: .* it has 8 parts, and the camera signed 10$/,
    ],
    [
      "two pictures in each other's place",
      (film) => swapped(film, 12, 13),
      /^20-30 changed: .* order/,
      /^20-30 changed/,
    ],
    [
      "a picture that stands there twice",
      (film) => withPictures(film, (nals, index) => (index === 12 ? [nals, nals] : [nals])),
      /^20-32 changed: 2 parts are in it/,
      /^20-32 changed/,
    ],
    [
      "a group played once more",
      (film) => withPictures(film, (nals, at) => (at === 14 ? [nals, ...film.pictures.slice(5, 10)] : [nals])),
      /^30-40 changed: it does not stand where/,
      /^30-40 changed: it does not stand where/,
    ],
  ];
  for (const [name, film, isListed] of [
    ["with a list of hashes", axis, true],
    ["with one hash a group", gop, false],
    ["in the form before release 2.0", older, true],
  ] as const)
    for (const [what, change, listed, whole] of rows)
      it(`tells ${what}, ${name}`, () => {
        const said = accused(change(film));
        expect(said, said.join("\n")).to.have.lengthOf(1);
        expect(said[0]).to.match(isListed ? listed : whole);
      });

  for (const [name, film, number] of [
    ["", axis, 3],
    [", in the form before release 2.0", older, 4],
  ] as const) {
    it(`tells a signature that was taken out${name}`, () => {
      expect(accused(withMessage(film, number, () => undefined))).to.deep.equal([
        "20-30 missing: the camera's signature of it is not here",
      ]);
    });

    it(`tells a changed signature${name}`, () => {
      expect(accused(withMessage(film, number, (nal) => flipped(nal, nal.length - 30)))).to.deep.equal([
        "20-30 changed: the camera's signature is not over what stands in it",
      ]);
    });
  }

  it("tells that a group does not follow what was signed before it, in the form before release 2.0", () => {
    // The same camera with the same counter, after another start: each group is as it was signed, and the message between both is the first one's.
    const other = signedFilm("axis-older-yard.264");
    const isOurs = isMessage(older);
    const [from = [], to = []] = [older.pictures[10], other.pictures[10]];
    const between = [...from.filter(isOurs), ...to.filter((nal) => !isOurs(nal))];
    const pictures = [...older.pictures.slice(0, 10), between, ...other.pictures.slice(11)];
    expect(accused({ ...older, pictures })).to.deep.equal([
      "20-30 changed: it does not follow what the camera signed before it",
    ]);
  });

  it("says of the form before release 2.0 without lists that it is not verified, and accuses nobody", () => {
    const film = signedFilm("axis-older-gop.264");
    for (let from = 0; from < film.pictures.length; from += 1)
      for (const line of saidOf({ ...film, pictures: film.pictures.slice(from) }))
        expect(line).to.match(/ unknown: |^0-\d+ unsigned$/);
    expect(saidOf(film).join("\n")).to.include("without a list of hashes, which is not verified");
  });

  it("says of a key for which nothing vouches that it signed all, and no more, whoever is trusted", () => {
    expect(words(bare)).to.deep.equal([BARE]);
    expect(words(bare, { trust: () => undefined })).to.deep.equal([BARE]);
    expect(accused(changed(bare, 12)).filter((line) => !line.endsWith(BARE))).to.deep.equal([
      "20-30 changed: 2 of its 10 parts are not as the camera signed them",
    ]);
  });

  it("says of another key amid a stream that it is another one", () => {
    const other = signedFilm("axis-bare-yard.264");
    const spliced = { ...bare, pictures: [...bare.pictures.slice(0, 10), ...other.pictures.slice(10)] };
    expect(saidOf(spliced).join("\n")).to.match(/untrusted: signed by another key than what stands before it/);
  });

  const byChips =
    (name: string): CameraTrust =>
    ([leaf, ...among], at) => {
      try {
        checkChain(leaf as X509Certificate, { purpose: FOR_CAMERAS, among, trusted: [signingCertificate(name)], at });
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    };

  for (const name of [
    "axis.264",
    "axis.265",
    "axis-golden.264",
    "axis-factory.264",
    "axis-older.264",
    "axis-older.265",
  ])
    it(`asks for ${name} whether who vouches for its key leads to who is trusted, at the time that it was made`, () => {
      const film = signedFilm(name);
      expect(words(film, { trust: byChips("axis-chips.pem") })).to.satisfy((said: string[]) =>
        // Times of films without any are those of the recording, which here is in 1970.
        name.endsWith("older.265") ? said.every((one) => / was not valid then, 1970-/.test(one)) : said.join() === "ok",
      );
      for (const one of words(film, { trust: byChips("maker.pem") })) expect(one).to.match(/^untrusted: /);
    });

  it("takes no key that the chip does not vouch for", () => {
    for (const o of [{}, { trust: byChips("axis-chips.pem") }])
      expect(words(signedFilm("axis-foreign.264"), o)).to.deep.equal([
        "untrusted: its key is not the one that the camera's chip vouches for",
      ]);
  });

  it("vouches for a key by its report alone, for one camera, of one chip", () => {
    const [document] = messagesOf(axis).map(({ tags }) => readAxisDocument(tags));
    const key = createPublicKey(document?.key ?? "");
    const { report = Buffer.alloc(0), pem = Buffer.alloc(0) } = document?.attested ?? {};
    const [by, issuer] = readChain(pem) as [X509Certificate, X509Certificate];
    expect(whyNotAttested(key, { report, by, serial: "ACCC8E000001" })).to.equal(undefined);
    expect(whyNotAttested(key, { report, by, serial: undefined })).to.equal(undefined);
    expect(whyNotAttested(key, { report, by, serial: "ACCC8E000002" })).to.match(/says that it is ACCC8E000002/);
    expect(whyNotAttested(key, { report, by: issuer, serial: undefined })).to.match(/no certificate of a chip/);
    expect(whyNotAttested(by.publicKey, { report, by, serial: undefined })).to.match(/not the one/);
    for (let at = 8; at < report.length; at += 1)
      expect(whyNotAttested(key, { report: flipped(report, at), by, serial: undefined }), `${at}`).to.be.a("string");
    for (let length = 0; length < report.length; length += 1)
      expect(whyNotAttested(key, { report: report.subarray(0, length), by, serial: undefined })).to.be.a("string");
  });

  it("says of no group that it is good of which one bit is another one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(axis, gop, older, signedFilm("axis.265")),
        fc.nat(),
        fc.nat(),
        fc.nat(7),
        (film, which, where, bit) => {
          const at = which % film.pictures.length;
          const slices = (film.pictures[at] ?? []).filter((nal) => isSlice(film, nal));
          const slice = slices[where % slices.length] as Buffer;
          const copy = Buffer.from(slice);
          const place = where % copy.length;
          copy[place] = (copy[place] ?? 0) ^ (1 << bit);
          for (const line of saidOf(withPictures(film, (nals) => [nals.map((nal) => (nal === slice ? copy : nal))]))) {
            const [, from = 0, to = 0] = /^(\d+)-(\d+) ok$/.exec(line) ?? [];
            expect(Number(from) <= at * 2 && at * 2 < Number(to), `${line} of ${at}, byte ${place}`).to.equal(false);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is read or refused, whatever the bytes are", () => {
    const films = [axis, older, signedFilm("axis-golden.264")];
    fc.assert(
      fc.property(
        fc.constantFrom(...films.flatMap((film) => film.pictures.flat().filter(isMessage(film)))),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.nat(60),
        (nal, changes, cut) => {
          const copy = Buffer.from(nal);
          for (const [at, byte] of changes) copy[at % copy.length] = byte;
          const sei = orRefused(() => readSigningSei(copy.subarray(0, copy.length - cut), axis.codec));
          if (sei !== undefined) orRefused(() => readAxisDocument(sei.tags));
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => void orRefused(() => readAxisDocument(Buffer.from(bytes))),
      ),
    );
  });
});
