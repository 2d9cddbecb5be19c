import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import { Appending } from "../../recorder/appending.ts";
import { STOPPED } from "../../recorder/gap.ts";
import { FaultyFiles, Harness } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const CLOSED = { cause: "schedule", why: "outside its hours" } as const;

describe("what a segment writer says of a disk that fails", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let files: FaultyFiles;
  let clock: VirtualClock;
  let harness: Harness;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    files = new FaultyFiles();
    clock = new VirtualClock(unixMillis(START_MS));
    harness = await Harness.open(folder, { files, clock });
  });
  afterEach(async () => {
    await harness.close();
    await remove();
  });

  function* seconds(from: number, to: number) {
    for (let index = from * 25; index < to * 25; index += 1) yield videoSample(index);
  }
  const gaps = async (): Promise<readonly (readonly [string, number, number | undefined])[]> => {
    const second = (us: number): number => us / 1_000_000 - START_MS / 1000;
    const rows = await harness.context.catalog.gaps.touching("cam", "main", 0, Number.MAX_SAFE_INTEGER);
    return rows.map(({ cause, fromUs, toUs }) => [
      cause,
      second(fromUs),
      toUs === undefined ? undefined : second(toUs),
    ]);
  };

  it("is over when something else keeps it from recording, also where that waited behind what could not be written", async () => {
    await harness.push(seconds(0, 5));
    await clock.advance(7000);
    files.decide = (operation) => (operation === "write" ? "EIO" : undefined);
    for (const sample of seconds(5, 7)) harness.fragmenter.push(0, sample);
    harness.fragmenter.end(undefined);
    harness.writer.nothing(CLOSED);
    await harness.writer.idle();
    files.decide = () => undefined;
    expect((await gaps()).at(-1)).to.deep.equal(["schedule", 7, undefined]);
    expect((await gaps()).map(([cause]) => cause)).to.include("disk");
  });

  it("begins where recording was to go on, though something else kept it from that before", async () => {
    await harness.push(seconds(0, 5));
    await clock.advance(5000);
    harness.fragmenter.end(undefined);
    harness.writer.nothing(CLOSED);
    await harness.writer.idle();
    files.decide = (operation) => (operation === "open" ? "ENOSPC" : undefined);
    await clock.advance(15_000);
    await harness.push(seconds(20, 23));
    expect(await gaps()).to.deep.equal([
      ["schedule", 5, 20],
      ["disk", 20, undefined],
    ]);
    files.decide = () => undefined;
  });

  it("has no gap that ends before it begins, where the clock was set back meanwhile", async () => {
    await harness.push(seconds(0, 5));
    await clock.advance(5000);
    harness.fragmenter.end(undefined);
    await clock.advance(3_600_000);
    harness.writer.nothing(CLOSED);
    await harness.push(seconds(20, 23));
    expect(await gaps()).to.deep.equal([]);
  });

  it("is nothing where no disk is to blame", async () => {
    await harness.close();
    const appending = new Appending();
    appending.run = () => Promise.reject(Object.assign(new RangeError("too large"), { code: "ERR_OUT_OF_RANGE" }));
    harness = await Harness.open(folder, { files, clock, appending });
    await harness.push(seconds(0, 3));
    expect(harness.writer.problem).to.equal("what the camera sends cannot be put into a file");
    expect((await gaps()).map(([cause]) => cause)).to.deep.equal(["camera"]);
  });

  it("is no trouble any more once nothing is to be recorded", async () => {
    files.decide = (operation) => (operation === "open" ? "ENOSPC" : undefined);
    await harness.push(seconds(0, 3));
    expect(harness.context.troubles.words).to.equal("the disk fails: ENOSPC");
    files.decide = () => undefined;
    harness.fragmenter.end(undefined);
    harness.writer.nothing(STOPPED);
    await harness.writer.close();
    expect(harness.context.troubles.words).to.equal(undefined);
  });
});
