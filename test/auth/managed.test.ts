import { expect } from "chai";
import type { Accounts } from "../../auth/accounts.ts";
import { nobodyElse } from "../../auth/approval.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import { ManagedAccounts } from "../../auth/managed.ts";
import type { Grant } from "../../auth/principal.ts";
import { kindOf, openSite, type Site, WATCH_ALL } from "./fixture.ts";

describe("a change of an account by somebody who may", () => {
  let site: Site;
  let accounts: Accounts;
  let audited: AuditEntry[];
  let managed: ManagedAccounts;
  let id: string;
  beforeEach(async () => {
    site = await openSite();
    accounts = site.accounts;
    audited = [];
    const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
    managed = new ManagedAccounts(accounts, audit, nobodyElse([]), { who: "ada", interface: "web" });
    id = (await accounts.createIntegration({ name: "vms", grants: WATCH_ALL })).account.id;
    await accounts.setPart("role", "guards", { name: "Guards", grants: WATCH_ALL });
  });
  afterEach(() => site.database.close());

  const rights = (): readonly unknown[] =>
    accounts.list().map(({ enabled, roles, grants }) => [enabled, roles, grants.length]);

  it("is done whole: rights go from grants to a role, and what runs under them goes on", async () => {
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const who = accounts.principalOf(id);
    if (who === undefined) throw new Error("no such account");
    const lease = leases.open(who, [{ right: "live", camera: "gate", interface: "rtsp" }]);
    await managed.change(id, { grants: [], roles: ["guards"] });
    expect(rights()).to.deep.equal([[true, ["guards"], 0]]);
    expect(lease.ended.aborted).to.equal(false);
    expect(audited.map(({ who: by, action, subject }) => [by, action, subject])).to.deep.equal([
      ["ada", "change-account", "vms"],
    ]);
    leases.close();
  });
  it("is not done at all where a part of it cannot be, here and after a restart", async () => {
    const wider = [...WATCH_ALL, ...WATCH_ALL];
    expect(await kindOf(() => managed.change(id, { grants: wider, roles: ["nobody"], enabled: false }))).to.equal(
      "not-found",
    );
    expect(rights()).to.deep.equal([[true, [], 1]]);
    accounts = await site.again();
    expect(rights()).to.deep.equal([[true, [], 1]]);
    expect(audited).to.deep.equal([]);
  });
  it("is audited with what was before it, also where two are asked for at once", async () => {
    await Promise.all([managed.change(id, { grants: [] }), managed.change(id, { enabled: false })]);
    const [first, second] = audited;
    expect(second?.before).to.equal(first?.after);
    expect(second?.after).to.equal('{"enabled":false,"roles":[],"grants":[]}');
  });
  it("may depend on what another one, asked for a moment before, makes of the account", async () => {
    const deny: Grant = { right: "talk", cameras: "any", interfaces: "any", deny: true };
    await Promise.all([
      managed.change(id, { grants: [deny] }),
      managed.change(id, ({ grants }) => ({ grants: [...grants, ...WATCH_ALL] })),
    ]);
    expect(accounts.list()[0]?.grants).to.deep.equal([deny, ...WATCH_ALL]);
  });
});
