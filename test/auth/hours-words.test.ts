import { expect } from "chai";
import * as fc from "fast-check";
import { parseException, parseWeekly, printException, printWeekly } from "../../auth/hours-words.ts";
import { isFault } from "../../base/fault.ts";

describe("hours in words", () => {
  const WEEKS = [
    ["mon-fri 08:00-16:30", { days: [1, 2, 3, 4, 5], from: "08:00", to: "16:30" }],
    ["sat-sun 22:00-06:00", { days: [6, 7], from: "22:00", to: "06:00" }],
    ["mon,wed-thu 00:00-24:00", { days: [1, 3, 4], from: "00:00", to: "24:00" }],
  ] as const;
  for (const [line, week] of WEEKS)
    it(`of a week are "${line}"`, () => {
      expect(printWeekly({ ...week, days: [...week.days] })).to.equal(line);
      expect(parseWeekly(line)).to.deep.equal(week);
    });

  it("of days go over the end of the week", () => {
    expect(parseWeekly("fri-mon 08:00-09:00").days).to.deep.equal([1, 5, 6, 7]);
  });

  it("of any days come back as they were", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (days) => {
        const week = { days: days.toSorted((a, b) => a - b), from: "08:00", to: "09:00" };
        expect(parseWeekly(printWeekly(week))).to.deep.equal(week);
      }),
    );
  });

  const DAYS = [
    ["2026-12-24 closed", { date: "2026-12-24", windows: [] }],
    ["2026-12-24..2026-12-26 closed", { date: "2026-12-24", until: "2026-12-26", windows: [] }],
    [
      "2026-12-31 08:00-12:00,13:00-14:00",
      {
        date: "2026-12-31",
        windows: [
          { from: "08:00", to: "12:00" },
          { from: "13:00", to: "14:00" },
        ],
      },
    ],
  ] as const;
  for (const [line, exception] of DAYS)
    it(`of other days are "${line}"`, () => {
      expect(printException({ ...exception, windows: [...exception.windows] })).to.equal(line);
      expect(parseException(line)).to.deep.equal(exception);
    });

  it("are refused in another form", () => {
    for (const line of ["", "mon", "mon 8-16", "monday 08:00-16:00", "mon- 08:00-09:00", "mon 08:00-09:00 x"])
      expect(() => parseWeekly(line), line)
        .to.throw()
        .that.satisfies((fault: unknown) => isFault(fault, "invalid"));
    for (const line of ["", "2026-12-24", "closed", "2026-12-24 shut", "2026-12-24..x closed"])
      expect(() => parseException(line), line)
        .to.throw()
        .that.satisfies((fault: unknown) => isFault(fault, "invalid"));
  });
});
