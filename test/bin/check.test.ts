import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { lockFolder } from "../../base/lock.ts";
import { Harness } from "../support/recorder-harness.ts";
import { scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { viaduct } from "../support/viaduct.ts";

/** Of the first segment that is recorded here, below the folder of the recordings. */
const FIRST = "cam/2026-11-24/13/05-00.000Z-0.mp4";

describe("viaduct check", () => {
  // Each starts a process, which takes its time on a busy machine.
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    config = join(folder, "viaduct.yaml");
    await writeFile(
      config,
      "dataFolder: data\ncameraSide: { interfaces: [127.0.0.1] }\nclientSide: { addresses: [127.0.0.1] }\n",
    );
  });
  afterEach(() => remove());

  async function record(): Promise<string> {
    const recordings = join(folder, "data/recordings");
    await mkdir(recordings, { recursive: true });
    const harness = await Harness.open(recordings);
    await harness.push(Array.from({ length: 300 }, (_, index) => videoSample(index)));
    await harness.close();
    return recordings;
  }

  const check = (...more: readonly string[]) => viaduct(["check", "--config", config, ...more]);

  it("says that catalog and recordings agree", async () => {
    await record();
    expect(await check()).to.deep.equal({ code: 0, out: "Catalog and recordings agree.\n", err: "" });
    expect(await check("--json", "--verify")).to.deep.equal({ code: 0, out: "[]\n", err: "" });
  });

  it("says how times are known, for people and for programs", async () => {
    await record();
    const words = "cam/main: segments 2 by the camera's reports; the camera did not tell its time\n";
    expect(await check("--times")).to.deep.equal({ code: 0, out: words, err: "" });
    const { code, out } = await check("--times", "--json");
    const times = [{ time: "camera", segments: 2 }];
    expect({ code, told: JSON.parse(out) }).to.deep.equal({
      code: 0,
      told: [{ camera: "cam", stream: "main", times }],
    });
  });

  it("lists what is not as it should be, for people and for programs, and ends with 1", async () => {
    const recordings = await record();
    await writeFile(join(recordings, "cam/2026-11-24/13/notes.txt"), "mine");
    const notes = { file: "cam/2026-11-24/13/notes.txt", what: "is no file of the recorder" };
    expect(await check()).to.deep.equal({ code: 1, out: `${notes.file}: ${notes.what}\n`, err: "" });
    const { code, out } = await check("--json");
    expect({ code, found: JSON.parse(out) }).to.deep.equal({ code: 1, found: [{ ...notes, volume: "main" }] });
  });

  it("finds a changed picture when it verifies, and only then", async () => {
    const recordings = await record();
    const file = await open(join(recordings, FIRST), "r+");
    await file.write("x", 5000);
    await file.close();
    expect((await check()).code).to.equal(0);
    const { code, out } = await check("--verify");
    expect(code).to.equal(1);
    expect(out).to.include(`${FIRST}: is damaged after `);
  });

  it("does not touch a folder in which nothing was recorded, or that a running bridge has", async () => {
    const { code, err } = await check();
    expect({ code, err }).to.include({ code: 1 }).and.have.property("err").that.includes("there is no catalog");
    await record();
    const lock = lockFolder(join(folder, "data"));
    try {
      const refused = await check();
      expect(refused.code).to.equal(1);
      expect(refused.err).to.include("another Viaduct process is using");
    } finally {
      await lock.close();
    }
  });
});
