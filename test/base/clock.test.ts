import { MessageChannel } from "node:worker_threads";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { HOUR, type Millis } from "../../base/units.ts";

describe("the machine's clock", () => {
  const real = Date.now;
  afterEach(() => {
    Date.now = real;
  });

  for (const [name, by] of [
    ["forward", HOUR],
    ["back", -HOUR],
  ] as const)
    it(`is followed where somebody sets it ${name}`, () => {
      const before = systemClock.now();
      Date.now = () => real() + by;
      expect(systemClock.now() - before).to.be.closeTo(by, HOUR / 2);
    });
});

describe("a timer of the machine's clock", () => {
  /** Nothing runs for so long, as on a machine that is paused. */
  const standStill = (ms: Millis): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

  for (const kind of ["after", "every"] as const)
    it(`runs behind what has come while the machine stood still (${kind})`, async () => {
      const { port1, port2 } = new MessageChannel();
      const order: string[] = [];
      const ran = new Promise<void>((resolve) => {
        const timer = systemClock[kind](10, () => {
          order.push("timer");
          timer.cancel();
          resolve();
        });
      });
      port2.on("message", () => order.push("message"));
      port1.postMessage("");
      standStill(1500);
      await ran;
      port1.close();
      expect(order).to.deep.equal(["message", "timer"]);
    });

  it("is called off by what has come while the machine stood still", async () => {
    let ran = false;
    const timer = systemClock.after(10, () => {
      ran = true;
    });
    standStill(1500);
    await new Promise((resolve) => setImmediate(resolve));
    timer.cancel();
    await systemClock.sleep(500);
    expect(ran).to.equal(false);
  });
});
