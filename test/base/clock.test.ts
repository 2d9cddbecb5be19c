import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { HOUR } from "../../base/units.ts";

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
