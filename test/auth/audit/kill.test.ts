import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { verifyAudit } from "../../../auth/audit/verify.ts";
import { type AuditSite, auditSite } from "./fixture.ts";

/** How many processes are killed one after another over the same log. */
const KILLS = 6;

describe("the audit log of a process that is killed", () => {
  let site: AuditSite;
  before(async () => {
    site = await auditSite();
  });
  after(() => site.close());

  it("has every entry that was written, and one chain over all", async () => {
    let told = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const script = join(import.meta.dirname, "../../support/audit-until-killed.ts");
      const child = spawn(process.execPath, [script, site.file], { stdio: ["ignore", "pipe", "inherit"] });
      const gone = once(child, "close");
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        told = Number(line);
        lines += 1;
        // At another place of a file each time: some are put aside, some are begun.
        if (lines === kill * 3) child.kill("SIGKILL");
      }
      await gone;
      const { broken, last } = await verifyAudit(site.folder);
      expect(broken, `after kill ${kill}`).to.equal(undefined);
      expect(last).to.be.at.least(told);
    }
    site.write("the next start");
    const report = await verifyAudit(site.folder);
    expect(report).to.include({ broken: undefined, first: 1, unsigned: 0 });
    // Each process had a key of its own.
    expect(report.signers.length).to.equal(KILLS + 1);
  });
});
