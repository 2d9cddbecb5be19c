import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { glob, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { HOUR, MINUTE } from "../../base/units.ts";
import { eventually } from "../support/bridge.ts";
import { missing } from "../support/peer.ts";
import { adoptedBridge, type ServedBridge } from "../support/served-bridge.ts";

/** Debian's libfaketime: what a process takes for the machine's clock, as a file says. */
const FAKE_CLOCK = "/usr/lib/*/faketime/libfaketimeMT.so.1";

/** `…/YYYY-MM-DD/hh/mm-ss.mmmZ-…`: when a segment begins. */
function startOf(path: string): number {
  const [, date, hour, minute, second] = /(\d{4}-\d\d-\d\d)\/(\d\d)\/(\d\d)-([\d.]+)Z/.exec(path) ?? [];
  return Date.parse(`${date}T${hour}:${minute}:${second}Z`);
}

describe("a bridge that records while the machine's clock is set", () => {
  let bridge: ServedBridge;
  let library: string | undefined;
  let running: ChildProcess | undefined;

  before(async function () {
    [library] = await Array.fromAsync(glob(FAKE_CLOCK));
    if (library === undefined) missing(this, "libfaketime");
    bridge = await adoptedBridge();
  });
  after(async () => {
    running?.kill("SIGKILL");
    await bridge?.t.close();
  });

  const offset = (): string => join(bridge.t.folder, "clock");
  /** At once, so that nobody reads half of it. */
  const set = async (by: number): Promise<void> => {
    await writeFile(`${offset()}.new`, `${by >= 0 ? "+" : ""}${by / 1000}`);
    await rename(`${offset()}.new`, offset());
  };
  const recordsAround = (by: number): Promise<void> =>
    eventually(async () =>
      (await bridge.segments()).some((name) => Math.abs(startOf(name) - Date.now() - by) < 5 * MINUTE),
    );

  it("goes on by the new clock, forward and back", async () => {
    await set(0);
    running = bridge.serve({
      ...process.env,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset(),
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
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
    expect(await bridge.viaduct("check", "--verify", "--json")).to.deep.equal({ code: 0, said: "[]\n" });
  });

  it("accuses nobody of what the clock did", async () => {
    const { code, said } = await bridge.viaduct("verify", bridge.recordings);
    expect(code, said).to.equal(0);
  });
});
