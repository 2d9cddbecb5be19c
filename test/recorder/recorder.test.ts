import { expect } from "chai";
import { ReusedMemory } from "../../media/reused-memory.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { StreamRecorder } from "../../recorder/recorder.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { Harness } from "../support/recorder-harness.ts";
import { scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";

/** Counts what is in use. */
class Counted extends ReusedMemory {
  pieces = 0;
  override take(bytes: number): Buffer<ArrayBuffer> {
    this.pieces += 1;
    return super.take(bytes);
  }
  override give(place: Pick<Buffer, "buffer" | "byteOffset">): void {
    this.pieces -= 1;
    super.give(place);
  }
}

describe("a stream's recorder", () => {
  let folder = "";
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });

  afterEach(() => remove());

  it("takes memory for the fragment that is being written, and leaves what waits for the disk in its packets", async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const files: Files = {
      ...diskFiles,
      async open(path, mode) {
        const file = await diskFiles.open(path, mode);
        return {
          ...file,
          async write(buffers, position) {
            asked.resolve();
            await answer.promise;
            await file.write(buffers, position);
          },
        };
      },
    };
    const memory = new Counted();
    const harness = await Harness.open(folder, { files, memory });
    const recorder = new StreamRecorder({
      camera: "front",
      stream: "main",
      context: harness.context,
      closed: () => undefined,
    });
    recorder.describe([VIDEO_TRACK]);
    const camera = new GroupCamera();
    for (let index = 0; index < 250; index += 1) recorder.push(camera.group(0, videoSample(index, { bytes: 4000 })));
    await asked.promise;
    expect(memory.pieces).to.equal(1);
    answer.resolve();
    await recorder.close();
    await harness.close();
    expect(memory.pieces).to.equal(0);
  });
});
