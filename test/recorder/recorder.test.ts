import { expect } from "chai";
import { ReusedMemory } from "../../media/reused-memory.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { Harness } from "../support/recorder-harness.ts";
import { scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";

const BLOCK_BYTES = 256 * 1024;

describe("a stream's recorder", () => {
  let folder = "";
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });

  afterEach(() => remove());

  it("has no samples in a block with another stream's, which a disk that hangs would hold with its own", async () => {
    const blocks = new Map<string, Set<ArrayBufferLike>>();
    const files: Files = {
      ...diskFiles,
      async open(path, mode) {
        const file = await diskFiles.open(path, mode);
        const own = blocks.get(path) ?? new Set();
        blocks.set(path, own);
        const write = (buffers: readonly Uint8Array[], position: number): Promise<void> => {
          for (const { buffer } of buffers) if (buffer.byteLength === BLOCK_BYTES) own.add(buffer);
          return file.write(buffers, position);
        };
        return { ...file, write };
      },
    };
    const harness = await Harness.open(folder, { files, memory: new ReusedMemory() });
    const recorders = ["front", "yard"].map((camera) => {
      const recorder = new StreamRecorder({
        camera,
        stream: "main",
        context: harness.context,
        closed: () => undefined,
      });
      recorder.describe([VIDEO_TRACK]);
      return { recorder, camera: new GroupCamera() };
    });
    for (let index = 0; index < 60; index += 1)
      for (const { recorder, camera } of recorders)
        recorder.push(camera.group(0, videoSample(index, { bytes: 20_000 })));
    for (const { recorder } of recorders) await recorder.close();
    await harness.close();
    const [one = new Set(), other = new Set()] = [...blocks.values()].filter(({ size }) => size > 0);
    expect(Math.min(one.size, other.size)).to.be.greaterThan(1);
    expect([...one].filter((block) => other.has(block))).to.deep.equal([]);
  });
});
