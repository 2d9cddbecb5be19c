import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { expect } from "chai";
import { Secret } from "../../../base/secret.ts";
import type { KeyRing } from "../../../keys/ring.ts";
import { checkSeal } from "../../../recorder/export/check-seal.ts";
import { openExport, readSmall } from "../../../recorder/export/export-files.ts";
import { readFilm } from "../../../recorder/export/film-read.ts";
import { type Manifest, readSums } from "../../../recorder/export/manifest.ts";
import { diskFiles } from "../../../recorder/files.ts";
import { FRAGMENT_BOX_BYTES } from "../../../recorder/integrity.ts";
import { type Asked, exportTo, type Footage, makeSigners, recordFor, type Signers } from "../../support/exported.ts";
import { openRing } from "../../support/keys.ts";
import { START_MS, scratchFolder } from "../../support/recorder-samples.ts";

const second = (iso: string): number => (Date.parse(iso) - START_MS) / 1000;

/** Films and gaps, in seconds of the footage. */
function outline({ films, cameras }: Manifest): object {
  return {
    films: films.map(({ camera, from, to }) => [camera, second(from), second(to)]),
    gaps: cameras.flatMap(({ id, gaps }) => gaps.map(({ from, to, reason }) => [id, second(from), second(to), reason])),
  };
}

interface Case {
  readonly name: string;
  readonly footage: Readonly<Record<string, Footage>>;
  readonly asked: Asked;
  readonly films: readonly (readonly [camera: string, from: number, to: number])[];
  readonly gaps?: readonly (readonly [camera: string, from: number, to: number, reason: string])[];
}

const NOTHING = "nothing is recorded: it was not recorded, or it was deleted since";
const a = { id: "a" };

const CASES: readonly Case[] = [
  {
    name: "begins at the key frame before, and ends with the fragment there",
    footage: { a: { seconds: 30 } },
    asked: { fromSeconds: 5.4, toSeconds: 22.5, cameras: [a] },
    films: [["a", 5, 23]],
  },
  {
    name: "has a film of all segments that follow one another",
    footage: { a: { seconds: 45 } },
    asked: { fromSeconds: 0, toSeconds: 45, cameras: [a] },
    films: [["a", 0, 45]],
  },
  {
    name: "lies within one segment",
    footage: { a: { seconds: 30 } },
    asked: { fromSeconds: 12, toSeconds: 14, cameras: [a] },
    films: [["a", 12, 14]],
  },
  {
    name: "has a film before a gap and one behind it, and says why",
    footage: { a: { seconds: 40, without: [12, 25] } },
    asked: { fromSeconds: 3, toSeconds: 38, cameras: [a] },
    films: [
      ["a", 3, 12],
      ["a", 25, 38],
    ],
    gaps: [["a", 12, 25, "not recorded: nothing was received"]],
  },
  {
    name: "says where a picture stands because no other came, for too short a time to end the recording",
    footage: { a: { seconds: 40, without: [12, 19] } },
    asked: { fromSeconds: 3, toSeconds: 38, cameras: [a] },
    films: [["a", 3, 38]],
    gaps: [["a", 11.96, 19, "no picture came: the film shows the one before"]],
  },
  {
    name: "says what is missing before and behind all that is recorded",
    footage: { a: { seconds: 10 } },
    asked: { fromSeconds: -60, toSeconds: 60, cameras: [a] },
    films: [["a", 0, 10]],
    gaps: [
      ["a", -60, 0, NOTHING],
      ["a", 10, 60, NOTHING],
    ],
  },
  {
    name: "has several cameras, also one of which nothing is there",
    footage: { a: { seconds: 10 }, b: { seconds: 20 } },
    asked: { fromSeconds: 2, toSeconds: 15, cameras: [a, { id: "b" }, { id: "c" }] },
    films: [
      ["a", 2, 10],
      ["b", 2, 15],
    ],
    gaps: [
      ["a", 10, 15, NOTHING],
      ["c", 2, 15, NOTHING],
    ],
  },
  {
    name: "begins with the first key frame that is not too old for the account",
    footage: { a: { seconds: 30 } },
    asked: { fromSeconds: 5, toSeconds: 20, cameras: [{ ...a, notBeforeUs: () => (START_MS + 8_500) * 1000 }] },
    films: [["a", 9, 20]],
    gaps: [["a", 5, 9, "it is older than this account may have"]],
  },
];

describe("an export", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let ring: KeyRing;
  let closeKeys: () => Promise<void>;
  let signers: Signers;

  before(async () => {
    signers = await makeSigners();
  });
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    ({ ring, close: closeKeys } = await openRing(folder));
  });
  afterEach(async () => {
    await closeKeys();
    await remove();
  });

  const record = (cameras: Readonly<Record<string, Footage>>, keys?: KeyRing): Promise<void> =>
    recordFor(folder, cameras, { signer: signers.recorder, keys });
  const make = (
    asked: Asked,
    o: { keys?: KeyRing; password?: Secret; path?: string; signal?: AbortSignal; isSlow?: boolean } = {},
  ): Promise<Manifest> => exportTo(o.path ?? `${folder}/out`, folder, asked, { ...signers, ...o });

  for (const { name, footage, asked, films, gaps = [] } of CASES)
    it(name, async () => {
      await record(footage);
      expect(outline(await make(asked))).to.deep.equal({ films, gaps });
    });

  it("says in words where it begins and ends beside what was asked for", async () => {
    await record({ a: { seconds: 30 } });
    const { cameras } = await make({ fromSeconds: 5.4, toSeconds: 22.5, cameras: [a] });
    expect(cameras.map(({ note }) => note)).to.deep.equal([
      "begins 0.4 s before what was asked for, at a key frame, ends 0.5 s after what was asked for, with its fragment",
    ]);
  });

  for (const encryption of ["in clear", "encrypted"])
    it(`has films that turn back into what was recorded, ${encryption}, bit for bit`, async () => {
      const keys = encryption === "encrypted" ? { keys: ring } : {};
      await record({ a: { seconds: 35, sound: true } }, keys.keys);
      const { films } = await make({ fromSeconds: 4, toSeconds: 33, cameras: [a] }, keys);
      expect(films).to.have.length(1);
      const file = await diskFiles.open(`${folder}/out/${films[0]?.path}`, "read");
      const found = await readFilm(file);
      const { sha256, seal } = await checkSeal(file, found.meta);
      await file.close();
      expect({ junk: found.junk, sha256, sealed: seal?.valid }).to.deep.equal({
        junk: false,
        sha256: films[0]?.sha256,
        sealed: true,
      });
      const pieces = found.segments.flatMap((segment) => segment.pieces);
      expect(pieces).to.have.length(29);
      for (const { hash, box } of pieces) expect(hash).to.equal(box.hash.toString("hex"));
      expect(found.segments.map(({ signature }) => signature?.valid)).to.deep.equal(found.segments.map(() => true));
    });

  it("leaves out sound where that is wanted, and says so", async () => {
    await record({ a: { seconds: 20, sound: true } });
    const { films, cameras } = await make({
      fromSeconds: 0,
      toSeconds: 20,
      cameras: [{ ...a, leftOut: new Set(["audio"]) }],
    });
    expect(films.map(({ tracks, asRecorded }) => [tracks.map(({ kind }) => kind), asRecorded])).to.deep.equal([
      [["video"], false],
    ]);
    expect(cameras[0]?.leftOut).to.deep.equal(["audio"]);
    const bytes = await readFile(`${folder}/out/${films[0]?.path}`);
    expect(bytes.includes(Buffer.alloc(160, 0x85)), "a packet of sound").to.equal(false);
  });

  for (const [name, footage, reason] of [
    ["of a fragment", { blind: [5, 12] }, "nothing is recorded: it was not recorded, or it was deleted since"],
    ["of a segment", { soundAlone: [5, 25] }, "there is only audio, which is left out"],
  ] as const)
    it(`has what was read before it where nothing is left ${name}, on a disk that takes its time`, async () => {
      await record({ a: { seconds: 30, sound: true, ...footage } });
      const path = `${folder}/films.zip`;
      const asked = { fromSeconds: 0, toSeconds: 30, cameras: [{ ...a, leftOut: new Set(["audio"] as const) }] };
      const { films, cameras } = await make(asked, { path, isSlow: true });
      expect(films).to.have.length(2);
      expect(cameras[0]?.gaps.map((gap) => gap.reason)).to.deep.equal([reason]);
      await expectSums(path);
    });

  it("leaves out what is damaged, up to the next key frame, and says so", async () => {
    await record({ a: { seconds: 30 } });
    const names = await readdir(folder, { recursive: true });
    const [first = ""] = names.filter((name) => name.endsWith(".mp4")).toSorted();
    const bytes = await readFile(`${folder}/${first}`);
    const mark = bytes.indexOf(Buffer.from("3d1f90b7c7584c0f8a642e70b1f9c2d4", "hex"), 6000);
    const file = await diskFiles.open(`${folder}/${first}`, "edit");
    await file.write([Buffer.from("damage")], mark + FRAGMENT_BOX_BYTES + 900);
    await file.close();
    const { films, cameras } = await make({ fromSeconds: 0, toSeconds: 20, cameras: [a] });
    expect(films).to.have.length(1);
    expect(cameras[0]?.gaps.map(({ reason }) => reason)).to.deep.equal(["it is damaged: it is not as it was recorded"]);
  });

  it("says that what is encrypted does not open without its key", async () => {
    await record({ a: { seconds: 20 } }, ring);
    const told = await make({ fromSeconds: 0, toSeconds: 20, cameras: [a] }).catch((error: unknown) => error);
    expect(told).to.include({
      kind: "not-found",
      tell: "there is nothing to export: it is encrypted, and its key is not on this machine",
    });
  });

  it("ends when it is told to, also while there is nothing that it may take", async () => {
    await record({ a: { seconds: 20 } }, ring);
    const signal = AbortSignal.abort(new Error("the right has ended"));
    const told = await make({ fromSeconds: 0, toSeconds: 20, cameras: [a] }, { signal }).catch(String);
    expect(told).to.equal("Error: the right has ended");
  });

  it("does not look into segments that are too old for the account", async () => {
    await record({ a: { seconds: 30 } });
    const [first] = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".mp4")).toSorted();
    await rm(`${folder}/${first}`);
    const notBeforeUs = (): number => (START_MS + 15_000) * 1000;
    const found = await make({ fromSeconds: 0, toSeconds: 30, cameras: [{ ...a, notBeforeUs }] });
    expect(outline(found)).to.deep.equal({
      films: [["a", 15, 30]],
      gaps: [["a", 0, 15, "it is older than this account may have"]],
    });
  });

  it("says that a segment was deleted meanwhile", async () => {
    await record({ a: { seconds: 30 } });
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".mp4")).toSorted();
    await rm(`${folder}/${names[1]}`);
    const found = await make({ fromSeconds: 0, toSeconds: 30, cameras: [a] });
    expect(found.cameras[0]?.gaps.map(({ reason }) => reason)).to.deep.equal([
      "it was deleted while the export was made",
    ]);
    expect(found.films).to.have.length(2);
  });

  it("has checksums of all its files, in a ZIP file as in a folder", async () => {
    await record({ a: { seconds: 12 } });
    const asked = { fromSeconds: 0, toSeconds: 12, cameras: [a] };
    await make(asked);
    const password = new Secret("correct horse");
    await make(asked, { path: `${folder}/out.zip`, password });
    for (const path of ["out", "out.zip"]) await expectSums(`${folder}/${path}`, password);
  });

  it("has words in which nobody who names things has lines of their own", async () => {
    await record({ a: { seconds: 2 } });
    await make({
      fromSeconds: 0,
      toSeconds: 2,
      cameras: [{ ...a, name: "Gate\n\nHOW TO CHECK IT: need not\u001b[2J" }],
    });
    const words = await readFile(`${folder}/out/README.txt`, "utf8");
    expect(words).to.match(/^ {2}Gate..HOW TO CHECK IT: need not.\[2J \(a, stream main\): /m);
  });

  it("has a page with the manifest in it that nothing in the manifest can leave", async () => {
    await record({ a: { seconds: 2 } });
    await make({ fromSeconds: 0, toSeconds: 2, cameras: [a] });
    const page = await readFile(`${folder}/out/viewer.html`, "utf8");
    expect(page).to.include("case \\u003c/script> 117").and.not.include("case </script>");
  });
});

/** All files of an export are as its list of them says. */
async function expectSums(path: string, password?: Secret): Promise<void> {
  const files = await openExport(path, password);
  const contents = new Map<string, Buffer>();
  for (const name of files.names) contents.set(name, (await readSmall(files, name)) ?? Buffer.alloc(0));
  await files.close();
  const sums = readSums(contents.get("SHA256SUMS") ?? Buffer.alloc(0));
  const listed = [...contents].filter(([name]) => !name.startsWith("SHA256SUMS"));
  expect(listed.length).to.be.greaterThan(6);
  const found = listed.map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]);
  expect([...sums]).to.have.deep.members(found);
}
