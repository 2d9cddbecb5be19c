import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { openDatabase } from "../../base/database.ts";
import { DAY, MINUTE } from "../../base/units.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { catalogMigrations } from "../../recorder/catalog-schema.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { MARK_FILE } from "../../recorder/volume-mark.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, videoSample } from "../support/recorder-samples.ts";
import { VolumeSite } from "../support/volume-site.ts";

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

describe("recording on several volumes", () => {
  let site: VolumeSite;
  beforeEach(async () => {
    site = await VolumeSite.make();
  });
  afterEach(() => site.close());

  interface Failure {
    readonly fail: () => Promise<void>;
    readonly mend: () => Promise<void>;
  }
  const refusing = (code: string, operations: readonly string[]): Failure => ({
    fail: async () => {
      const isOnFast = (path: string): boolean => path.startsWith(`${site.folder}/fast/`);
      site.files.decide = (operation, path) =>
        isOnFast(path) && operations.includes(operation) && !path.endsWith(MARK_FILE) ? code : undefined;
    },
    mend: async () => {
      site.files.decide = () => undefined;
    },
  });
  const CHANGES = ["write", "rename", "truncate", "syncFolder"];
  const rows: readonly (readonly [what: string, failure: Failure])[] = [
    ["it is full", refusing("ENOSPC", ["write"])],
    ["it is read-only", refusing("EROFS", CHANGES)],
    ["it fails", refusing("EIO", [...CHANGES, "open", "datasync"])],
    ["its files cannot be flushed", refusing("EIO", ["datasync"])],
    [
      "it is unmounted, and an empty folder is in its place",
      { fail: () => site.takeAway("fast"), mend: () => site.bringBack("fast") },
    ],
  ];
  for (const [what, { fail, mend }] of rows)
    it(`goes on at once on another one, loses nothing, and comes back: ${what}`, async () => {
      await site.addVolume("fast");
      await site.addVolume("other");
      await site.open();
      const recorder = site.recorder("gate", "fast");
      await site.record(recorder, 12);
      await fail();
      await site.record(recorder, 25);
      expect(recorder.problem).to.equal(undefined);
      expect(site.told.at(-1)).to.match(/^the volume fast /);
      expect((await site.segments())["other"]).to.be.at.least(1);
      // What was being written is told to be missing until it can be looked for.
      expect((await site.gaps()).map(({ cause }) => cause)).to.include.oneOf(["disk", "away"]);
      expect((await site.played()).filter((one) => one >= 525)).to.deep.equal(range(525, site.picture - 25));
      await mend();
      await site.clock.advance(10 * MINUTE);
      await site.look();
      await site.record(recorder, 25);
      expect(site.told.at(-1)).to.equal(undefined);
      const status = await site.archive.volumes();
      expect(status.map(({ name, state, streams }) => [name, state, streams])).to.deep.equal([
        ["main", "here", 0],
        ["fast", "here", 1],
        ["other", "here", 0],
      ]);
      await recorder.close();
      expect(await site.played()).to.deep.equal(range(0, site.picture));
      expect(await site.gaps()).to.deep.equal([]);
      expect(await site.findings()).to.deep.equal([]);
    });

  it("records to the main folder only while no hot volume can be written, and to the archive only then too", async () => {
    await site.addVolume("fast");
    await site.addVolume("old", "archive");
    await site.open();
    const recorder = site.recorder();
    await site.record(recorder, 15);
    await site.takeAway("fast");
    await site.record(recorder, 15);
    site.files.decide = (operation, path) =>
      operation === "write" && path.startsWith(`${site.folder}/main/`) ? "ENOSPC" : undefined;
    await site.record(recorder, 15);
    const status = await site.archive.volumes();
    expect(status.map(({ name, state }) => [name, state])).to.deep.equal([
      ["main", "failing"],
      ["fast", "away"],
      ["old", "here"],
    ]);
    expect(Object.keys(await site.segments())).to.have.members(["main", "fast", "old"]);
    expect(await readdir(`${site.folder}/fast`)).to.deep.equal([]);
    site.files.decide = () => undefined;
    await site.bringBack("fast");
    await site.clock.advance(10 * MINUTE);
    await site.look();
    await site.record(recorder, 12);
    await recorder.close();
    expect(await site.played()).to.deep.equal(range(0, site.picture));
    expect(await site.findings()).to.deep.equal([]);
  });

  it("spreads streams by the room that each disk has for recordings", async () => {
    await site.addVolume("small", "hot", { maxBytes: 1e9 });
    await site.addVolume("large", "hot", { maxBytes: 3e9 });
    await site.open();
    for (const index of range(0, 8)) {
      const recorder = site.recorder(`camera${index}`);
      await site.record(recorder, 2);
    }
    const streams = Object.fromEntries((await site.archive.volumes()).map((one) => [one.name, one.streams]));
    expect(streams).to.deep.equal({ main: 0, small: 2, large: 6 });
  });

  it("calls that volume slow which does not take what comes, and leaves the others the memory that they need", async () => {
    await site.addVolume("slow");
    await site.addVolume("sound");
    await site.open({ memoryBytes: 12_000_000 });
    const streamTo = (volume: string): { recorder: StreamRecorder; push: (pictures: number) => void } => {
      const [recorder, camera] = [site.recorder(`on-${volume}`, volume), new GroupCamera()];
      const push = (pictures: number): void => {
        for (let index = 0; index < pictures; index += 1)
          recorder.push(camera.group(0, videoSample(site.picture++, { bytes: 100_000 })));
      };
      return { recorder, push };
    };
    const [one, two] = [streamTo("slow"), streamTo("sound")];
    for (const { recorder, push } of [one, two]) {
      push(50);
      await recorder.idle();
    }
    let release: () => void = () => undefined;
    site.files.gate = new Promise((resolve) => {
      release = resolve;
    });
    one.push(200);
    // What is written from now on is not held up.
    await new Promise((resolve) => setImmediate(resolve));
    site.files.gate = Promise.resolve();
    two.push(30);
    await two.recorder.idle();
    const states = Object.fromEntries((await site.archive.volumes()).map(({ name, state }) => [name, state]));
    release();
    expect(states).to.deep.equal({ main: "here", slow: "failing", sound: "here" });
    await one.recorder.idle();
    expect((await site.gaps("on-slow")).map(({ cause }) => cause)).to.deep.equal(["disk"]);
    expect(await site.gaps("on-sound")).to.deep.equal([]);
    await Promise.all([one.recorder.close(), two.recorder.close()]);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("gives up a volume whose recordings are many, or last no time at all", async () => {
    await site.addVolume("lost");
    await site.open();
    await site.archive.close();
    await site.withCatalog(site.folder, async (catalog) => {
      for (const index of range(0, 1003)) {
        const startUs = START_MS * 1000 + index * 10_000_000;
        const times = { startUs, endUs: startUs + (index % 2) * 1_000_000, time: undefined, cameraAheadMs: undefined };
        const place = { camera: "gate", stream: "main", file: `gate/${index}.mp4`, volume: "lost" };
        await catalog.sealed({ ...place, ...times, bytes: 7, tracks: "[]", seal: Buffer.alloc(32) });
      }
      expect(await catalog.volumes.forget("lost", "it is lost")).to.equal(1003);
      expect(await catalog.segments.oldest(1)).to.deep.equal([]);
      expect(await catalog.volumes.held()).to.deep.equal([]);
      const gaps = await catalog.gaps.touching("gate", "main", 0, Number.MAX_SAFE_INTEGER);
      expect(gaps.length).to.equal(1000);
      await catalog.gaps.forget("gate", (gaps.at(-1)?.toUs ?? 0) + 1);
      expect((await catalog.gaps.touching("gate", "main", 0, Number.MAX_SAFE_INTEGER)).length).to.equal(3);
    });
  });

  it("holds each volume to its own bytes and its own room", async () => {
    await site.addVolume("a", "hot", { maxBytes: 250_000 });
    await site.addVolume("b", "hot", { keepFreeBytes: 1000 });
    await site.open();
    const [one, two] = [site.recorder("one", "a"), site.recorder("two", "b")];
    await site.record(one, 45);
    await site.record(two, 45);
    await Promise.all([one.close(), two.close()]);
    const before = await site.segments();
    await site.archive.tidy();
    const status = await site.archive.volumes();
    expect(status.find(({ name }) => name === "a")?.bytes).to.be.within(1, 250_000);
    expect((await site.segments())["a"]).to.equal(2);
    expect((await site.segments())["b"]).to.equal(before["b"]);
    const held = status.find(({ name }) => name === "b")?.bytes ?? 0;
    site.files.freeBytes = async (path) => (path.endsWith("/b") ? 999 : 1e12);
    const kept = (await site.segments())["a"];
    await site.archive.tidy();
    expect(await site.segments()).to.deep.equal({ a: kept, b: (before["b"] ?? 0) - 1 });
    expect((await site.archive.volumes()).find(({ name }) => name === "b")?.bytes).to.be.lessThan(held);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("records elsewhere before it breaks a minimum, and breaks it where there is no other", async () => {
    await site.addVolume("a", "hot", { maxBytes: 1 });
    await site.addVolume("b");
    await site.open({ retention: { minAgeMs: DAY } });
    const recorder = site.recorder("gate", "a");
    await site.record(recorder, 25);
    await site.archive.tidy();
    expect(site.told.at(-1)).to.match(/^the volume a .* is full, and nothing on it may be deleted$/);
    const before = await site.segments();
    await site.record(recorder, 20);
    expect((await site.segments())["b"]).to.be.at.least(1);
    expect((await site.segments())["a"]).to.be.at.least(before["a"] ?? 0);
    for (const name of ["b", "main"]) await site.takeAway(name);
    await site.archive.tidy();
    expect((await site.segments())["a"]).to.equal(undefined);
    for (const name of ["b", "main"]) await site.bringBack(name);
  });

  describe("of which one is not there at the start", () => {
    beforeEach(async () => {
      await site.addVolume("fast");
      await site.open();
      const recorder = site.recorder();
      await site.record(recorder, 25);
      await recorder.close();
      await site.archive.close();
      await site.takeAway("fast");
    });

    it("starts, says so, keeps what is known of it, and has it again when it is back", async () => {
      await site.open({ retention: { maxAgeMs: 1 } });
      expect(site.told).to.include(`the volume fast is not there: its disk is not mounted at ${site.folder}/fast`);
      expect(await site.played()).to.deep.equal([]);
      const [gap] = await site.archive.gaps("gate", 0 as never, (2 ** 52) as never);
      expect(gap).to.include({ cause: "away", reason: "it is on the volume fast, which is not there now" });
      await site.clock.advance(DAY);
      await site.archive.tidy();
      expect(await site.segments()).to.deep.equal({ fast: 3 });
      const recorder = site.recorder("yard");
      await site.record(recorder, 5);
      expect((await site.archive.volumes())[0]?.streams).to.equal(1);
      await recorder.close();
      await site.archive.close();
      await site.open();
      await site.bringBack("fast");
      await site.look();
      expect(await site.played()).to.deep.equal(range(0, 625));
      expect(await site.gaps()).to.deep.equal([]);
      expect(site.told.at(-1)).to.equal(undefined);
      expect(await site.findings()).to.deep.equal([]);
    });

    it("is told by a check, which compares the others", async () => {
      await site.open();
      expect(await site.findings()).to.deep.equal([
        { file: "", volume: "fast", what: "is not there now: 3 segments on it are not compared" },
      ]);
      expect(await readdir(`${site.folder}/fast`)).to.deep.equal([]);
    });

    it("does not take another disk for it", async () => {
      await writeFile(`${site.folder}/fast/${MARK_FILE}`, "other\n");
      await site.open();
      const [, fast] = await site.archive.volumes();
      expect(fast?.problem).to.equal(
        `the volume fast is not there: the folder ${site.folder}/fast is that of the volume other`,
      );
      for (const bad of ["", "other", "../other\n", "x".repeat(5000)]) {
        await writeFile(`${site.folder}/fast/${MARK_FILE}`, bad);
        expect((await site.archive.volumes())[1]?.state, bad.slice(0, 20)).to.equal("away");
      }
    });
  });

  it("makes the catalog anew from all volumes, also where two have recordings of one name", async () => {
    await site.addVolume("a");
    await site.addVolume("b");
    await site.open();
    const [one, two] = [site.recorder("gate", "a"), site.recorder("gate", "b", "sub")];
    await site.record(one, 15);
    site.picture = 0;
    await site.record(two, 15);
    await Promise.all([one.close(), two.close()]);
    await site.archive.close();
    const hour = "gate/2026-11-24/13";
    // As when each was recorded while the other disk, or the catalog, was away.
    await rename(`${site.folder}/b/${hour}/05-00.000Z-1.mp4`, `${site.folder}/b/${hour}/05-00.000Z-0.mp4`);
    await site.loseCatalog();
    await site.open();
    expect(await site.played()).to.deep.equal(range(0, 375));
    expect(await site.played("gate", "sub")).to.deep.equal(range(0, 375));
    expect(await site.segments()).to.deep.equal({ a: 2, b: 3 });
    expect(await site.findings()).to.deep.equal([]);
  });

  it("enters once what two volumes have the same of, and removes the other", async () => {
    await site.addVolume("a");
    await site.addVolume("b");
    await site.open();
    const recorder = site.recorder("gate", "a");
    await site.record(recorder, 15);
    await recorder.close();
    await site.archive.close();
    await cp(`${site.folder}/a/gate`, `${site.folder}/b/gate`, { recursive: true });
    await site.loseCatalog();
    await site.open();
    expect(await site.played()).to.deep.equal(range(0, 375));
    expect(await site.segments()).to.deep.equal({ a: 2 });
    expect(await readdir(`${site.folder}/b/gate`)).to.deep.equal([]);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("does not take the main folder for another volume, however it is named, and removes nothing in it", async () => {
    await site.open();
    const recorder = site.recorder();
    await site.record(recorder, 15);
    await recorder.close();
    await site.archive.close();
    await site.addVolume("a");
    await rm(`${site.folder}/a`, { recursive: true });
    await symlink(`${site.folder}/main`, `${site.folder}/a`);
    await site.open();
    const [, other] = await site.archive.volumes();
    expect(other?.problem).to.equal(
      `the volume a is not there: the folder ${site.folder}/a is that of the volume main`,
    );
    expect(await site.played()).to.deep.equal(range(0, 375));
    expect(await site.segments()).to.deep.equal({ main: 2 });
  });

  it("does not open a folder of another volume, or one that is not there", async () => {
    await site.addVolume("a");
    await site.open();
    await site.archive.close();
    site.volumes[0] = { ...(site.volumes[0] as NonNullable<(typeof site.volumes)[0]>), name: "b" };
    site.volumes.push({ ...site.volumes[0], name: "c" });
    await rm(`${site.folder}/b`, { recursive: true, force: true });
    await site.open();
    const problems = (await site.archive.volumes()).map(({ problem }) => problem);
    expect(problems).to.deep.equal([
      undefined,
      `the volume b is not there: there is no folder ${site.folder}/b`,
      `the volume c is not there: there is no folder ${site.folder}/c`,
    ]);
  });

  it("opens what was recorded before there were volumes", async () => {
    expect(catalogMigrations).to.include.keys("0005-volumes");
    const before = Object.fromEntries(Object.entries(catalogMigrations).filter(([name]) => name < "0005"));
    await mkdir(`${site.folder}/main`);
    const old = await openDatabase<Record<string, Record<string, unknown>>>(
      `${site.folder}/main/${CATALOG_FILE}`,
      before,
    );
    const times = { startUs: 1e6, endUs: 2e6, bytes: 7 };
    await old.query.insertInto("descriptions").values({ id: 1, tracks: "[]" }).execute();
    const row = {
      camera: "gate",
      stream: "main",
      ...times,
      file: "gate/x.mp4",
      description: 1,
      seal: Buffer.alloc(32),
    };
    await old.query.insertInto("segments").values(row).execute();
    await old.query.insertInto("totals").values({ camera: "gate", bytes: 7, segments: 1 }).execute();
    await old.query.insertInto("doomed").values({ file: "gate/y.mp4" }).execute();
    await old.query.insertInto("opened").values({ file: "gate/z.mp4" }).execute();
    await old.close();
    await site.withCatalog(site.folder, async (catalog) => {
      expect((await catalog.segments.oldest(5)).map(({ file, volume }) => [file, volume])).to.deep.equal([
        ["gate/x.mp4", "main"],
      ]);
      expect(await catalog.volumes.held()).to.deep.equal([{ camera: "gate", volume: "main", bytes: 7, segments: 1 }]);
      expect(await catalog.doomed.all()).to.deep.equal([{ file: "gate/y.mp4", volume: "main", facts: undefined }]);
      expect(await catalog.opened()).to.deep.equal([{ file: "gate/z.mp4", volume: "main", keepBytes: null }]);
    });
    await site.open();
    expect((await site.archive.volumes())[0]).to.include({ name: "main", role: "hot", state: "here", segments: 1 });
  });
});
