import { expect } from "chai";
import { BytePace } from "../../base/byte-pace.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const KIB = 1024;
const RATE = { bytesPerSecond: 2048 * KIB, burstBytes: 128 * KIB };

describe("the pace of bytes", () => {
  it("lets some out at once, and then so many a second", async () => {
    const clock = new VirtualClock();
    const began = clock.monotonic();
    const pace = new BytePace(clock, RATE);
    const sent: number[] = [];
    const running = (async () => {
      for (let index = 0; index < 5; index += 1) {
        await pace.spend(64 * KIB, new AbortController().signal);
        sent.push(Math.round(clock.monotonic() - began));
      }
    })();
    await clock.advance(1000);
    await running;
    expect(sent).to.deep.equal([0, 0, 31, 63, 94]);
  });

  it("ends a wait with its signal", async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const waiting = new BytePace(clock, RATE).spend(4096 * KIB, stop.signal).then(
      () => "sent",
      () => "stopped",
    );
    stop.abort();
    expect(await waiting).to.equal("stopped");
    expect(clock.pending).to.equal(0);
  });
});
