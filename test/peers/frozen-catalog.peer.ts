import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { isFault } from "../../base/fault.ts";
import { isoOf, unixMillis } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { expectConsecutive, watchFrames } from "../support/frames.ts";
import { LoopDisk } from "../support/loop-disk.ts";
import { type Peer, peer } from "../support/peer.ts";
import { viaduct } from "../support/viaduct.ts";

const VIADUCT = join(import.meta.dirname, "../../bin/viaduct");
const DISK_MEGABYTES = 64;
const ANSWER_SECONDS = 3;

for (const hasOther of [true, false])
  describe(`a bridge of which the disk of the catalog is frozen, ${hasOther ? "with another one to record to" : "which is the only one"}`, function () {
    this.timeout(180_000);
    let ffmpeg: Peer;
    let folder: string;
    let disk: LoopDisk;
    let t: TestBridge;
    let login: Login;
    let gate: string;
    let config: string;
    let served: ChildProcess | undefined;

    before(async function () {
      ffmpeg = peer(this, "ffmpeg");
      folder = await mkdtemp(join(tmpdir(), "viaduct-frozen-"));
      const recordings = join(folder, "recordings");
      disk = LoopDisk.make(this, recordings, DISK_MEGABYTES);
      await mkdir(join(folder, "other"));
      const volumes = hasOther ? [{ name: "other", folder: join(folder, "other"), keepFreeGigabytes: 0 }] : [];
      t = await startTestBridge({
        folder: join(folder, "data"),
        recordings,
        volumes,
        segmentSeconds: 10,
        answerSeconds: ANSWER_SECONDS,
      });
      login = await t.account();
      gate = await t.adopt(await t.camera({ name: "Gate" }));
      config = join(folder, "viaduct.yaml");
      await writeFile(
        config,
        stringify({
          dataFolder: t.folder,
          cameraSide: { interfaces: [t.cameraNetwork] },
          clientSide: { addresses: ["127.0.0.1"], web: { port: 0 }, rtsps: { port: 0 } },
          recording: {
            folder: recordings,
            segmentSeconds: 10,
            flushSeconds: 0,
            keepFreeGigabytes: 0,
            answerSeconds: ANSWER_SECONDS,
            volumes,
          },
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

    const sealed = async (): Promise<number> =>
      (await readdir(join(folder, "other"), { recursive: true })).filter((name) => name.endsWith(".mp4")).length;
    const check = (): ReturnType<typeof viaduct> => viaduct(["check", "--config", config, "--verify"]);
    const agreement = { code: 0, out: "Catalog and recordings agree.\n", err: "" };
    const ever = [unixMillis(0), unixMillis(Number.MAX_SAFE_INTEGER / 2000)] as const;

    it("tells it, goes on live, refuses to play and to search, and loses nothing until it answers", async () => {
      const { archive } = t.bridge.parts;
      const extent = async (): Promise<number> => {
        const found = await archive.source(gate).extent();
        return found === undefined ? 0 : found.to - found.from;
      };
      await eventually(async () => (await extent()) > 8000);
      const from = (await archive.source(gate).extent())?.from ?? unixMillis(0);
      // From before until it has hung for a while.
      const live = watchFrames(ffmpeg, t.rtsp(login, `live/${gate}`), ["-frames:v", "200"]);
      disk.freeze();
      await eventually(() => archive.troubles.words !== undefined);
      await eventually(() => archive.troubles.words?.startsWith("the catalog in ") === true);
      expect((await archive.volumes()).map(({ name, state }) => [name, state])).to.deep.include(["main", "failing"]);
      const refused = await archive.spans(gate, ...ever).catch((error: unknown) => error);
      expect(isFault(refused, "unavailable") && refused.tell).to.equal(
        "the catalog of recordings gives no answer: its disk hangs",
      );
      const url = t.rtsp(login, `recorded/${gate}?at=${isoOf(from)}&for=4s`);
      const { code, stderr } = await ffmpeg.run([
        "-v",
        "warning",
        "-rtsp_transport",
        "tcp",
        "-i",
        url,
        "-f",
        "null",
        "-",
      ]);
      expect(code).to.not.equal(0);
      expect(stderr).to.match(/503|Service Unavailable/);
      if (hasOther) {
        const before = await sealed();
        await eventually(async () => (await sealed()) >= before + 1);
      }
      expectConsecutive(await live, 200);
      disk.thaw();
      await eventually(() => archive.troubles.words === undefined);
      const frames = await watchFrames(ffmpeg, url, []);
      expectConsecutive(frames, 50);
      await t.bridge.parts.discovery.setRecording(gate, "main", { mode: "off" });
      // Before it was recorded at all, the camera was not connected.
      const gaps = (await archive.gaps(gate, from, ever[1])).filter(({ cause, to }) => cause !== "off" && to !== from);
      expect(gaps).to.deep.equal([]);
      expect(await archive.spans(gate, ...ever)).to.have.length(1);
      await t.bridge.parts.discovery.setRecording(gate, "main", { mode: "continuous" });
      await t.bridge.close();
      expect(await check()).to.deep.equal(agreement);
    });

    it("ends when it is stopped meanwhile, and the next start enters what was recorded until then, as check says", async () => {
      const start = async (): Promise<{ readonly ended: Promise<unknown>; readonly said: () => string }> => {
        const child = spawn(process.execPath, [VIADUCT, "serve", "--config", config], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        served = child;
        let text = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk));
        const ended = once(child, "exit");
        await eventually(() => text.includes("is running"));
        return { ended, said: () => text };
      };
      const { ended, said } = await start();
      disk.freeze();
      await eventually(() => said().includes("gives no answer"));
      const before = await sealed();
      // Of the second, not even the beginning can be entered.
      if (hasOther) await eventually(async () => (await sealed()) >= before + 2);
      served?.kill("SIGTERM");
      await eventually(() => said().includes("everything is closed"));
      // Dead, but for the thread that waits in the kernel.
      await eventually(() => / Z /.test(readFileSync(`/proc/${served?.pid}/stat`, "utf8")));
      disk.thaw();
      await ended;
      const { code, out } = await check();
      if (!hasOther) expect({ code, out, err: "" }).to.deep.equal(agreement);
      else
        for (const line of out.trim().split("\n"))
          expect(line).to.match(/^other: .*\.mp4: is not in the catalog: the next start enters it$/);
      const next = await start();
      served?.kill("SIGTERM");
      await next.ended;
      expect(await check()).to.deep.equal(agreement);
    });
  });
