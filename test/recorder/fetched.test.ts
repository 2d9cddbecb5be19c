import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { HOUR, SECOND, unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { openExport } from "../../recorder/export/export-files.ts";
import { verifyExport } from "../../recorder/export/verify-export.ts";
import { diskFiles } from "../../recorder/files.ts";
import { cameraGap } from "../../recorder/gap.ts";
import { removalsIn } from "../../recorder/removal-log.ts";
import { headerOf } from "../../recorder/scan.ts";
import type { Signer } from "../../recorder/signature.ts";
import { exitCodeOf, type Report, verify } from "../../recorder/verify.ts";
import { exportTo, makeSigners, type Signers } from "../support/exported.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { findings } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SEGMENT_SECONDS = 2;
const FPS = 25;
const seconds = (at: number): number => Math.round((at - START_MS) / 100) / 10;

describe("footage that was fetched from a camera's own recording", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signer: Signer;
  let signers: Signers;
  let clock: VirtualClock;

  before(async () => {
    signers = await makeSigners();
    signer = signers.recorder;
  });
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    clock = new VirtualClock(unixMillis(START_MS));
  });
  afterEach(() => remove());

  const open = (retention = {}): Promise<Archive> =>
    Archive.open({
      folder,
      clock,
      log: silentLog(),
      metrics: new Metrics(),
      signer,
      settings: { segmentMs: SEGMENT_SECONDS * SECOND, retention },
    });

  /** Pictures of some seconds of the footage, live or fetched. */
  async function film(archive: Archive, how: "recorder" | "fetched", fromSeconds: number, toSeconds: number) {
    const camera = new GroupCamera();
    const recorder = archive[how]("a", "main");
    recorder.describe([VIDEO_TRACK]);
    for (let index = fromSeconds * FPS; index < toSeconds * FPS; index += 1) {
      recorder.push(camera.group(0, videoSample(index)));
      if (index % FPS === 0) await recorder.idle();
    }
    return recorder;
  }

  /** Ten seconds, ten of which the network was gone, ten seconds. */
  async function withGap(archive: Archive): Promise<void> {
    const recorder = await film(archive, "recorder", 0, 10);
    await clock.advance(10 * SECOND);
    recorder.gap({ cause: "network", why: "the camera does not answer" });
    await recorder.idle();
    await clock.advance(10 * SECOND);
    await recorder.close();
    await (await film(archive, "recorder", 20, 30)).close();
    await clock.advance(10 * SECOND);
  }

  const range = [unixMillis(START_MS), unixMillis(START_MS + HOUR)] as const;
  const gapsOf = async (archive: Archive) =>
    (await archive.gaps("a", ...range)).map(({ from, to, cause }) => [seconds(from), seconds(to ?? 0), cause]);
  const spansOf = (spans: Awaited<ReturnType<Archive["spans"]>>) =>
    spans.map(({ from, to }) => [seconds(from), seconds(to)]);
  const paths = async (below = folder): Promise<string[]> =>
    (await readdir(below, { recursive: true }))
      .filter((name) => name.endsWith(".mp4"))
      .map((name) => join(below, name))
      .sort();
  const verified = async (whole = true, files?: readonly string[]): Promise<Report> =>
    verify({
      files: diskFiles,
      paths: files ?? (await paths()),
      ...(whole ? { archive: { folder, camera: undefined } } : {}),
    });
  const accused = ({ stretches }: Report) => stretches.filter(({ verdict }) => !["ok", "removed"].includes(verdict));

  it("fills the gap, leaves what it has not as a gap, and says what it is", async () => {
    const archive = await open();
    await withGap(archive);
    expect(await gapsOf(archive)).to.deep.equal([[10, 20, "network"]]);
    const before = clock.now();
    await (await film(archive, "fetched", 12, 18)).close();

    expect(await gapsOf(archive)).to.deep.equal([
      [10, 12, "network"],
      [18, 20, "network"],
    ]);
    expect(spansOf(await archive.spans("a", ...range))).to.deep.equal([
      [0, 10],
      [12, 18],
      [20, 30],
    ]);
    expect(spansOf(await archive.fetchedSpans("a", ...range))).to.deep.equal([[12, 18]]);
    await archive.close();

    const catalog = await Catalog.open(`${folder}/catalog.db`);
    const rows = await catalog.segments.after("a", "main", { startUs: 0, file: "" });
    expect(
      rows.filter(({ fetchedUs }) => fetchedUs === before * 1000).map(({ startUs }) => seconds(startUs / 1000)),
    ).to.deep.equal([12, 14, 16]);
    const handle = await diskFiles.open(
      join(folder, rows.find(({ fetchedUs }) => fetchedUs !== null)?.file ?? ""),
      "read",
    );
    expect(await headerOf(handle)).to.include({ fetchedUs: before * 1000 });
    await handle.close();
    expect(await findings(folder, catalog)).to.deep.equal([]);
    await catalog.close();
  });

  it("is read between what was recorded live, in the order of time", async () => {
    const archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 10, 20)).close();
    const read: number[] = [];
    for await (const group of archive.source("a").read({ from: range[0] }, new AbortController().signal))
      read.push(seconds(group.at));
    expect(read).to.have.length(30 * FPS);
    expect(read).to.deep.equal(read.toSorted((a, b) => a - b));
    expect(await gapsOf(archive)).to.deep.equal([]);
    await archive.close();
  });

  it("is never said to be recorded live: the signature says that it was fetched, and when", async () => {
    const archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 12, 18)).close();
    await archive.close();
    const report = await verified();
    expect(accused(report)).to.deep.equal([]);
    expect(exitCodeOf(report)).to.equal(0);
    const told = report.stretches.map(({ fromUs, why }) => [seconds(fromUs / 1000), why]);
    const words = "fetched from the camera's own recording, 2026-11-24T13:05:30.000Z: signed as it was then";
    expect(told.filter(([at]) => Number(at) >= 12 && Number(at) < 18).map(([, why]) => why)).to.deep.equal([
      words,
      words,
      words,
    ]);
    expect(told.filter(([at]) => Number(at) < 12 || Number(at) >= 18).every(([, why]) => why === undefined)).to.equal(
      true,
    );
  });

  it("does not touch the chain of what is recorded live, and is chained from fetch to fetch", async () => {
    let archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 16, 18)).close();
    await clock.advance(SECOND);
    await (await film(archive, "fetched", 12, 16)).close();
    await archive.close();
    archive = await open();
    await (await film(archive, "recorder", 40, 44)).close();
    await (await film(archive, "fetched", 32, 36)).close();
    await archive.close();
    expect(accused(await verified())).to.deep.equal([]);
    // Of some of the files, wherever they begin.
    const all = await paths();
    for (let first = 0; first < all.length; first += 1)
      for (let last = first + 1; last <= all.length; last += 1)
        expect(accused(await verified(false, all.slice(first, last))), `${first} to ${last}`).to.deep.equal([]);
  });

  for (const [name, which] of [
    ["a segment within a fetch", 1],
    ["the last one of the newest fetch", 3],
    ["the first one of a fetch", 0],
  ] as const)
    it(`is missed where ${name} is taken away`, async () => {
      const archive = await open();
      await withGap(archive);
      await (await film(archive, "fetched", 12, 16)).close();
      await clock.advance(SECOND);
      await (await film(archive, "fetched", 16, 20)).close();
      await archive.close();
      const at = START_MS + (12 + SEGMENT_SECONDS * which) * SECOND;
      const taken = (await paths()).find((path) =>
        path.includes(new Date(at).toISOString().slice(14, 19).replace(":", "-")),
      );
      await rm(taken ?? "");
      const report = await verified();
      expect(accused(report).map(({ verdict }) => verdict)).to.deep.equal(["missing"]);
      expect(exitCodeOf(report)).to.equal(1);
    });

  it("goes by its own age, and nobody is accused when it has gone before what was fetched earlier", async () => {
    let archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 16, 20)).close();
    await clock.advance(SECOND);
    await (await film(archive, "fetched", 12, 16)).close();
    await archive.close();
    for (const keptFrom of [13, 15, 19, 21, 25]) {
      archive = await open({ maxAgeMs: clock.now() - START_MS - keptFrom * SECOND });
      await archive.tidy();
      await archive.close();
      expect(accused(await verified()), `kept from ${keptFrom}`).to.deep.equal([]);
    }
    const removals = await removalsIn(diskFiles, folder);
    expect(
      removals?.removals.ranges.map(({ segments, fetchedUs }) => [segments, fetchedUs === undefined]),
    ).to.have.deep.members([
      [7, true],
      [4, false],
    ]);
  });

  it("has films of its own in an export, which say what they are", async () => {
    const archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 10, 20)).close();
    await archive.close();
    const out = `${folder}/out`;
    const manifest = await exportTo(out, folder, { fromSeconds: 0, toSeconds: 30, cameras: [{ id: "a" }] }, signers);
    expect(
      manifest.films.map(({ from, to, fetchedAt }) => [seconds(Date.parse(from)), seconds(Date.parse(to)), fetchedAt]),
    ).to.deep.equal([
      [0, 10, undefined],
      [10, 20, "2026-11-24T13:05:30.000Z"],
      [20, 30, undefined],
    ]);
    expect(manifest.cameras[0]?.gaps).to.deep.equal([]);
    expect(await readFile(`${out}/README.txt`, "utf8")).to.include(
      "It was fetched from the camera's own recording, 2026-11-24",
    );
    const report = await verifyExport(await openExport(out, undefined), undefined);
    expect(accused(report)).to.deep.equal([]);
    const words = report.stretches.filter(
      ({ why }) => why?.startsWith("fetched from the camera's own recording") === true,
    );
    expect(words.map(({ fromUs, toUs }) => [seconds(fromUs / 1000), seconds(toUs / 1000)])).to.deep.equal([[10, 20]]);
  });

  it("is finished after a crash, as fetched, and the rest stays a gap", async () => {
    const archive = await open();
    await withGap(archive);
    const fetching = await film(archive, "fetched", 12, 17);
    // As a kill leaves it: the newest segment is not sealed.
    const copy = await scratchFolder();
    await cp(folder, copy.folder, { recursive: true });
    await fetching.close();
    await archive.close();
    await rm(folder, { recursive: true });
    await mkdir(folder);
    for (const name of await readdir(copy.folder)) await rename(join(copy.folder, name), join(folder, name));
    const again = await open();
    expect(spansOf(await again.fetchedSpans("a", ...range))).to.deep.equal([[12, 16]]);
    expect(await gapsOf(again)).to.deep.include.members([
      [10, 12, "network"],
      [16, 20, "network"],
    ]);
    await again.close();
    await copy.remove();
    const report = await verified();
    expect(accused(report).filter(({ verdict }) => verdict !== "recovered")).to.deep.equal([]);
  });

  it("comes back with its origin from the files alone", async () => {
    let archive = await open();
    await withGap(archive);
    await (await film(archive, "fetched", 12, 18)).close();
    await archive.close();
    for (const name of (await readdir(folder)).filter((one) => one.startsWith("catalog.db")))
      await rm(join(folder, name));
    archive = await open();
    expect(spansOf(await archive.fetchedSpans("a", ...range))).to.deep.equal([[12, 18]]);
    await archive.close();
  });

  it("makes no gaps of its own, whatever it lacks", async () => {
    const archive = await open();
    await withGap(archive);
    const recorder = await film(archive, "fetched", 12, 14);
    recorder.gap(cameraGap("the camera has no more"));
    await recorder.close();
    expect(await gapsOf(archive)).to.deep.equal([
      [10, 12, "network"],
      [14, 20, "network"],
    ]);
    await archive.close();
  });
});
