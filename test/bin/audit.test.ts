import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type AuditSite, auditSite, ENTRY } from "../auth/audit/fixture.ts";
import { viaduct } from "../support/viaduct.ts";

describe("viaduct audit", () => {
  let site: AuditSite;

  before(async () => {
    site = await auditSite();
    site.write("ada", "ben", "eve\u001b[31m");
  });
  after(() => site.close());

  it("verify says that a log is whole, and by which key it is signed", async () => {
    const { code, out, err } = await viaduct(["audit", "verify", site.folder]);
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
    expect(out)
      .to.match(/^4 lines, entries 1 to 4, each of which follows/)
      .and.to.match(/1 checkpoints are signed by/);
  });

  it("verify says where it is not, for people and for programs, and ends with 1", async () => {
    const copy = join(site.folder, "copy.log");
    await writeFile(copy, (await readFile(site.file, "utf8")).replace("ben", "bob"));
    const { code, out } = await viaduct(["audit", "verify", copy]);
    expect(code).to.equal(1);
    expect(out).to.match(/copy\.log, line 3: it does not follow from the line before/);
    const json = await viaduct(["audit", "verify", copy, "--json"]);
    expect(json.code).to.equal(1);
    expect(JSON.parse(json.out)).to.deep.include({ entries: 4, first: 1, last: 4 });
  });

  it("verify ends with 3 where nothing is signed", async () => {
    const unsigned = await auditSite();
    const audit = unsigned.open({ privateKey: undefined });
    audit.record(ENTRY);
    audit.close();
    const { code, out } = await viaduct(["audit", "verify", unsigned.folder]);
    await unsigned.close();
    expect(code).to.equal(3);
    expect(out).to.contain("Nothing is signed");
  });

  it("verify takes a line that was kept elsewhere, and nothing else for one", async () => {
    const kept = join(site.folder, "kept.txt");
    await writeFile(kept, `${site.lines().at(-1)}\n`);
    expect((await viaduct(["audit", "verify", site.folder, "--kept", kept])).code).to.equal(0);
    await writeFile(kept, "nonsense\n");
    const { code, err } = await viaduct(["audit", "verify", site.folder, "--kept", kept]);
    expect([code, err]).to.deep.equal([
      2,
      `viaduct: ${kept} has no lines of an audit log: keep whole lines, as they stand in it\n`,
    ]);
  });

  it("verify says that a file cannot be read", async () => {
    const path = join(site.folder, "none.log");
    const { code, err } = await viaduct(["audit", "verify", path]);
    expect([code, err]).to.deep.equal([1, `viaduct: cannot read the audit log ${path}\n`]);
  });

  it("show prints what is asked for, and no control characters of strangers", async () => {
    const { out } = await viaduct(["audit", "show", site.folder]);
    expect(out).to.match(/^1 2026-01-01T00:00:00.000Z ada: live cam1, allowed, rtsp$/m);
    expect(out).to.contain("eve\u{fffd}[31m");
    expect((await viaduct(["audit", "show", site.folder, "--who", "nobody"])).out).to.equal(
      "There are no such entries.\n",
    );
    const json = await viaduct(["audit", "show", site.folder, "--who", "ben", "--json"]);
    expect(JSON.parse(json.out)).to.have.length(1);
  });

  it("export writes a new file, never over one that is there", async () => {
    const out = join(site.folder, "out.csv");
    const args = ["audit", "export", site.folder, "--format", "csv", "--outcome", "allowed", "--out", out];
    expect((await viaduct(args)).out).to.equal(`3 entries are in ${out}.\n`);
    expect((await readFile(out, "utf8")).split("\n")).to.have.length(5);
    const { code, err } = await viaduct(args);
    expect([code, err]).to.deep.equal([
      1,
      `viaduct: cannot write ${out}: EEXIST: file already exists, open '${out}'\n`,
    ]);
  });
});
