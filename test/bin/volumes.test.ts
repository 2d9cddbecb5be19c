import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Archive } from "../../recorder/archive.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { viaduct } from "../support/viaduct.ts";

describe("viaduct volumes", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";
  let recorded = 0;
  const least = "dataFolder: data\ncameraSide: { interfaces: [127.0.0.1] }\nclientSide: { addresses: [127.0.0.1] }\n";

  /** Twelve seconds of a camera, on the volume `fast`. */
  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    config = join(folder, "viaduct.yaml");
    await mkdir(join(folder, "fast"));
    await writeFile(
      config,
      `${least}recording: { encryption: none, volumes: [{ name: fast, folder: ${join(folder, "fast")} }] }\n`,
    );
    const volume = {
      name: "fast",
      folder: join(folder, "fast"),
      role: "hot",
      keepFreeBytes: 0,
      maxBytes: 1e12,
    } as const;
    const archive = await Archive.open({
      folder: join(folder, "data/recordings"),
      clock: systemClock,
      log: silentLog(),
      metrics: new Metrics(),
      signer: await makeSigner(),
      settings: { volumes: [volume], segmentMs: 4000 },
    });
    const recorder = archive.recorder("gate", "main");
    recorder.describe([VIDEO_TRACK]);
    const camera = new GroupCamera();
    for (let index = 0; index < 300; index += 1) recorder.push(camera.group(0, videoSample(index)));
    await recorder.close();
    const [, fast] = await archive.volumes();
    recorded = fast?.segments ?? 0;
    // The oldest of it goes.
    archive.retain("gate", { maxBytes: (fast?.bytes ?? 0) - 1 });
    await archive.tidy();
    await archive.close();
  });

  it("have what retention removed on any of them told by a verification of all", async () => {
    const all = [join(folder, "data/recordings"), join(folder, "fast")];
    const { code, out } = await viaduct(["verify", ...all, "--json"]);
    const { stretches } = JSON.parse(out) as { stretches: { verdict: string }[] };
    expect(code).to.equal(0);
    expect([...new Set(stretches.map(({ verdict }) => verdict))].toSorted()).to.deep.equal(["ok", "removed"]);
  });

  afterEach(() => remove());

  const volumes = (...more: readonly string[]) => viaduct(["volumes", "--config", config, ...more]);
  const check = () => viaduct(["check", "--config", config]);

  it("lists disks and how they are, for people and for programs", async () => {
    const { code, out } = await volumes();
    expect(code).to.equal(0);
    expect(out).to.match(/^main {2}spare {2}here {2}0\.0 GB recorded {2}[\d.]+ GB free {2}.*recordings$/m);
    expect(out).to.match(/^fast {2}hot {2}here {2}0\.0 GB recorded {2}[\d.]+ GB free {2}.*fast$/m);
    const told = JSON.parse((await volumes("--json")).out) as { volumes: { name: string; segments: number }[] };
    expect(told.volumes.map(({ name, segments }) => [name, segments])).to.deep.equal([
      ["main", 0],
      ["fast", recorded - 1],
    ]);
    expect((await check()).out).to.equal("Catalog and recordings agree.\n");
  });

  it("takes a volume out of the catalog that will not come back, and tells what was on it as missing", async () => {
    expect((await volumes("--forget", "fast")).err).to.include("the volume fast is there");
    expect((await volumes("--forget", "main")).code).to.equal(2);
    expect((await volumes("--forget", "fats")).err).to.include("there was never a volume fats");
    await rename(join(folder, "fast"), join(folder, "fast-away"));
    expect(await check()).to.deep.equal({
      code: 1,
      out: `the volume fast: is not there now: ${recorded - 1} segments on it are not compared\n`,
      err: "",
    });
    const alone = await readFile(config, "utf8");
    await writeFile(config, `${alone}approval: { acts: [forget-volume] }\n`);
    expect((await volumes("--forget", "fast")).err).to.include("this waits for a second person");
    await writeFile(config, alone);
    const { code, out } = await volumes("--forget", "fast");
    expect({ code, out }).to.deep.equal({
      code: 0,
      out: `The catalog names ${recorded - 1} segments of fast no more; they are told as missing.\n`,
    });
    const catalog = await Catalog.open(join(folder, "data/recordings", CATALOG_FILE));
    expect(await catalog.volumes.totals()).to.deep.equal([]);
    const [gap] = await catalog.gaps.touching("gate", "main", START_MS * 1000, START_MS * 1000 + 12e6);
    expect(gap).to.include({
      cause: "disk",
      reason: "it was on the volume fast, which is lost",
    });
    expect([...(await catalog.volumes.known())]).to.deep.equal(["fast"]);
    await catalog.close();
    expect((await check()).out).to.equal("Catalog and recordings agree.\n");
  });

  it("lists what is recorded on disks that the settings do not name", async () => {
    await writeFile(config, `${least}recording: { encryption: none }\n`);
    expect((await volumes()).out).to.match(/^fast {2}not in the settings {2}0\.0 GB recorded$/m);
  });

  it("refuses settings whose folders are not apart", async () => {
    await writeFile(config, `${least}recording: { volumes: [{ name: fast, folder: ${join(folder, "data")} }] }\n`);
    expect((await volumes()).err).to.include("are not apart: each volume has a folder of its own");
  });
});
