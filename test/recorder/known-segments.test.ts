import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { KnownSegments, type SegmentStructure } from "../../recorder/known-segments.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SEAL = Buffer.from("01", "hex");
const structure = (fragments = 1): SegmentStructure => ({
  tracks: [],
  protection: undefined,
  fragments: Array.from({ length: fragments }, () => ({
    offset: 0,
    bytes: 1,
    key: true,
    time: "camera",
    startUs: 0,
    endUs: 1,
  })),
});

describe("segments that are known", () => {
  it("are those of the same name, on the same volume, with the same end of their chain", () => {
    const known = new KnownSegments();
    const [main, one] = [{ file: "cam/1.mp4", volume: "main" }, structure()];
    known.note(main, SEAL, one);
    expect(known.find(main, Buffer.from(SEAL))).to.equal(one);
    expect(known.find(main, Buffer.from("02", "hex"))).to.equal(undefined);
    expect(known.find({ ...main, volume: "other" }, SEAL)).to.equal(undefined);
    expect(known.find({ ...main, file: "cam/2.mp4" }, SEAL)).to.equal(undefined);
  });

  it("are the last few, and none of very many fragments", () => {
    const known = new KnownSegments();
    const stored = (index: number) => ({ file: `cam/${index}.mp4`, volume: "main" });
    for (let index = 0; index < 70; index += 1) {
      known.note(stored(index), SEAL, structure());
      // It is asked for again and again.
      known.find(stored(0), SEAL);
    }
    const left = Array.from({ length: 70 }, (_, index) => index).filter((index) => known.find(stored(index), SEAL));
    expect([left.length, left[0], left.at(-1)]).to.deep.equal([64, 0, 69]);
    known.note(stored(100), SEAL, structure(1025));
    expect(known.find(stored(100), SEAL)).to.equal(undefined);
  });

  describe("in an archive", () => {
    let folder = "";
    let remove: () => Promise<void>;
    let reads: number[] = [];
    let key: Buffer | undefined;
    const files: Files = {
      ...diskFiles,
      async open(path, mode) {
        const file = await diskFiles.open(path, mode);
        return {
          ...file,
          read(into, position) {
            reads.push(into.length);
            return file.read(into, position);
          },
        };
      },
    };
    const open = async (): Promise<Archive> =>
      Archive.open({
        folder,
        files,
        clock: new VirtualClock(unixMillis(START_MS)),
        log: silentLog(),
        metrics: new Metrics(),
        settings: { encryption: "full", segmentMs: 10_000 },
        signer: await makeSigner(),
        keys: {
          find: async () => key,
          forRecording: async () => ({ id: "00".repeat(16), key: key as Buffer }),
          cameras: async () => [],
          shred: async () => 0,
        },
      });
    const at = (seconds: number): UnixMillis => unixMillis(START_MS + seconds * 1000);
    const jump = async (archive: Archive, seconds: number): Promise<number[]> => {
      const range = { from: at(seconds), to: at(seconds + 1) };
      const source = archive.source("cam");
      await source.tracks(range.from);
      return (await Array.fromAsync(source.read(range, new AbortController().signal))).map(indexInGroup);
    };

    beforeEach(async () => {
      ({ folder, remove } = await scratchFolder());
      key = randomBytes(32);
      const archive = await open();
      const [recorder, camera] = [archive.recorder("cam", "main"), new GroupCamera()];
      recorder.describe([VIDEO_TRACK]);
      for (let index = 0; index < 500; index += 1) recorder.push(camera.group(0, videoSample(index)));
      await archive.close();
      reads = [];
    });
    afterEach(() => remove());

    it("are not looked into again: who jumps reads the fragment alone", async () => {
      const archive = await open();
      reads = [];
      const first = await jump(archive, 3);
      expect(first).to.deep.equal(Array.from({ length: 25 }, (_, index) => 75 + index));
      expect(reads.length).to.equal(3);
      reads = [];
      expect(await jump(archive, 5)).to.deep.equal(first.map((index) => index + 50));
      expect(reads.length).to.equal(1);
      await archive.close();
    });

    it("are not played any more when their key is gone", async () => {
      const archive = await open();
      expect(await jump(archive, 3)).to.have.length(25);
      const before = key;
      key = undefined;
      expect(await archive.source("cam").tracks(at(3))).to.deep.equal([]);
      expect(await jump(archive, 3)).to.deep.equal([]);
      key = before;
      expect(await jump(archive, 3)).to.have.length(25);
      await archive.close();
    });
  });
});
