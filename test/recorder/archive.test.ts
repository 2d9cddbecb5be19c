import { open, rm } from "node:fs/promises";
import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { jpegFile } from "../../media/jpeg-file.ts";
import { tablesOfQuality } from "../../media/jpeg-tables.ts";
import { ReusedMemory } from "../../media/reused-memory.ts";
import type { Sample } from "../../media/sample.ts";
import type { RecordedSource } from "../../media/source.ts";
import { Archive } from "../../recorder/archive.ts";
import type { ArchiveSettings } from "../../recorder/archive-settings.ts";
import { diskFiles } from "../../recorder/files.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { GroupCamera, indexInGroup, pass } from "../support/group-camera.ts";
import { Harness, indicesOf } from "../support/recorder-harness.ts";
import {
  AUDIO_TRACK,
  audioSample,
  METADATA,
  METADATA_TRACK,
  resized,
  START_MS,
  scratchFolder,
  track,
  VIDEO_TRACK,
  videoSample,
} from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);
const never = new AbortController().signal;
const at = (second: number): UnixMillis => unixMillis(START_MS + second * 1000);

function rtpOf(packet: Buffer): { sequence: number; timestamp: number; ssrc: number } {
  return { sequence: packet.readUInt16BE(2), timestamp: packet.readUInt32BE(4), ssrc: packet.readUInt32BE(8) };
}

describe("an archive", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let archive: Archive;
  let clock: VirtualClock;
  let camera: GroupCamera;

  const start = async (settings: ArchiveSettings = { segmentMs: 10_000 }): Promise<Archive> => {
    archive = await Archive.open({ folder, clock, log: silentLog(), metrics: new Metrics(), settings });
    return archive;
  };

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    clock = new VirtualClock(unixMillis(START_MS));
    camera = new GroupCamera();
    await start();
  });

  afterEach(async () => {
    await archive.close().catch(() => undefined);
    expect(clock.pending).to.equal(0);
    await remove();
  });

  const recorder = (): StreamRecorder => {
    const made = archive.recorder("cam", "main");
    made.describe([VIDEO_TRACK]);
    return made;
  };

  async function record(into: StreamRecorder, from: number, to: number, change = (one: Sample) => one): Promise<void> {
    for (let index = from; index < to; index += 1) into.push(camera.group(0, change(videoSample(index))));
    await into.idle();
  }

  async function read(source: RecordedSource, from: UnixMillis, to?: UnixMillis): Promise<PacketGroup[]> {
    return Array.fromAsync(source.read(to === undefined ? { from } : { from, to }, never));
  }

  const indices = (groups: readonly PacketGroup[]): number[] =>
    groups.filter((one) => one.track === 0).map(indexInGroup);

  it("plays back what it recorded: every access unit once, in order, at its time, over all segments", async () => {
    await record(recorder(), 0, 800);
    await archive.close();
    await start();
    const groups = await read(archive.source("cam"), at(0));
    expect(indices(groups)).to.deep.equal(range(0, 800));
    for (const [index, group] of groups.entries()) {
      expect(group.at).to.be.closeTo(START_MS + index * 40, 0.001);
      expect(group.key).to.equal(index % 25 === 0);
      expect(group.discontinuity).to.equal(false);
      expect(group.quality).to.equal("camera");
      if (index > 0) expect((group.rtpTime - (groups[index - 1]?.rtpTime ?? 0)) >>> 0).to.equal(3600);
    }
    const packets = groups.flatMap((group) => group.packets.map(rtpOf));
    for (const [index, packet] of packets.entries())
      expect(packet.sequence).to.equal(((packets[0]?.sequence ?? 0) + index) & 0xffff);
    expect(new Set(packets.map((one) => one.ssrc)).size).to.equal(1);
  });

  it("plays back times that only rise where the clock was corrected while it recorded", async () => {
    // As a camera's first pictures come: late, and all at once.
    const late = (one: Sample, index: number): Sample => ({
      ...one,
      at: unixMillis(Math.max(one.at, START_MS + 300 + index)),
    });
    const made = recorder();
    for (const index of range(0, 101)) made.push(camera.group(0, late(videoSample(index), index)));
    await made.idle();
    const times = (await read(archive.source("cam"), at(0))).map((group) => group.at - START_MS);
    expect(times).to.have.length(100);
    times.forEach((time, index) => {
      if (index > 0) expect(time).to.be.above(times[index - 1] ?? 0);
      if (index > 24) expect(time).to.be.closeTo(index * 40, 0.001);
    });
  });

  it("begins at the last key frame at or before the wanted instant, and ends before the last", async () => {
    await record(recorder(), 0, 800);
    const source = archive.source("cam");
    await fc.assert(
      fc.asyncProperty(fc.nat(740), fc.integer({ min: 1, max: 200 }), async (from, count) => {
        const to = Math.min(from + count, 774);
        const groups = await read(source, unixMillis(START_MS + from * 40), unixMillis(START_MS + to * 40));
        expect(indices(groups)).to.deep.equal(range(Math.floor(from / 25) * 25, to));
      }),
      { numRuns: 40 },
    );
  });

  it("plays into the segment that is being recorded, to the end of what is on disk", async () => {
    const into = recorder();
    await record(into, 0, 310);
    expect(indices(await read(archive.source("cam"), at(9)))).to.deep.equal(range(225, 300));
    await record(into, 310, 330);
    expect(indices(await read(archive.source("cam"), at(11)))).to.deep.equal(range(275, 325));
  });

  it("keeps up with the recorder while reading, from segment to segment", async () => {
    const into = recorder();
    await record(into, 0, 60);
    const groups: PacketGroup[] = [];
    let recorded = 60;
    for await (const group of archive.source("cam").read({ from: at(0) }, never)) {
      groups.push(group);
      if (recorded < 900) {
        await record(into, recorded, recorded + 7);
        recorded += 7;
      }
    }
    // The last second waits in memory for the next key frame.
    expect(indices(groups)).to.deep.equal(range(0, 875));
  });

  it("follows what is recorded, and plays nothing twice where the newest file cannot be read", async () => {
    const into = recorder();
    await record(into, 0, 100);
    into.gap({ cause: "network", why: "the camera is away" });
    await record(into, 1000, 1100);
    into.gap({ cause: "network", why: "the camera is away" });
    await into.idle();
    const hour = `${folder}/cam/2026-11-24/13`;
    for (const name of (await diskFiles.list(hour)).files) if (name > "05-40") await rm(`${hour}/${name}`);
    const groups: PacketGroup[] = [];
    let waits = 0;
    for await (const group of archive.source("cam").follow({ from: at(0) }, never)) {
      if (group !== undefined) groups.push(group);
      else if (++waits === 2) await record(into, 2000, 2051);
      else if (waits > 4) break;
    }
    expect(indices(groups)).to.deep.equal([...range(0, 100), ...range(2000, 2050)]);
  });

  it("begins behind a gap, and marks it", async () => {
    const into = recorder();
    await record(into, 0, 100);
    into.gap({ cause: "network", why: "the camera is away" });
    await record(into, 1000, 1101);
    const source = archive.source("cam");
    expect(indices(await read(source, at(20)))).to.deep.equal(range(1000, 1100));
    const all = await read(source, at(0));
    expect(indices(all)).to.deep.equal([...range(0, 100), ...range(1000, 1100)]);
    expect(all.filter((one) => one.discontinuity).map((one) => one.at)).to.deep.equal([at(40)]);
    expect(((all[100]?.rtpTime ?? 0) - (all[0]?.rtpTime ?? 0)) >>> 0).to.equal(40 * 90_000);
    expect(await archive.spans("cam", at(1), at(42))).to.deep.equal([
      { from: at(1), to: at(4) },
      { from: at(40), to: at(42) },
    ]);
    expect(await archive.gaps("cam", at(0), at(100))).to.deep.equal([
      { from: at(4), to: at(40), reason: "the camera is away", cause: "network" },
    ]);
    expect(await source.extent()).to.deep.equal({ from: at(0), to: at(44) });
  });

  it("mixes the tracks in the order of time, each with its own clock", async () => {
    const into = archive.recorder("cam", "main");
    into.describe([VIDEO_TRACK, AUDIO_TRACK, METADATA_TRACK]);
    // The recorder has to keep what it looks at later.
    const memories = range(0, 3).map(() => new ReusedMemory());
    const push = (index: number, sample: Sample): void =>
      pass(camera.group(index, sample), memories[index] as ReusedMemory, (group) => into.push(group));
    const document = (index: number): Buffer => Buffer.from(`<tt:MetadataStream n="${index}"/>`);
    for (const index of range(0, 601)) {
      push(0, videoSample(index));
      push(1, audioSample(index * 2));
      push(1, audioSample(index * 2 + 1));
      if (index % 50 === 10) push(2, { ...videoSample(index), key: true, data: document(index), format: METADATA });
    }
    await into.close();
    const source = archive.source("cam");
    const tracks = await source.tracks();
    expect(tracks.map((one) => [one.kind, one.codec, one.clockRateHz, one.payloadType])).to.deep.equal([
      ["video", "H264", 90_000, 96],
      ["audio", "PCMU", 8000, 0],
      ["metadata", "VND.ONVIF.METADATA", 90_000, 98],
    ]);
    const groups = await read(source, at(0));
    for (const [index, group] of groups.entries())
      expect(group.at).to.be.at.least((groups[index - 1]?.at ?? 0) - 0.001);
    expect(indices(groups)).to.deep.equal(range(0, 601));
    const audio = groups.filter((one) => one.track === 1);
    expect(audio).to.have.length(1202);
    for (const [index, group] of audio.entries()) {
      if (index > 0) expect((group.rtpTime - (audio[index - 1]?.rtpTime ?? 0)) >>> 0).to.equal(160);
      expect(group.packets[0]?.subarray(12)).to.deep.equal(audioSample(index).data);
    }
    const metadata = groups.filter((one) => one.track === 2);
    expect(metadata).to.have.length(12);
    for (const [index, group] of metadata.entries())
      expect(group.packets[0]?.subarray(12)).to.deep.equal(document(index * 50 + 10));
  });

  it("goes on with the same numbers when the picture changes its size", async () => {
    const into = recorder();
    await record(into, 0, 50);
    await record(into, 50, 101, resized);
    await into.close();
    expect(await archive.spans("cam", at(0), at(10))).to.have.length(1);
    expect((await archive.source("cam").tracks(at(0)))[0]?.fmtp).not.to.equal(
      (await archive.source("cam").tracks(at(3)))[0]?.fmtp,
    );
    const groups = await read(archive.source("cam"), at(0));
    const packets = groups.flatMap((group) => group.packets.map(rtpOf));
    expect(new Set(packets.map((one) => one.ssrc)).size).to.equal(1);
    for (const [index, packet] of packets.entries())
      expect(packet.sequence).to.equal(((packets[0]?.sequence ?? 0) + index) & 0xffff);
  });

  it("plays around a part that is damaged, and around a file that is gone, marking both", async () => {
    const into = recorder();
    await record(into, 0, 1000);
    await into.close();
    const hour = `${folder}/cam/2026-11-24/13`;
    const [, second, third] = (await diskFiles.list(hour)).files.toSorted();
    const gone = await indicesOf(`${hour}/${second}`);
    await rm(`${hour}/${second}`);
    const file = await diskFiles.open(`${hour}/${third}`, "read");
    const { fragments } = await scanSegment(file, false);
    await file.close();
    const handle = await open(`${hour}/${third}`, "r+");
    await handle.write(Buffer.alloc(40, 0xff), 0, 40, (fragments[2]?.moofOffset ?? 0) + 8);
    await handle.close();
    const groups = await read(archive.source("cam"), at(0));
    const first = gone[0] ?? 0;
    const behind = first + gone.length;
    // Two fragments of 25 are whole, the third is not.
    expect(indices(groups)).to.deep.equal([
      ...range(0, first),
      ...range(behind, behind + 50),
      ...range(behind + 75, 1000),
    ]);
    expect(indices(groups.filter((one) => one.discontinuity))).to.deep.equal([behind, behind + 75]);
  });

  it("plays around pictures that RTP cannot carry, and marks where they were", async () => {
    const harness = await Harness.open(folder, {}, 10_000, "jpeg");
    const end = 50;
    const picture = { width: 320, height: 240, sampling: 0x21, tables: tablesOfQuality(50), restartInterval: 0 };
    const foreign = { ...picture, sampling: 0x11 };
    harness.describe([track("video", "JPEG", 90_000)]);
    for (let index = 0; index < 2 * end; index += 1) {
      const data = jpegFile(index === 7 || index >= end ? foreign : picture, [Buffer.from(`#${index};`)]);
      const format = { codec: "JPEG", width: 320, height: 240 } as const;
      await harness.push([{ ...videoSample(index, { gop: 1 }), data, format }]);
    }
    await harness.close();
    const groups = await read(archive.source("jpeg"), at(0), at(2));
    expect(indices(groups)).to.deep.equal([...range(0, 7), ...range(8, end)]);
    expect(indices(groups.filter((one) => one.discontinuity))).to.deep.equal([8]);
    const backward = archive.source("jpeg").readBackward({ from: at(1.9) }, never);
    expect(indices(await Array.fromAsync(backward))).to.deep.equal([...range(0, 7), ...range(8, 48)].toReversed());
    // Who would read on and on for nothing is told.
    expect(await read(archive.source("jpeg"), at(2.5)).catch((error: Fault) => error.kind)).to.equal("invalid");
  });

  it("stops reading when it is told to", async () => {
    await record(recorder(), 0, 800);
    const stop = new AbortController();
    const groups: PacketGroup[] = [];
    for await (const group of archive.source("cam").read({ from: at(0) }, stop.signal)) {
      groups.push(group);
      if (groups.length === 30) stop.abort();
    }
    expect(groups).to.have.length(30);
  });

  it("seals what it has when a stream falls silent", async () => {
    const into = recorder();
    await record(into, 0, 60);
    await clock.advance(11_000);
    await into.idle();
    const [summary] = await archive.summary();
    expect(summary).to.include({
      camera: "cam",
      earliest: at(0),
      latest: at(2.4),
      recording: false,
      problem: undefined,
    });
    expect(await archive.gaps("cam", at(0), at(100))).to.deep.equal([
      { from: at(2.4), to: undefined, reason: "nothing was received", cause: "camera" },
    ]);
  });

  it("says that something is not sealed yet, also between two segments", async () => {
    const into = recorder();
    const sealed: (UnixMillis | undefined)[] = [];
    for (let index = 0; index < 600; index += 1) {
      await record(into, index, index + 1);
      if (into.live !== undefined || index < 100) continue;
      const end = (await archive.source("cam").extent())?.to ?? at(0);
      sealed.push(end);
      expect(archive.isOpen("cam", "main", unixMillis(end + 1))).to.equal(true);
      expect(archive.isOpen("cam", "main", end)).to.equal(false);
    }
    expect(sealed).to.have.length.greaterThan(0);
    await into.close();
    expect(archive.isOpen("cam", "main", at(100))).to.equal(false);
  });

  it("goes on after a restart, and notes that it was away", async () => {
    await record(recorder(), 0, 100);
    await archive.close();
    await start();
    await record(recorder(), 500, 601);
    await archive.close();
    await start();
    expect(indices(await read(archive.source("cam"), at(0)))).to.deep.equal([...range(0, 100), ...range(500, 601)]);
    expect(await archive.gaps("cam", at(0), at(100))).to.deep.equal([
      { from: at(4), to: at(20), reason: "recording was off", cause: "stopped" },
    ]);
  });

  it("finds what a camera comes to have in another stream, though its source was asked before", async () => {
    const source = archive.source("cam");
    expect(await source.extent()).to.equal(undefined);
    const low = archive.recorder("cam", "low");
    low.describe([VIDEO_TRACK]);
    await record(low, 0, 50);
    await low.close();
    await clock.advance(11_000);
    expect(indices(await read(source, at(0)))).to.deep.equal(range(0, 50));
    await record(recorder(), 50, 100);
    await clock.advance(11_000);
    expect(indices(await read(source, at(0)))[0]).to.equal(50);
  });

  it("keeps streams of a camera apart, and means the main one where none is named", async () => {
    const main = recorder();
    const sub = archive.recorder("cam", "low");
    sub.describe([VIDEO_TRACK]);
    await record(main, 0, 100);
    await record(sub, 0, 50);
    await main.close();
    await sub.close();
    expect(indices(await read(archive.source("cam"), at(0)))).to.have.length(100);
    expect(indices(await read(archive.source("cam", "low"), at(0)))).to.have.length(50);
  });

  it("says which tracks it cannot record", () => {
    const into = archive.recorder("cam", "main");
    into.describe([VIDEO_TRACK, { ...track("audio", "unknown", 8000), encoding: "G726-32" }]);
    expect(into.unrecordable).to.deep.equal(["G726-32 (no place in an MP4 file)"]);
  });

  it("has nothing of a camera that it does not know", async () => {
    const source = archive.source("nobody");
    expect(await source.extent()).to.equal(undefined);
    expect(await source.tracks()).to.deep.equal([]);
    expect(await read(source, at(0))).to.deep.equal([]);
    expect(await archive.spans("nobody", at(0), at(1))).to.deep.equal([]);
    expect(await archive.summary()).to.deep.equal([]);
  });

  it("refuses names that are no file names, and a second recorder of one stream", async () => {
    expect(() => archive.recorder("../x", "main")).to.throw(Fault);
    expect(() => archive.recorder("cam", "a/b")).to.throw(Fault);
    const first = archive.recorder("cam", "main");
    expect(() => archive.recorder("cam", "main")).to.throw(Fault);
    await first.close();
    await archive.recorder("cam", "main").close();
  });

  it("removes what retention no longer allows", async () => {
    await record(recorder(), 0, 800);
    archive.retain("cam", { maxBytes: 1 });
    await archive.tidy();
    const { files } = await diskFiles.list(`${folder}/cam/2026-11-24/13`);
    const [, second] = /^05-(\d\d)\.000Z-0\.mp4\.part$/.exec(files.join()) ?? [];
    expect(await archive.spans("cam", at(0), at(100))).to.deep.equal([{ from: at(Number(second)), to: at(31) }]);
  });
});
