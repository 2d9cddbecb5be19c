import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openAuditLog } from "../../auth/audit.ts";
import { silentLog } from "../../base/log.ts";
import { viaduct } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("viaduct audit", function () {
  this.timeout(60_000);
  let folder = "";
  let file = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-audit-"));
    file = join(folder, "audit.log");
    const audit = openAuditLog({ file, clock: new VirtualClock(), log: silentLog() });
    for (const who of ["ada", "ben", "eve"])
      audit.record({ who, action: "log-in", interface: "web", outcome: "allowed" });
    await audit.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("says that a log is whole", async () => {
    const out = "3 entries, each of which follows from the one before.\n";
    expect(await viaduct(["audit", "verify", file])).to.deep.equal({ code: 0, out, err: "" });
  });

  it("says where it is not, for people and for programs, and ends with 1", async () => {
    const copy = join(folder, "copy.log");
    await writeFile(copy, (await readFile(file, "utf8")).replace("ben", "bob"));
    const { code, out } = await viaduct(["audit", "verify", copy]);
    expect(code).to.equal(1);
    expect(out).to.match(/^Line 3 does not follow from the one before/);
    const json = { code: 1, out: '{"entries":3,"brokenAt":3}\n', err: "" };
    expect(await viaduct(["audit", "verify", copy, "--json"])).to.deep.equal(json);
  });

  it("says that a file cannot be read", async () => {
    const { code, err } = await viaduct(["audit", "verify", join(folder, "none.log")]);
    expect([code, err]).to.deep.equal([1, `viaduct: cannot read the audit log ${join(folder, "none.log")}\n`]);
  });
});
