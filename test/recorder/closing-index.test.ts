import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import type { KeyFinder } from "../../recorder/cipher.ts";
import { readIndexed } from "../../recorder/closing-index.ts";
import type { OpenFile } from "../../recorder/files.ts";
import { scanSegment } from "../../recorder/scan.ts";
import type { FragmentExtent } from "../../recorder/segment.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const FOLDER = join(import.meta.dirname, "vectors");
const KEY = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");
const keys: KeyFinder = { find: async () => KEY };

/** A file in memory, that counts how often it is read. */
class MemoryFile implements Pick<OpenFile, "read" | "size"> {
  readonly #bytes: Buffer;
  reads = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  async read(into: Buffer, position: number): Promise<number> {
    this.reads += 1;
    return this.#bytes.copy(into, 0, position);
  }

  async size(): Promise<number> {
    return this.#bytes.length;
  }
}

const opened = (bytes: Buffer): MemoryFile & OpenFile => new MemoryFile(bytes) as MemoryFile & OpenFile;
const indexed = async (bytes: Buffer, finder: KeyFinder = keys): Promise<readonly FragmentExtent[] | undefined> =>
  (await readIndexed(opened(bytes), finder))?.fragments;

const extentOf = ({ offset, bytes, key, time, startUs, endUs }: FragmentExtent): FragmentExtent => ({
  offset,
  bytes,
  key,
  time,
  startUs,
  endUs,
});

describe("the fragments of a signed segment", () => {
  for (const name of ["none.mp4", "full.mp4"])
    it(`are found by two reads, as a walk finds them: ${name}`, async () => {
      const bytes = await readFile(join(FOLDER, name));
      const file = opened(bytes);
      const found = await readIndexed(file, keys);
      expect(file.reads).to.equal(2);
      const walked = await scanSegment(opened(bytes), true, keys);
      expect(walked.fragments).to.have.length.above(1);
      expect(found?.fragments).to.deep.equal(walked.fragments.map(extentOf));
      expect(found?.header).to.deep.equal(walked.header);
    });

  it("are found where there are more of them than are usual", async () => {
    const { folder, remove } = await scratchFolder();
    const archive = await Archive.open({
      folder,
      clock: new VirtualClock(unixMillis(START_MS)),
      log: silentLog(),
      metrics: new Metrics(),
      signer: await makeSigner(),
    });
    const recorder = archive.recorder("cam", "main");
    const camera = new GroupCamera();
    recorder.describe([VIDEO_TRACK]);
    for (let index = 0; index < 3000; index += 1) {
      recorder.push(camera.group(0, videoSample(index, { bytes: 60, gop: 13 })));
      if (index % 25 === 0) await recorder.idle();
    }
    await archive.close();
    const [, file = ""] = globSync("cam/*/*/*.mp4", { cwd: folder }).toSorted();
    const bytes = await readFile(join(folder, file));
    await remove();
    const walked = await scanSegment(opened(bytes), true);
    expect(walked.fragments).to.have.length.above(70);
    expect(await indexed(bytes)).to.deep.equal(walked.fragments.map(extentOf));
  });

  for (const [name, why] of [
    ["light.mp4", "lengths are not told by the signature"],
    ["full-cut.mp4", "there is none"],
  ] as const)
    it(`are left to a walk where ${why}`, async () => {
      expect(await indexed(await readFile(join(FOLDER, name)))).to.equal(undefined);
    });

  it("are left to a walk where there is no key", async () => {
    const none: KeyFinder = { find: async () => undefined };
    expect(await indexed(await readFile(join(FOLDER, "full.mp4")), none)).to.equal(undefined);
  });

  for (const name of ["none.mp4", "full.mp4"]) {
    it(`are never found elsewhere, wherever a bit is flipped: ${name}`, async () => {
      const good = await readFile(join(FOLDER, name));
      const right = await indexed(good);
      let left = 0;
      for (let at = 0; at < good.length; at += 13) {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        const found = await indexed(bytes);
        if (found === undefined) left += 1;
        else expect(found, `byte ${at}`).to.deep.equal(right);
      }
      expect(left).to.be.above(0);
    });

    it(`are left to a walk wherever the file is cut off: ${name}`, async () => {
      const good = await readFile(join(FOLDER, name));
      for (let length = 0; length < good.length; length += 13)
        expect(await indexed(good.subarray(0, length)), `${length} bytes`).to.equal(undefined);
    });
  }
});
