import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { RecordedSource } from "../../media/source.ts";
import { Archive } from "../../recorder/archive.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera, indexInGroup } from "../support/group-camera.ts";
import {
  AUDIO_TRACK,
  audioSample,
  START_MS,
  scratchFolder,
  VIDEO_TRACK,
  videoSample,
} from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** Frames of a group of pictures, at 25 a second. */
const GOP = 25;
const never = new AbortController().signal;
const at = (frame: number): UnixMillis => unixMillis(START_MS + frame * 40);
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

/** Frames as they have to come backwards: from the group of pictures that holds `from` to the one that holds `to`. */
function backward(from: number, to: number): readonly number[] {
  const frames: number[] = [];
  for (let key = Math.floor(from / GOP) * GOP; key + GOP > to && key >= 0; key -= GOP)
    frames.push(...range(key, Math.min(key + GOP, from + 1)));
  return frames;
}

describe("the directions of reading a recording", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let archive: Archive;
  let source: RecordedSource;
  let recorder: StreamRecorder;
  const camera = new GroupCamera();

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    const clock = new VirtualClock(unixMillis(START_MS));
    const settings = { segmentMs: 10_000 };
    archive = await Archive.open({ folder, clock, log: silentLog(), metrics: new Metrics(), settings });
    source = archive.source("cam");
    recorder = archive.recorder("cam", "main");
    recorder.describe([VIDEO_TRACK, AUDIO_TRACK]);
  });
  afterEach(async () => {
    await archive.close();
    await remove();
  });

  async function record(from: number, to: number): Promise<void> {
    for (const frame of range(from, to)) {
      recorder.push(camera.group(0, videoSample(frame)));
      for (const half of [0, 1]) recorder.push(camera.group(1, audioSample(frame * 2 + half)));
    }
    await recorder.idle();
  }
  async function readBackward(from: number, to?: number): Promise<readonly PacketGroup[]> {
    const asked = to === undefined ? { from: at(from) } : { from: at(from), to: at(to) };
    return Array.fromAsync(source.readBackward(asked, never));
  }

  describe("backwards", () => {
    it("gives groups of pictures from late to early, each from its key frame on, over all segments", async () => {
      await record(0, 800);
      expect((await readBackward(760, 0)).map(indexInGroup)).to.deep.equal(backward(760, 0));
    });

    it("goes to the beginning where no end is named, and gives nothing of the sound", async () => {
      await record(0, 300);
      const groups = await readBackward(260);
      expect(groups.map(indexInGroup)).to.deep.equal(backward(260, 0));
      expect(new Set(groups.map(({ track }) => track))).to.deep.equal(new Set([0]));
    });

    it("holds for every range", async () => {
      await record(0, 800);
      await fc.assert(
        fc.asyncProperty(fc.nat(770), fc.nat(770), async (one, other) => {
          const [from, to] = [Math.max(one, other), Math.min(one, other)];
          expect((await readBackward(from, to)).map(indexInGroup)).to.deep.equal(backward(from, to));
        }),
        { numRuns: 30 },
      );
    });

    it("marks the beginning of each group of pictures, and numbers packets in the order that they are given", async () => {
      await record(0, 300);
      const groups = await readBackward(260, 0);
      for (const group of groups) expect(group.discontinuity, `${indexInGroup(group)}`).to.equal(group.key);
      const sequences = groups.flatMap(({ packets }) => packets.map((packet) => packet.readUInt16BE(2)));
      for (const [index, sequence] of sequences.entries())
        expect((sequence - (sequences[0] ?? 0)) & 0xffff, "sequence numbers").to.equal(index);
    });

    it("gives sound backwards too, where no picture is asked for", async () => {
      await record(0, 600);
      const asked = { from: at(560), to: at(80), withoutVideo: true };
      const groups = await Array.fromAsync(source.readBackward(asked, never));
      expect(new Set(groups.map((group) => group.track))).to.deep.equal(new Set([1]));
      expect(groups.every((group) => group.discontinuity)).to.equal(true);
      const frames = groups.map((group) => Math.round((group.at - START_MS) / 20));
      expect(frames).to.deep.equal(frames.map((_, index) => 1120 - index));
      expect(frames.length).to.be.within(960, 963);
    });

    it("counts RTP time as the capture did", async () => {
      await record(0, 600);
      const groups = await readBackward(560, 0);
      const [first] = groups;
      for (const group of groups) {
        const elapsedMs = ((group.rtpTime - (first?.rtpTime ?? 0)) | 0) / 90;
        expect(elapsedMs).to.be.closeTo(group.at - (first?.at ?? 0), 1);
      }
    });

    it("begins before a gap that holds the wanted instant, and passes over what is not there", async () => {
      await record(0, 200);
      await record(1000, 1200);
      expect((await readBackward(600, 100)).map(indexInGroup)).to.deep.equal(backward(199, 100));
      const over = (await readBackward(1040, 180)).map(indexInGroup);
      expect(over).to.deep.equal([...backward(1040, 1000), ...backward(199, 180)]);
    });

    it("passes over what is damaged", async () => {
      await record(0, 300);
      await archive.close();
      const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".mp4"));
      const contents = await Promise.all(
        files.map(async (file) => ({ file, bytes: await readFile(join(folder, file)) })),
      );
      const [largest] = contents.toSorted((a, b) => b.bytes.length - a.bytes.length);
      const { file, bytes } = largest ?? { file: "", bytes: Buffer.alloc(0) };
      const third = [1, 2, 3].reduce((from) => bytes.indexOf("moof", from + 1), 0);
      // What is inside of the box: where the next one begins is still known.
      bytes.fill(0xff, third + 12, third + 100);
      await writeFile(join(folder, file), bytes);
      archive = await Archive.open({
        folder,
        clock: new VirtualClock(unixMillis(START_MS)),
        log: silentLog(),
        metrics: new Metrics(),
        settings: { segmentMs: 10_000 },
      });
      source = archive.source("cam");
      const frames = (await readBackward(299, 0)).map(indexInGroup);
      const missing = range(0, 300).filter((frame) => !frames.includes(frame));
      const [lost = -1] = missing;
      expect(missing).to.deep.equal(range(lost, lost + GOP));
      expect(frames).to.deep.equal(backward(299, 0).filter((frame) => !missing.includes(frame)));
    });

    it("ends when it is called off", async () => {
      await record(0, 300);
      const stop = new AbortController();
      let count = 0;
      for await (const _ of source.readBackward({ from: at(260) }, stop.signal)) {
        count += 1;
        if (count === 3) stop.abort();
      }
      expect(count).to.be.below(30);
    });
  });

  describe("following", () => {
    it("gives what is recorded meanwhile, and says when there is nothing more at the moment", async () => {
      await record(0, 60);
      const stop = new AbortController();
      const frames: number[] = [];
      let recorded = 60;
      for await (const group of source.follow({ from: at(0) }, stop.signal)) {
        if (group !== undefined && group.track === 0) frames.push(indexInGroup(group));
        if (group !== undefined) continue;
        if (recorded >= 900) stop.abort();
        await record(recorded, recorded + 70);
        recorded += 70;
      }
      expect(frames).to.deep.equal(range(0, frames.length));
      expect(frames.length).to.be.above(800);
    });

    it("ends where it is to end, although more is recorded", async () => {
      await record(0, 300);
      const frames: (number | undefined)[] = [];
      for await (const group of source.follow({ from: at(0), to: at(60) }, never))
        if (group?.track === 0) frames.push(indexInGroup(group));
      expect(frames).to.deep.equal(range(0, 60));
    });

    it("waits where nothing is recorded yet", async () => {
      const stop = new AbortController();
      const seen: (number | undefined)[] = [];
      for await (const group of source.follow({ from: at(0) }, stop.signal)) {
        if (group === undefined) {
          seen.push(undefined);
          if (seen.length === 2) await record(0, 60);
          continue;
        }
        seen.push(indexInGroup(group));
        stop.abort();
      }
      expect(seen).to.deep.equal([undefined, undefined, 0]);
    });
  });
});
