import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { DAY, HOUR, unixMillis } from "../../base/units.ts";
import type { AnchorName } from "../../recorder/anchor.ts";
import { readAnchor } from "../../recorder/anchor.ts";
import { Archive } from "../../recorder/archive.ts";
import { anchorsOf, printAnchors, readAnchors } from "../../recorder/export/anchors.ts";
import type { ManifestFilm } from "../../recorder/export/manifest.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { rootOver, treePaths, treeRoot } from "../../recorder/hash-tree.ts";
import { certificateOf, type Signer } from "../../recorder/signature.ts";
import { trustIn } from "../../recorder/trust.ts";
import { exitCodeOf, type Report, verify } from "../../recorder/verify.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SEGMENT_SECONDS = 2;

it("a path of the hash tree leads a leaf, and no other one, to the root", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (size, at) => {
      const leaves = Array.from({ length: size }, (_, index) => Buffer.from(`leaf ${index}`));
      const index = at % size;
      const root = treeRoot(leaves);
      const path = treePaths(leaves)(index);
      const leaf = leaves[index] ?? Buffer.alloc(0);
      expect(rootOver(leaf, { index, size }, path)?.equals(root)).to.equal(true);
      expect(rootOver(Buffer.from("another"), { index, size }, path)?.equals(root) ?? false).to.equal(false);
      expect(rootOver(leaf, { index, size }, [...path, leaf])?.equals(root) ?? false).to.equal(false);
      if (size > 1) {
        const other = { index: (index + 1) % size, size };
        expect(rootOver(leaf, other, path)?.equals(root) ?? false).to.equal(false);
      }
    }),
  );
});

describe("anchors of recordings", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signer: Signer;
  let clock: VirtualClock;
  let told: AnchorName[];

  before(async () => {
    signer = await makeSigner();
  });
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    clock = new VirtualClock(unixMillis(START_MS));
    told = [];
  });
  afterEach(() => remove());

  const open = (files: Files = diskFiles): Promise<Archive> =>
    Archive.open({
      folder,
      files,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      signer,
      settings: { segmentMs: SEGMENT_SECONDS * 1000 },
      auditHead: () => ({ seq: 7, hash: "ab".repeat(32) }),
      anchored: (anchor) => void told.push(anchor),
    });

  /** Records `segments` files of both cameras, and ends. */
  async function record(segments: number, fromMs = START_MS): Promise<void> {
    const archive = await open();
    await film(archive, segments, fromMs);
    await archive.close();
  }

  async function film(archive: Archive, segments: number, fromMs: number): Promise<void> {
    for (const name of ["a", "b"]) {
      const camera = new GroupCamera();
      const recorder = archive.recorder(name, "main");
      recorder.describe([VIDEO_TRACK]);
      for (let index = 0; index < segments * SEGMENT_SECONDS * 25; index += 1)
        recorder.push(camera.group(0, videoSample(index, { startMs: fromMs })));
      await recorder.close();
    }
  }

  async function filesOf(...cameras: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const camera of cameras)
      for (const name of await readdir(join(folder, camera), { recursive: true }).catch(() => []))
        if (name.endsWith(".mp4")) found.push(join(folder, camera, name));
    return found.toSorted();
  }

  async function report(o: { camera?: string; kept?: readonly AnchorName[] } = {}): Promise<Report> {
    const paths = await filesOf(...(o.camera === undefined ? ["a", "b"] : [o.camera]));
    const trust = trustIn([certificateOf(signer.certificate)]);
    return verify({ files: diskFiles, paths, trust, archive: { folder, camera: o.camera }, kept: o.kept });
  }

  const said = ({ stretches }: Report): readonly string[] =>
    stretches.filter(({ verdict }) => verdict !== "ok").map(({ verdict, camera }) => `${verdict} ${camera}`.trim());
  const seconds = ({ stretches }: Report): number =>
    stretches
      .filter(({ verdict }) => verdict === "missing")
      .reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs) / 1e6, 0);
  const anchorsFile = async (): Promise<string> => {
    const names = (await readdir(join(folder, "statements.d"))).filter((one) => /^anchors-[-\d]+\.txt$/.test(one));
    return join(folder, "statements.d", names.toSorted().at(-1) ?? "");
  };
  const lines = async (): Promise<readonly string[]> =>
    (await readFile(await anchorsFile(), "utf8")).split("\n").slice(0, -1);

  it("name the newest segment of each stream, the audit log and each other, and are told of", async () => {
    await record(3);
    await record(2, START_MS + HOUR);
    const anchors = (await lines()).map(readAnchor);
    expect(anchors.map(({ valid }) => valid)).to.deep.equal([true, true]);
    expect(anchors.map(({ anchor }) => anchor.seq)).to.deep.equal([1, 2]);
    expect(anchors[1]?.anchor).to.include({ prev: anchors[0]?.hash, first: 1, streams: 2, removals: 1 });
    expect(anchors[1]?.anchor.audit).to.deep.equal({ seq: 7, hash: "ab".repeat(32) });
    expect(told).to.deep.equal(anchors.map(({ anchor: { seq }, hash }) => ({ seq, hash })));
    const found = await report({ kept: told });
    expect(said(found)).to.deep.equal([]);
    expect(exitCodeOf(found)).to.equal(0);
  });

  it("are made every hour, and none of a day before the oldest recording is kept", async () => {
    await record(3);
    const archive = await open();
    for (let hour = 0; hour < 50; hour += 1) await clock.advance(HOUR);
    await film(archive, 3, clock.now());
    const days = (await readdir(join(folder, "statements.d"))).flatMap((one) => /^anchors-(.*)/.exec(one)?.[1] ?? []);
    for (const day of days) await writeFile(join(folder, "statements.d", `time-stamps-${day}`), "");
    archive.retain("a", { maxAgeMs: DAY });
    archive.retain("b", { maxAgeMs: DAY });
    await archive.tidy();
    await archive.close();
    expect(clock.pending).to.equal(0);
    expect(told.length).to.be.within(50, 53);
    const left = await readdir(join(folder, "statements.d"));
    expect(days.length).to.be.greaterThan(1);
    expect(left.filter((one) => one.startsWith("anchors"))).to.have.length(1);
    expect(left.filter((one) => one.startsWith("time-stamps"))).to.deep.equal([`time-stamps-${days.at(-1)}`]);
    expect(readAnchor((await lines()).at(-1) ?? "").anchor.first).to.equal(
      readAnchor((await lines())[0] ?? "").anchor.seq,
    );
    expect(said(await report({ kept: told }))).to.have.members(["removed a", "removed b"]);
  });

  interface Tampering {
    readonly name: string;
    /** Six files of each camera are there, and two anchors, the first one behind three of them. */
    readonly change: () => Promise<void>;
    readonly said: readonly string[];
    /** Seconds that are missing. */
    readonly seconds?: number;
    /** Only where the anchors that the audit log has are given. */
    readonly isKept?: boolean;
  }

  const without = (list: readonly string[], at: number): string => `${list.toSpliced(at, 1).join("\n")}\n`;
  const TAMPERINGS: readonly Tampering[] = [
    {
      name: "the newest file of a camera is taken away",
      change: async () => rm((await filesOf("a")).at(-1) ?? ""),
      said: ["missing a"],
      seconds: SEGMENT_SECONDS,
    },
    {
      name: "all of the newest files are taken away",
      change: async () => {
        for (const file of (await filesOf("a")).slice(3)) await rm(file);
      },
      said: ["missing a"],
      seconds: 3 * SEGMENT_SECONDS,
    },
    {
      name: "everything of a camera is taken away",
      change: () => rm(join(folder, "a"), { recursive: true }),
      said: ["missing a"],
    },
    {
      name: "a bit of an anchor is flipped",
      change: async () => {
        const text = await readFile(await anchorsFile(), "utf8");
        await writeFile(await anchorsFile(), text.replace('"seq":7', '"seq":6'));
      },
      said: ["changed", "missing"],
    },
    {
      name: "a segment is put into an anchor",
      change: async () => {
        const text = await readFile(await anchorsFile(), "utf8");
        await writeFile(await anchorsFile(), text.replace('["a","main"', '["c","main"'));
      },
      said: ["changed"],
    },
    {
      name: "an anchor is taken out at the beginning",
      change: async () => writeFile(await anchorsFile(), without(await lines(), 0)),
      said: ["missing"],
    },
    {
      name: "the newest anchor is taken away, and what it names",
      change: async () => {
        await writeFile(await anchorsFile(), without(await lines(), 1));
        for (const file of (await filesOf("a", "b")).filter((_, index) => index % 6 > 2)) await rm(file);
      },
      said: ["missing"],
      isKept: true,
    },
    {
      name: "the newest anchor is taken away after retention has removed something, and what it names",
      change: async () => {
        const archive = await open();
        archive.retain("b", { maxBytes: 0 });
        await archive.tidy();
        await archive.close();
        const list = await lines();
        await writeFile(await anchorsFile(), `${list[0]}\n`);
        for (const file of (await filesOf("a")).slice(3)) await rm(file);
      },
      said: ["removed b", "missing"],
    },
    {
      name: "all of what is stated is taken away",
      change: () => rm(join(folder, "statements.d"), { recursive: true }),
      said: ["missing", "missing"],
      isKept: true,
    },
  ];
  for (const { name, change, said: expected, seconds: gone, isKept } of TAMPERINGS)
    it(`notice that ${name}${isKept === true ? ", where somebody kept the audit log" : ""}`, async () => {
      await record(3);
      await record(3, START_MS + 3 * SEGMENT_SECONDS * 1000);
      await change();
      if (isKept === true) expect(said(await report()), "by itself").to.deep.equal([]);
      const found = await report(isKept === true ? { kept: told } : {});
      expect(said(found)).to.deep.equal(expected);
      expect(exitCodeOf(found)).to.equal(1);
      if (gone !== undefined) expect(seconds(found)).to.be.closeTo(gone, 0.01);
    });

  it("notice what was taken away where the bridge has made as many anchors since", async () => {
    await record(3);
    await record(3, START_MS + 3 * SEGMENT_SECONDS * 1000);
    const [, second] = told;
    await writeFile(await anchorsFile(), without(await lines(), 1));
    for (const name of await readdir(folder)) if (name.startsWith("catalog.db")) await rm(join(folder, name));
    for (const file of (await filesOf("a", "b")).filter((_, index) => index % 6 > 2)) await rm(file);
    await record(3, START_MS + 6 * SEGMENT_SECONDS * 1000);
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 2]);
    expect(said(await report({ kept: told.filter((one) => one !== second) }))).to.deep.equal([]);
    expect(said(await report({ kept: told }))).to.deep.equal(["changed"]);
  });

  it("accuse nobody where the clock was set back over midnight, and the bridge started again", async () => {
    clock.setWall(unixMillis(START_MS + 2 * DAY));
    await record(3);
    clock.setWall(unixMillis(START_MS));
    const archive = await open();
    await film(archive, 3, START_MS + 3 * SEGMENT_SECONDS * 1000);
    await clock.advance(HOUR);
    await archive.close();
    await (await open()).close();
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
    expect(said(await report({ kept: told }))).to.deep.equal([]);
  });

  it("accuse nobody where the clock was far ahead at a start, and go on in more than one file when it is right", async () => {
    clock.setWall(unixMillis(START_MS + 400 * DAY));
    await record(2, START_MS + 400 * DAY);
    clock.setWall(unixMillis(START_MS));
    await record(2);
    const ahead = await anchorsFile();
    const whole = await readFile(ahead, "utf8");
    // As after years, or with very many streams.
    await appendFile(ahead, "\n".repeat(8 * 1024 * 1024));
    await record(2, START_MS + HOUR);
    await writeFile(ahead, whole);
    await record(2, START_MS + 2 * HOUR);
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
    expect(await anchorsFile()).to.not.equal(ahead);
    expect(await lines()).to.have.length(2);
    expect(said(await report({ kept: told }))).to.deep.equal([]);
  });

  it("notice it of a camera's folder alone, and accuse no other camera there", async () => {
    await record(3);
    await rm((await filesOf("a")).at(-1) ?? "");
    expect(said(await report({ camera: "a" }))).to.deep.equal(["missing a"]);
    expect(said(await report({ camera: "b" }))).to.deep.equal([]);
  });

  it("miss nothing of what a running bridge has recorded and anchored since the files were listed", async () => {
    await record(3);
    const paths = await filesOf("a", "b");
    await record(2, START_MS + 3 * SEGMENT_SECONDS * 1000);
    const trust = trustIn([certificateOf(signer.certificate)]);
    const archive = { folder, camera: undefined };
    expect(said(await verify({ files: diskFiles, paths, trust, archive }))).to.deep.equal([]);
  });

  describe("and of the recordings of a running bridge, on two volumes", () => {
    let other = "";
    let paths: readonly string[];
    const bring = async (file: string, how: (from: string, to: string) => Promise<void>): Promise<void> => {
      const place = join(other, relative(folder, file));
      await mkdir(dirname(place), { recursive: true });
      await how(file, place);
    };
    const found = async (volumes: readonly string[] = [other]) => {
      const trust = trustIn([certificateOf(signer.certificate)]);
      return said(await verify({ files: diskFiles, paths, trust, archive: { folder, camera: undefined, volumes } }));
    };
    beforeEach(async () => {
      other = join(folder, "other");
      await record(3);
      paths = await filesOf("a", "b");
    });

    it("miss nothing that was brought from one to the other since the files were listed", async () => {
      for (const file of paths) await bring(file, rename);
      expect(await found()).to.deep.equal([]);
      expect(await found([])).to.include("missing a");
    });

    it("find nothing inserted where a crash came between copying and removing", async () => {
      await bring(paths[1] ?? "", copyFile);
      paths = [...paths, join(other, relative(folder, paths[1] ?? ""))];
      expect(await found()).to.deep.equal([]);
      expect(await found([])).to.deep.equal(["inserted a"]);
    });

    it("miss nothing that was recorded there and anchored since", async () => {
      await record(2, START_MS + 3 * SEGMENT_SECONDS * 1000);
      for (const file of await filesOf("a", "b")) if (!paths.includes(file)) await bring(file, rename);
      expect(await found()).to.deep.equal([]);
      expect(await found([])).to.deep.equal(["missing a", "missing b"]);
    });

    it("miss nothing that retention removed since", async () => {
      const archive = await open();
      archive.retain("a", { maxBytes: 0 });
      await archive.tidy();
      await archive.close();
      expect(await found()).to.deep.equal(["removed a"]);
    });

    it("miss no statement that was made while anchors were read", async () => {
      let archive: Archive | undefined;
      const files: Files = {
        ...diskFiles,
        open: async (path, mode) => {
          if (path.includes("/anchors-") && archive === undefined) {
            archive = await open();
            archive.retain("a", { maxBytes: 0 });
            await archive.tidy();
            await archive.close();
          }
          return diskFiles.open(path, mode);
        },
      };
      const trust = trustIn([certificateOf(signer.certificate)]);
      const made = await verify({ files, paths, trust, archive: { folder, camera: undefined } });
      expect(said(made)).to.deep.equal(["removed a"]);
    });
  });

  it("miss nothing of what retention removed", async () => {
    await record(4);
    const archive = await open();
    archive.retain("a", { maxBytes: 0 });
    await archive.tidy();
    await archive.close();
    expect(said(await report())).to.deep.equal(["removed a"]);
    expect(await filesOf("a")).to.deep.equal([]);
  });

  it("are exported as far as they name what is exported, and nothing else", async () => {
    await record(3);
    const segments = (await lines()).map(readAnchor).flatMap((one) => one.segments);
    const time = (us: number): string => new Date(us / 1000).toISOString();
    const [a] = segments.filter(({ camera }) => camera === "a");
    const film = { camera: "a", stream: "main", from: time((a?.endUs ?? 0) - 1_000_000), to: time(a?.endUs ?? 0) };
    const place = { folder, files: diskFiles };
    const anchors = await anchorsOf(place, [{ ...film, asRecorded: true } as ManifestFilm]);
    expect(anchors).to.have.length(1);
    const bytes = Buffer.from(printAnchors(anchors));
    expect(bytes.includes('"b"')).to.equal(false);
    const [read] = readAnchors(bytes);
    expect(read).to.include({ camera: "a", link: a?.link, valid: true });
    for (const change of [{ endUs: 1 }, { camera: "b" }, { index: 1 }, { path: [] }, { link: "00".repeat(32) }])
      expect(
        readAnchors(Buffer.from(printAnchors(anchors.map((one) => ({ ...one, ...change }))))).map(({ valid }) => valid),
        JSON.stringify(change),
      ).to.deep.equal([false]);
    const elsewhere = { ...film, from: time(0), to: time(1_000_000), asRecorded: true } as ManifestFilm;
    expect(await anchorsOf(place, [elsewhere])).to.deep.equal([]);
    expect(await anchorsOf(place, [{ ...film, asRecorded: false } as ManifestFilm])).to.deep.equal([]);
  });

  it("let others have their turn, and end with an export, while they are looked for", async () => {
    await record(1);
    const [line = ""] = await lines();
    await writeFile(await anchorsFile(), `${line}\n`.repeat(50));
    const film = {
      camera: "a",
      stream: "main",
      from: new Date(0).toISOString(),
      to: new Date(START_MS * 2).toISOString(),
    };
    const films = [{ ...film, asRecorded: true } as ManifestFilm];
    let turns = 0;
    // Counted from when the file was read.
    const files: Files = {
      ...diskFiles,
      open: async (path, mode) => {
        const file = await diskFiles.open(path, mode);
        const close = async (): Promise<void> => {
          await file.close();
          turns = 0;
        };
        return { ...file, read: file.read.bind(file), size: file.size.bind(file), close };
      },
    };
    const count = (): void => {
      turns += 1;
      turning = setImmediate(count);
    };
    let turning = setImmediate(count);
    expect(await anchorsOf({ folder, files }, films)).to.have.length(1);
    clearImmediate(turning);
    expect(turns).to.be.at.least(50);
    const ended = new Error("ended");
    const found = await anchorsOf({ folder, files: diskFiles }, films, AbortSignal.abort(ended)).catch(
      (error) => error,
    );
    expect(found).to.equal(ended);
  });

  it("go on behind one that a crash has cut", async () => {
    await record(3);
    const whole = await readFile(await anchorsFile(), "utf8");
    await appendFile(await anchorsFile(), whole.slice(0, 200));
    expect(said(await report())).to.deep.equal([]);
    await record(3, START_MS + 3 * SEGMENT_SECONDS * 1000);
    expect((await lines()).map((line) => readAnchor(line).anchor.seq)).to.deep.equal([1, 2]);
    expect(said(await report())).to.deep.equal([]);
  });

  it("of another bridge are put aside, and get no signature", async () => {
    await record(3);
    const first = await readFile(await anchorsFile(), "utf8");
    await writeFile((await anchorsFile()).replace("anchors", "time-stamps"), "");
    signer = await makeSigner();
    await (await open()).close();
    expect((await lines()).map((line) => readAnchor(line).anchor.seq)).to.deep.equal([1, 2]);
    const aside = (await readdir(join(folder, "statements.d"))).find((one) => /^anchors.*aside$/.test(one)) ?? "";
    expect(await readFile(join(folder, "statements.d", aside), "utf8")).to.equal(first);
    const stamps = (await readdir(join(folder, "statements.d"))).filter((one) => one.startsWith("time-stamps"));
    expect(stamps).to.satisfy(([one = "", ...more]: string[]) => one.endsWith(".aside") && more.length === 0);
  });

  it("are tried again an hour later where the disk fails, while recording goes on", async () => {
    let fails = true;
    const files: Files = {
      ...diskFiles,
      open: async (path, mode) => {
        if (fails && path.includes("/anchors-")) throw Object.assign(new Error("fails"), { code: "EIO" });
        return diskFiles.open(path, mode);
      },
    };
    await record(1);
    const archive = await open(files);
    await film(archive, 2, START_MS + HOUR);
    await clock.advance(HOUR);
    expect(await filesOf("a")).to.have.length(3);
    fails = false;
    await clock.advance(HOUR);
    await archive.close();
    expect(said(await report())).to.deep.equal([]);
  });

  it("go on where the disk could not be read at the start: none is put aside for that", async () => {
    await record(2);
    await clock.advance(2 * HOUR);
    let fails = true;
    const files: Files = {
      ...diskFiles,
      open: async (path, mode) => {
        if (fails && path.includes("/anchors-")) throw Object.assign(new Error("fails"), { code: "EIO" });
        return diskFiles.open(path, mode);
      },
    };
    const archive = await open(files);
    await film(archive, 2, START_MS + HOUR);
    fails = false;
    await clock.advance(HOUR);
    await archive.close();
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(said(await report({ kept: told }))).to.deep.equal([]);
  });

  it("are told of where old ones cannot be removed", async () => {
    const files: Files = {
      ...diskFiles,
      remove: async (path) => {
        if (path.includes("/anchors-")) throw Object.assign(new Error("fails"), { code: "EIO" });
        return diskFiles.remove(path);
      },
    };
    await record(1);
    clock.setWall(unixMillis(START_MS + 3 * DAY));
    const archive = await open(files);
    archive.retain("a", { maxAgeMs: DAY });
    await film(archive, 1, clock.now());
    archive.retain("b", { maxAgeMs: DAY });
    await archive.tidy();
    await archive.close();
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(said(await report({ kept: told }))).to.have.members(["removed a", "removed b"]);
  });
});
