import { expect } from "chai";
import { Accounts } from "../../auth/accounts.ts";
import { nobodyElse } from "../../auth/approval.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import { type Database, openDatabase } from "../../base/database.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR, MINUTE, SECOND, unixMillis } from "../../base/units.ts";
import { DirectoryDesk, type PlainPreview } from "../../bridge/directory/desk.ts";
import { Directories } from "../../bridge/directory/directories.ts";
import { DirectoryStore } from "../../bridge/directory/store.ts";
import { directoriesSchema } from "../../bridge/directory-settings.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";
import { MemoryDirectory } from "../support/directory.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const BY = { who: "admin", interface: "web" } as const;
const [SETTINGS] = directoriesSchema.parse([
  {
    name: "site",
    servers: ["dc1"],
    account: "svc",
    base: "DC=x",
    roles: [
      { group: "viewers", roles: ["viewer"] },
      { group: "guards", roles: ["guard"] },
    ],
    brake: { count: 2, percent: 50 },
  },
]);
if (SETTINGS === undefined) throw new Error("no settings");

describe("a bridge that follows a directory", () => {
  let clock: VirtualClock;
  let database: Database<SiteSchema>;
  let accounts: Accounts;
  let leases: Leases;
  let audited: AuditEntry[];
  let memory: MemoryDirectory;
  let store: DirectoryStore;
  let directories: Directories;
  let desk: DirectoryDesk;

  beforeEach(async () => {
    clock = new VirtualClock();
    database = await openDatabase<SiteSchema>(":memory:", siteMigrations);
    const { query } = database;
    const sealer = new Sealer(Buffer.alloc(32, 3));
    const log = silentLog();
    accounts = await Accounts.open({ query, sealer, clock, log });
    for (const role of ["viewer", "guard"])
      await accounts.setPart("role", role, {
        name: role,
        grants: [{ right: role === "viewer" ? "live" : "playback", cameras: "any", interfaces: "any" }],
      });
    audited = [];
    const audit = { record: (entry: AuditEntry): void => void audited.push(entry) };
    leases = new Leases({ accounts, audit, clock });
    memory = new MemoryDirectory(SETTINGS.roles);
    store = new DirectoryStore(query, sealer);
    const parts = { accounts, audit, leases, clock, log, store };
    directories = await Directories.open([SETTINGS], parts, { scheduled: false, access: () => memory });
    desk = new DirectoryDesk({ ...parts, directories, approvals: nobodyElse([]) });
  });
  afterEach(async () => {
    await directories.close();
    leases.close();
    await database.close();
  });

  const states = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      accounts
        .ofDirectory("site")
        .map(({ name, directory }) => [name, directory?.out ?? directory?.roles.join(",") ?? ""]),
    );
  const sync = (o: { readonly full?: boolean; readonly confirm?: string } = {}) => desk.sync("site", BY, o);
  const idOf = (name: string): string => accounts.list().find((one) => one.name === name)?.id ?? "";
  const watching = (name: string) => {
    const who = accounts.principalOf(idOf(name));
    if (who === undefined) throw new Error(`${name} is not in`);
    return leases.open(who, [{ right: "live", camera: "gate", interface: "rtsp" }]);
  };

  it("shows what a sync does, and then does it, and nothing after that", async () => {
    memory.people = { alice: ["viewers"], bob: ["viewers", "guards"] };
    const preview = await desk.preview("site");
    expect(preview.changes.map(({ name, what, gains }) => [name, what, gains])).to.deep.equal([
      ["alice", "comes", ["viewer"]],
      ["bob", "comes", ["guard", "viewer"]],
    ]);
    expect(accounts.list()).to.deep.equal([]);
    expect(await sync()).to.include({ outcome: "done", came: 2, went: 0, by: "admin" });
    expect(states()).to.deep.equal({ alice: "viewer", bob: "guard,viewer" });
    expect(await sync()).to.include({ outcome: "nothing" });
  });

  it("audits each change, with who asked for it", async () => {
    memory.people = { alice: ["viewers"] };
    await sync();
    memory.people = { alice: ["guards"] };
    await directories.get("site").sync(undefined);
    const changes = audited.filter(({ action }) => action !== "sync-directory");
    expect(
      changes.map(({ who, interface: door, action, subject, after }) => [who, door, action, subject, after]),
    ).to.deep.equal([
      ["admin", "web", "make-account", "alice", '{"gains":["viewer"]}'],
      ["directory site", "bridge", "change-account", "alice", '{"gains":["guard"]}'],
    ]);
  });

  it("ends what runs under whoever has lost the right, and says so before", async () => {
    memory.people = { alice: ["viewers"], bob: ["viewers"] };
    await sync();
    const [alice, bob] = [watching("alice"), watching("bob")];
    memory.people = { alice: ["guards"], bob: ["viewers", "guards"] };
    const { changes } = await desk.preview("site");
    expect(changes.map(({ name, ends }) => [name, ends])).to.deep.equal([
      ["alice", 1],
      ["bob", 0],
    ]);
    await sync();
    expect([alice.ended.aborted, bob.ended.aborted]).to.deep.equal([true, false]);
  });

  describe("when many would lose something", () => {
    let preview: PlainPreview;
    beforeEach(async () => {
      memory.people = { a: ["viewers"], b: ["viewers"], c: ["viewers"], d: ["viewers"] };
      await sync();
      memory.people = { a: ["viewers"] };
      preview = await desk.preview("site");
    });

    it("holds, changes nothing and says so, until somebody confirms what they have seen", async () => {
      expect(preview.held).to.include("3 of 4");
      expect(await sync()).to.include({ outcome: "held", why: preview.held });
      expect(states()).to.deep.equal({ a: "viewer", b: "viewer", c: "viewer", d: "viewer" });
      expect((await desk.list())[0]?.held).to.equal(preview.held);
      expect(await sync({ confirm: preview.id })).to.include({ outcome: "done", went: 3 });
      expect(states()).to.deep.equal({ a: "viewer", b: "gone", c: "gone", d: "gone" });
      expect((await desk.list())[0]?.held).to.equal(null);
    });

    it("holds also where something else was confirmed than would be done now", async () => {
      memory.people = {};
      expect(await sync({ confirm: preview.id })).to.include({ outcome: "held" });
      expect(states()).to.include({ a: "viewer" });
    });

    it("holds those who are in use, too", async () => {
      for (const name of ["b", "c", "d"]) watching(name);
      await directories.get("site").look(() => true);
      expect(states()).to.include({ b: "viewer", c: "viewer", d: "viewer" });
    });
  });

  it("holds where nobody is left, however few they were", async () => {
    memory.people = { alice: ["viewers"] };
    await sync();
    memory.people = {};
    const { held, id } = await desk.preview("site");
    expect(held).to.include("nobody left");
    expect(await sync()).to.include({ outcome: "held" });
    expect(await sync({ confirm: id })).to.include({ outcome: "done", went: 1 });
    memory.people = { alice: ["viewers"] };
    await sync();
    memory.more = { alice: { standing: "disabled" } };
    expect(await sync()).to.include({ outcome: "done", went: 1 });
  });

  for (const [name, failure] of [
    ["cannot be reached", new Fault("unavailable", "no answer", { tell: "no answer" })],
    ["is broken off", new Error("socket hang up")],
    ["has no such group any more", new Fault("invalid", "no group", { tell: "no group" })],
  ] as const)
    it(`changes nothing where the directory ${name}, and says why`, async () => {
      memory.people = { alice: ["viewers"] };
      await sync();
      memory.failure = failure;
      expect(await sync()).to.include({ outcome: "failed", why: failure.message });
      expect(states()).to.deep.equal({ alice: "viewer" });
      expect((await desk.history("site")).map(({ outcome }) => outcome)).to.deep.equal(["failed", "done"]);
    });

  it("changes nothing where a group gives a role that is not there", async () => {
    await accounts.removePart("role", "guard");
    memory.people = { alice: ["viewers"] };
    expect((await sync()).why).to.include("there is no role guard");
    expect(accounts.list()).to.deep.equal([]);
  });

  it("remembers two hundred syncs, and forgets the oldest", async () => {
    for (let count = 0; count < 203; count += 1) {
      await clock.advance(SECOND);
      await sync();
    }
    const history = await desk.history("site");
    expect(history).to.have.length(200);
    expect(history[0]?.at).to.equal("2026-01-01T00:03:23.000Z");
  });

  it("says how somebody comes by a role, and of whom it knows nothing", async () => {
    memory.people = { alice: ["viewers"] };
    await sync();
    expect(await desk.explain("site", "Alice")).to.deep.include({
      found: true,
      roles: [{ role: "viewer", path: ["viewers"], grants: [{ right: "live", cameras: "any", interfaces: "any" }] }],
      account: { name: "alice", enabled: true, out: null },
    });
    memory.people = {};
    expect(await desk.explain("site", "nobody")).to.deep.include({ found: false, roles: [], account: null });
  });

  it("lets people in whom the directory lets in, asks it where they are now, and passes few wrong passwords on", async () => {
    memory.people = { alice: ["viewers"] };
    memory.passwords = { "CN=moved,DC=x": "secret" };
    await sync();
    memory.more = { alice: { dn: "CN=moved,DC=x" } };
    const link = accounts.ofDirectory("site")[0]?.directory;
    if (link === undefined) throw new Error("no link");
    expect(await directories.logIn(link, new Secret("secret"))).to.equal("in");
    memory.asked.length = 0;
    for (let guess = 0; guess < 10; guess += 1)
      expect(await directories.logIn(link, new Secret(`guess ${guess}`))).to.equal("wrong");
    expect(memory.asked.filter((what) => what.startsWith("bind"))).to.have.length(3);
    expect(await directories.logIn({ ...link, directory: "another" }, new Secret("secret"))).to.equal("wrong");
    memory.failure = new Fault("unavailable", "no answer");
    await clock.advance(HOUR);
    expect(await directories.logIn(link, new Secret("secret"))).to.equal("unreachable");
  });

  for (const [why, more] of [
    ["is disabled", { standing: "disabled" }],
    ["has expired", { expires: unixMillis(0) }],
  ] as const)
    it(`lets nobody in who ${why} by now, also where the directory takes the password`, async () => {
      memory.people = { alice: ["viewers"] };
      memory.passwords = { "CN=alice,DC=x": "secret" };
      await sync();
      const link = accounts.ofDirectory("site")[0]?.directory;
      if (link === undefined) throw new Error("no link");
      memory.more = { alice: more };
      expect(await directories.logIn(link, new Secret("secret"))).to.equal("wrong");
    });

  describe("by itself", () => {
    let scheduled: Directories;
    beforeEach(async () => {
      memory.people = { alice: ["viewers"], bob: ["viewers"], carol: ["viewers"] };
      const parts = { accounts, audit: { record: () => undefined }, leases, clock, log: silentLog(), store };
      scheduled = await Directories.open([SETTINGS], parts, { scheduled: true, access: () => memory });
      await clock.advance(SECOND);
    });
    afterEach(() => scheduled.close());

    it("reads all at the start and once a day, and what has changed in between", async () => {
      expect(states()).to.deep.equal({ alice: "viewer", bob: "viewer", carol: "viewer" });
      await clock.advance(24 * HOUR);
      const reads = memory.asked.filter((what) => what !== "states");
      expect(reads.filter((what) => what === "full")).to.have.length(2);
      expect(reads.filter((what) => what === "changes")).to.have.length((24 * HOUR) / (5 * MINUTE) - 1);
    });

    it("puts out within a minute who is in use and disabled, and leaves the others to the next sync", async () => {
      const lease = watching("alice");
      memory.more = { alice: { standing: "disabled" }, bob: { standing: "disabled" } };
      await clock.advance(MINUTE);
      expect(lease.ended.aborted).to.equal(true);
      expect(states()).to.deep.equal({ alice: "disabled", bob: "viewer", carol: "viewer" });
      await clock.advance(5 * MINUTE);
      expect(states()).to.include({ bob: "disabled" });
    });

    it("puts nobody out who is locked, or whose directory cannot be asked", async () => {
      const lease = watching("alice");
      memory.more = { alice: { standing: "locked" } };
      await clock.advance(10 * MINUTE);
      memory.failure = new Fault("unavailable", "no answer");
      await clock.advance(HOUR);
      expect(lease.ended.aborted).to.equal(false);
      expect(scheduled.down).to.equal(true);
      memory.failure = undefined;
      await clock.advance(5 * MINUTE);
      expect(scheduled.down).to.equal(false);
    });
  });
});
