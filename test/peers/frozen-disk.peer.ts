import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { isoOf } from "../../base/units.ts";
import type { VolumeStatus } from "../../recorder/volume.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { LoopDisk } from "../support/loop-disk.ts";
import { type Peer, peer } from "../support/peer.ts";
import { viaduct } from "../support/viaduct.ts";

const VIADUCT = join(import.meta.dirname, "../../bin/viaduct");
const DISK_MEGABYTES = 64;
const ANSWER_SECONDS = 3;

describe("a bridge of which one disk is frozen", function () {
  this.timeout(180_000);
  let ffmpeg: Peer;
  let folder: string;
  let disk: LoopDisk;
  let t: TestBridge;
  let login: Login;
  let gate: string;
  let yard: string;
  let config: string;
  let served: ChildProcess | undefined;

  before(async function () {
    ffmpeg = peer(this, "ffmpeg");
    folder = await mkdtemp(join(tmpdir(), "viaduct-frozen-"));
    disk = LoopDisk.make(this, join(folder, "fast"), DISK_MEGABYTES);
    await mkdir(join(folder, "other"));
    const volumes = ["fast", "other"].map((name) => ({ name, folder: join(folder, name), keepFreeGigabytes: 0 }));
    t = await startTestBridge({ folder: join(folder, "data"), volumes, answerSeconds: ANSWER_SECONDS });
    login = await t.account();
    const adopt = async (name: string, volume: string): Promise<string> => {
      const id = await t.adopt(await t.camera({ name }));
      await t.bridge.parts.discovery.setRecording(id, "main", { mode: "continuous", volume });
      return id;
    };
    gate = await adopt("Gate", "fast");
    yard = await adopt("Yard", "other");
    config = join(folder, "viaduct.yaml");
    await writeFile(
      config,
      stringify({
        dataFolder: t.folder,
        cameraSide: { interfaces: [t.cameraNetwork] },
        clientSide: { addresses: ["127.0.0.1"], web: { port: 0 }, rtsps: { port: 0 } },
        recording: { segmentSeconds: 10, flushSeconds: 0, answerSeconds: ANSWER_SECONDS, volumes },
      }),
    );
  });
  after(async () => {
    disk?.thaw();
    served?.kill("SIGKILL");
    await t?.close();
    disk?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** What it finds at last. */
  async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
    let found: T | undefined;
    await eventually(async () => {
      found = await find();
      return found !== undefined;
    });
    return found as T;
  }
  const volume = async (name: string): Promise<VolumeStatus | undefined> =>
    (await t.bridge.parts.archive.volumes()).find((one) => one.name === name);
  const expectAgreement = async (): Promise<void> => {
    const { code, out, err } = await viaduct(["check", "--config", config, "--verify"]);
    expect({ code, out, err }).to.deep.equal({ code: 0, out: "Catalog and recordings agree.\n", err: "" });
  };

  it("tells it, records all elsewhere, and ffmpeg plays the other camera, live and recorded", async () => {
    const { archive } = t.bridge.parts;
    await eventually(async () => (await volume("fast"))?.streams === 1 && (await volume("other"))?.streams === 1);
    const extent = await until(async () => {
      const found = await archive.source(yard).extent();
      return found !== undefined && found.to - found.from > 8000 ? found : undefined;
    });
    disk.freeze();
    await eventually(() => archive.troubles.words?.endsWith("gives no answer") === true);
    expect((await volume("fast"))?.state).to.equal("failing");
    await eventually(async () => (await volume("other"))?.streams === 2);
    expectConsecutive(await watchFrames(ffmpeg, t.rtsp(login, `live/${yard}`), ["-frames:v", "30"]), 30);
    const url = t.rtsp(login, `recorded/${yard}?at=${isoOf(extent.from)}&for=6s`);
    expectConsecutive(await watchFrames(ffmpeg, url, []), 80);
    // What is on it can be read all the same.
    expect((await watchFrames(ffmpeg, t.rtsp(login, `recorded/${gate}?at=-2s`), ["-frames:v", "15"])).length).to.equal(
      15,
    );
  });

  it("takes it back when it answers, with what was on it", async () => {
    disk.thaw();
    await eventually(async () => (await volume("fast"))?.state === "here");
    await eventually(async () => (await volume("fast"))?.streams === 1);
    await t.bridge.close();
    await expectAgreement();
  });

  it("closes all but it when it is to end, and ends when the kernel lets it", async () => {
    served = spawn(process.execPath, [VIADUCT, "serve", "--config", config], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [served.stdout, served.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk));
    const ended = once(served, "exit");
    await eventually(() => said.includes("is running"));
    disk.freeze();
    await eventually(() => said.includes("gives no answer"));
    served.kill("SIGTERM");
    await eventually(() => said.includes("everything is closed"));
    // Dead, but for the thread that waits in the kernel.
    const { pid } = served;
    await eventually(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
    disk.thaw();
    await ended;
    await expectAgreement();
  });
});
