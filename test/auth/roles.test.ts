import { expect } from "chai";
import { sql } from "kysely";
import { Accounts } from "../../auth/accounts.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import { decideAt } from "../../auth/decision.ts";
import { ADMINISTRATOR, readPart } from "../../auth/policy.ts";
import type { Grant } from "../../auth/principal.ts";
import { INTERFACES, RIGHTS, type Right } from "../../auth/right.ts";
import { openDatabase } from "../../base/database.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { administrator, kindOf, openSite, PASSWORD, type Site, WATCH_ALL } from "./fixture.ts";

const LIVE: Grant = { right: "live", cameras: new Set(), interfaces: "any" };

describe("roles, camera groups and time profiles", () => {
  let site: Site;
  let accounts: Accounts;
  beforeEach(async () => {
    site = await openSite();
    ({ accounts } = site);
  });
  afterEach(() => site.database.close());

  const may = (id: string, right: Right, camera: string, of = accounts): boolean =>
    decideAt(of.principalOf(id)?.grants ?? [], { right, camera, interface: "rtsp", at: site.clock.now() }).allowed;
  const member = async (...roles: readonly string[]): Promise<string> =>
    (await accounts.createIntegration({ name: "vms", grants: [], roles })).account.id;

  it("hand rights down from a group to those in it, except what is left out", async () => {
    await accounts.setPart("group", "site", { name: "Site", cameras: ["gate"] });
    await accounts.setPart("group", "indoors", { name: "Indoors", cameras: ["hall"], parent: "site" });
    await accounts.setPart("group", "safe", { name: "Safe", cameras: ["vault"], parent: "indoors" });
    const grant: Grant = {
      ...LIVE,
      groups: new Set(["site"]),
      exceptGroups: new Set(["safe"]),
      except: new Set(["gate"]),
    };
    await accounts.setPart("role", "guards", { name: "Guards", grants: [grant] });
    const id = await member("guards");
    expect(["gate", "hall", "vault", "elsewhere"].map((camera) => may(id, "live", camera))).to.deep.equal([
      false,
      true,
      false,
      false,
    ]);
  });
  it("take effect at once for their accounts, and leave others alone", async () => {
    await accounts.setPart("role", "guards", { name: "Guards", grants: WATCH_ALL });
    const id = await member("guards");
    const { account: other } = await accounts.createIntegration({ name: "other", grants: WATCH_ALL });
    const [before, untouched] = [accounts.principalOf(id), accounts.principalOf(other.id)];
    await accounts.setPart("role", "guards", { name: "Guards", grants: [] });
    expect([before?.revoked.aborted, untouched?.revoked.aborted]).to.deep.equal([true, false]);
    expect(may(id, "live", "gate")).to.equal(false);
  });
  it("are one list for all who have nothing else, made once for each change", async () => {
    await accounts.setPart("role", "guards", { name: "Guards", grants: WATCH_ALL });
    const ids = [await member("guards")];
    ids.push((await accounts.createIntegration({ name: "psim", grants: [], roles: ["guards"] })).account.id);
    const lists = (): readonly unknown[] => ids.map((id) => accounts.principalOf(id)?.grants);
    const before = lists();
    expect(before[0]).to.equal(before[1]);
    await accounts.setPart("role", "guards", { name: "Guards", grants: [LIVE] });
    expect(lists()[0]).to.equal(lists()[1]).and.not.to.equal(before[0]);
  });
  it("take effect when only the hours change", async () => {
    const hours = (from: string): never =>
      readPart("hours", "office", { name: "Office", zone: "UTC", weekly: [{ days: [4], from, to: "12:00" }] }) as never;
    await accounts.setPart("hours", "office", hours("00:00"));
    await accounts.setPart("role", "guards", {
      name: "Guards",
      grants: [{ ...LIVE, cameras: "any", hours: "office" }],
    });
    const id = await member("guards");
    // The virtual clock begins on Thursday, the 1st of January 2026, at midnight.
    expect(may(id, "live", "gate")).to.equal(true);
    await accounts.setPart("hours", "office", hours("01:00"));
    expect(may(id, "live", "gate")).to.equal(false);
  });
  it("are there again after a restart, whatever the order of their names", async () => {
    await accounts.setPart("group", "z-site", { name: "Site", cameras: ["gate"] });
    await accounts.setPart("group", "a-part", { name: "Part", cameras: ["hall"], parent: "z-site" });
    await accounts.setPart("role", "guards", { name: "Guards", grants: [{ ...LIVE, groups: new Set(["z-site"]) }] });
    const id = await member("guards");
    const again = await site.again();
    expect([may(id, "live", "hall", again), may(id, "live", "vault", again)]).to.deep.equal([true, false]);
    expect([...again.policy.groups.keys()]).to.have.members(["z-site", "a-part"]);
  });
  it("are refused where they name what is not there, or themselves", async () => {
    const group = { name: "Group", cameras: [] };
    expect(await kindOf(() => accounts.setPart("group", "a", { ...group, parent: "b" }))).to.equal("not-found");
    expect(await kindOf(() => accounts.setPart("group", "a", { ...group, parent: "a" }))).to.equal("invalid");
    await accounts.setPart("group", "a", group);
    await accounts.setPart("group", "b", { ...group, parent: "a" });
    expect(await kindOf(() => accounts.setPart("group", "a", { ...group, parent: "b" }))).to.equal("invalid");
    const hours: Grant = { ...LIVE, hours: "never" };
    expect(await kindOf(() => accounts.setPart("role", "r", { name: "R", grants: [hours] }))).to.equal("not-found");
    expect(await kindOf(() => member("r"))).to.equal("not-found");
  });
  it("cannot be removed while somebody names them", async () => {
    await accounts.setPart("group", "site", { name: "Site", cameras: [] });
    await accounts.setPart("role", "guards", { name: "Guards", grants: [{ ...LIVE, groups: new Set(["site"]) }] });
    const id = await member("guards");
    expect(await kindOf(() => accounts.removePart("group", "site"))).to.equal("wrong-state");
    expect(await kindOf(() => accounts.removePart("role", "guards"))).to.equal("wrong-state");
    await accounts.change(id, { roles: [] });
    await accounts.removePart("role", "guards");
    await accounts.removePart("group", "site");
    expect(await kindOf(() => accounts.removePart("group", "site"))).to.equal("not-found");
  });
  it("never leave nobody who may manage accounts", async () => {
    await administrator(accounts);
    const second = { name: "second", password: new Secret(PASSWORD), grants: [], roles: ["managers"] };
    const manage = { right: "manage-accounts", cameras: "any", interfaces: "any" } as const;
    await accounts.setPart("role", "managers", { name: "Managers", grants: [manage] });
    const { id } = await accounts.createPerson(second);
    const [first] = accounts.list().filter(({ name }) => name === "admin");
    await accounts.remove(first?.id ?? "");
    for (const grants of [[], [manage, { ...manage, deny: true }], [{ ...manage, until: site.clock.now() }]] as const)
      expect(
        await kindOf(() => accounts.setPart("role", "managers", { name: "Managers", grants })),
        JSON.stringify(grants),
      ).to.equal("wrong-state");
    expect(await kindOf(() => accounts.change(id, { roles: [] }))).to.equal("wrong-state");
  });
  it("know a role that has everything, and cannot be touched", async () => {
    const id = await administrator(accounts);
    for (const right of RIGHTS)
      for (const door of INTERFACES) {
        const question = { right, camera: "any", interface: door, at: site.clock.now() };
        expect(decideAt(accounts.principalOf(id)?.grants ?? [], question).allowed, `${right} ${door}`).to.equal(true);
      }
    const none = { name: "Administrator", grants: [] };
    expect(await kindOf(() => accounts.setPart("role", ADMINISTRATOR, none))).to.equal("wrong-state");
    expect(await kindOf(() => accounts.removePart("role", ADMINISTRATOR))).to.equal("wrong-state");
  });
});

describe("accounts from before there were roles", () => {
  const { "auth-0001-accounts": first } = authMigrations;
  const old = [
    ["1", "admin", "person", ["live", "playback", "adopt-camera", "manage-accounts", "read-status"]],
    ["2", "vms", "integration", ["live", "playback", "talk"]],
    ["3", "wall", "integration", ["live"]],
    ["4", "none", "integration", []],
  ] as const;

  it("may do what they could, and nothing else; administrators everything", async () => {
    const database = await openDatabase<AuthSchema>(":memory:", { "auth-0001-accounts": first as never });
    const { query } = database;
    const sealer = new Sealer(Buffer.alloc(32, 7));
    for (const [id, name, kind, rights] of old) {
      const cameras = name === "wall" ? ["gate"] : "any";
      const grants = JSON.stringify(rights.map((right) => ({ right, cameras, interfaces: "any" })));
      await sql`insert into account (id, name, folded, kind, enabled, grants, created, credential)
        values (${id}, ${name}, ${name}, ${kind}, 1, ${grants}, 0, ${sealer.seal(new Secret("s"), `account:${id}`)})`.execute(
        query,
      );
    }
    const since = Object.entries(authMigrations).filter(([name]) => name !== "auth-0001-accounts");
    for (const [, migration] of since) await migration.up(query as never);
    const clock = new VirtualClock();
    const accounts = await Accounts.open({ query, sealer, clock, log: silentLog() });
    const held = (id: string, camera: string): readonly string[] =>
      RIGHTS.filter(
        (right) =>
          decideAt(accounts.principalOf(id)?.grants ?? [], { right, camera, interface: "onvif", at: clock.now() })
            .allowed,
      );
    expect(held("1", "gate")).to.deep.equal(RIGHTS);
    expect(held("2", "yard")).to.deep.equal(["live", "playback", "search", "audio", "talk"]);
    expect(held("3", "gate")).to.deep.equal(["live", "audio"]);
    expect([held("3", "yard"), held("4", "gate")]).to.deep.equal([[], []]);
    expect(accounts.setUpNeeded).to.equal(false);
    expect(accounts.list().map(({ name, roles }) => [name, roles])).to.deep.equal([
      ["admin", [ADMINISTRATOR]],
      ["none", []],
      ["vms", []],
      ["wall", []],
    ]);
    await database.close();
  });
});
