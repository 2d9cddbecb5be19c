import * as fc from "fast-check";
import { unixMillis } from "../../../base/units.ts";
import { parseRange, printRange, type Range } from "../../../rtsp/wire/range.ts";
import { testHeader } from "../../support/header-table.ts";

const at = (iso: string) => unixMillis(Date.parse(iso));
const instant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }).map(unixMillis);
const npt = fc.nat(9_999_999_999_999);

const values: fc.Arbitrary<Range> = fc.oneof(
  fc.record({ unit: fc.constant("clock" as const), from: instant, to: instant }, { requiredKeys: ["unit", "from"] }),
  fc.record(
    { unit: fc.constant("npt" as const), from: fc.oneof(npt, fc.constant("now" as const)), to: npt },
    { requiredKeys: ["unit", "from"] },
  ),
);

describe("a Range header", () => {
  testHeader<Range>({
    rows: [
      [
        "a stretch of the clock",
        "clock=20261124T130509.120Z-20261124T130510Z",
        "clock=20261124T130509.120Z-20261124T130510.000Z",
        { unit: "clock", from: at("2026-11-24T13:05:09.120Z"), to: at("2026-11-24T13:05:10Z") },
      ],
      [
        "from an instant on",
        "clock=20261124T130509Z-",
        "clock=20261124T130509.000Z-",
        { unit: "clock", from: at("2026-11-24T13:05:09Z") },
      ],
      [
        "backwards, for reverse replay",
        "clock=20261124T130510Z-20261124T130509Z",
        "clock=20261124T130510.000Z-20261124T130509.000Z",
        { unit: "clock", from: at("2026-11-24T13:05:10Z"), to: at("2026-11-24T13:05:09Z") },
      ],
      [
        "fractions finer than a millisecond, cut and not rounded",
        "clock=20261124T130509.1239999Z-",
        "clock=20261124T130509.123Z-",
        { unit: "clock", from: at("2026-11-24T13:05:09.123Z") },
      ],
      [
        "a fraction of one digit",
        "clock=20261124T130509.1Z-",
        "clock=20261124T130509.100Z-",
        { unit: "clock", from: at("2026-11-24T13:05:09.100Z") },
      ],
      [
        "the 29th of February in a leap year",
        "clock=20240229T000000Z-",
        "clock=20240229T000000.000Z-",
        { unit: "clock", from: at("2024-02-29T00:00:00Z") },
      ],
      [
        "blanks and other letters",
        " Clock = 20261124T130509Z - ",
        "clock=20261124T130509.000Z-",
        { unit: "clock", from: at("2026-11-24T13:05:09Z") },
      ],
      ["a time of execution behind it", "npt=0-;time=19970123T143720Z", "npt=0.000-", { unit: "npt", from: 0 }],
      ["from the live edge", "npt=now-", "npt=now-", { unit: "npt", from: "now" }],
      ["seconds", "npt=1.5-2.25", "npt=1.500-2.250", { unit: "npt", from: 1500, to: 2250 }],
      ["one millisecond", "npt=0.001-", "npt=0.001-", { unit: "npt", from: 1 }],
      ["what floating point would cut", "npt=4.35-", "npt=4.350-", { unit: "npt", from: 4350 }],
      ["a point without digits", "npt=7.-", "npt=7.000-", { unit: "npt", from: 7000 }],
      ["hours", "npt=1:02:03.5-", "npt=3723.500-", { unit: "npt", from: 3_723_500 }],
    ],
    refused: [
      ["nothing", ""],
      ["a unit that we do not serve", "smpte=10:07:00-"],
      ["no unit", "20261124T130509Z-"],
      ["no start", "npt=-20"],
      ["no start of the clock", "clock=-20261124T130509Z"],
      ["no hyphen", "npt=5"],
      ["local time", "clock=20261124T130509-"],
      ["month 13", "clock=20261324T130509Z-"],
      ["the 30th of February", "clock=20260230T130509Z-"],
      ["hour 24", "clock=20261124T240000Z-"],
      ["a negative time", "npt=-5-"],
      ["an exponent", "npt=1e9-"],
      ["minute 61", "npt=1:61:00-"],
      ["two ranges", "npt=0-5,npt=10-"],
      ["a word", "npt=then-"],
    ],
    values,
    parse: parseRange,
    print: printRange,
  });
});
