import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { FRAME_HEADER_BYTES, FramedPackets, writeFrameHeader } from "../../media/framed-packets.ts";
import { PacketGroup } from "../../media/group.ts";
import { PackedBytes, PieceRoom } from "../../media/packed-bytes.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Sample } from "../../media/sample.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { diskFiles } from "../../recorder/files.ts";
import { Fragmenter } from "../../recorder/fragmenter.ts";
import { MemoryBudget } from "../../recorder/memory-budget.ts";
import { recover } from "../../recorder/recover.ts";
import { mainVolume } from "../../recorder/volume.ts";
import { SegmentWriter } from "../../recorder/writer.ts";
import { openRing } from "../support/keys.ts";
import { FaultyFiles, findings, Harness, recordedIndices } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

function* samples(from: number, to: number, bytes = 400) {
  for (let index = from; index < to; index += 1) yield videoSample(index, { bytes });
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

/** What is given back too early is not what is written. */
class Watched extends ReusedMemory {
  readonly #lent = new Set<Buffer>();
  taken = 0;
  get lent(): number {
    return this.#lent.size;
  }
  override take(bytes: number): Buffer<ArrayBuffer> {
    const piece = super.take(bytes);
    this.#lent.add(piece);
    this.taken += 1;
    return piece;
  }
  override give(place: Pick<Buffer, "buffer" | "byteOffset">): void {
    for (const piece of this.#lent)
      if (piece.buffer === place.buffer && piece.byteOffset === place.byteOffset) {
        piece.fill(0xee);
        this.#lent.delete(piece);
      }
    super.give(place);
  }
}

/** A sample that is still in its packet, which nobody else knows of. */
function packedIn(memory: ReusedMemory, sample: Sample): Sample<PackedBytes> {
  const bytes = memory.take(FRAME_HEADER_BYTES + sample.data.length);
  writeFrameHeader(bytes, 0, 0, sample.data.length);
  sample.data.copy(bytes, FRAME_HEADER_BYTES);
  const group = new PacketGroup({ ...sample, track: 0 }, new FramedPackets(bytes, 1), memory);
  const data = new PackedBytes(new PieceRoom());
  data.lieIn(group);
  data.add(FRAME_HEADER_BYTES, bytes.length);
  group.release();
  return { ...sample, data };
}

describe("a segment writer", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let harness: Harness;
  let files: FaultyFiles;
  let clock: VirtualClock;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    files = new FaultyFiles();
    clock = new VirtualClock();
    harness = await Harness.open(folder, { files, clock });
  });

  afterEach(async () => {
    await harness.close().catch(() => undefined);
    await remove();
  });

  it("seals a file each interval, under the name of its beginning, and enters it", async () => {
    await harness.push(samples(0, 25 * 25));
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    const { catalog } = harness.context;
    const rows = await catalog.segments.after("cam", "main", { startUs: 0, file: "" });
    expect(rows.map((row) => row.file)).to.deep.equal([
      "cam/2026-11-24/13/05-00.000Z-0.mp4",
      "cam/2026-11-24/13/05-10.000Z-0.mp4",
      "cam/2026-11-24/13/05-20.000Z-0.mp4",
    ]);
    expect(rows.map((row) => row.endUs)).to.deep.equal([10, 20, 25].map((s) => (START_MS + s * 1000) * 1000));
    expect(JSON.parse(rows[0]?.tracks ?? "")).to.deep.equal([
      { codec: "H264", clockRateHz: 90_000, width: 320, height: 240 },
    ]);
    expect(await catalog.opened()).to.deep.equal([]);
    expect(await catalog.volumes.totals()).to.deep.equal([
      { camera: "cam", bytes: rows.reduce((sum, row) => sum + row.bytes, 0), segments: 3 },
    ]);
    expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 625));
    expect(await findings(folder, catalog)).to.deep.equal([]);
  });

  it("shows what is on disk of the segment that it is writing", async () => {
    await harness.push(samples(0, 60));
    expect(harness.writer.live?.fragments.map((one) => one.startUs / 1000 - START_MS)).to.deep.equal([0, 1000]);
    expect((await diskFiles.list(`${folder}/cam/2026-11-24/13`)).files).to.deep.equal(["05-00.000Z-0.mp4.part"]);
  });

  for (const encryption of [undefined, "light", "full"] as const)
    it(`lets go of the packets of samples when they are written, and not before, encrypted ${encryption ?? "not at all"}`, async () => {
      const memory = new Watched();
      const { ring: keys, close } = await openRing(folder);
      await harness.close();
      harness = await Harness.open(folder, { files, clock, memory, keys, ...(encryption && { encryption }) });
      const packets = new Watched();
      for (const sample of samples(0, 60)) harness.fragmenter.push(0, packedIn(packets, sample));
      await harness.writer.idle();
      // The last ten are not a fragment yet.
      expect(packets.lent).to.equal(10);
      harness.fragmenter.end(undefined);
      await harness.writer.idle();
      expect([packets.lent, memory.taken, memory.lent]).to.deep.equal([0, 3, 0]);
      expect(await recordedIndices(folder, harness.context.catalog, "cam", keys)).to.deep.equal(range(0, 60));
      expect(await findings(folder, harness.context.catalog, keys)).to.deep.equal([]);
      await close();
    });

  it("lets go of the packets of what it does not take, or cannot write", async () => {
    await harness.close();
    const budget = new MemoryBudget(60_000);
    harness = await Harness.open(folder, { files, clock, budget });
    const packets = new Watched();
    const push = (from: number, to: number): void => {
      for (const sample of samples(from, to, 4000)) harness.fragmenter.push(0, packedIn(packets, sample));
    };
    let goOn = (): void => undefined;
    files.gate = new Promise((resolve) => {
      goOn = resolve;
    });
    push(0, 400);
    expect(harness.dropped.fragments).to.be.greaterThan(0);
    // Nothing but what waits within the budget, and what is no fragment yet.
    expect(packets.lent * 4000).to.be.at.most(60_000 + 25 * 4000);
    files.decide = (operation) => (operation === "write" ? "EIO" : undefined);
    goOn();
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    expect(packets.lent).to.equal(0);
  });

  for (const [what, fetchedUs, expected] of [
    [
      "a fetched segment, whose folder nobody would look into later",
      (START_MS + 3_600_000) * 1000,
      ["enter", "sync", "make"],
    ],
    ["a live one, whose folder is looked into", undefined, ["enter", "make"]],
  ] as const)
    it(`makes the file of ${what}, when the catalog ${fetchedUs === undefined ? "has entered it" : "keeps its name through a power cut"}`, async () => {
      const { catalog } = harness.context;
      const steps: string[] = [];
      const [opening, sync] = [catalog.opening.bind(catalog), catalog.sync.bind(catalog)];
      catalog.opening = async (file) => {
        const isFree = await opening(file);
        steps.push("enter");
        return isFree;
      };
      catalog.sync = async () => {
        await sync();
        steps.push("sync");
      };
      files.decide = (operation) => {
        if (operation === "open") steps.push("make");
        return undefined;
      };
      const writer = new SegmentWriter("cam", "main", harness.context, fetchedUs);
      const fragmenter = new Fragmenter(writer, { segmentMs: 10_000, phaseMs: 0 });
      fragmenter.describe([VIDEO_TRACK]);
      for (const sample of samples(0, 50)) fragmenter.push(0, sample);
      fragmenter.end(undefined);
      await writer.idle();
      expect(steps.slice(0, expected.length)).to.deep.equal(expected);
      await writer.close();
    });

  it("flushes at least so often as it is told", async () => {
    let flushes = 0;
    files.decide = (operation) => {
      if (operation === "datasync") flushes += 1;
      return undefined;
    };
    for (let second = 0; second < 9; second += 1) {
      await harness.push(samples(second * 25, (second + 1) * 25));
      await clock.advance(1000);
    }
    expect(flushes).to.equal(1);
  });

  it("notes why there is a gap, and where it ends", async () => {
    await harness.push(samples(0, 50));
    harness.fragmenter.end({ cause: "network", why: "the camera is away" });
    await harness.push(samples(500, 550));
    await harness.writer.idle();
    const gaps = await harness.context.catalog.gaps.touching("cam", "main", 0, Number.MAX_SAFE_INTEGER);
    expect(gaps).to.deep.equal([
      {
        camera: "cam",
        stream: "main",
        fromUs: (START_MS + 2000) * 1000,
        toUs: (START_MS + 20_000) * 1000,
        reason: "the camera is away",
        cause: "network",
      },
    ]);
  });

  it("gives segments that begin at the same instant different names", async () => {
    await harness.push(samples(0, 50));
    harness.fragmenter.end(undefined);
    await harness.push(samples(0, 50));
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    const { catalog } = harness.context;
    expect(
      (await catalog.segments.after("cam", "main", { startUs: 0, file: "" })).map((row) => row.file),
    ).to.deep.equal(["cam/2026-11-24/13/05-00.000Z-0.mp4", "cam/2026-11-24/13/05-00.000Z-1.mp4"]);
    expect(await findings(folder, catalog)).to.deep.equal([]);
  });

  it("drops to the next key frame when the disk is too slow, and keeps what it has", async () => {
    let open: () => void = () => undefined;
    files.gate = new Promise((resolve) => {
      open = resolve;
    });
    const given = 40 * 25;
    for (const sample of samples(0, given, 100_000)) harness.fragmenter.push(0, sample);
    expect(harness.dropped.fragments).to.be.greaterThan(5);
    open();
    await harness.push(samples(given, given + 100));
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    const { catalog } = harness.context;
    const indices = await recordedIndices(folder, catalog);
    const lost = indices.findIndex((index, place) => index !== place);
    expect(lost % 25).to.equal(0);
    expect(indices).to.deep.equal([...range(0, lost), ...range(given, given + 100)]);
    const gaps = await catalog.gaps.touching("cam", "main", 0, Number.MAX_SAFE_INTEGER);
    expect(gaps.map((gap) => gap.reason)).to.deep.equal(["the disk is too slow"]);
    expect(await findings(folder, catalog)).to.deep.equal([]);
  });

  for (const [operation, code] of [
    ["write", "ENOSPC"],
    ["write", "EIO"],
    ["datasync", "EIO"],
    ["open", "ENOSPC"],
    ["rename", "EIO"],
    ["syncFolder", "EIO"],
  ] as const)
    it(`pauses when ${operation} fails with ${code}, tries again, and leaves nothing broken`, async () => {
      let full = 0;
      await harness.close();
      const tell = (): void => {
        full += 1;
      };
      harness = await Harness.open(folder, { files, clock, full: tell });
      await harness.push(samples(0, 250));
      files.partial = 1234;
      files.decide = (one) => (one === operation ? code : undefined);
      await clock.advance(6000);
      await harness.push(samples(250, 600));
      await clock.advance(500);
      await harness.push(samples(600, 650));
      expect(harness.writer.problem).to.contain(code);
      expect(full > 0).to.equal(code === "ENOSPC");
      files.decide = () => undefined;
      await clock.advance(30_000);
      await harness.push(samples(650, 900));
      expect(harness.writer.problem).to.equal(undefined);
      harness.fragmenter.end(undefined);
      await harness.writer.idle();
      const { catalog } = harness.context;
      const indices = await recordedIndices(folder, catalog);
      expect(indices).to.include.members([...range(0, 225), ...range(650, 900)]);
      expect(indices).to.deep.equal([...new Set(indices)].sort((a, b) => a - b));
      const [gap] = await catalog.gaps.touching("cam", "main", 0, Number.MAX_SAFE_INTEGER);
      expect(gap?.reason).to.contain(code);
      expect(await findings(folder, catalog)).to.deep.equal([]);
    });

  it("does not pause other streams", async () => {
    const other = new Harness({ ...harness.context }, 10_000, "other");
    files.decide = (_, path) => (path.includes("/cam/") ? "EIO" : undefined);
    await harness.push(samples(0, 100));
    await other.push(samples(0, 100));
    other.fragmenter.end(undefined);
    await other.writer.idle();
    expect(harness.writer.problem).to.contain("EIO");
    expect(await recordedIndices(folder, harness.context.catalog, "other")).to.deep.equal(range(0, 100));
  });

  it("goes on recording when the catalog fails, and the next start enters what it missed", async () => {
    await harness.push(samples(0, 100));
    await harness.context.catalog.close();
    await harness.push(samples(100, 600));
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    expect(harness.writer.problem).to.equal(undefined);
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    await recover({ volume: mainVolume(folder), files: diskFiles, catalog, log: silentLog() });
    expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 600));
    expect(await findings(folder, catalog)).to.deep.equal([]);
    await catalog.close();
  });

  it("holds no more memory than all streams together may", async () => {
    const budget = new MemoryBudget(3_000_000);
    await harness.close();
    harness = await Harness.open(folder, { files, clock, budget });
    for (const sample of samples(0, 100, 100_000)) harness.fragmenter.push(0, sample);
    expect(harness.dropped.fragments).to.be.greaterThan(0);
    await harness.writer.idle();
    expect(budget.take(3_000_000)).to.equal(true);
  });
});
