import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { glob, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { HOUR, MINUTE } from "../../base/units.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { missing } from "../support/peer.ts";

const VIADUCT = join(import.meta.dirname, "../../bin/viaduct.ts");
/** Debian's libfaketime: what a process takes for the machine's clock, as a file says. */
const FAKE_CLOCK = "/usr/lib/*/faketime/libfaketimeMT.so.1";

/** `…/YYYY-MM-DD/hh/mm-ss.mmmZ-…`: when a segment begins. */
function startOf(path: string): number {
  const [, date, hour, minute, second] = /(\d{4}-\d\d-\d\d)\/(\d\d)\/(\d\d)-([\d.]+)Z/.exec(path) ?? [];
  return Date.parse(`${date}T${hour}:${minute}:${second}Z`);
}

describe("a bridge that records while the machine's clock is set", function () {
  this.timeout(90_000);
  let t: TestBridge;
  let recordings: string;
  let config: string;
  let library: string | undefined;
  let running: ChildProcess | undefined;

  before(async function () {
    [library] = await Array.fromAsync(glob(FAKE_CLOCK));
    if (library === undefined) missing(this, "libfaketime");
    t = await startTestBridge();
    await t.adopt(await t.camera({ name: "Gate" }));
    await t.bridge.close();
    recordings = join(t.folder, "recordings");
    config = join(t.folder, "viaduct.yaml");
    await writeFile(
      config,
      stringify({
        dataFolder: t.folder,
        cameraSide: { interfaces: [t.cameraNetwork] },
        clientSide: { addresses: ["127.0.0.1"], web: { port: 0 }, rtsps: { port: 0 } },
        recording: { segmentSeconds: 10 },
      }),
    );
  });
  after(async () => {
    running?.kill("SIGKILL");
    await t?.close();
  });

  const offset = (): string => join(t.folder, "clock");
  /** At once, so that nobody reads half of it. */
  const set = async (by: number): Promise<void> => {
    await writeFile(`${offset()}.new`, `${by >= 0 ? "+" : ""}${by / 1000}`);
    await rename(`${offset()}.new`, offset());
  };
  const begun = async (): Promise<readonly number[]> =>
    (await readdir(recordings, { recursive: true })).filter((name) => /\.mp4(?:\.part)?$/.test(name)).map(startOf);
  const recordsAround = (by: number): Promise<void> =>
    eventually(async () => (await begun()).some((at) => Math.abs(at - Date.now() - by) < 5 * MINUTE));
  const viaduct = async (...args: readonly string[]): Promise<{ code: number; said: string }> => {
    const child = spawn(process.execPath, [VIADUCT, ...args]);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, "close")) as [number];
    return { code, said: Buffer.concat(chunks).toString() };
  };

  it("goes on by the new clock, forward and back", async () => {
    await set(0);
    running = spawn(process.execPath, [VIADUCT, "serve", "--config", config], {
      stdio: "ignore",
      env: {
        ...process.env,
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: offset(),
        FAKETIME_CACHE_DURATION: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      },
    });
    const exited = once(running, "exit");
    for (const by of [0, 2 * HOUR, HOUR]) {
      await set(by);
      await recordsAround(by);
    }
    running.kill("SIGTERM");
    expect((await exited)[0], "exit code of a graceful stop").to.equal(0);
  });

  it("has a catalog that agrees with the files", async () => {
    expect(await viaduct("check", "--config", config, "--verify", "--json")).to.deep.equal({ code: 0, said: "[]\n" });
  });

  it("accuses nobody of what the clock did", async () => {
    const { code, said } = await viaduct("verify", recordings, "--config", config);
    expect(code, said).to.equal(0);
  });
});
