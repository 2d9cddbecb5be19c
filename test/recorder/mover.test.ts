import { cp, readdir, rm } from "node:fs/promises";
import { expect } from "chai";
import { HOUR, MINUTE, unixMillis } from "../../base/units.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { diskFiles, type Files, type OpenFile } from "../../recorder/files.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { Flushed } from "../support/flushed.ts";
import { indexInGroup } from "../support/group-camera.ts";
import { START_MS } from "../support/recorder-samples.ts";
import { VolumeSite } from "../support/volume-site.ts";

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

const never = new AbortController().signal;
const ARCHIVING = { afterMs: HOUR, bytesPerSecond: Number.POSITIVE_INFINITY };
/** Nothing is moved by itself. */
const LATER = { archiving: undefined };

describe("bringing recordings to the archive", () => {
  let site: VolumeSite;
  let flushed: Flushed;
  beforeEach(async () => {
    site = await VolumeSite.make();
    await site.addVolume("hot");
    await site.addVolume("old", "archive");
    flushed = await Flushed.watch();
  });
  afterEach(async () => {
    flushed.close();
    await site.close();
  });

  /** Three segments, the last of which is closed. */
  async function record(): Promise<void> {
    await site.open(LATER);
    const recorder = site.recorder();
    await site.record(recorder, 25);
    await recorder.close();
    await site.archive.close();
  }

  it("moves what is older, and leaves what is not", async () => {
    await site.open({ archiving: { ...ARCHIVING, afterMs: 12_000 } });
    const recorder: StreamRecorder = site.recorder();
    await site.record(recorder, 15);
    await site.record(recorder, 10);
    await site.archive.move();
    await site.archive.move();
    await recorder.close();
    expect(await site.segments()).to.deep.equal({ hot: 2, old: 1 });
    expect(await site.played()).to.deep.equal(range(0, 625));
    await site.clock.advance(HOUR);
    await site.archive.move();
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ old: 3 });
    expect(await site.played()).to.deep.equal(range(0, 625));
    expect(await readdir(`${site.folder}/hot/gate`)).to.deep.equal([]);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("moves the oldest sooner where the disk is nearly full, before anything is deleted", async () => {
    await record();
    const [volume] = site.volumes;
    const bytes = (await site.rows()).reduce((sum, row) => sum + row.bytes, 0);
    site.volumes[0] = { ...(volume as NonNullable<typeof volume>), maxBytes: bytes };
    await site.open({ archiving: ARCHIVING });
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ hot: 2, old: 1 });
    await site.archive.tidy();
    expect(await site.segments()).to.deep.equal({ hot: 2, old: 1 });
    expect(await site.findings()).to.deep.equal([]);
  });

  it("is no faster than it is told", async () => {
    await record();
    const bytes = (await site.rows()).reduce((sum, row) => sum + row.bytes, 0);
    await site.clock.advance(2 * HOUR);
    const begun = site.clock.monotonic();
    await site.open({ archiving: { ...ARCHIVING, bytesPerSecond: bytes / 100 } });
    const awake = site.clock.pending;
    const ended = new AbortController();
    const moving = site.archive.move().then(() => ended.abort());
    // Time goes on only while it waits for it.
    while (!ended.signal.aborted)
      if (site.clock.pending > awake) await site.clock.advance(100);
      else await new Promise((resolve) => setImmediate(resolve));
    await moving;
    expect(site.clock.monotonic() - begun).to.be.within(99_000, 101_000);
    expect(await site.segments()).to.deep.equal({ old: 3 });
    expect(await site.findings()).to.deep.equal([]);
  });

  it("plays on while what is played is moved", async () => {
    await record();
    await site.clock.advance(2 * HOUR);
    await site.open({ archiving: ARCHIVING });
    const seen: number[] = [];
    for await (const group of site.archive.source("gate").read({ from: unixMillis(START_MS) }, never)) {
      if (seen.length === 100) await site.archive.move();
      seen.push(indexInGroup(group));
    }
    expect(seen).to.deep.equal(range(0, 625));
    expect(await site.segments()).to.deep.equal({ old: 3 });
  });

  const failures: readonly (readonly [what: string, code: string, operation: string, state: string])[] = [
    ["the archive is full", "ENOSPC", "write", "failing"],
    ["the archive cannot be flushed", "EIO", "datasync", "failing"],
    ["the copy cannot be given its name", "EROFS", "rename", "failing"],
  ];
  for (const [what, code, operation, state] of failures)
    it(`leaves everything where it is, and goes on later: ${what}`, async () => {
      await record();
      await site.clock.advance(2 * HOUR);
      await site.open({ archiving: ARCHIVING });
      site.files.decide = (one, path) => (one === operation && path.includes("/old/gate/") ? code : undefined);
      await site.archive.move();
      expect(await site.segments()).to.deep.equal({ hot: 3 });
      expect(await site.played()).to.deep.equal(range(0, 625));
      expect((await site.archive.volumes())[2]?.state).to.equal(state);
      expect(site.told.at(-1)).to.match(/^the volume old .* cannot be written/);
      site.files.decide = () => undefined;
      await site.clock.advance(10 * MINUTE);
      await site.look();
      await site.archive.move();
      await site.archive.move();
      expect(await site.segments()).to.deep.equal({ old: 3 });
      expect(await site.findings()).to.deep.equal([]);
    });

  it("leaves a recording where it is that cannot be read, and moves the others", async () => {
    await record();
    const [first] = await site.rows();
    await site.clock.advance(2 * HOUR);
    await site.open({ archiving: ARCHIVING });
    site.files.decide = (operation, path) =>
      operation === "open" && path.endsWith(first?.file ?? "") ? "EIO" : undefined;
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ hot: 1, old: 2 });
    expect((await site.archive.volumes())[2]?.state).to.equal("here");
    site.files.decide = () => undefined;
    expect(await site.played()).to.deep.equal(range(0, 625));
    expect(await site.findings()).to.deep.equal([]);
  });

  it("goes on with all of it when a disk is back that went while it was read", async () => {
    await record();
    await site.clock.advance(2 * HOUR);
    await site.open({ archiving: ARCHIVING });
    let isGone = false;
    site.files.decide = (operation, path) =>
      operation === "open" && path.includes("/hot/") && isGone ? "EIO" : undefined;
    const open = site.files.open.bind(site.files);
    site.files.open = (path, mode) => {
      isGone ||= mode === "read" && path.includes("/hot/gate/");
      return open(path, mode);
    };
    await site.archive.move();
    expect((await site.archive.volumes()).map(({ state }) => state)).to.deep.equal(["here", "away", "here"]);
    site.files.open = open;
    isGone = false;
    await site.look();
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ old: 3 });
    expect(await site.findings()).to.deep.equal([]);
  });

  it("brings the others to another archive while a half copy cannot be removed from one, and leaves none", async () => {
    await site.addVolume("new", "archive", { maxBytes: 1e9 });
    await record();
    // The first is due now, the others later.
    await site.clock.advance(HOUR - 12_000);
    await site.open({ archiving: ARCHIVING });
    site.files.decide = (operation, path) => (operation === "write" && path.includes("/old/") ? "EROFS" : undefined);
    const remove = site.files.remove;
    site.files.remove = async (path) => {
      if (path.includes("/old/gate/") && (await diskFiles.exists(path)))
        throw Object.assign(new Error("EROFS"), { code: "EROFS" });
      await remove(path);
    };
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ hot: 3 });
    await site.clock.advance(HOUR);
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ hot: 1, new: 2 });
    site.files.remove = remove;
    await site.archive.move();
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ new: 3 });
    expect(await site.findings()).to.deep.equal([]);
    expect(await readdir(`${site.folder}/old/gate`)).to.deep.equal([]);
  });

  it("does not take a copy for good that is not what was read", async () => {
    await record();
    await site.clock.advance(2 * HOUR);
    const open = site.files.open.bind(site.files);
    site.files.open = async (path, mode) => {
      const file = await open(path, mode);
      if (mode !== "create" || !path.includes("/old/gate/")) return file;
      return { ...file, write: (buffers, at) => file.write([Buffer.alloc(buffers[0]?.length ?? 0)], at) };
    };
    await site.open({ archiving: ARCHIVING });
    await site.archive.move();
    expect(await site.segments()).to.deep.equal({ hot: 3 });
    expect(await site.findings()).to.deep.equal([]);
  });

  for (const [what, forgets] of [
    ["killed", false],
    ["cut off from power, with all that the catalog had not flushed gone", true],
  ] as const)
    it(`loses nothing, and has nothing twice, wherever it is ${what}`, async () => {
      await record();
      await site.clock.advance(2 * HOUR);
      const { folder } = site;
      const saved: string[] = [];
      site.files.open = async (path, mode) => watched(await diskFiles.open(path, mode));
      const save = async (): Promise<void> => {
        const to = `${folder}-at-${saved.length}`;
        await cp(folder, to, { recursive: true });
        if (forgets) await flushed.cut(`${to}/main/${CATALOG_FILE}`, `${folder}/main/${CATALOG_FILE}`);
        saved.push(to);
      };
      const watched = (file: OpenFile): OpenFile => ({
        ...file,
        write: async (...of) => {
          await save();
          await file.write(...of);
        },
        datasync: async () => {
          await save();
          await file.datasync();
        },
      });
      const changes = ["rename", "remove", "syncFolder", "removeEmptyFolder"] as const satisfies (keyof Files)[];
      for (const name of changes) {
        const act = site.files[name].bind(site.files) as (...of: string[]) => Promise<never>;
        site.files[name] = async (...of: string[]) => {
          await save();
          return act(...of);
        };
      }
      await site.open({ archiving: ARCHIVING });
      await site.archive.move();
      await site.archive.close();
      // Three segments: copied, flushed, named, their folder flushed, the originals removed.
      expect(saved.length).to.be.at.least(20);
      for (const name of [...changes, "open"] as const) site.files[name] = diskFiles[name] as never;
      for (const [index, from] of saved.entries()) {
        await site.open(LATER, from);
        expect(await site.played(), `at step ${index}`).to.deep.equal(range(0, 625));
        await site.archive.close();
        await site.open({ archiving: ARCHIVING }, from);
        await site.archive.move();
        await site.archive.move();
        expect(await site.segments(), `at step ${index}`).to.deep.equal({ old: 3 });
        expect(await site.played(), `at step ${index}`).to.deep.equal(range(0, 625));
        expect(await site.findings(from), `at step ${index}`).to.deep.equal([]);
        const left = await readdir(`${from}/hot`, { recursive: true });
        expect(
          left.filter((name) => /\.mp4/.test(name)),
          `at step ${index}`,
        ).to.deep.equal([]);
        await rm(from, { recursive: true });
      }
    });
});
