import { expect } from "chai";
import { unixMillis } from "../../../base/units.ts";
import { Pace } from "../../../rtsp/server/pace.ts";
import { RunningClock } from "../../support/virtual-clock.ts";

describe("the pace of a replay", () => {
  /** When each group goes out, in milliseconds after the beginning, asked for `from`. */
  async function played(from: number, captured: readonly number[], scale = 1): Promise<readonly number[]> {
    const clock = new RunningClock();
    const began = clock.monotonic();
    const pace = new Pace(clock, unixMillis(from), scale);
    const sent: number[] = [];
    const running = (async () => {
      for (const [index, at] of captured.entries()) {
        // As a recording marks it: a key frame that does not follow.
        const jump = scale < 0 || Math.abs(at - (captured[index - 1] ?? at)) > 20_000;
        await pace.reach(unixMillis(at), jump, new AbortController().signal);
        sent.push(Math.round(clock.monotonic() - began));
      }
    })();
    await clock.advance(60_000);
    await running;
    return sent;
  }

  it("is that of the capture, a second ahead", async () => {
    expect(await played(0, [0, 500, 1000, 1500, 2000, 3000])).to.deep.equal([0, 0, 0, 500, 1000, 2000]);
  });

  it("sends what stands before the wanted instant at once", async () => {
    expect(await played(10_000, [8500, 9000, 10_000, 11_000, 12_000])).to.deep.equal([0, 0, 0, 0, 1000]);
  });

  it("skips what was not recorded", async () => {
    expect(await played(0, [0, 1500, 600_000, 601_000, 602_000])).to.deep.equal([0, 500, 500, 500, 1500]);
  });

  it("goes on where the recorded clock was set back", async () => {
    expect(await played(100_000, [100_000, 102_000, 50_000, 51_000, 52_000])).to.deep.equal([
      0, 1000, 1000, 1000, 2000,
    ]);
  });

  it("is a multiple of that of the capture", async () => {
    expect(await played(0, [0, 1000, 5000, 9000], 4)).to.deep.equal([0, 0, 250, 1250]);
    expect(await played(0, [0, 1000, 2000], 0.5)).to.deep.equal([0, 1000, 3000]);
  });

  it("waits between key frames that are far apart without a gap", async () => {
    expect(await played(0, [0, 10_000, 20_000])).to.deep.equal([0, 9000, 19_000]);
  });

  it("goes backwards", async () => {
    expect(await played(20_000, [20_000, 18_000, 16_000], -1)).to.deep.equal([0, 1000, 3000]);
    expect(await played(20_000, [20_000, 12_000], -4)).to.deep.equal([0, 1000]);
  });

  it("skips what was not recorded backwards, too", async () => {
    expect(await played(600_000, [600_000, 598_000, 40_000, 38_000], -1)).to.deep.equal([0, 1000, 1000, 2000]);
  });

  it("ends at once when it is called off", async () => {
    const clock = new RunningClock();
    const stop = new AbortController();
    const waiting = new Pace(clock, unixMillis(0), 1).reach(unixMillis(1900), false, stop.signal);
    stop.abort(new Error("called off"));
    const outcome = await waiting.then(
      () => "reached",
      (error: Error) => error.message,
    );
    expect(outcome).to.equal("called off");
    expect(clock.pending).to.equal(0);
  });
});
