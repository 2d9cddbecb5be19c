import { expect } from "chai";
import * as fc from "fast-check";
import type { Timeline } from "../../web/ui/pages/playback/protocol.ts";
import { cellsOf, instantOfPicture, missingIn } from "../../web/ui/pages/playback/strip.ts";

const BEGIN = Date.UTC(2026, 10, 24, 10);
const SECOND = 1000;

const timeline = (more: Partial<Timeline> = {}): Timeline => ({
  type: "timeline",
  stream: "main",
  from: BEGIN - 60 * SECOND,
  to: BEGIN + 60 * SECOND,
  spans: [],
  fetched: [],
  gaps: [],
  ...more,
});
const seconds = (...all: readonly [from: number, to: number][]) =>
  all.map(([from, to]) => ({ from: BEGIN + from * SECOND, to: BEGIN + to * SECOND }));

describe("the strip of thumbnails", () => {
  it("has a picture of the beginning of each part, or of the first that is recorded of it", () => {
    const known = timeline({ spans: seconds([2.5001, 4], [6.2, 6.4]) });
    const cells = cellsOf({ from: BEGIN + 1500, to: BEGIN + 9000 }, 7.5 * 104, known);
    expect(cells.map(({ from, to, asked }) => [from - BEGIN, to - from, asked && asked - BEGIN])).to.deep.equal([
      [1000, SECOND, undefined],
      [2000, SECOND, 2501],
      [3000, SECOND, 3000],
      [4000, SECOND, undefined],
      [5000, SECOND, undefined],
      [6000, SECOND, 6200],
      [7000, SECOND, undefined],
      [8000, SECOND, undefined],
    ]);
  });

  it("asks for the same pictures wherever what is known begins", () => {
    const known = timeline({ from: BEGIN + 300, spans: seconds([0.3, 60]) });
    expect(cellsOf({ from: BEGIN + 300, to: BEGIN + 9000 }, 1000, known)[0]?.asked).to.equal(BEGIN);
  });

  it("asks for nothing before it is known what is recorded, and has no part where there is no room", () => {
    expect(cellsOf({ from: BEGIN, to: BEGIN + 3000 }, 400, undefined).map(({ asked }) => asked)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(cellsOf({ from: BEGIN, to: BEGIN + 3000 }, 60, timeline())).to.deep.equal([]);
  });

  it("has one picture for points within a second of each other, or within a part of what is looked at that nobody can tell apart", () => {
    const known = timeline({ spans: seconds([-60, 60]) });
    const at = (view: number, second: number) =>
      (instantOfPicture(BEGIN + second * SECOND, { from: BEGIN, to: BEGIN + view * SECOND }, known) ?? 0) - BEGIN;
    expect([at(10, 4), at(10, 4.9), at(10, 5), at(4000, 19.9)]).to.deep.equal([4000, 4000, 5000, 10_000]);
  });

  it("asks where somebody points for none of before a gap, and of nothing in it", () => {
    const day = { from: BEGIN - 12 * 3600 * SECOND, to: BEGIN + 12 * 3600 * SECOND };
    const known = timeline({ ...day, spans: seconds([1, 2], [4.2001, 9], [20.5, 30]) });
    const asked = [3, 4.1, 4.3, 8, 21].map((second) => instantOfPicture(BEGIN + second * SECOND, day, known));
    expect(asked.map((one) => one && one - BEGIN)).to.deep.equal([undefined, undefined, 4201, 4201, 20_500]);
    expect(instantOfPicture(BEGIN, day, undefined)).to.equal(undefined);
  });

  it("covers what is looked at without a hole, in parts that have room and stay on their grid", () => {
    const views = fc.record({
      from: fc.integer({ min: 0, max: BEGIN }),
      lengthMs: fc.integer({ min: 10 * SECOND, max: 31 * 24 * 3600 * SECOND }),
      width: fc.integer({ min: 200, max: 4000 }),
    });
    fc.assert(
      fc.property(views, ({ from, lengthMs, width }) => {
        const cells = cellsOf({ from, to: from + lengthMs }, width, undefined);
        expect(cells[0]?.from).to.be.at.most(from);
        expect(cells.at(-1)?.to).to.be.at.least(from + lengthMs);
        for (const [index, cell] of cells.entries()) {
          const stepMs = cell.to - cell.from;
          expect((stepMs / lengthMs) * width).to.be.at.least(103.9);
          expect(cell.from % stepMs).to.equal(0);
          if (index > 0) expect(cell.from).to.equal(cells[index - 1]?.to);
        }
      }),
    );
  });

  it("shows of a gap what was not filled from the camera's own recording", () => {
    const gaps = seconds([10, 20]).map((gap) => ({ ...gap, cause: "camera", why: "gone" }));
    const missing = (...spans: readonly [number, number][]) =>
      missingIn({ gaps, spans: seconds(...spans) }).map(({ from, to }) => [(from - BEGIN) / 1000, (to - BEGIN) / 1000]);
    expect(missing([0, 10], [20, 30])).to.deep.equal([[10, 20]]);
    expect(missing([0, 12], [14, 15], [18, 30])).to.deep.equal([
      [12, 14],
      [15, 18],
    ]);
    expect(missing([0, 30])).to.deep.equal([]);
  });
});
