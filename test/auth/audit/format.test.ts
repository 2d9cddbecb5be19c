import { expect } from "chai";
import { type AuditFormat, printCefMessage, printEntry } from "../../../auth/audit/format.ts";

const ORIGIN = { host: "bridge 1", version: "1.2" };
const FIELDS = {
  seq: 7,
  time: "2026-01-01T00:00:00.000Z",
  who: 'a"b]c\\d',
  action: "log-in",
  interface: "web",
  outcome: "failed",
  why: "x=1|y\nz",
};
const LINE = JSON.stringify(FIELDS);

describe("the formats of audit entries", () => {
  const cases: readonly (readonly [AuditFormat, string])[] = [
    ["json", LINE],
    ["csv", '7,2026-01-01T00:00:00.000Z,"a""b]c\\d",log-in,failed,web,,,,"x=1|y\nz",,,,,,,'],
    [
      "cef",
      'CEF:0|Viaduct|Viaduct|1.2|log-in|log-in failed|6|rt=1767225600000 dvchost=bridge 1 externalId=7 suser=a"b]c\\\\d act=log-in outcome=failed app=web reason=x\\=1|y\\nz',
    ],
    [
      "syslog",
      `<108>1 2026-01-01T00:00:00.000Z bridge1 viaduct - log-in [viaduct@32473 seq="7" who="a\\"b\\]c\\\\d" action="log-in" outcome="failed" interface="web" why="x=1|y z"] ${LINE}`,
    ],
  ];
  for (const [format, text] of cases)
    it(`${format} is escaped as it has to be`, () => {
      expect(printEntry(format, LINE, FIELDS, ORIGIN)).to.equal(text);
    });

  it("csv has nothing that a spreadsheet runs", () => {
    expect(printEntry("csv", "", { seq: 1, who: "=HYPERLINK(1)" }, ORIGIN)).to.match(/^1,,'=HYPERLINK/);
  });

  it("CEF in syslog has the header of syslog, with informational severity for what was allowed", () => {
    const message = printCefMessage({ ...FIELDS, outcome: "allowed" }, ORIGIN);
    expect(message).to.match(/^<110>1 2026-01-01T00:00:00.000Z bridge1 viaduct - log-in - CEF:0\|/);
  });
});
