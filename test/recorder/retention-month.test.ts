import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { DAY, HOUR, isoOf, MINUTE, type UnixMillis, unixMillis } from "../../base/units.ts";
import { Catalog } from "../../recorder/catalog.ts";
import type { SegmentRow } from "../../recorder/catalog-rows.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { Journal } from "../../recorder/journal.ts";
import { Retainer, type Retention } from "../../recorder/retention.ts";
import { MAIN_VOLUME } from "../../recorder/volume.ts";
import { oneVolume } from "../support/one-volume.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const START = Date.UTC(2026, 10, 1);
const SEGMENT_MS = 20 * MINUTE;
const SEGMENT_BYTES = 100;
/** Segments of one camera and day. */
const OF_DAY = DAY / SEGMENT_MS;

/** An archive of which only the names and sizes of files are there. */
class Site {
  readonly clock = new VirtualClock(unixMillis(START));
  readonly troubles: (string | undefined)[] = [];
  readonly removed = new Set<string>();
  /** Of the disk, in bytes; what others have is not counted. */
  diskBytes = Number.POSITIVE_INFINITY;
  readonly catalog: Catalog;
  readonly journal: Journal;

  constructor(catalog: Catalog, journal: Journal) {
    this.catalog = catalog;
    this.journal = journal;
  }

  static async open(): Promise<Site> {
    return new Site(await Catalog.open(":memory:"), await Journal.open(":memory:"));
  }

  readonly files: Files = {
    ...diskFiles,
    remove: async (path) => void this.removed.add(path.replace(/^\/archive\//, "")),
    removeEmptyFolder: async () => false,
    freeBytes: async () => this.diskBytes - (await this.bytes()),
  };

  retainer(
    { keepFreeBytes = 0, ...bounds }: { readonly keepFreeBytes?: number; readonly maxBytes?: number },
    cameras: Readonly<Record<string, Retention>>,
  ): Retainer {
    const { catalog, journal, clock, files } = this;
    const trouble = (words: string | undefined): void => void this.troubles.push(words);
    const volumes = oneVolume("/archive", catalog, { files, keepFreeBytes });
    const place = { volumes, files, catalog, journal, clock, log: silentLog() };
    const retainer = new Retainer({ ...place, bounds, each: {}, trouble });
    for (const [camera, retention] of Object.entries(cameras)) retainer.retain(camera, retention);
    return retainer;
  }

  async bytes(): Promise<number> {
    return (await this.catalog.volumes.totals()).reduce((sum, one) => sum + one.bytes, 0);
  }

  /** A segment that ends now. */
  async record(camera: string): Promise<void> {
    const start = unixMillis(this.clock.now() - SEGMENT_MS);
    const day = isoOf(start).slice(0, 10);
    await this.catalog.sealed({
      camera,
      stream: "main",
      startUs: start * 1000,
      endUs: this.clock.now() * 1000,
      bytes: SEGMENT_BYTES,
      volume: MAIN_VOLUME,
      file: `${camera}/${day}/${isoOf(start).slice(11, 13)}/${start}.mp4`,
      tracks: "[]",
      seal: Buffer.alloc(32),
      time: "camera",
      cameraAheadMs: undefined,
    });
  }

  async segments(camera: string): Promise<readonly SegmentRow[]> {
    const found: SegmentRow[] = [];
    for await (const row of this.catalog.segments.all(`${camera}/`)) if (row.camera === camera) found.push(row);
    return found.toSorted((a, b) => a.startUs - b.startUs);
  }

  /** Days from the start to the oldest segment. */
  async oldestDay(camera: string): Promise<number> {
    const [oldest] = await this.segments(camera);
    return oldest === undefined ? Number.NaN : (oldest.startUs / 1000 - START) / DAY;
  }

  async lock(camera: string, fromDay: number, toDay: number): Promise<string> {
    const at = (day: number): UnixMillis => unixMillis(START + day * DAY);
    const mark = { kind: "lock", camera, from: at(fromDay), to: at(toDay), text: "case", who: "anna" } as const;
    return (await this.journal.mark({ ...mark, madeAt: this.clock.now() })).id;
  }

  async close(): Promise<void> {
    await this.catalog.close();
    await this.journal.close();
  }
}

describe("retention, over thirty days", () => {
  let site: Site;
  beforeEach(async () => {
    site = await Site.open();
  });
  afterEach(() => site.close());

  /** `each`: at every hour, behind the pass. */
  async function run(
    retainer: Retainer,
    cameras: readonly string[],
    days: number,
    each = async (): Promise<void> => undefined,
  ) {
    for (let segment = 0; segment < days * OF_DAY; segment += 1) {
      site.clock.setWall(unixMillis(site.clock.now() + SEGMENT_MS));
      for (const camera of cameras) await site.record(camera);
      if (site.clock.now() % HOUR !== START % HOUR) continue;
      await retainer.run();
      await each();
    }
  }

  it("holds each camera to its age and its bytes, all of them to the quota, and touches no lock", async () => {
    const quota = 60 * OF_DAY * SEGMENT_BYTES;
    const retainer = site.retainer(
      { maxBytes: quota },
      {
        short: { maxAgeMs: 3 * DAY },
        small: { maxBytes: 5 * OF_DAY * SEGMENT_BYTES },
        kept: { minAgeMs: 14 * DAY, maxAgeMs: 60 * DAY },
      },
    );
    let locked = "";
    const cameras = ["short", "small", "kept", "rest"];
    await run(retainer, cameras, 2);
    locked = await site.lock("short", 0.5, 1);
    const lockedFiles = (await site.segments("short"))
      .filter(({ startUs, endUs }) => endUs / 1000 >= START + 0.5 * DAY && startUs / 1000 <= START + DAY)
      .map(({ file }) => file);
    expect(lockedFiles.length).to.be.greaterThan(OF_DAY / 2);
    await run(retainer, cameras, 28, async () => {
      expect(lockedFiles.some((file) => site.removed.has(file))).to.equal(false);
      expect(await site.bytes()).to.be.at.most(quota);
    });
    const now = 30;
    const unlocked = (await site.segments("short")).filter(({ file }) => !lockedFiles.includes(file));
    expect((unlocked[0]?.startUs ?? 0) / 1000).to.be.at.least(START + (now - 3) * DAY - SEGMENT_MS);
    expect((await site.segments("small")).length).to.equal(5 * OF_DAY);
    expect(await site.oldestDay("kept")).to.be.at.most(now - 14);
    // Those without a minimum gave way.
    expect(await site.oldestDay("rest")).to.be.greaterThan(0);
    expect(site.troubles).to.deep.equal([]);
    await site.journal.unmark("short", "lock", locked);
    await retainer.run();
    expect(await site.oldestDay("short")).to.be.closeTo(now - 3, 0.05);
    await retainer.close();
  });

  it("raises an alarm before a minimum is broken, breaks it, and says so when that is over", async () => {
    site.diskBytes = 5 * OF_DAY * SEGMENT_BYTES;
    const retainer = site.retainer({ keepFreeBytes: SEGMENT_BYTES }, { gate: { minAgeMs: 7 * DAY } });
    const removedAt: number[] = [];
    await run(retainer, ["gate"], 10, async () => {
      removedAt.push(site.removed.size);
      // Nothing is gone of what is younger than the minimum without the alarm.
      if (site.removed.size > 0) expect(site.troubles.length).to.be.greaterThan(0);
      expect(await site.files.freeBytes("")).to.be.at.least(0);
    });
    expect(site.troubles).to.deep.equal([
      "there is no room for what is to be kept at least: the oldest of it is deleted",
    ]);
    site.diskBytes *= 2;
    await retainer.run();
    expect(site.troubles.at(-1)).to.equal(undefined);
    await retainer.close();
  });

  it("leaves locked footage where it is though the disk be full, and says that nothing may go", async () => {
    await site.lock("gate", 0, 30);
    site.diskBytes = 3 * OF_DAY * SEGMENT_BYTES;
    const retainer = site.retainer({ keepFreeBytes: OF_DAY * SEGMENT_BYTES }, { gate: { maxAgeMs: DAY } });
    await run(retainer, ["gate"], 5);
    expect(site.removed.size).to.equal(0);
    expect(site.troubles.at(-1)).to.equal("there is no room, and nothing may be deleted: all that is left is locked");
    await retainer.close();
  });

  it("forgets events and bookmarks with their footage", async () => {
    const retainer = site.retainer({}, { gate: { maxAgeMs: 2 * DAY } });
    const event = { camera: "gate", kind: "motion", about: "x", property: false, content: "{}" };
    await site.journal.enter([1, 2, 3, 4].map((day) => ({ ...event, at: unixMillis(START + day * DAY) })));
    await run(retainer, ["gate"], 5);
    const all = { from: unixMillis(0), to: unixMillis(START * 2) };
    expect((await site.journal.events(["gate"], all)).map(({ at }) => (at - START) / DAY)).to.deep.equal([3, 4]);
    await retainer.close();
  });
});
