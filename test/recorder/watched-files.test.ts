import { mkdir } from "node:fs/promises";
import { expect } from "chai";
import { diskFiles, errorCode } from "../../recorder/files.ts";
import { mainVolume } from "../../recorder/volume.ts";
import { threadsIn, WatchedFiles } from "../../recorder/watched-files.ts";
import { FaultyFiles } from "../support/recorder-harness.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const ANSWER_MS = 10_000;

describe("files on watched volumes", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let clock: VirtualClock;
  let files: FaultyFiles;
  let told: string[];

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    for (const name of ["one", "two"]) await mkdir(`${folder}/${name}`);
    clock = new VirtualClock();
    files = new FaultyFiles();
    told = [];
  });
  afterEach(async () => {
    files.goOn();
    await files.quiet();
    await remove();
  });

  const watched = (threads = 128): WatchedFiles =>
    new WatchedFiles(files, {
      volumes: ["one", "two"].map((name) => ({ ...mainVolume(`${folder}/${name}`), name })),
      clock,
      answerMs: ANSWER_MS,
      threads,
      told: ({ name }, kind, hangs) => void told.push(`${name} ${kind} ${hangs ? "hangs" : "answers"}`),
    });
  const codeOf = async (done: Promise<unknown>): Promise<string | undefined> => {
    try {
      await done;
      return undefined;
    } catch (error) {
      return errorCode(error);
    }
  };

  it("are not there when their disk made them after nobody waited for them any more", async () => {
    files.hangs = (operation) => operation === "open";
    const opened = codeOf(watched().open(`${folder}/one/file`, "create"));
    await clock.advance(ANSWER_MS);
    expect(await opened).to.equal("ETIMEDOUT");
    files.goOn();
    await files.quiet();
    expect(await diskFiles.list(`${folder}/one`)).to.deep.equal({ files: [], folders: [] });
    expect(told).to.deep.equal(["one writing hangs", "one writing answers"]);
  });

  it("are read where their disk takes no writes, and are there on other disks, and where no volume is", async () => {
    const volumes = watched();
    for (const name of ["one", "two"]) await (await diskFiles.open(`${folder}/${name}/file`, "create")).close();
    files.hangs = (operation, path) => operation === "makeFolder" && path.startsWith(`${folder}/one/`);
    const made = codeOf(volumes.makeFolder(`${folder}/one/folder`));
    await clock.advance(ANSWER_MS);
    expect(await made).to.equal("ETIMEDOUT");
    expect(await codeOf(volumes.remove(`${folder}/one/file`))).to.equal("ETIMEDOUT");
    const file = await volumes.open(`${folder}/one/file`, "read");
    expect(await file.size()).to.equal(0);
    await file.close();
    await volumes.remove(`${folder}/two/file`);
    // A name that begins like a volume's.
    await volumes.makeFolder(`${folder}/one-beside`);
    expect((await volumes.list(folder)).folders).to.deep.equal(["one", "one-beside", "two"]);
  });

  for (const [threads, atATime] of [
    [4, 1],
    [16, 3],
    [128, 8],
  ] as const)
    it(`keep no more than ${atATime} of ${threads} threads for what one volume is asked of one kind`, async () => {
      let running = 0;
      files.hangs = (operation) => {
        if (operation === "exists") running += 1;
        return true;
      };
      const volumes = watched(threads);
      const asked = Array.from({ length: 20 }, () => codeOf(volumes.exists(`${folder}/one/file`)));
      await files.quiet();
      expect(running).to.equal(atATime);
      await clock.advance(ANSWER_MS);
      expect(new Set(await Promise.all(asked))).to.deep.equal(new Set(["ETIMEDOUT"]));
    });

  it("know how many threads there are, four where nothing is said", () => {
    const said = ["128", "1", "", "many", "0", undefined].map((one) => threadsIn({ UV_THREADPOOL_SIZE: one }));
    expect(said).to.deep.equal([128, 1, 4, 4, 4, 4]);
  });
});
