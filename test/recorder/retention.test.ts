import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { DAY, HOUR, unixMillis } from "../../base/units.ts";
import type { Catalog } from "../../recorder/catalog.ts";
import type { SegmentRow } from "../../recorder/catalog-rows.ts";
import { diskFiles } from "../../recorder/files.ts";
import { Retainer } from "../../recorder/retention.ts";
import { oneVolume } from "../support/one-volume.ts";
import { FaultyFiles, findings, Harness } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("retention", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let catalog: Catalog;
  let harness: Harness;
  const clock = new VirtualClock(unixMillis(START_MS + DAY));
  const files = new FaultyFiles();

  /** Four segments of 10 s for each of two cameras, an hour between the first and the second two. */
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    harness = await Harness.open(folder, { files, clock }, 10_000, "one");
    ({ catalog } = harness.context);
    const other = new Harness(harness.context, 10_000, "two");
    for (const each of [harness, other])
      for (const hour of [0, 1]) {
        for (let index = 0; index < 500; index += 1)
          each.fragmenter.push(0, videoSample(index, { startMs: START_MS + hour * HOUR }));
        each.fragmenter.end({ cause: "network", why: "the camera is away" });
        await each.writer.idle();
      }
  });

  afterEach(async () => {
    files.freeBytes = async () => 1e12;
    await catalog.close();
    await remove();
  });

  const starts = async (camera: string): Promise<number[]> =>
    (await rows(camera)).map((row) => row.startUs / 1_000_000 - START_MS / 1000);
  const rows = (camera: string): Promise<readonly SegmentRow[]> =>
    catalog.segments.after(camera, "main", { startUs: 0, file: "" });
  const retainer = (
    { keepFreeBytes = 0, ...bounds }: { readonly keepFreeBytes?: number; readonly maxBytes?: number } = {},
    each = {},
  ): Retainer => {
    const volumes = oneVolume(folder, catalog, { files, keepFreeBytes });
    return new Retainer({ volumes, files, catalog, clock, log: silentLog(), bounds, each });
  };

  it("keeps everything where nothing is said", async () => {
    const subject = retainer();
    await subject.run();
    expect(await starts("one")).to.deep.equal([0, 10, 3600, 3610]);
    await subject.close();
  });

  it("forgets gaps that are too old of a camera whose recordings are all gone, and keeps one that goes on", async () => {
    const gaps = async (camera: string): Promise<readonly (string | undefined)[]> =>
      (await catalog.gaps.touching(camera, "main", 0, Number.MAX_SAFE_INTEGER)).map(({ toUs }) =>
        toUs === undefined ? undefined : "ended",
      );
    expect(await gaps("one")).to.deep.equal(["ended", undefined]);
    const subject = retainer();
    subject.retain("one", { maxAgeMs: 0 });
    await subject.run();
    expect(await starts("one")).to.deep.equal([]);
    expect(await gaps("one")).to.deep.equal([undefined]);
    expect(await gaps("two")).to.deep.equal(["ended", undefined]);
    await subject.close();
  });

  it("removes what is too old, of that camera only, with its folders and gaps", async () => {
    const subject = retainer();
    subject.retain("one", { maxAgeMs: DAY - HOUR });
    await subject.run();
    expect(await starts("one")).to.deep.equal([3600, 3610]);
    expect(await starts("two")).to.deep.equal([0, 10, 3600, 3610]);
    expect((await files.list(`${folder}/one/2026-11-24`)).folders).to.deep.equal(["14"]);
    expect(await catalog.gaps.touching("one", "main", 0, START_MS * 1000 + 1)).to.deep.equal([]);
    expect(await findings(folder, catalog)).to.deep.equal([]);
    await subject.close();
  });

  it("holds every camera to what is said of each, and one of which more is said to that", async () => {
    const subject = retainer({}, { maxAgeMs: DAY - HOUR });
    subject.retain("two", {});
    await subject.run();
    expect(await starts("one")).to.deep.equal([3600, 3610]);
    expect(await starts("two")).to.deep.equal([0, 10, 3600, 3610]);
    await subject.close();
  });

  it("removes the oldest of a camera that has too much", async () => {
    const [first, second, third, fourth] = await rows("one");
    const subject = retainer();
    subject.retain("one", { maxBytes: (third?.bytes ?? 0) + (fourth?.bytes ?? 0) + (second?.bytes ?? 0) });
    await subject.run();
    expect(await starts("one")).to.deep.equal([10, 3600, 3610]);
    expect(await files.exists(`${folder}/${first?.file}`)).to.equal(false);
    await subject.close();
  });

  it("removes the oldest of all cameras when the archive has too much", async () => {
    const all = (await catalog.volumes.totals()).reduce((sum, one) => sum + one.bytes, 0);
    const subject = retainer({ maxBytes: all / 2 });
    await subject.run();
    expect(await starts("one")).to.deep.equal([3600, 3610]);
    expect(await starts("two")).to.deep.equal([3600, 3610]);
    await subject.close();
  });

  it("removes the oldest while the disk has too little room", async () => {
    const [first] = await rows("one");
    files.freeBytes = async () => 1_000_000;
    const subject = retainer({ keepFreeBytes: 1_000_000 + (first?.bytes ?? 0) + 1 });
    await subject.run();
    expect((await starts("one")).length + (await starts("two")).length).to.equal(6);
    await subject.close();
  });

  it("takes no more from the catalog while the disk does not let go of what is due to go, and says so", async () => {
    const [first] = await rows("one");
    files.freeBytes = async () => 1_000_000;
    const told: (string | undefined)[] = [];
    const volumes = oneVolume(folder, catalog, { files, keepFreeBytes: 1_000_000 + (first?.bytes ?? 0) });
    const place = { volumes, files, catalog, clock, log: silentLog() };
    const subject = new Retainer({ ...place, bounds: {}, each: {}, trouble: (words) => told.push(words) });
    files.remove = () => Promise.reject(Object.assign(new Error("read-only"), { code: "EROFS" }));
    try {
      for (let pass = 0; pass < 4; pass += 1) await subject.run();
    } finally {
      files.remove = (path) => diskFiles.remove(path);
    }
    expect((await rows("one")).length + (await rows("two")).length).to.equal(7);
    expect(told.at(-1)).to.equal("there is no room, and the disk does not let go of what is due to go");
    files.freeBytes = async () => 1e12;
    await subject.run();
    expect(await catalog.doomed.all()).to.deep.equal([]);
    expect(told.at(-1)).to.equal(undefined);
    await subject.close();
  });

  it("deletes nothing because the clock was set ahead, says so, and believes it after a day", async () => {
    const before = clock.now();
    const told: (string | undefined)[] = [];
    const volumes = oneVolume(folder, catalog, { files });
    const each = { maxAgeMs: 2 * DAY };
    const log = silentLog();
    const subject = new Retainer({
      volumes,
      files,
      catalog,
      clock,
      log,
      each,
      bounds: {},
      trouble: (words) => void told.push(words),
    });
    clock.setWall(unixMillis(before + 3650 * DAY));
    await subject.run();
    expect(await starts("one")).to.have.length(4);
    expect(told.at(-1)).to.include("the clock was set ahead");
    // Set right again.
    clock.setWall(before);
    await subject.run();
    expect(told.at(-1)).to.equal(undefined);
    clock.setWall(unixMillis(before + 10 * DAY));
    await subject.run();
    clock.holdUp(DAY - 1);
    await subject.run();
    expect(await starts("one")).to.have.length(4);
    clock.holdUp(1);
    await subject.run();
    expect(await starts("one")).to.deep.equal([]);
    expect(told.at(-1)).to.equal(undefined);
    await subject.close();
    clock.setWall(unixMillis(START_MS + DAY));
  });

  it("runs every minute", async () => {
    const subject = retainer();
    subject.retain("one", { maxAgeMs: 1 });
    await clock.advance(60_000);
    await subject.run();
    expect(await starts("one")).to.deep.equal([]);
    expect((await files.list(`${folder}/one`)).folders).to.deep.equal([]);
    await subject.close();
    expect(clock.pending).to.equal(0);
  });
});
