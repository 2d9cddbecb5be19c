import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import type { KeyRing } from "../../keys/ring.ts";
import { Archive } from "../../recorder/archive.ts";
import { box, u32 } from "../../recorder/box.ts";
import { diskFiles, type OpenFile } from "../../recorder/files.ts";
import { findSignature } from "../../recorder/find-signature.ts";
import { treeRoot } from "../../recorder/hash-tree.ts";
import { FRAGMENT_BOX_BYTES, FRAGMENT_UUID } from "../../recorder/integrity.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { certificateOf, SIGNATURE_UUID, type Signer } from "../../recorder/signature.ts";
import { type Trust, trustIn } from "../../recorder/trust.ts";
import { exitCodeOf, type Report, verify } from "../../recorder/verify.ts";
import { readFound } from "../../recorder/verify-file.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { decryptTo, openRing } from "../support/keys.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SECONDS = 30;

/** A segment, taken apart. */
interface Parts {
  readonly opening: Buffer;
  readonly fragments: Buffer[];
  readonly end: Buffer;
}

/** What was done to the recordings of camera "a", and what is said of them: verdicts by the seconds that they begin and end at. */
interface Case {
  readonly name: string;
  /** Changes the second file of "a". `of`: takes another file apart. */
  readonly change: (parts: Parts, of: (camera: string, index: number) => Promise<Parts>) => Buffer | Promise<Buffer>;
  readonly verdict: string;
  /** How many fragments may be accused. */
  readonly fragments: number;
}

const joined = ({ opening, fragments, end }: Parts): Buffer => Buffer.concat([opening, ...fragments, end]);
const flipped = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};
/** As a file tells it in its last four bytes. */
const indexBytes = (end: Buffer): number => end.readUInt32BE(end.length - 4);
const without = <T>(list: readonly T[], index: number): T[] => list.toSpliced(index, 1);

const CASES: readonly Case[] = [
  {
    name: "a bit of a picture is flipped",
    change: (parts) =>
      joined({ ...parts, fragments: parts.fragments.with(3, flipped(parts.fragments[3] as Buffer, 2000)) }),
    verdict: "changed",
    fragments: 1,
  },
  {
    name: "a fragment is taken out",
    change: (parts) => joined({ ...parts, fragments: without(parts.fragments, 4) }),
    verdict: "missing",
    fragments: 1,
  },
  {
    name: "a fragment is there twice",
    change: (parts) => joined({ ...parts, fragments: parts.fragments.toSpliced(5, 0, parts.fragments[2] as Buffer) }),
    verdict: "inserted",
    fragments: 1,
  },
  {
    name: "a fragment is moved to the end",
    change: (parts) => joined({ ...parts, fragments: [...without(parts.fragments, 2), parts.fragments[2] as Buffer] }),
    verdict: "reordered",
    fragments: 1,
  },
  {
    name: "a fragment is given another time",
    change: (parts) =>
      joined({ ...parts, fragments: parts.fragments.with(6, flipped(parts.fragments[6] as Buffer, 41)) }),
    verdict: "re-timed",
    fragments: 1,
  },
  {
    name: "a fragment is cut short",
    change: (parts) =>
      joined({ ...parts, fragments: parts.fragments.with(1, (parts.fragments[1] as Buffer).subarray(0, 900)) }),
    verdict: "changed",
    fragments: 1,
  },
  {
    name: "the file is cut off",
    change: (parts) => joined(parts).subarray(0, joined(parts).length - parts.end.length - 100),
    verdict: "unsigned",
    fragments: 10,
  },
  {
    name: "something is put behind its end",
    change: (parts) => Buffer.concat([joined(parts), Buffer.alloc(100, 1)]),
    verdict: "inserted",
    fragments: 10,
  },
  {
    name: "its tables are changed",
    change: (parts) => joined({ ...parts, opening: flipped(parts.opening, 300) }),
    verdict: "changed",
    fragments: 10,
  },
  {
    name: "its signature is changed",
    change: (parts) => joined({ ...parts, end: flipped(parts.end, parts.end.length - 60 - 10 * FRAGMENT_BOX_BYTES) }),
    verdict: "changed",
    fragments: 10,
  },
  {
    name: "something is put before its first fragment",
    change: (parts) => joined({ ...parts, opening: Buffer.concat([parts.opening, Buffer.alloc(100, 1)]) }),
    verdict: "inserted",
    fragments: 10,
  },
  {
    name: "a bit of its index is flipped",
    change: (parts) => joined({ ...parts, end: flipped(parts.end, parts.end.length - 5) }),
    verdict: "inserted",
    fragments: 10,
  },
  {
    name: "something is hidden in its index",
    change: ({ end, ...parts }) => {
      const signature = end.subarray(0, end.length - indexBytes(end));
      const index = [end.subarray(signature.length, -16), box("free", Buffer.alloc(100, 1)), end.subarray(-16)];
      const whole = Buffer.concat(index);
      whole.writeUInt32BE(whole.length, 0);
      whole.writeUInt32BE(whole.length, whole.length - 4);
      return joined({ ...parts, end: Buffer.concat([signature, whole]) });
    },
    verdict: "inserted",
    fragments: 10,
  },
  {
    name: "a bit of the size behind its signature is flipped",
    change: (parts) => joined({ ...parts, end: flipped(parts.end, parts.end.length - indexBytes(parts.end) - 1) }),
    verdict: "changed",
    fragments: 10,
  },
  {
    name: "something is hidden in the box of its signature",
    change: ({ end, ...parts }) => {
      const index = end.subarray(end.length - indexBytes(end));
      const signature = Buffer.concat([end.subarray(0, end.length - index.length - 4), Buffer.alloc(104, 1)]);
      signature.writeUInt32BE(signature.length, 0);
      signature.writeUInt32BE(signature.length, signature.length - 4);
      return joined({ ...parts, end: Buffer.concat([signature, index]) });
    },
    verdict: "changed",
    fragments: 10,
  },
  {
    name: "an older recording is put in its place",
    change: async (_, of) => joined(await of("a", 0)),
    verdict: "re-timed",
    fragments: 20,
  },
  {
    name: "another camera's recording is put in its place",
    change: async (_, of) => joined(await of("b", 1)),
    verdict: "from another camera",
    fragments: 20,
  },
];

/** A file that counts how often it is read. */
function inMemory(bytes: Buffer): OpenFile & { reads: number } {
  const refused = (): Promise<never> => expect.fail("written to");
  return {
    reads: 0,
    async read(into, position) {
      this.reads += 1;
      if (position < 0) throw new RangeError(`read at ${position}`);
      return bytes.copy(into, 0, position);
    },
    size: async () => bytes.length,
    close: async () => undefined,
    write: refused,
    truncate: refused,
    datasync: refused,
  };
}

describe("verifying recordings", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let ring: KeyRing;
  let closeKeys: () => Promise<void>;
  let signer: Signer;

  before(async () => {
    signer = await makeSigner();
  });
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    ({ ring, close: closeKeys } = await openRing(folder));
  });
  afterEach(async () => {
    await closeKeys();
    await remove();
  });

  async function record(encryption: "full" | undefined, by: Signer | undefined, place = folder): Promise<void> {
    const camera = new GroupCamera();
    const archive = await Archive.open({
      folder: place,
      clock: new VirtualClock(unixMillis(START_MS)),
      log: silentLog(),
      metrics: new Metrics(),
      keys: ring,
      signer: by,
      settings: { segmentMs: 10_000, ...(encryption && { encryption }) },
    });
    for (const name of ["a", "b"]) {
      const recorder = archive.recorder(name, "main");
      recorder.describe([VIDEO_TRACK]);
      for (let index = 0; index < SECONDS * 25; index += 1)
        recorder.push(camera.group(0, videoSample(index, { bytes: name === "a" ? 300 : 301 })));
      await recorder.idle();
    }
    await archive.close();
  }

  async function files(place = folder): Promise<readonly string[]> {
    const names = await readdir(place, { recursive: true });
    return names
      .filter((name) => name.endsWith(".mp4"))
      .map((name) => join(place, name))
      .toSorted();
  }

  const report = async (
    o: { trust?: Trust; place?: string; keys?: KeyRing; unfinished?: readonly string[] } = {},
  ): Promise<Report> => verify({ files: diskFiles, keys: ring, ...o, paths: await files(o.place) });
  const verdicts = ({ stretches }: Report): readonly string[] => [...new Set(stretches.map(({ verdict }) => verdict))];
  /** Seconds of footage, of either camera, that are said not to be good. */
  function accused({ stretches }: Report): number {
    let seconds = 0;
    for (const camera of ["a", "b"]) {
      let end = 0;
      for (const one of stretches
        .filter(({ verdict, ...about }) => verdict !== "ok" && about.camera === camera)
        .toSorted((x, y) => x.fromUs - y.fromUs)) {
        seconds += Math.max(0, one.toUs - Math.max(one.fromUs, end)) / 1_000_000;
        end = Math.max(end, one.toUs);
      }
    }
    return seconds;
  }

  async function partsOf(file: string): Promise<Parts> {
    const handle = await diskFiles.open(file, "read");
    const { fragments, goodBytes } = await scanSegment(handle, false, ring);
    await handle.close();
    const bytes = await readFile(file);
    return {
      opening: bytes.subarray(0, fragments[0]?.offset),
      fragments: fragments.map((one) => bytes.subarray(one.offset, one.offset + one.bytes)),
      end: bytes.subarray(goodBytes),
    };
  }

  async function fileOf(camera: string, index: number): Promise<string> {
    return (await files()).filter((one) => one.includes(`/${camera}/`)).at(index) as string;
  }

  for (const encryption of [undefined, "full"] as const)
    describe(encryption === undefined ? "in clear" : "that are encrypted", () => {
      beforeEach(() => record(encryption, signer));

      it("finds every second as it was recorded", async () => {
        const found = await report();
        expect(verdicts(found)).to.deep.equal(["ok"]);
        expect(exitCodeOf(found)).to.equal(0);
        expect([...found.signers.keys()]).to.deep.equal([certificateOf(signer.certificate).fingerprint256]);
        const seconds = found.stretches.reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs) / 1_000_000, 0);
        expect(seconds).to.be.closeTo(2 * SECONDS, 0.001);
      });

      for (const { name, change, verdict, fragments } of CASES)
        it(`notices that ${name}: "${verdict}", and accuses nothing else`, async () => {
          const target = await fileOf("a", 1);
          const before = await partsOf(target);
          await writeFile(target, await change(before, async (camera, index) => partsOf(await fileOf(camera, index))));
          const found = await report();
          expect(verdicts(found)).to.include(verdict);
          expect(exitCodeOf(found)).to.equal(1);
          expect(found.stretches.filter((one) => one.verdict !== "ok").map(({ camera }) => camera)).to.satisfy(
            (all: readonly string[]) => all.every((one) => one === "a" || fragments === 20),
          );
          expect(accused(found))
            .to.be.at.most(fragments + 1.001)
            .and.at.least(Math.min(1, fragments) - 0.001);
        });

      it("notices that a whole file is gone, and from when to when", async () => {
        await rm(await fileOf("a", 1));
        const found = await report();
        const [missing, ...more] = found.stretches.filter(({ verdict }) => verdict !== "ok");
        expect(more).to.deep.equal([]);
        expect(missing).to.include({ verdict: "missing", camera: "a" });
        expect(((missing?.toUs ?? 0) - (missing?.fromUs ?? 0)) / 1_000_000).to.be.closeTo(10, 0.01);
      });

      it("notices that a file was given the name of another time", async () => {
        const target = await fileOf("a", 1);
        await rename(target, target.replace(/(\d\d)\.(\d{3})Z/, "59.$2Z"));
        expect(verdicts(await report())).to.include("re-timed");
      });

      it("takes nothing for good that another certificate signed", async () => {
        const other = `${folder}/other`;
        await mkdir(other);
        await record(encryption, await makeSigner(), other);
        const [mine, theirs] = [await fileOf("a", 1), (await files(other))[1] as string];
        await copyFile(theirs, mine);
        await rm(other, { recursive: true });
        const found = await report({ trust: trustIn([certificateOf(signer.certificate)]) });
        expect(verdicts(found)).to.include("unsigned");
        expect(exitCodeOf(found)).not.to.equal(0);
      });
    });

  it("names the camera that a spliced fragment came from", async () => {
    await record(undefined, signer);
    const target = await fileOf("a", 1);
    const [own, other] = [await partsOf(target), await partsOf(await fileOf("b", 1))];
    await writeFile(target, joined({ ...own, fragments: own.fragments.with(3, other.fragments[3] as Buffer) }));
    const [wrong, ...more] = (await report()).stretches.filter(({ verdict }) => verdict !== "ok");
    expect(more).to.deep.equal([]);
    expect(wrong).to.include({ verdict: "from another camera", why: "it was recorded of b" });
  });

  it("says of recordings that nobody signed that they are unsigned, and no more", async () => {
    await record("full", undefined);
    const found = await report();
    expect(verdicts(found)).to.deep.equal(["unsigned"]);
    expect(exitCodeOf(found)).to.equal(3);
  });

  it("checks times, order and signature of encrypted recordings without a key, and says what it cannot", async () => {
    await record("full", signer);
    const target = await fileOf("a", 1);
    const parts = await partsOf(target);
    const none = { find: async () => undefined };
    const paths = await files();
    expect(verdicts(await verify({ files: diskFiles, paths, keys: none }))).to.deep.equal(["locked"]);
    await writeFile(target, joined({ ...parts, fragments: without(parts.fragments, 4) }));
    expect(verdicts(await verify({ files: diskFiles, paths, keys: none }))).to.deep.equal(["locked", "missing"]);
  });

  it("finds a decrypted file as good as the one that it came from", async () => {
    await record("full", signer);
    const plain = `${folder}/plain.mp4`;
    await decryptTo(await fileOf("a", 1), plain, ring);
    const found = await verify({ files: diskFiles, paths: [plain] });
    expect(verdicts(found)).to.deep.equal(["ok"]);
  });

  interface BrokenOff {
    readonly name: string;
    /** How it was recorded, and how new recordings are when it is finished. */
    readonly before: "full" | undefined;
    readonly after: "full" | undefined;
    readonly withKeys: boolean;
    readonly verdict: "recovered" | "unsigned";
  }

  const BROKEN_OFF: readonly BrokenOff[] = [
    { name: "opens under our key", before: "full", after: "full", withKeys: true, verdict: "recovered" },
    {
      name: "is encrypted, and new ones are not",
      before: "full",
      after: undefined,
      withKeys: true,
      verdict: "recovered",
    },
    { name: "cannot be opened here", before: "full", after: "full", withKeys: false, verdict: "unsigned" },
    { name: "is in clear, as new ones are", before: undefined, after: undefined, withKeys: true, verdict: "recovered" },
    {
      name: "is in clear, and new ones are not",
      before: undefined,
      after: "full",
      withKeys: true,
      verdict: "unsigned",
    },
  ];
  for (const { name, before, after, withKeys, verdict } of BROKEN_OFF)
    it(`says of a recording that broke off and ${name} that it is ${verdict}, and misses nothing`, async () => {
      await record(before, signer);
      const target = await fileOf("a", 1);
      const { opening, fragments } = await partsOf(target);
      for (const one of await readdir(folder)) if (one.startsWith("catalog.db")) await rm(join(folder, one));
      await rm(target);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(`${target}.part`, Buffer.concat([opening, ...fragments, Buffer.alloc(500)]));
      const archive = await Archive.open({
        folder,
        clock: new VirtualClock(unixMillis(START_MS)),
        log: silentLog(),
        metrics: new Metrics(),
        signer,
        ...(withKeys && { keys: ring }),
        ...(after && { settings: { encryption: after } }),
      });
      await archive.close();
      const found = await report();
      const ofTarget = found.stretches.filter(({ file }) => file === target);
      expect([...new Set(ofTarget.map((one) => one.verdict))]).to.deep.equal([verdict]);
      expect(verdicts(found)).to.have.members(["ok", verdict]);
      expect(exitCodeOf(found)).to.equal(verdict === "recovered" ? 0 : 3);
    });

  it("misses nothing where a recording was left unfinished that others follow, says so, and believes no fragment that is not there", async () => {
    await record("full", signer);
    const target = await fileOf("a", 1);
    const last = await fileOf("a", 2);
    const part = `${target}.part`;
    const { opening, fragments } = await partsOf(target);
    await rm(target);
    const late = (await partsOf(last)).fragments;
    const forged = Buffer.concat(fragments.map((one) => flipped(one, one.length - 1)));
    const rows: readonly [left: readonly Buffer[], found: readonly string[], exit: number][] = [
      [fragments, ["ok", "unsigned"], 3],
      // Written by a disk that had said nothing of it.
      [[...fragments, ...late], ["ok", "unsigned"], 3],
      [fragments.slice(0, -1), ["ok", "missing"], 1],
      [[forged], ["ok", "missing"], 1],
    ];
    for (const [left, expected, exit] of rows) {
      await writeFile(part, Buffer.concat([opening, ...left]));
      const found = await report({ unfinished: [part] });
      expect(verdicts(found)).to.have.members(expected);
      expect(exitCodeOf(found)).to.equal(exit);
    }
    expect(exitCodeOf(await report({ unfinished: [`${last}.part`] }))).to.equal(1);
  });

  it("does not tell of what is being recorded", async () => {
    await record("full", signer);
    const last = await fileOf("a", -1);
    const { opening, fragments } = await partsOf(last);
    await rm(last);
    await writeFile(`${last}.part`, Buffer.concat([opening, ...fragments]));
    const found = await report({ unfinished: [`${last}.part`] });
    expect(verdicts(found)).to.deep.equal(["ok"]);
    expect(exitCodeOf(found)).to.equal(0);
  });

  it("misses nothing before which a recording has lost its signature alone, and something where it has lost more", async () => {
    await record("full", signer);
    const target = await fileOf("a", 1);
    const { opening, fragments } = await partsOf(target);
    const rows: readonly [fragments: readonly Buffer[], found: readonly string[], exit: number][] = [
      [fragments, ["ok", "unsigned"], 3],
      [fragments.with(3, flipped(fragments[3] as Buffer, 2000)), ["ok", "unsigned", "missing"], 1],
      [fragments.slice(0, -1), ["ok", "unsigned", "missing"], 1],
    ];
    for (const [left, expected, exit] of rows) {
      await writeFile(target, Buffer.concat([opening, ...left]));
      const found = await report();
      expect(verdicts(found)).to.have.members(expected);
      expect(exitCodeOf(found)).to.equal(exit);
    }
  });

  it("says which file cannot be read, and judges the others", async () => {
    await record(undefined, signer);
    const paths = [...(await files()), join(folder, "gone.mp4")];
    const found = await verify({ files: diskFiles, paths });
    expect(verdicts(found)).to.deep.equal(["ok", "unreadable"]);
    expect(found.stretches.find(({ verdict }) => verdict === "unreadable")).to.deep.include({ file: paths.at(-1) });
    expect(exitCodeOf(found)).to.equal(3);
  });

  it("finds a signature without reading the recording", async () => {
    await record("full", signer);
    const bytes = await readFile(await fileOf("a", 1));
    const counted = inMemory(bytes);
    const found = await findSignature(counted);
    expect(found?.signature.valid).to.equal(true);
    expect(counted.reads).to.be.at.most(4);
  });

  it("does not look for long in a file full of what signatures and fragments begin with", async () => {
    const uuid = Buffer.from("uuid");
    const signatures = inMemory(Buffer.alloc(4_000_000, Buffer.concat([uuid, SIGNATURE_UUID])));
    expect(await findSignature(signatures)).to.equal(undefined);
    expect(signatures.reads).to.be.at.most(100);
    const mark = Buffer.concat([u32(FRAGMENT_BOX_BYTES), uuid, FRAGMENT_UUID]);
    const fragments = inMemory(Buffer.alloc(1_000_000, mark));
    expect((await readFound(fragments, undefined)).junk).to.equal(true);
    expect(fragments.reads).to.be.at.most(41_000);
  });

  it("hashes its tree as RFC 6962 has it", () => {
    // The hash of no leaf, and of one empty leaf: 2.1.
    expect(treeRoot([]).toString("hex")).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(treeRoot([Buffer.alloc(0)]).toString("hex")).to.equal(
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    );
  });
});
