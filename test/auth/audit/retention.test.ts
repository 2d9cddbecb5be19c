import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { verifyAudit } from "../../../auth/audit/verify.ts";
import { DAY, HOUR } from "../../../base/units.ts";
import { type AuditSite, auditSite, ENTRY } from "./fixture.ts";

describe("what of the audit log is kept", () => {
  let site: AuditSite;
  beforeEach(async () => {
    site = await auditSite();
  });
  afterEach(() => site.close());

  const full = (): readonly string[] => {
    const folder = join(site.folder, "audit");
    return existsSync(folder) ? readdirSync(folder).toSorted() : [];
  };
  /** A file a day, for five days. */
  const fiveDays = async (keep: { maxAgeMs: number; maxBytes: number }): Promise<void> => {
    const audit = site.open({ keep });
    for (let day = 0; day < 5; day += 1) {
      audit.record({ ...ENTRY, subject: String(day) });
      await site.clock.advance(DAY);
    }
    audit.record(ENTRY);
    await site.clock.advance(2 * HOUR);
    audit.close();
  };

  it("removes files that are too old, says so under a signature, and the rest can be verified", async () => {
    await fiveDays({ maxAgeMs: 2 * DAY, maxBytes: Number.POSITIVE_INFINITY });
    expect(full().length).to.be.lessThan(4);
    expect(await verifyAudit(site.folder)).to.include({ broken: undefined, unsigned: 0 });
    const all = [...full().map((name) => join(site.folder, "audit", name)), site.file].flatMap((file) =>
      site.lines(file),
    );
    const statements = all
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ action }) => action === "remove-entries");
    expect(statements.at(-1)).to.include({ why: "too old" });
  });

  it("removes the oldest files that are too much", async () => {
    await fiveDays({ maxAgeMs: 100 * DAY, maxBytes: 1500 });
    expect(full().length).to.be.lessThan(4);
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
  });

  it("keeps everything while it is neither", async () => {
    await fiveDays({ maxAgeMs: 100 * DAY, maxBytes: 1e9 });
    expect(full()).to.have.length(5);
    expect((await verifyAudit(site.folder)).first).to.equal(1);
  });

  it("shows more files removed than the statement says", async () => {
    await fiveDays({ maxAgeMs: 2 * DAY, maxBytes: 1e9 });
    rmSync(join(site.folder, "audit", full()[0] ?? ""));
    expect((await verifyAudit(site.folder)).broken?.why).to.match(/no signed statement says that they were removed/);
  });

  it("shows a file removed from the middle", async () => {
    await fiveDays({ maxAgeMs: 100 * DAY, maxBytes: 1e9 });
    rmSync(join(site.folder, "audit", full()[2] ?? ""));
    expect((await verifyAudit(site.folder)).broken?.why).to.match(/does not follow/);
  });
});
