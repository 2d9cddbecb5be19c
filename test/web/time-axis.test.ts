import { expect } from "chai";
import * as fc from "fast-check";
import { marksOf, moved, showing, zoomed } from "../../web/ui/pages/playback/time-axis.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("the axis of the timeline", () => {
  const zone = process.env["TZ"];
  before(() => {
    process.env["TZ"] = "Europe/Copenhagen";
  });
  after(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });

  const words = (from: string, to: string, most: number): readonly string[] =>
    marksOf({ from: Date.parse(from), to: Date.parse(to) }, most).map(
      ({ at, isDay }) => `${new Date(at).toISOString().slice(0, 16)}${isDay ? " day" : ""}`,
    );

  it("has marks at whole hours and days of the clock on the wall", () => {
    expect(words("2026-11-24T21:30Z", "2026-11-25T01:10Z", 6)).to.deep.equal([
      "2026-11-24T22:00",
      "2026-11-24T23:00 day",
      "2026-11-25T00:00",
      "2026-11-25T01:00",
    ]);
  });

  it("has each day once where days are longer or shorter than others", () => {
    expect(words("2026-10-23T22:00Z", "2026-10-26T23:00Z", 5)).to.deep.equal([
      "2026-10-23T22:00 day",
      "2026-10-24T22:00 day",
      "2026-10-25T23:00 day",
      "2026-10-26T23:00 day",
    ]);
    expect(words("2026-03-28T18:00Z", "2026-03-29T18:00Z", 6)).to.include("2026-03-28T23:00 day");
  });

  const view = fc
    .tuple(fc.integer({ min: 1e12, max: 2e12 }), fc.integer({ min: 10_000, max: 31 * DAY }))
    .map(([from, length]) => ({ from, to: from + length }));

  it("has no more marks than fit, in order", () => {
    fc.assert(
      fc.property(view, fc.integer({ min: 5, max: 40 }), (range, most) => {
        const marks = marksOf(range, most).map(({ at }) => at);
        // One more at each end, and one at each of the midnights that are off the step.
        expect(marks.length).to.be.at.most(most + 8);
        for (const [index, at] of marks.entries()) expect(at).to.be.above(marks[index - 1] ?? 0);
      }),
    );
  });

  it("keeps the instant under the pointer where it is while it is zoomed", () => {
    fc.assert(
      fc.property(
        view,
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (range, factor, part) => {
          const at = range.from + part * (range.to - range.from);
          const { from, to } = zoomed(range, factor, at);
          expect((at - from) / (to - from)).to.be.closeTo(part, 1e-3);
          expect(to - from).to.be.within(9999, 31 * DAY + 1);
        },
      ),
    );
  });

  it("moves, and follows what is shown", () => {
    const range = { from: 10 * HOUR, to: 11 * HOUR };
    expect(moved(range, HOUR)).to.deep.equal({ from: 11 * HOUR, to: 12 * HOUR });
    expect(moved(range, -20 * HOUR)).to.deep.equal({ from: 0, to: HOUR });
    expect(showing(range, 10.5 * HOUR)).to.equal(range);
    expect(showing(range, 20 * HOUR)).to.deep.equal({ from: 19.5 * HOUR, to: 20.5 * HOUR });
  });
});
