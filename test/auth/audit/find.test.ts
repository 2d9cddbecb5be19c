import { expect } from "chai";
import type { AuditFilter } from "../../../auth/audit/filter.ts";
import { allEntries, findEntries } from "../../../auth/audit/find.ts";
import { MINUTE, unixMillis } from "../../../base/units.ts";
import { type AuditSite, auditSite, ENTRY } from "./fixture.ts";

describe("searching the audit log", () => {
  let site: AuditSite;
  before(async () => {
    site = await auditSite();
    const audit = site.open({ fileBytes: 3000 });
    for (let n = 0; n < 100; n += 1) {
      audit.record({
        ...ENTRY,
        who: n % 10 === 0 ? 'an "a"' : "b",
        subject: `S${n}`,
        outcome: n % 2 === 0 ? "denied" : "allowed",
      });
      await site.clock.advance(MINUTE / 2);
    }
    audit.close();
  });
  after(() => site.close());

  const all = async (filter: AuditFilter): Promise<readonly unknown[]> => {
    const subjects: unknown[] = [];
    for await (const { fields } of allEntries(site.folder, filter)) subjects.push(fields["subject"]);
    return subjects.filter((one) => one !== undefined);
  };
  /** Page after page. */
  const paged = async (filter: AuditFilter, limit: number): Promise<readonly unknown[]> => {
    const subjects: unknown[] = [];
    for (let before: number | undefined; ; ) {
      const { entries, next } = await findEntries(site.folder, filter, { limit, before });
      expect(entries.length).to.be.at.most(limit);
      subjects.push(...entries.map(({ subject }) => subject));
      if (next === undefined) return subjects.filter((one) => one !== undefined);
      before = next;
    }
  };

  const cases: readonly (readonly [string, AuditFilter, number])[] = [
    ["everything", {}, 100],
    ["an account, with quotes in its name", { who: 'an "a"' }, 10],
    ["what was denied", { outcome: "denied" }, 50],
    ["two fields at once", { who: "b", outcome: "denied" }, 40],
    ["nobody", { who: "a" }, 0],
    ["a word, in another case", { text: "s99" }, 1],
    ["from an instant", { from: unixMillis(Date.parse("2026-01-01T00:10:00Z")) }, 80],
    ["before an instant", { to: unixMillis(Date.parse("2026-01-01T00:10:00Z")) }, 20],
  ];
  for (const [name, filter, count] of cases)
    for (const limit of [1, 7, 1000])
      it(`finds ${name}, ${limit} at a time, and the same in both directions`, async () => {
        const found = await paged(filter, limit);
        expect(found).to.have.length(count);
        expect(found.toReversed()).to.deep.equal(await all(filter));
      });
});
