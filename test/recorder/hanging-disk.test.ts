import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { cut } from "../../recorder/export/cut.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import { START_MS, videoSample } from "../support/recorder-samples.ts";
import { VolumeSite } from "../support/volume-site.ts";

const never = new AbortController().signal;

const ANSWER_MS = 10_000;

/** So many that the memory of one second is used again in the next ones. */
const PICTURE_BYTES = 20_000;
const WORDS = /^the disk of the volume fast \(.*\/fast\) gives no answer$/;

/** What `fsfreeze` holds up. */
const WRITING = ["write", "datasync", "truncate", "rename", "remove", "makeFolder", "syncFolder", "removeEmptyFolder"];

/** A stream of 25 pictures a second, the first of each a key frame. */
class Stream {
  readonly recorder: StreamRecorder;
  readonly name: string;
  readonly #camera = new GroupCamera();
  pictures: number;

  constructor(site: VolumeSite, name: string, volume?: string, pictures = 0) {
    this.name = name;
    this.pictures = pictures;
    this.recorder = site.recorder(name, volume);
  }

  pushSecond(): void {
    for (let index = 0; index < 25; index += 1)
      this.recorder.push(this.#camera.group(0, videoSample(this.pictures++, { bytes: PICTURE_BYTES })));
  }
}

describe("a disk that hangs without an error", () => {
  let site: VolumeSite;
  let gate: Stream;
  let yard: Stream;

  beforeEach(async () => {
    site = await VolumeSite.make();
    await site.addVolume("other");
    await site.addVolume("fast");
    await site.open({ answerMs: ANSWER_MS });
    gate = new Stream(site, "gate", "fast");
    yard = new Stream(site, "yard", "other");
    await record(12);
  });
  afterEach(async () => {
    site.files.goOn();
    await site.close();
  });

  /** Of both, whatever becomes of it. */
  async function record(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      gate.pushSecond();
      yard.pushSecond();
      await site.files.quiet();
      await site.clock.advance(1000);
    }
  }
  /** Nothing comes meanwhile. */
  async function wait(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await site.files.quiet();
      await site.clock.advance(1000);
    }
  }
  function hang(operations: readonly string[] | "all"): void {
    site.files.hangs = (operation, path) =>
      path.startsWith(`${site.folder}/fast`) && (operations === "all" || operations.includes(operation));
  }
  const states = async (): Promise<unknown> =>
    Object.fromEntries((await site.archive.volumes()).map(({ name, state, streams }) => [name, [state, streams]]));
  /** All of it can be played, each picture once. */
  async function expectAll({ name, pictures }: Stream): Promise<void> {
    expect(await site.played(name), name).to.deep.equal(Array.from({ length: pictures }, (_, index) => index));
    expect(await site.gaps(name)).to.deep.equal([]);
  }

  for (const [what, operations] of [
    ["it takes no writes", WRITING],
    ["it does nothing at all", "all"],
  ] as const)
    it(`is told in time, and its streams go on elsewhere without a loss, as do all others: ${what}`, async () => {
      hang(operations);
      await record(ANSWER_MS / 1000 + 1);
      expect(site.told.at(-1)).to.match(WORDS);
      // Takes all memory that there is by now, also what was given back first.
      for (let second = 0; second < 15; second += 1) gate.pushSecond();
      await record(15);
      expect(await states()).to.deep.equal({ main: ["here", 0], other: ["here", 2], fast: ["failing", 0] });
      expect((await site.gaps("gate")).map(({ cause }) => cause)).to.include.oneOf(["disk", "away"]);
      expect(await site.gaps("yard")).to.deep.equal([]);
      site.files.goOn();
      // Longer than the pause before it is tried again.
      await wait(30);
      expect(site.told.at(-1)).to.equal(undefined);
      await record(15);
      expect(await states()).to.deep.equal({ main: ["here", 0], other: ["here", 1], fast: ["here", 1] });
      await gate.recorder.close();
      await yard.recorder.close();
      await expectAll(gate);
      await expectAll(yard);
      expect(site.files.reused).to.deep.equal([]);
      expect(await site.findings()).to.deep.equal([]);
    });

  it("is counted", async () => {
    const usable = async (): Promise<string> =>
      / *viaduct_volume_usable\{volume="fast"\} \d/.exec(await site.metrics.text())?.[0] ?? "";
    expect(await usable()).to.match(/1$/);
    hang("all");
    await record(ANSWER_MS / 1000 + 1);
    expect(await usable()).to.match(/0$/);
  });

  it("does not keep the archive from closing; what it does after that is no part of the recordings", async () => {
    hang(WRITING);
    await record(ANSWER_MS / 1000 + 5);
    // Not a moment later, in virtual time.
    await site.archive.close();
    site.files.goOn();
    await site.files.quiet();
    const left = await readdir(`${site.folder}/fast`, { recursive: true });
    expect(left.filter((name) => name.endsWith(".part"))).to.have.length(1);
    // The next start finishes it, and until then nothing that follows it is accused.
    expect(await site.findings()).to.deep.equal([]);
    await site.open();
    await expectAll(gate);
    await expectAll(yard);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("is closed while what it was asked for last is waited for", async () => {
    hang("all");
    gate.pushSecond();
    await site.files.quiet();
    const closed = site.archive.close();
    // For the write, and for a look at the disk that began meanwhile.
    await wait((2 * ANSWER_MS) / 1000);
    await closed;
    site.files.goOn();
    await site.files.quiet();
    await site.open();
    // The last second was never written, or not known to be.
    expect(await site.played("gate")).to.include.members(
      Array.from({ length: gate.pictures - 25 }, (_, index) => index),
    );
    await expectAll(yard);
    expect(await site.findings()).to.deep.equal([]);
  });

  for (const [what, operation] of [
    ["reads", "read"],
    ["opens", "open"],
  ] as const)
    it(`is told of in an export, and no recording accused, where it hangs while that ${what}`, async () => {
      await gate.recorder.close();
      const toUs = (START_MS + 12_000) * 1000;
      const range = { camera: "gate", stream: "main", fromUs: START_MS * 1000, toUs, notBeforeUs: () => 0 };
      const missing: string[] = [];
      const cutting = cut(site.archive.place, range, ({ reason }) => missing.push(reason));
      if (operation === "read") await cutting.next();
      hang([operation]);
      const way = { isOver: false };
      const rest = Array.fromAsync(cutting).finally(() => {
        way.isOver = true;
      });
      // Hashes are made in another thread, beside virtual time.
      while (!way.isOver) await wait(1);
      await rest;
      expect(new Set(missing)).to.include("its disk gave no answer");
      for (const reason of missing) expect(reason).to.not.include("damaged");
    });

  it("is passed over by who plays it, and what is on other disks is played", async () => {
    await gate.recorder.close();
    gate = new Stream(site, "gate", "other", gate.pictures);
    await record(12);
    const groups = site.archive.source("gate").read({ from: unixMillis(START_MS) }, never);
    const playing = groups[Symbol.asyncIterator]();
    const indices = [(await playing.next()).value].map((group) => indexInGroup(group as PacketGroup));
    hang(["read"]);
    const rest = Array.fromAsync({ [Symbol.asyncIterator]: () => playing });
    await wait(ANSWER_MS / 1000);
    indices.push(...(await rest).map(indexInGroup));
    expect(indices.at(0)).to.equal(0);
    expect(indices.slice(-300)).to.deep.equal(Array.from({ length: 300 }, (_, index) => 300 + index));
    expect((await site.gaps("gate")).map(({ cause }) => cause)).to.include("away");
    expect(site.told.at(-1)).to.match(WORDS);
    site.files.goOn();
    await wait(1);
    expect(site.told.at(-1)).to.equal(undefined);
    expect((await site.gaps("gate")).map(({ cause }) => cause)).to.not.include("away");
    expect(await site.played("gate")).to.have.length(600);
    expect(site.files.reused).to.deep.equal([]);
  });
});

describe("the only disk, which hangs without an error", () => {
  let site: VolumeSite;
  let gate: Stream;

  beforeEach(async () => {
    site = await VolumeSite.make();
    await site.open({ answerMs: ANSWER_MS });
    gate = new Stream(site, "gate");
    await record(12);
  });
  afterEach(async () => {
    site.files.goOn();
    await site.close();
  });

  async function record(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      gate.pushSecond();
      await site.files.quiet();
      await site.clock.advance(1000);
    }
  }

  it("is told in time, and waited for while there is memory: nothing is lost then", async () => {
    site.files.hangs = (operation) => WRITING.includes(operation);
    await record(60);
    expect(site.told.at(-1)).to.match(/^the disk of the volume main \(.*\/main\) gives no answer$/);
    expect((await site.archive.volumes()).map(({ state }) => state)).to.deep.equal(["failing"]);
    site.files.goOn();
    await record(5);
    expect(site.told.at(-1)).to.equal(undefined);
    await gate.recorder.close();
    expect(await site.played("gate")).to.deep.equal(Array.from({ length: gate.pictures }, (_, index) => index));
    expect(await site.gaps("gate")).to.deep.equal([]);
    expect(await site.findings()).to.deep.equal([]);
  });

  it("does not keep the archive from closing", async () => {
    site.files.hangs = () => true;
    await record(20);
    const closed = site.archive.close();
    // What it was not asked for yet: to read what is unfinished.
    for (let second = 0; second < ANSWER_MS / 1000; second += 1) {
      await site.files.quiet();
      await site.clock.advance(1000);
    }
    await closed;
    site.files.goOn();
    await site.files.quiet();
    await site.open();
    // What came until then, but for the second that was not complete.
    expect(await site.played("gate")).to.deep.equal(Array.from({ length: 275 }, (_, index) => index));
    expect(await site.findings()).to.deep.equal([]);
  });
});
