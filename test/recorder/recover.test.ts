import { copyFile, mkdir, open, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { diskFiles } from "../../recorder/files.ts";
import { recover } from "../../recorder/recover.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { MAIN_VOLUME, mainVolume } from "../../recorder/volume.ts";
import { findings, Harness, recordedIndices } from "../support/recorder-harness.ts";
import { START_MS, scratchFolder, videoSample } from "../support/recorder-samples.ts";

const log = silentLog();
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

function* samples(from: number, to: number) {
  for (let index = from; index < to; index += 1) yield videoSample(index);
}

/** Opens the catalog after recovery, and closes it when `look` is done. */
async function afterRecovery(folder: string, look: (catalog: Catalog) => Promise<void>): Promise<void> {
  const catalog = await Catalog.open(`${folder}/catalog.db`);
  try {
    await recover({ volume: mainVolume(folder), files: diskFiles, catalog, log });
    await look(catalog);
  } finally {
    await catalog.close();
  }
}

describe("recovery", () => {
  let folder = "";
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });

  afterEach(() => remove());

  /** Leaves 10 s sealed and 5 fragments (125 samples) in a `.part`, as a kill would; returns its path. */
  async function broken(): Promise<string> {
    const harness = await Harness.open(folder);
    await harness.push(samples(0, 250 + 126));
    await harness.context.catalog.close();
    const { live } = harness.writer;
    await live?.abandon();
    return `${folder}/${live?.file}.part`;
  }

  it("does nothing to an archive that was closed", async () => {
    const harness = await Harness.open(folder);
    await harness.push(samples(0, 500));
    await harness.close();
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    expect(await recover({ volume: mainVolume(folder), files: diskFiles, catalog, log })).to.deep.equal({
      recovered: 0,
    });
    await catalog.close();
  });

  it("seals an unfinished segment with all that is whole in it", async () => {
    await broken();
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 375));
      expect(await findings(folder, catalog)).to.deep.equal([]);
      expect(await catalog.opened()).to.deep.equal([]);
    });
  });

  it("finds an unfinished segment that the catalog has forgotten", async () => {
    await broken();
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    for (const file of await catalog.opened()) await catalog.abandoned(file);
    await catalog.close();
    await afterRecovery(folder, async (again) => {
      expect(await recordedIndices(folder, again)).to.deep.equal(range(0, 375));
    });
  });

  it("brings back a catalog that was lost, from the files alone", async () => {
    await broken();
    for (const name of await readdir(folder)) if (name.startsWith("catalog.db")) await rm(join(folder, name));
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 375));
      expect(await findings(folder, catalog)).to.deep.equal([]);
      const row = await catalog.segments.atOrBefore("cam", "main", Number.MAX_SAFE_INTEGER);
      expect(row?.startUs).to.equal((START_MS + 10_000) * 1000);
    });
  });

  it("keeps what is whole, wherever the file is cut", async () => {
    const part = await broken();
    const { size } = await stat(part);
    await copyFile(part, `${folder}/saved`);
    const handle = await diskFiles.open(part, "read");
    const { fragments } = await scanSegment(handle, true);
    await handle.close();
    const cuts = [
      ...range(0, 40).map((one) => Math.floor((size * one) / 40)),
      ...fragments.map((one) => one.offset),
      size - 1,
    ];
    for (const cut of cuts) {
      await copyFile(`${folder}/saved`, part);
      await truncate(part, cut);
      const whole = fragments.filter((one) => one.offset + one.bytes <= cut).length;
      await afterRecovery(folder, async (catalog) => {
        expect(await recordedIndices(folder, catalog), `cut at ${cut}`).to.deep.equal(range(0, 250 + whole * 25));
        expect(await findings(folder, catalog)).to.deep.equal([]);
        const row = await catalog.segments.atOrBefore("cam", "main", Number.MAX_SAFE_INTEGER);
        if (row !== undefined && whole > 0) {
          await catalog.doomed.add([row]);
          await catalog.doomed.gone(MAIN_VOLUME, [row.file]);
          await rm(`${folder}/${row.file}`);
        }
      });
    }
  });

  it("cuts off a tail of zeros, as a power cut leaves it", async () => {
    const part = await broken();
    const handle = await diskFiles.open(part, "read");
    const { fragments } = await scanSegment(handle, true);
    await handle.close();
    const { size } = await stat(part);
    const from = (fragments[3]?.offset ?? 0) + 200;
    const file = await open(part, "r+");
    await file.write(Buffer.alloc(size - from + 4096), 0, size - from + 4096, from);
    await file.close();
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 325));
      expect(await findings(folder, catalog)).to.deep.equal([]);
    });
  });

  it("notices every flipped bit, and keeps what stands before it", async () => {
    const part = await broken();
    await copyFile(part, `${folder}/saved`);
    const handle = await diskFiles.open(part, "edit");
    const { fragments } = await scanSegment(handle, true);
    const size = await handle.size();
    const headerBytes = fragments[0]?.offset ?? 0;
    for (let at = headerBytes; at < size; at += 331) {
      const byte = Buffer.alloc(1);
      await handle.read(byte, at);
      await handle.write([Buffer.of((byte[0] ?? 0) ^ 1)], at);
      const scan = await scanSegment(handle, true);
      await handle.write([byte], at);
      const whole = fragments.filter((one) => one.offset + one.bytes <= at).length;
      expect(scan.fragments.length, `byte ${at}`).to.equal(whole);
      expect(scan.sealed).to.equal(false);
    }
    await handle.close();
  });

  it("keeps a segment aside whose beginning is damaged, and removes one in which nothing is", async () => {
    const part = await broken();
    const handle = await diskFiles.open(part, "edit");
    await handle.write([Buffer.from("garbage")], 100);
    await handle.close();
    await writeFile(`${folder}/cam/2026-11-24/13/06-00.000Z-0.mp4.part`, "");
    await writeFile(`${folder}/cam/2026-11-24/13/06-01.000Z-0.mp4.part`, Buffer.alloc(100_000));
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 250));
      expect((await diskFiles.list(`${folder}/cam/2026-11-24/13`)).files).to.deep.equal([
        "05-00.000Z-0.mp4",
        "05-10.000Z-0.mp4.damaged",
      ]);
    });
  });

  it("goes on after being killed itself, at each of its steps", async () => {
    const part = await broken();
    await copyFile(part, `${folder}/saved`);
    // Killed after the rename: the file has its name, the catalog does not know it.
    await afterRecovery(folder, async (catalog) => {
      const row = await catalog.segments.atOrBefore("cam", "main", Number.MAX_SAFE_INTEGER);
      const stored = { file: row?.file ?? "", volume: MAIN_VOLUME };
      await catalog.doomed.add([stored]);
      await catalog.doomed.gone(MAIN_VOLUME, [stored.file]);
      await catalog.opening(stored);
    });
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 375));
    });
    // Killed while the index was being written.
    const sealed = part.slice(0, -".part".length);
    await rename(sealed, part);
    await truncate(part, (await stat(part)).size - 9);
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(0, 375));
      expect(await findings(folder, catalog)).to.deep.equal([]);
    });
  });

  it("finishes removing what retention had begun to remove", async () => {
    const harness = await Harness.open(folder);
    await harness.push(samples(0, 500));
    harness.fragmenter.end(undefined);
    await harness.writer.idle();
    const [oldest] = await harness.context.catalog.segments.oldest(1);
    await harness.context.catalog.doomed.add([{ file: oldest?.file ?? "", volume: MAIN_VOLUME }]);
    await harness.context.catalog.close();
    await afterRecovery(folder, async (catalog) => {
      expect(await diskFiles.exists(`${folder}/${oldest?.file}`)).to.equal(false);
      expect(await catalog.doomed.all()).to.deep.equal([]);
      expect(await findings(folder, catalog)).to.deep.equal([]);
    });
  });

  it("drops rows whose recent files are gone, and leaves foreign files alone", async () => {
    const harness = await Harness.open(folder);
    await harness.push(samples(0, 500));
    await harness.close();
    const [first] = (await diskFiles.list(`${folder}/cam/2026-11-24/13`)).files;
    await rm(`${folder}/cam/2026-11-24/13/${first}`);
    await mkdir(`${folder}/notes`);
    await writeFile(`${folder}/cam/2026-11-24/13/readme.txt`, "mine");
    await afterRecovery(folder, async (catalog) => {
      expect(await recordedIndices(folder, catalog)).to.deep.equal(range(250, 500));
      expect(await findings(folder, catalog)).to.deep.equal([
        { file: "cam/2026-11-24/13/readme.txt", volume: MAIN_VOLUME, what: "is no file of the recorder" },
      ]);
    });
  });
});
