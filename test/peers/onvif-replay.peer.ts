import { join } from "node:path";
import { expect } from "chai";
import { later, type UnixMillis } from "../../base/units.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

const CLIENT = join(import.meta.dirname, "../support/gst-replay.py");

describe("GStreamer in its ONVIF mode", function () {
  this.timeout(60_000);
  let t: TestBridge;
  let python: Peer;
  let login: Login;
  let id: string;
  /** A key frame in the middle of what is recorded, and its number. */
  let key: { readonly at: UnixMillis; readonly number: number };

  before(async function () {
    python = pythonPeer(this, "gi.repository.Gst");
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
    login = await t.account();
    const recorded = t.cameras(login)[0]?.recorded;
    if (recorded === undefined) throw new Error("no camera");
    await eventually(async () => {
      const extent = await recorded.extent();
      return extent !== undefined && extent.to - extent.from > 12_000;
    });
    const extent = await recorded.extent();
    const from = later(extent?.from ?? later(t.bridge.parts.clock.now(), 0), 2500);
    const at = await (async () => {
      for await (const group of recorded.read({ from }, new AbortController().signal))
        if (group.key && group.track === 0 && group.at > from) return group.at;
      throw new Error("no key frame");
    })();
    // What is asked for is the frame, and what is sent begins with the key frame before it.
    key = { at, number: (await replay(["--frames", "1"], at))[0] ?? -1 };
  });
  after(() => t?.close());

  /** From an instant a little behind the key frame; it comes with the key frame. */
  async function replay(args: readonly string[], from: UnixMillis): Promise<readonly number[]> {
    const url = t.rtsp(login, `recorded/${id}`);
    const start = ["--from-ms", `${Math.round(from + 20)}`];
    const { code, stdout, stderr } = await python.run([CLIENT, url, ...start, ...args], { limitMs: 30_000 });
    expect(code, stderr).to.equal(0);
    return framesOf(stdout, 640, 360);
  }

  for (const [what, args] of [
    ["as fast as it can", ["--unpaced"]],
    ["at the pace of the capture", []],
    ["at three times the pace", ["--speed", "3"]],
  ] as const)
    it(`gets every frame once, in order, ${what}`, async () => {
      expect(await replay([...args, "--frames", "75"], key.at)).to.deep.equal(
        Array.from({ length: 75 }, (_, index) => key.number + index),
      );
    });
});
