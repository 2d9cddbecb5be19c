import { expect } from "chai";
import type { Accounts } from "../../auth/accounts.ts";
import { ACTS, approvalSchema } from "../../auth/acts.ts";
import { type Approval, ApprovalNeeded, canonical } from "../../auth/approval.ts";
import { Approvals } from "../../auth/approvals.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import type { Grant, Principal } from "../../auth/principal.ts";
import { Secret } from "../../base/secret.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { kindOf, openSite, PASSWORD, type Site, WATCH_ALL } from "./fixture.ts";

const MAY_APPROVE: readonly Grant[] = [{ right: "approve", cameras: "any", interfaces: "any" }];
const SETTINGS = approvalSchema.parse({ acts: ["export", "remove-camera"], logInOf: ["guards"], minutes: 15 });
const WANTED = { cameras: ["gate"], from: 1, to: 2 };

describe("a second person", () => {
  let site: Site;
  let accounts: Accounts;
  let audited: AuditEntry[];
  let failing: boolean;
  let approvals: Approvals;
  let ids: Readonly<Record<"ada" | "bob" | "eve" | "vms", string>>;

  const open = (of: Accounts = accounts): Promise<Approvals> => {
    const audit = {
      record: (entry: AuditEntry) => void audited.push(entry),
      get failing() {
        return failing;
      },
    };
    return Approvals.open({ query: site.database.query, accounts: of, audit, settings: SETTINGS, clock: site.clock });
  };
  beforeEach(async () => {
    site = await openSite();
    ({ accounts } = site);
    audited = [];
    failing = false;
    const person = async (name: string, grants: readonly Grant[]): Promise<string> =>
      (await accounts.createPerson({ name, password: new Secret(PASSWORD), grants })).id;
    ids = {
      ada: await person("ada", WATCH_ALL),
      bob: await person("bob", MAY_APPROVE),
      eve: await person("eve", MAY_APPROVE),
      vms: (await accounts.createIntegration({ name: "vms", grants: MAY_APPROVE })).account.id,
    };
    approvals = await open();
  });
  afterEach(async () => {
    approvals.close();
    await site.database.close();
  });

  const who = (name: keyof typeof ids): Principal => {
    const found = accounts.principalOf(ids[name]);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const asker = (name: keyof typeof ids) =>
    ({ principal: who(name), who: name, interface: "web", address: "192.0.2.1" }) as const;
  const pass = (name: keyof typeof ids, params: unknown = WANTED, act: "export" | "unlock" = "export"): Promise<void> =>
    approvals.pass(asker(name), act, () => ({ params, words: "gate from 1 to 2" }));
  /** What has to be approved first. */
  const needed = async (name: keyof typeof ids = "ada", params: unknown = WANTED): Promise<Approval> => {
    try {
      await pass(name, params);
    } catch (error) {
      if (error instanceof ApprovalNeeded) return error.approval;
      throw error;
    }
    throw new Error("nothing was needed");
  };
  const stateOf = (id: string): string => approvals.find(who("eve"), id).state;
  const story = (): readonly string[] => audited.map(({ action, who: by, outcome }) => `${by} ${action} ${outcome}`);

  it("is asked for nothing that is not set to wait", async () => {
    await pass("ada", WANTED, "unlock");
    expect(audited).to.deep.equal([]);
    expect(approvalSchema.parse({}), "off by default").to.deep.equal({ acts: [], logInOf: [], minutes: 15 });
    expect(approvalSchema.safeParse({ acts: ["log-in"] }).success, "log-ins are set by role").to.equal(false);
    expect(Object.keys(ACTS)).to.include.members(SETTINGS.acts);
  });

  it("approves exactly what was asked for, once, and each step stands in the audit log", async () => {
    const { id } = await needed();
    expect((await needed()).id, "asking again").to.equal(id);
    await approvals.answer(asker("bob"), id, "approved");
    for (const [what, other] of [
      ["another camera", { ...WANTED, cameras: ["yard"] }],
      ["a longer time", { ...WANTED, to: 3 }],
      ["more", { ...WANTED, more: true }],
    ] as const)
      expect((await needed("ada", other)).id, what).not.to.equal(id);
    expect((await needed("eve")).id, "somebody else").not.to.equal(id);
    expect(stateOf(id)).to.equal("approved");
    await pass("ada", { to: 2, from: 1, cameras: ["gate"] });
    expect(stateOf(id)).to.equal("used");
    expect((await needed()).id, "a second time").not.to.equal(id);
    expect(story().filter((line) => !line.includes("approval-asked"))).to.deep.equal([
      "bob approval-approved allowed",
      "ada approval-used allowed",
    ]);
    const used = audited.find(({ action }) => action === "approval-used");
    expect(used).to.deep.include({ who: "ada", subject: id, address: "192.0.2.1" });
    expect(used?.why).to.equal("export: gate from 1 to 2, answered by bob");
  });

  it("is nobody's own, no external system, and nobody without the right", async () => {
    const { id } = await needed("bob");
    for (const [name, kind] of [
      ["bob", "denied"],
      ["vms", "not-found"],
      ["ada", "not-found"],
    ] as const)
      expect(await kindOf(() => approvals.answer(asker(name), id, "approved")), name).to.equal(kind);
    const byToken = { ...asker("eve"), interface: "api" } as const;
    expect(await kindOf(() => approvals.answer(byToken, id, "approved")), "by a token").to.equal("denied");
    expect(stateOf(id)).to.equal("waiting");
    expect(story()).to.deep.equal([
      "bob approval-asked allowed",
      "bob approval-refused denied",
      "eve approval-refused denied",
    ]);
  });

  it("is asked for 200 things of all accounts together, five of each, and no more", async () => {
    for (let n = 0; n < 40; n += 1) {
      const made = await accounts.createIntegration({ name: `vms-${n}`, grants: WATCH_ALL });
      ids = { ...ids, ada: made.account.id };
      for (let one = 0; one < 5; one += 1) await needed("ada", { one });
      expect(await kindOf(() => pass("ada", { one: 5 }))).to.equal("busy");
    }
    expect(await kindOf(() => pass("bob"))).to.equal("busy");
    await approvals.withdraw(asker("ada"), (await needed("ada", { one: 0 })).id);
    expect((await needed("bob")).who).to.equal("bob");
  });

  it("is not the person under whom the external system is that asks", async () => {
    const link = { directory: "corp", id: "guid-1", roles: [] };
    await accounts.followDirectory([{ make: "dora", link }]);
    const dora = accounts.list().find(({ name }) => name === "dora")?.id ?? "";
    await accounts.change(dora, { grants: MAY_APPROVE });
    const { account } = await accounts.createIntegration({ name: "her-vms", grants: WATCH_ALL, person: dora });
    ids = { ...ids, ada: account.id, eve: dora };
    const { id } = await needed();
    expect(await kindOf(() => approvals.answer(asker("eve"), id, "approved"))).to.equal("denied");
    await approvals.answer(asker("bob"), id, "approved");
    await pass("ada");
  });

  for (const [what, change] of [
    ["has lost the right", () => accounts.change(ids.bob, { grants: [] })],
    ["is disabled", () => accounts.change(ids.bob, { enabled: false })],
    ["is gone", () => accounts.remove(ids.bob)],
  ] as const)
    it(`counts for nothing when it ${what} before the act`, async () => {
      await accounts.createPerson({
        name: "root",
        password: new Secret(PASSWORD),
        grants: [],
        roles: ["administrator"],
      });
      const { id } = await needed();
      await approvals.answer(asker("bob"), id, "approved");
      await change();
      expect(await kindOf(() => pass("ada"))).to.equal("denied");
      expect(stateOf(id)).to.equal("void");
      expect((await needed()).id, "it is asked for anew").not.to.equal(id);
    });

  it("has so much time to answer, and the asker as much to act", async () => {
    const first = await needed();
    await site.clock.advance(15 * MINUTE);
    expect(stateOf(first.id)).to.equal("expired");
    expect(await kindOf(() => approvals.answer(asker("bob"), first.id, "approved"))).to.equal("wrong-state");
    const second = await needed();
    await site.clock.advance(14 * MINUTE);
    await approvals.answer(asker("bob"), second.id, "approved");
    await site.clock.advance(14 * MINUTE);
    await pass("ada");
    const third = await needed();
    await approvals.answer(asker("bob"), third.id, "approved");
    await site.clock.advance(15 * MINUTE + SECOND);
    expect((await needed()).id).not.to.equal(third.id);
    expect(story().filter((line) => line.includes("expired"))).to.have.length(2);
  });

  it("refuses with a reason, which whoever asked is told", async () => {
    const { id } = await needed();
    await approvals.answer(asker("bob"), id, "refused", "no case number");
    expect(approvals.find(who("ada"), id)).to.deep.include({ state: "refused", why: "no case number" });
    expect(await kindOf(() => approvals.answer(asker("eve"), id, "approved"))).to.equal("wrong-state");
    expect((await needed()).id).not.to.equal(id);
  });

  it("is not needed for what was withdrawn, by who asked alone", async () => {
    const { id } = await needed();
    expect(await kindOf(() => approvals.withdraw(asker("bob"), id))).to.equal("not-found");
    await approvals.withdraw(asker("ada"), id);
    expect(await kindOf(() => approvals.answer(asker("bob"), id, "approved"))).to.equal("wrong-state");
  });

  it("is shown what waits, and others their own alone", async () => {
    const { id } = await needed();
    expect(approvals.list(who("bob")).map((one) => one.id)).to.deep.equal([id]);
    expect(approvals.list(who("ada")).map((one) => one.id)).to.deep.equal([id]);
    await needed("eve");
    expect(approvals.list(who("ada"))).to.have.length(1);
    expect(approvals.list(who("bob"))).to.have.length(2);
  });

  it("finds what waits after a restart, and what was used stays used", async () => {
    const { id } = await needed();
    const other = await needed("ada", { ...WANTED, to: 3 });
    await approvals.answer(asker("bob"), id, "approved");
    approvals.close();
    accounts = await site.again();
    approvals = await open();
    expect([stateOf(id), stateOf(other.id)]).to.deep.equal(["approved", "waiting"]);
    await pass("ada");
    approvals.close();
    approvals = await open();
    expect(stateOf(id)).to.equal("used");
  });

  it("does not let the bridge start over requests that make no sense", async () => {
    await needed();
    await site.database.query.updateTable("approval").set({ definition: '{"state":"approved"}' }).execute();
    expect(await kindOf(() => open())).to.equal("unavailable");
  });

  it("is asked for no more than can be looked at", async () => {
    for (let count = 0; count < 5; count += 1) await needed("ada", { count });
    expect(await kindOf(() => pass("ada", { count: 5 }))).to.equal("busy");
    expect((await needed("ada", { count: 0 })).state, "the same again").to.equal("waiting");
    await needed("bob");
  });

  it("is asked for nothing of which they could not read all", async () => {
    const asked = (length: number) => () => ({ params: length, words: "x".repeat(length) });
    expect(await kindOf(() => approvals.pass(asker("ada"), "export", asked(8001)))).to.equal("invalid");
    expect(await kindOf(() => approvals.pass(asker("ada"), "export", asked(8000)))).to.equal("wrong-state");
  });

  it("lets nothing pass that cannot be written down", async () => {
    const { id } = await needed();
    await approvals.answer(asker("bob"), id, "approved");
    failing = true;
    expect(await kindOf(() => pass("ada"))).to.equal("unavailable");
    failing = false;
    await pass("ada");
  });

  it("lets two acts at once use one approval once", async () => {
    const { id } = await needed();
    await approvals.answer(asker("bob"), id, "approved");
    const both = await Promise.allSettled([pass("ada"), pass("ada")]);
    expect(both.map(({ status }) => status).toSorted()).to.deep.equal(["fulfilled", "rejected"]);
  });

  it("cannot be asked from the command line", async () => {
    const operator = { who: "root", interface: "cli" } as const;
    expect(await kindOf(() => approvals.pass(operator, "export", () => ({ params: 1, words: "" })))).to.equal("denied");
  });

  it("is needed for log-ins of people with the roles that are set, but for those who may approve", async () => {
    await accounts.setPart("role", "guards", { name: "Guards", grants: WATCH_ALL });
    await accounts.setPart("role", "chiefs", { name: "Chiefs", grants: MAY_APPROVE });
    const waits = async (id: string, roles: readonly string[]): Promise<boolean> => {
      await accounts.change(id, { roles });
      return approvals.logInWaits(id);
    };
    expect(await waits(ids.ada, [])).to.equal(false);
    expect(await waits(ids.ada, ["guards"])).to.equal(true);
    expect(await waits(ids.ada, ["guards", "chiefs"])).to.equal(false);
    expect(await waits(ids.vms, ["guards"]), "external systems do not log in at the pages").to.equal(false);
    expect(approvals.logInWaits("nobody"), "unclear").to.equal(true);
  });

  it("has the same text for the same request, whatever the order of its parts", () => {
    expect(canonical({ b: [1, { d: null, c: "x" }], a: undefined })).to.equal('{"b":[1,{"c":"x","d":null}]}');
    expect(canonical({ a: "1" })).not.to.equal(canonical({ a: 1 }));
  });
});
