import { join } from "node:path";
import { expect } from "chai";
import { AuditLog } from "../../auth/audit/log.ts";
import { silentLog } from "../../base/log.ts";
import { ENTRY, KEY } from "../auth/audit/fixture.ts";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("the audit log, in the API", () => {
  let site: WebSite;
  let auditor: WebClient;
  before(async () => {
    site = await startWebSite();
    const file = join(site.folder, "audit.log");
    const audit = AuditLog.open({ file, clock: site.clock, log: silentLog(), privateKey: KEY });
    for (let n = 1; n <= 5; n += 1) audit.record({ ...ENTRY, who: `vms${n}`, outcome: n > 3 ? "denied" : "allowed" });
    audit.close();
    auditor = await site.person("auditor", [{ right: "read-audit", cameras: "any", interfaces: "any" }]);
  });
  after(() => site.close());

  const find = async (query: string): Promise<{ readonly seqs: readonly unknown[]; readonly next: unknown }> => {
    const { status, json } = await auditor.send("GET", `/api/audit${query}`);
    expect(status, query).to.equal(200);
    const { entries, next } = json as { entries: readonly { seq: number }[]; next?: number };
    return { seqs: entries.map(({ seq }) => seq), next };
  };

  it("is read by who may, the newest first, page by page", async () => {
    expect(await find("")).to.deep.equal({ seqs: [6, 5, 4, 3, 2, 1], next: undefined });
    expect(await find("?limit=2")).to.deep.equal({ seqs: [6, 5], next: 5 });
    expect(await find("?limit=2&before=3")).to.deep.equal({ seqs: [2, 1], next: undefined });
    expect(await find("?outcome=denied")).to.deep.equal({ seqs: [5, 4], next: undefined });
    expect(await find("?who=vms2&from=2026-01-01T00:00:00Z")).to.deep.equal({ seqs: [2], next: undefined });
  });

  it("says in itself who looked for what", async () => {
    await find("?who=vms2");
    expect(site.audited.at(-1)).to.include({ who: "auditor", action: "search-audit", why: '{"who":"vms2"}' });
  });

  it("is not read by others", async () => {
    expect((await site.stranger().send("GET", "/api/audit")).status).to.equal(401);
    const manager = await site.person("manager", [{ right: "manage-accounts", cameras: "any", interfaces: "any" }]);
    for (const path of ["/api/audit", "/api/audit/state"])
      expect((await manager.send("GET", path)).status, path).to.equal(403);
  });

  for (const query of [
    "?limit=0",
    "?limit=501",
    "?before=x",
    "?from=yesterday",
    "?unknown=1",
    `?who=${"x".repeat(257)}`,
  ])
    it(`refuses ${query.slice(0, 20)} and says why`, async () => {
      const { status, json } = await auditor.send("GET", `/api/audit${query}`);
      expect(status).to.equal(400);
      expect((json as { error: string }).error).not.to.equal("");
    });

  it("tells how it stands", async () => {
    const { json } = await auditor.send("GET", "/api/audit/state");
    expect(json).to.deep.equal({ failing: false, forwarding: [] });
  });
});
