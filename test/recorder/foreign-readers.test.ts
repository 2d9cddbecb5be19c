import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { createFile, type ISOFile, MP4BoxBuffer } from "mp4box";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Archive } from "../../recorder/archive.ts";
import { recordedFiles } from "../support/kept-recording.ts";
import { decryptTo, openRing } from "../support/keys.ts";
import { FPS, GOP, NumberedFrames } from "../support/numbered-frames.ts";
import { scratchFolder, VIDEO_TRACK } from "../support/recorder-samples.ts";

const FRAMES = 4 * GOP;

/** A frame as a reader of files finds it: whether it is a key frame, and when it is shown, in seconds from the beginning. */
type Shown = readonly [key: boolean, atSeconds: number];

const EXPECTED: readonly Shown[] = Array.from({ length: FRAMES }, (_, index) => [index % GOP === 0, index / FPS]);

const READERS: Readonly<
  Record<string, (file: Buffer) => Promise<readonly [codec: string | null, frames: readonly Shown[]]>>
> = {
  async mediabunny(file) {
    using input = new Input({ source: new BufferSource(file), formats: ALL_FORMATS });
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new Error("no video");
    const frames: Shown[] = [];
    for await (const packet of new EncodedPacketSink(track).packets())
      frames.push([packet.type === "key", packet.timestamp]);
    return [track.codec, frames];
  },
  async mp4box(file) {
    const reader: ISOFile = createFile();
    const frames: Shown[] = [];
    let codec = "";
    reader.onReady = ({ videoTracks }) => {
      const [track] = videoTracks;
      codec = track?.codec ?? "";
      reader.setExtractionOptions(track?.id ?? 0, undefined, { nbSamples: FRAMES });
      reader.start();
    };
    reader.onSamples = (_id, _user, samples) => {
      for (const { is_sync, cts, timescale } of samples) frames.push([is_sync, cts / timescale]);
    };
    const whole = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
    reader.appendBuffer(MP4BoxBuffer.fromArrayBuffer(whole, 0));
    reader.flush();
    return [codec.startsWith("avc1") ? "avc" : codec, frames];
  },
};

for (const encryption of ["none", "full"] as const)
  describe(`a file that was recorded with encryption "${encryption}"${encryption === "none" ? "" : ", and decrypted"}`, () => {
    let folder: string;
    let remove: () => Promise<void>;
    let file: Buffer;

    before(async () => {
      ({ folder, remove } = await scratchFolder());
      const { ring, close } = await openRing(folder);
      const archive = await Archive.open({
        folder,
        clock: systemClock,
        log: silentLog(),
        metrics: new Metrics(),
        settings: { segmentMs: 60_000, ...(encryption === "full" && { encryption }) },
        keys: ring,
      });
      const recorder = archive.recorder("cam", "main");
      recorder.describe([VIDEO_TRACK]);
      const frames = new NumberedFrames();
      for (let index = 0; index < FRAMES; index += 1) recorder.push(frames.group(index));
      await recorder.close();
      await archive.close();
      const [recorded = ""] = await recordedFiles(folder);
      const plain = `${folder}/plain.mp4`;
      if (encryption !== "none") await decryptTo(recorded, plain, ring);
      await close();
      file = await readFile(encryption === "none" ? recorded : plain);
    });
    after(() => remove());

    for (const [name, read] of Object.entries(READERS))
      it(`is read by ${name}: each frame once, in its place in time, and which ones are key frames`, async () => {
        const [codec, frames] = await read(file);
        expect(codec).to.equal("avc");
        expect(frames.map(([key, at]) => [key, Math.round(at * FPS) / FPS])).to.deep.equal(EXPECTED);
      });
  });
