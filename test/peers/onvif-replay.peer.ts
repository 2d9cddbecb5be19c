import { join } from "node:path";
import { expect } from "chai";
import type { UnixMillis } from "../../base/units.ts";
import type { RecordedSource } from "../../media/source.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { framesOf } from "../support/frame-code.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

/** Of a simulated camera. */
const GOP = 30;
const FRAME_MS = 1000 / 15;

/** By how much the time of a capture and the camera's own counting may differ: timers of a machine that is busy with all other tests. */
const CLOCK_MS = 500;

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** So much of what is recorded is looked at, before a key frame and from it on. */
const BEFORE = 3 * GOP;
const BEHIND = 5 * GOP;

/**
 * When a key frame was captured around which no frame is missing and each stands at its time; undefined as long as there is none. A machine that
 * stands still for long has its camera leave frames out.
 */
async function wholeAround(source: RecordedSource): Promise<UnixMillis | undefined> {
  const extent = await source.extent();
  if (extent === undefined || extent.to - extent.from < (BEFORE + BEHIND) * FRAME_MS) return undefined;
  const frames: { readonly at: UnixMillis; readonly key: boolean; readonly rtpTime: number }[] = [];
  for await (const { track, at, key, rtpTime } of source.read({ from: extent.from }, new AbortController().signal))
    if (track === 0) frames.push({ at, key, rtpTime });
  const isNext = (index: number): boolean =>
    (((frames[index]?.rtpTime ?? 0) - (frames[index - 1]?.rtpTime ?? 0)) >>> 0) / 90 < 1.5 * FRAME_MS;
  return frames.find(
    ({ at, key }, index) =>
      key &&
      index >= BEFORE &&
      index + BEHIND <= frames.length &&
      range(-BEFORE, BEHIND).every(
        (step) =>
          Math.abs((frames[index + step]?.at ?? 0) - at - step * FRAME_MS) < CLOCK_MS &&
          (step === -BEFORE || isNext(index + step)),
      ),
  )?.at;
}

const CLIENT = join(import.meta.dirname, "../support/gst-replay.py");

describe("GStreamer in its ONVIF mode", () => {
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
    let at: UnixMillis | undefined;
    await eventually(async () => {
      at = await wholeAround(recorded);
      return at !== undefined;
    });
    if (at === undefined) throw new Error("no key frame");
    // What is asked for is the frame, and what is sent begins with the key frame before it.
    key = { at, number: (await watch(["--frames", "1"], at)).numbers[0] ?? -1 };
  });
  after(() => t?.close());

  interface Replayed {
    /** Numbers of the frames that a decoder made. */
    readonly numbers: readonly number[];
    /** What the header extensions say of each access unit that came, in milliseconds from the key frame. */
    readonly times: readonly number[];
  }

  /** From an instant a little behind the key frame; forwards, it comes with the key frame. */
  async function watch(args: readonly string[], from = key.at): Promise<Replayed> {
    const url = t.rtsp(login, `recorded/${id}`);
    const start = ["--from-ms", `${Math.round(from + 20)}`];
    const { code, stdout, stderr } = await python.run([CLIENT, url, ...start, ...args]);
    expect(code, stderr).to.equal(0);
    // The client ends in the middle of a line.
    const times = [...stderr.matchAll(/^at (.*)\n/gm)].map(([, ms]) => Number(ms) - from);
    return { numbers: framesOf(stdout, 640, 360), times };
  }

  for (const [what, args] of [
    ["as fast as it can", ["--unpaced"]],
    ["at the pace of the capture", []],
    ["at three times the pace", ["--speed", "3"]],
    ["at half the pace", ["--speed", "0.5"]],
  ] as const)
    it(`gets every frame once, in order, with the time of its capture, ${what}`, async () => {
      const { numbers, times } = await watch([...args, "--frames", "60"]);
      expect(numbers).to.deep.equal(range(0, 60).map((index) => key.number + index));
      // More may come than was asked for.
      times.slice(0, BEHIND).forEach((time, index) => {
        expect(time).to.be.closeTo(index * FRAME_MS, CLOCK_MS);
      });
    });

  for (const [what, args] of [
    ["as fast as it can", ["--unpaced"]],
    ["at the pace of the capture", []],
  ] as const)
    it(`gets groups of pictures backwards, which its decoder turns round frame by frame, ${what}`, async () => {
      const { numbers, times } = await watch([...args, "--frames", "60", "--speed", "-1"]);
      // The group from the key frame to the instant that was asked for comes first. GStreamer's decoder shows nothing of it.
      expect(times[0]).to.be.closeTo(0, CLOCK_MS);
      expect(times[1]).to.be.closeTo(-GOP * FRAME_MS, CLOCK_MS);
      expect(numbers).to.deep.equal(range(0, 60).map((index) => key.number - 1 - index));
      times.slice(1, 1 + BEFORE).forEach((time, index) => {
        const [group, frame] = [Math.floor(index / GOP), index % GOP];
        expect(time).to.be.closeTo((frame - GOP * (group + 1)) * FRAME_MS, CLOCK_MS);
      });
    });

  for (const [what, args, step] of [
    ["all of them", [], 1],
    ["those that are at least 3.5 s apart", ["--interval-ms", "3500"], 2],
  ] as const)
    it(`gets key frames alone: ${what}`, async () => {
      const { numbers } = await watch([...args, "--unpaced", "--intra", "--frames", "3"]);
      expect(numbers).to.deep.equal(range(0, 3).map((index) => key.number + index * step * GOP));
    });

  it("jumps while it plays, and is sent nothing twice", async () => {
    const back = Math.round(key.at - 2 * GOP * FRAME_MS + 20);
    const { numbers } = await watch(["--frames", "50", "--jump-after", "20", "--jump-ms", `${back}`]);
    const frames = [...range(0, 20), ...range(-2 * GOP, -2 * GOP + 30)];
    expect(numbers).to.deep.equal(frames.map((index) => key.number + index));
  });
});
