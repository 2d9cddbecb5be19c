import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import type { KeptEvent } from "../../recorder/journal.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { HeldDatabases } from "../support/held-databases.ts";
import { videoSample } from "../support/recorder-samples.ts";
import { VolumeSite } from "../support/volume-site.ts";

const ANSWER_MS = 10_000;
const WORDS = /^the catalog in .*\/main gives no answer: what was recorded cannot be found now$/;
const EVER = [unixMillis(0), unixMillis(Number.MAX_SAFE_INTEGER / 2000)] as const;

for (const hasOther of [true, false])
  describe(`a catalog that gives no answer, ${hasOther ? "with a disk beside its own" : "on the only disk"}`, () => {
    let site: VolumeSite;
    let databases: HeldDatabases;
    let recorder: StreamRecorder;
    let camera: GroupCamera;
    let pictures: number;

    beforeEach(async () => {
      site = await VolumeSite.make();
      databases = new HeldDatabases();
      site.databases = databases;
      if (hasOther) await site.addVolume("other");
      pictures = 0;
      camera = new GroupCamera();
    });
    afterEach(async () => {
      databases.goOn();
      await quiet();
      await site.close();
    });

    /** Virtual time must not go on before. */
    async function quiet(): Promise<void> {
      for (let turn = 0; turn < 2; turn += 1) {
        await site.files.quiet();
        await databases.quiet();
      }
    }
    async function open(settings: Parameters<VolumeSite["open"]>[0] = {}): Promise<void> {
      await site.open({ answerMs: ANSWER_MS, ...settings });
      recorder = site.recorder("gate");
      await record(12);
    }
    /** Five pictures a second, the first of them a key frame. */
    async function record(seconds: number): Promise<void> {
      for (let second = 0; second < seconds; second += 1) {
        for (let index = 0; index < 5; index += 1)
          recorder.push(camera.group(0, videoSample(pictures++, { fps: 5, gop: 5, bytes: 1000 })));
        await quiet();
        await site.clock.advance(1000);
      }
    }
    const hang = (): void => {
      databases.holds = () => true;
    };
    /** All of it can be played, each picture once. */
    async function expectAll(): Promise<void> {
      expect(await site.played("gate")).to.deep.equal(Array.from({ length: pictures }, (_, index) => index));
      expect(await site.gaps("gate")).to.deep.equal([]);
    }

    it("is told of in time, recording goes on, who asks is refused, and all is entered when it answers", async () => {
      await open();
      hang();
      await record(45);
      expect(site.told.at(-1)).to.match(WORDS);
      expect(await site.metrics.text()).to.match(/viaduct_volume_usable\{volume="main"\} 0/);
      const refused = await site.archive.spans("gate", ...EVER).catch((error: unknown) => error);
      expect(isFault(refused, "unavailable")).to.equal(true);
      // What was told last, for the page that says what is wrong.
      const status = (await site.archive.volumes()).map(({ name, state }) => [name, state]);
      expect(status).to.deep.equal([["main", "failing"], ...(hasOther ? [["other", "here"]] : [])]);
      databases.goOn();
      await quiet();
      expect(site.told.at(-1)).to.equal(undefined);
      expect(await site.metrics.text()).to.match(/viaduct_volume_usable\{volume="main"\} 1/);
      await record(12);
      await recorder.close();
      await expectAll();
      expect(await site.findings()).to.deep.equal([]);
    });

    it("holds up a stream when too many of its notes wait: what memory has no room for is a gap, and no more", async () => {
      // For twenty seconds, as of several volumes each has half.
      await open({ memoryBytes: hasOther ? 200_000 : 100_000 });
      hang();
      // Three notes for each segment: 192 of them, and memory for some seconds more.
      await record(720);
      expect(recorder.problem).to.equal(undefined);
      databases.goOn();
      await record(20);
      await recorder.close();
      const played = await site.played("gate");
      expect(played).to.include.members(Array.from({ length: 600 * 5 }, (_, index) => index));
      expect(played.length).to.be.lessThan(pictures);
      expect((await site.gaps("gate")).map(({ cause }) => cause)).to.deep.equal(["disk"]);
      // It is not the disk that it is written to which is too slow.
      expect(site.told.at(-1)).to.equal(undefined);
      expect(await site.findings()).to.deep.equal([]);
    });

    it("does not keep the archive from closing; what is not entered then, the next start enters, as check says", async () => {
      await open();
      hang();
      await record(45);
      // Not a moment later, in virtual time.
      await site.archive.close();
      databases.goOn();
      await quiet();
      expect(databases.hasEnded).to.equal(true);
      site.databases = undefined;
      const findings = await site.findings();
      expect(findings).to.not.deep.equal([]);
      expect([...new Set(findings.map(({ what }) => what))]).to.deep.equal([
        "is not in the catalog: the next start enters it",
      ]);
      await site.open();
      await expectAll();
      expect(await site.findings()).to.deep.equal([]);
    });

    it("that ends of its own is opened again, and nothing is missing", async () => {
      await open();
      hang();
      await record(3);
      databases.die();
      databases.holds = () => false;
      await record(30);
      expect(site.told.some((words) => words !== undefined && WORDS.test(words))).to.equal(true);
      expect(site.told.at(-1)).to.equal(undefined);
      await recorder.close();
      expect(await site.played("gate")).to.deep.equal(Array.from({ length: pictures }, (_, index) => index));
      expect(await site.findings()).to.deep.equal([]);
    });
  });

describe("a catalog that gives no answer", () => {
  let site: VolumeSite;
  let databases: HeldDatabases;
  beforeEach(async () => {
    site = await VolumeSite.make();
    databases = new HeldDatabases();
    site.databases = databases;
  });
  afterEach(async () => {
    databases.goOn();
    await databases.quiet();
    await site.close();
  });

  for (const [when, first] of [
    ["opened", "open"],
    ["brought up to date", "create table"],
    ["asked what is unfinished", 'select * from "doomed"'],
  ] as const)
    it(`at the start ends that, with clear words: as it is ${when}`, async () => {
      databases.holds = (name) => name.startsWith(first);
      const opening = site.open({ answerMs: ANSWER_MS }).catch((error: unknown) => error);
      for (let turn = 0; turn < 3; turn += 1) {
        await site.files.quiet();
        await databases.quiet();
      }
      await site.clock.advance(ANSWER_MS);
      const refused = await opening;
      expect(isFault(refused, "unavailable") && refused.tell).to.equal(
        "the catalog of recordings gives no answer: its disk hangs",
      );
    });

  it("has events waiting until it answers, and refuses bookmarks", async () => {
    await site.open({ answerMs: ANSWER_MS });
    const { journal } = site.archive;
    databases.holds = () => true;
    const event: KeptEvent = {
      camera: "gate",
      at: site.clock.now(),
      kind: "motion",
      about: "x",
      property: false,
      content: "{}",
    };
    const entered = journal.enter([event]);
    await databases.quiet();
    await site.clock.advance(ANSWER_MS);
    const [from, to] = EVER;
    const mark = { kind: "bookmark", camera: "gate", from, to, text: "x", who: "anna", madeAt: from } as const;
    const refused = await journal.mark(mark).catch((error: unknown) => error);
    expect(isFault(refused, "unavailable")).to.equal(true);
    databases.goOn();
    expect(await entered).to.equal(0);
    expect(await journal.events(["gate"], { from, to })).to.have.length(1);
    expect(await journal.marks("gate", { from, to })).to.deep.equal([]);
  });
});
