import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect } from "chai";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { errorCode } from "../../recorder/files.ts";
import { eventually } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { expectConsecutive } from "../support/frames.ts";
import { decryptTo } from "../support/keys.ts";
import { peer } from "../support/peer.ts";
import { adoptedBridge, type ServedBridge } from "../support/served-bridge.ts";

/** A few for every day; set it higher to be surer. */
const KILLS = Number(process.env["VIADUCT_KILLS"] ?? 3);

/** What each fragment is encrypted in (`recorder/format.md`). */
const CIPHER_BOX = "c4918e5d0b7f4f62a1d39e40b8657f1a";

/** Complete fragments of a file by its boxes' sizes alone (ISO/IEC 14496-12 4.2): a `moof` counts once its `mdat` is whole. */
async function fragmentsIn(file: string): Promise<number> {
  const bytes = await readFile(file);
  let boxes = 0;
  for (let at = 0; at + 24 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) break;
    if (bytes.toString("hex", at + 8, at + 24) === CIPHER_BOX) boxes += 1;
    at += size;
  }
  // The first one has the tables of the file.
  return Math.max(0, boxes - 1);
}

/** A file that had its last name between the look into the folder and the one into it: the next one is waited for. */
function ifSealedMeanwhile(error: unknown): number {
  if (errorCode(error) !== "ENOENT") throw error;
  return 0;
}

describe("the bridge as a process that is killed while it records", function () {
  this.timeout(300_000 + KILLS * 60_000);
  let bridge: ServedBridge;
  let running: ChildProcess | undefined;

  before(async () => {
    bridge = await adoptedBridge();
  });
  after(async () => {
    running?.kill("SIGKILL");
    await bridge?.t.close();
  });

  const plain = (name: string): string => name.replace(/\.part$/, "");

  it("has every fragment that was on the disk after each restart, without repair", async () => {
    const known = new Map((await bridge.segments()).map((name) => [plain(name), 0]));
    for (let kill = 0; kill < KILLS; kill += 1) {
      running = bridge.serve();
      const exited = once(running, "exit");
      await eventually(async () => {
        for (const name of await bridge.segments()) {
          if (!name.endsWith(".part") || known.has(plain(name))) continue;
          const fragments = await fragmentsIn(join(bridge.recordings, name)).catch(ifSealedMeanwhile);
          if (fragments < 2) continue;
          known.set(plain(name), fragments);
          return true;
        }
        return false;
      });
      running.kill("SIGKILL");
      await exited;
    }
    running = bridge.serve();
    const exited = once(running, "exit");
    await eventually(async () =>
      (await bridge.segments()).some((name) => name.endsWith(".part") && !known.has(plain(name))),
    );
    running.kill("SIGTERM");
    expect((await exited)[0], "exit code of a graceful stop").to.equal(0);
    for (const [name, fragments] of known)
      expect(await fragmentsIn(join(bridge.recordings, name)), name).to.be.at.least(fragments);
    expect((await bridge.segments()).filter((name) => name.endsWith(".part"))).to.deep.equal([]);
  });

  it("has a catalog that agrees with the files, byte by byte", async () => {
    expect(await bridge.viaduct("check", "--verify", "--json")).to.deep.equal({ code: 0, said: "[]\n" });
  });

  it("leaves files that ffmpeg decodes, every frame once and in order", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const data = await openDataFolder(bridge.t.folder);
    for (const name of await bridge.segments())
      await decryptTo(join(bridge.recordings, name), join(bridge.t.folder, basename(name)), data.keys);
    await data.close();
    for (const name of await bridge.segments()) {
      const { code, stdout, stderr } = await ffmpeg.run([
        "-v",
        "warning",
        "-i",
        join(bridge.t.folder, basename(name)),
        "-map",
        "0:v",
        "-vsync",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
      ]);
      expect(code, stderr).to.equal(0);
      expectConsecutive(framesOf(stdout, 640, 360), 1);
    }
  });
});
