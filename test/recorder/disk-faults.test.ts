import { mkdir, rename } from "node:fs/promises";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { MINUTE, unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { check, type Finding } from "../../recorder/check.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import { oneVolume } from "../support/one-volume.ts";
import { FaultyFiles, findings } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const never = new AbortController().signal;

describe("an archive on a disk that fails", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let clock: VirtualClock;
  let files: FaultyFiles;
  let archive: Archive;
  let recorder: StreamRecorder;
  let camera: GroupCamera;
  let told: (string | undefined)[];
  let picture = 0;

  const open = async (): Promise<void> => {
    const settings = { segmentMs: 10_000, flushMs: 0 };
    archive = await Archive.open({ folder, files, clock, log: silentLog(), metrics: new Metrics(), settings });
    told = [];
    archive.troubles.watch((words) => void told.push(words));
    recorder = archive.recorder("gate", "main");
    recorder.describe([VIDEO_TRACK]);
    camera = new GroupCamera();
  };
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    clock = new VirtualClock(unixMillis(START_MS));
    files = new FaultyFiles();
    picture = 0;
    await open();
  });
  afterEach(async () => {
    await archive.close().catch(() => undefined);
    await remove();
  });

  async function record(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      for (let index = 0; index < 25; index += 1) recorder.push(camera.group(0, videoSample(picture++)));
      await recorder.idle();
      await clock.advance(1000);
    }
  }
  const played = async (): Promise<readonly number[]> =>
    (await Array.fromAsync(archive.source("gate").read({ from: unixMillis(START_MS) }, never))).map(indexInGroup);
  const gaps = async (): Promise<readonly (readonly [string, string])[]> =>
    (await archive.gaps("gate", unixMillis(0), unixMillis(START_MS * 2))).map(({ cause, reason }) => [cause, reason]);
  const problems = async (): Promise<readonly Finding[]> => {
    await archive.close();
    const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
    try {
      return await findings(folder, catalog);
    } finally {
      await catalog.close();
    }
  };

  interface Failure {
    readonly fail: () => Promise<void>;
    readonly mend: () => Promise<void>;
  }
  const refusing = (code: string): Failure => ({
    fail: async () => {
      files.decide = (operation) => (operation === "datasync" ? undefined : code);
    },
    mend: async () => {
      files.decide = () => undefined;
    },
  });
  const vanishing: Failure = {
    fail: async () => {
      await rename(folder, `${folder}-away`);
      await mkdir(folder);
    },
    // Goes over an empty folder alone: nothing may have been put there.
    mend: () => rename(`${folder}-away`, folder),
  };
  const rows: readonly (readonly [what: string, failure: Failure, words: string])[] = [
    ...["ENOSPC", "EIO", "EROFS"].map((code) => [code, refusing(code), `the disk fails: ${code}`] as const),
    ["it vanishes, with an empty folder in its place", vanishing, "the disk with the recordings is not there"],
  ];
  for (const [what, { fail, mend }, words] of rows)
    it(`raises an alarm at once, goes on when it can, and leaves nothing broken: ${what}`, async () => {
      await record(12);
      await fail();
      await record(15);
      expect(told.at(-1)).to.equal(words);
      expect(recorder.problem).to.equal(words);
      await archive.tidy();
      await mend();
      // The longest pause between two attempts.
      await clock.advance(30_000);
      picture += 30 * 25;
      await record(25);
      expect(told.at(-1)).to.equal(undefined);
      expect(recorder.problem).to.equal(undefined);
      expect((await gaps()).map(([cause]) => cause)).to.include("disk");
      const indices = await played();
      expect(indices).to.deep.equal([...new Set(indices)].sort((a, b) => a - b));
      // All before it, up to the segment that was open; all that came after it.
      expect(indices).to.include.members(Array.from({ length: 225 }, (_, index) => index));
      expect(indices.at(-1)).to.be.at.least(picture - 26);
      expect(await problems()).to.deep.equal([]);
    });

  it("removes nothing while it is away, and what is too old when it is back", async () => {
    await record(25);
    recorder.gap({ cause: "camera", why: "away" });
    await recorder.idle();
    await rename(folder, `${folder}-away`);
    await mkdir(folder);
    archive.retain("gate", { maxAgeMs: 1 });
    await clock.advance(10 * MINUTE);
    await archive.tidy();
    await rename(`${folder}-away`, folder);
    expect((await played()).length).to.be.greaterThan(600);
    await archive.tidy();
    expect(await played()).to.deep.equal([]);
    expect(await problems()).to.deep.equal([]);
  });

  it("says that it is too slow, and when it no longer is", async () => {
    let release: () => void = () => undefined;
    files.gate = new Promise((resolve) => {
      release = resolve;
    });
    for (let index = 0; index < 1000; index += 1)
      recorder.push(camera.group(0, videoSample(index, { bytes: 100_000 })));
    expect(told.at(-1)).to.equal("the disk is too slow: recording has gaps");
    release();
    await recorder.idle();
    picture = 1000;
    await record(3);
    expect(told.at(-1)).to.equal(undefined);
    expect((await gaps()).map(([cause]) => cause)).to.deep.equal(["disk"]);
  });

  it("tells in a check which files it cannot read, and goes on with the others", async () => {
    await record(35);
    await archive.close();
    const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
    const [first] = await catalog.segments.oldest(1);
    files.decide = (operation, path) => (operation === "open" && path.endsWith(first?.file ?? "") ? "EIO" : undefined);
    const found = await Array.fromAsync(check({ volumes: oneVolume(folder, catalog), files, catalog, verify: true }));
    await catalog.close();
    files.decide = () => undefined;
    expect(found.map(({ file }) => file)).to.include(first?.file);
    expect(found[0]?.what).to.match(/^cannot be read \(EIO\): the disk fails here/);
    expect(found.length).to.be.lessThan(3);
  });
});
