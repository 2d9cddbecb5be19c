import { copyFile, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { Catalog } from "../../recorder/catalog.ts";
import type { SegmentRow } from "../../recorder/catalog-rows.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { type DoomedPlace, removeDoomed } from "../../recorder/recover.ts";
import { RemovalLog, removalsIn } from "../../recorder/removal-log.ts";
import { type RemovedSegment, withRemoved } from "../../recorder/removals.ts";
import { certificateOf, type Signer } from "../../recorder/signature.ts";
import { trustIn } from "../../recorder/trust.ts";
import { exitCodeOf, type Report, verify } from "../../recorder/verify.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { oneVolume } from "../support/one-volume.ts";
import { findings } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SEGMENTS = 6;
const SEGMENT_SECONDS = 2;
const TIME = "2026-11-24T13:05:00.000Z";

function chain(length: number): readonly RemovedSegment[] {
  const linkOf = (index: number): string => index.toString(16).padStart(64, "0");
  return Array.from({ length }, (_, index) => ({
    camera: "a",
    stream: "main",
    startUs: index * 10,
    endUs: index * 10 + 10,
    previous: linkOf(index),
    link: linkOf(index + 1),
    why: index % 2 === 0 ? "age" : "room",
  }));
}

describe("what is stated of removed segments", () => {
  it("is one range for what followed each other, in whatever order and however often it was removed", () => {
    const all = chain(20);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...all.keys()], { minLength: 20 }),
        fc.array(fc.nat(19), { maxLength: 10 }),
        (order, again) => {
          const segments = [...order, ...again].map((index) => all[index] as RemovedSegment);
          let ranges = withRemoved([], segments.slice(0, 7), TIME);
          ranges = withRemoved(ranges, segments.slice(7, 20), TIME);
          expect(ranges).to.have.length(1);
          expect(ranges[0]).to.include({ fromUs: 0, toUs: 200, segments: 20, holes: 0 });
          expect(ranges[0]?.why).to.deep.equal(["age", "room"]);
        },
      ),
    );
  });

  it("does not grow when a power cut makes a batch go twice", () => {
    const all = chain(20);
    const once = withRemoved([], all.slice(0, 10), TIME);
    const twice = withRemoved(once, all.slice(3, 10), TIME);
    expect(twice).to.deep.equal(once);
    expect(withRemoved(twice, all.slice(10), TIME)).to.have.length(1);
  });

  it("is bounded where the chain is cut again and again, and counts the holes", () => {
    let ranges = withRemoved([], [], TIME);
    for (const [index, segment] of chain(400).entries())
      if (index % 2 === 0) ranges = withRemoved(ranges, [segment], TIME);
    expect(ranges).to.have.length(64);
    expect(ranges.reduce((sum, { holes }) => sum + holes, 0)).to.equal(200 - 64);
    expect(ranges.reduce((sum, { segments }) => sum + segments, 0)).to.equal(200);
  });
});

describe("recordings that retention removed", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signer: Signer;
  const clock = new VirtualClock(unixMillis(START_MS));

  before(async () => {
    signer = await makeSigner();
  });
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    await record();
  });
  afterEach(() => remove());

  const open = (files: Files = diskFiles, by: Signer | undefined = signer): Promise<Archive> =>
    Archive.open({
      folder,
      files,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      signer: by,
      settings: { segmentMs: SEGMENT_SECONDS * 1000 },
    });

  /** Six files of each of two cameras. */
  async function record(): Promise<void> {
    const archive = await open();
    for (const name of ["a", "b"]) {
      const camera = new GroupCamera();
      const recorder = archive.recorder(name, "main");
      recorder.describe([VIDEO_TRACK]);
      for (let index = 0; index < SEGMENTS * SEGMENT_SECONDS * 25; index += 1)
        recorder.push(camera.group(0, videoSample(index)));
      await recorder.idle();
    }
    await archive.close();
  }

  /** Lets retention keep the newest files of camera "a". */
  async function keep(count: number, files: Files = diskFiles): Promise<void> {
    const archive = await open(files);
    try {
      const catalog = await Catalog.open(`${folder}/catalog.db`);
      const rows = await catalog.segments.after("a", "main", { startUs: 0, file: "" });
      await catalog.close();
      const maxBytes = rows.slice(rows.length - count).reduce((sum, { bytes }) => sum + bytes, 0);
      archive.retain("a", { maxBytes });
      await archive.tidy();
    } finally {
      await archive.close();
    }
  }

  async function filesOf(camera: string): Promise<readonly string[]> {
    const names = await readdir(join(folder, camera), { recursive: true });
    return names
      .filter((name) => name.endsWith(".mp4"))
      .map((name) => join(folder, camera, name))
      .toSorted();
  }

  async function report(): Promise<Report> {
    const paths = [...(await filesOf("a")), ...(await filesOf("b"))];
    const trust = trustIn([certificateOf(signer.certificate)]);
    return verify({ files: diskFiles, paths, trust, archive: { folder, camera: undefined } });
  }

  const said = ({ stretches }: Report): readonly string[] =>
    stretches.filter(({ verdict }) => verdict !== "ok").map(({ verdict, camera }) => `${verdict} ${camera}`.trim());

  async function disagreements(): Promise<readonly string[]> {
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    const found = await findings(folder, catalog);
    await catalog.close();
    return found.map(({ file, what }) => `${file.split("/", 1)[0]}: ${what}`);
  }

  const statement = (): string => join(folder, "statements.d", "removed.txt");

  it("are told apart from missing ones: from when to when, why, and that it was retention", async () => {
    await keep(2);
    const found = await report();
    expect(said(found)).to.deep.equal(["removed a"]);
    expect(exitCodeOf(found)).to.equal(0);
    const [removed] = found.stretches.filter(({ verdict }) => verdict === "removed");
    expect(((removed?.toUs ?? 0) - (removed?.fromUs ?? 0)) / 1_000_000).to.be.closeTo(4 * SEGMENT_SECONDS, 0.01);
    expect(removed?.why).to.equal(`4 files by retention, ${TIME}: the camera had more than is kept of it`);
    expect(await disagreements()).to.deep.equal([]);
  });

  it("are one stretch, however often something is removed, in one statement that names the one before", async () => {
    const before = await removalsIn(diskFiles, folder);
    for (const count of [5, 4, 2]) await keep(count);
    const found = await removalsIn(diskFiles, folder);
    expect(found?.removals.ranges).to.have.length(1);
    expect(found?.removals.ranges[0]).to.include({ segments: 4, holes: 0, previous: "00".repeat(32) });
    expect([before?.removals.seq, found?.removals.seq]).to.deep.equal([1, 4]);
    expect(found?.removals.prev)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(before?.hash);
    expect(said(await report())).to.deep.equal(["removed a"]);
  });

  it("leave a lock where it is, and a stretch on either side of it", async () => {
    const archive = await open();
    const at = (second: number) => unixMillis(START_MS + second * 1000);
    const mark = { kind: "lock", camera: "a", from: at(4.5), to: at(5), text: "case", who: "anna" } as const;
    const { id } = await archive.journal.mark({ ...mark, madeAt: at(0) });
    archive.retain("a", { maxBytes: 0 });
    await archive.tidy();
    expect(await filesOf("a")).to.have.length(1);
    expect(said(await report())).to.deep.equal(["removed a", "removed a"]);
    await archive.journal.unmark("a", "lock", id);
    await archive.tidy();
    await archive.close();
    expect(said(await report())).to.deep.equal(["removed a"]);
  });

  it("say nothing of what was removed before there were statements", async () => {
    const [first = ""] = await filesOf("a");
    await rm(first);
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    const [oldest] = await catalog.segments.oldest(1, "a");
    const stored = { file: oldest?.file ?? "", volume: "main" };
    await catalog.doomed.add([stored]);
    await catalog.doomed.gone(stored.volume, [stored.file]);
    await catalog.close();
    await rm(join(folder, "statements.d"), { recursive: true });
    await (await open()).close();
    expect(said(await report())).to.deep.equal([]);
    expect(await disagreements()).to.deep.equal([]);
    await keep(2);
    expect(said(await report())).to.deep.equal(["removed a"]);
  });

  interface Tampering {
    readonly name: string;
    /** Two files of "a" are left, and four were removed. */
    readonly change: () => Promise<void>;
    readonly said: readonly string[];
  }

  const TAMPERINGS: readonly Tampering[] = [
    {
      name: "the oldest file is taken away",
      change: async () => rm((await filesOf("a"))[0] ?? ""),
      said: ["missing a", "removed a"],
    },
    {
      name: "the oldest file of a camera of which nothing was removed is taken away",
      change: async () => rm((await filesOf("b"))[0] ?? ""),
      said: ["missing b", "removed a"],
    },
    {
      name: "a bit of the statement is flipped",
      change: async () => {
        const text = await readFile(statement(), "utf8");
        await writeFile(statement(), text.replace('"segments":4', '"segments":5'));
      },
      said: ["changed"],
    },
    {
      name: "the statement is no statement",
      change: () => writeFile(statement(), "{}\n"),
      said: ["changed"],
    },
    {
      name: "somebody else makes a statement",
      change: async () => {
        const other = await makeSigner();
        await rm(statement());
        await (await open(diskFiles, other)).close();
      },
      said: ["unsigned", "unsigned"],
    },
    {
      name: "an older statement is put in its place",
      change: async () => copyFile(join(folder, "older"), statement()),
      said: ["missing a", "removed a", "missing"],
    },
  ];
  for (const { name, change, said: expected } of TAMPERINGS)
    it(`notice that ${name}`, async () => {
      await keep(4);
      await copyFile(statement(), join(folder, "older"));
      await keep(2);
      await change();
      const found = await report();
      expect(said(found)).to.deep.equal(expected);
      expect(exitCodeOf(found)).not.to.equal(0);
    });

  it("are not stated where somebody else had removed them", async () => {
    const [, second = ""] = await filesOf("a");
    await rm(second);
    await keep(2);
    expect(said(await report())).to.have.members(["removed a", "removed a", "missing a"]);
  });

  it("get no new signature for what another has stated: that is put aside", async () => {
    await keep(2);
    const other = await makeSigner();
    await (await open(diskFiles, other)).close();
    const ofOther = await removalsIn(diskFiles, folder);
    expect(ofOther?.removals.ranges.flatMap(({ why }) => why)).to.deep.equal(["unknown"]);
    expect((await readdir(join(folder, "statements.d"))).filter((one) => /^removed.*aside$/.test(one))).to.have.length(
      1,
    );
  });

  /** A disk that is gone at the `count`th call, as for a process that was killed there. */
  function gone(count: number): { readonly files: Files; readonly calls: () => number } {
    let calls = 0;
    const counted = <A extends unknown[], R>(act: (...all: A) => Promise<R>) => {
      return async (...all: A): Promise<R> => {
        calls += 1;
        if (calls > count) throw Object.assign(new Error("gone"), { code: "EIO" });
        return act(...all);
      };
    };
    const files: Files = {
      ...diskFiles,
      open: counted(async (path: string, mode: "create" | "edit" | "read") => {
        const file = await diskFiles.open(path, mode);
        return {
          ...file,
          write: counted((buffers: readonly Uint8Array[], position: number) => file.write(buffers, position)),
          datasync: counted(() => file.datasync()),
        };
      }),
      rename: counted((from: string, to: string) => diskFiles.rename(from, to)),
      remove: counted((path: string) => diskFiles.remove(path)),
      removeEmptyFolder: counted((path: string) => diskFiles.removeEmptyFolder(path)),
      syncFolder: counted((path: string) => diskFiles.syncFolder(path)),
    };
    return { files, calls: () => calls };
  }

  it("are never missing, at whatever step a process ends that removes them", async () => {
    const saved = `${folder}-saved`;
    await cp(folder, saved, { recursive: true });
    const steps = gone(Number.POSITIVE_INFINITY);
    await keep(2, steps.files);
    expect(steps.calls()).to.be.greaterThan(15);
    for (let step = 0; step < steps.calls(); step += 1) {
      await rm(folder, { recursive: true });
      await cp(saved, folder, { recursive: true });
      await keep(2, gone(step).files).catch(() => undefined);
      expect(new Set(said(await report())), `ended at step ${step}`).to.satisfy((all: Set<string>) =>
        [...all].every((one) => one === "removed a"),
      );
      await keep(2);
      expect(said(await report()), `started again after step ${step}`).to.deep.equal(["removed a"]);
      expect(await filesOf("a")).to.have.length(2);
      expect(await disagreements()).to.deep.equal([]);
    }
    await rm(saved, { recursive: true });
  });

  it("are explained where a power cut has undone what the catalog knew of their removal", async () => {
    const before = join(folder, "before.db");
    await copyFile(join(folder, "catalog.db"), before);
    await keep(2);
    await copyFile(before, join(folder, "catalog.db"));
    expect(await disagreements()).to.deep.equal(
      Array.from({ length: 4 }).fill(
        "a: is in the catalog and not on the disk: retention has removed it, as is stated, and a power cut has undone its row's removal",
      ),
    );
    expect(said(await report())).to.deep.equal(["removed a"]);
    await keep(2);
    expect(await disagreements()).to.deep.equal([]);
  });

  it("go, and are stated behind, while the disk is so full that it takes no statement", async () => {
    let isFull = true;
    const files: Files = {
      ...diskFiles,
      open: async (path, mode) => {
        if (mode === "create" && isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
        return diskFiles.open(path, mode);
      },
      remove: async (path) => {
        if (path.endsWith(".mp4")) isFull = false;
        await diskFiles.remove(path);
      },
    };
    await keep(2, files);
    expect(await filesOf("a")).to.have.length(2);
    expect(said(await report())).to.deep.equal(["removed a"]);
  });

  describe("by two at once, as when a disk comes back while retention is at work", () => {
    let catalog: Catalog;
    let rows: readonly SegmentRow[];
    const removing = async (files: Files): Promise<DoomedPlace & { readonly removals: RemovalLog }> => {
      const volumes = oneVolume(folder, catalog);
      const place = { files, volumes, catalog, log: silentLog() };
      const removals = await RemovalLog.open({ ...place, folder, clock, signer, anchor: () => undefined });
      return { ...place, removals, volume: volumes.main };
    };
    beforeEach(async () => {
      catalog = await Catalog.open(`${folder}/catalog.db`);
      rows = await catalog.segments.after("a", "main", { startUs: 0, file: "" });
    });
    afterEach(() => catalog.close());

    it("are in one statement after the other", async () => {
      const { removals } = await removing(diskFiles);
      await catalog.doomed.add(rows.slice(0, 2), "age");
      await Promise.all((await catalog.doomed.all()).map((one) => removals.state([one])));
      const [range] = (await removalsIn(diskFiles, folder))?.removals.ranges ?? [];
      expect(range?.segments).to.equal(2);
    });

    it("are stated also where they are doomed while a statement is written", async () => {
      const late = rows.slice(1, 2);
      const place = await removing({
        ...diskFiles,
        rename: async (from, to) => {
          if (to === statement()) await catalog.doomed.add(late.splice(0), "age");
          await diskFiles.rename(from, to);
        },
      });
      await catalog.doomed.add(rows.slice(0, 1), "age");
      await removeDoomed(place);
      await removeDoomed(place);
      expect(await filesOf("a")).to.have.length(4);
      expect(said(await report())).to.deep.equal(["removed a"]);
    });
  });
});
