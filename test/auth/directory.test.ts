import { expect } from "chai";
import { Accounts } from "../../auth/accounts.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import type { DirectoryAnswer, DirectoryLink } from "../../auth/directory-link.ts";
import { Leases } from "../../auth/leases.ts";
import { type Database, openDatabase } from "../../base/database.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR, later, MINUTE } from "../../base/units.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const PASSWORD = new Secret("correct horse battery");
const PEER = { address: "192.0.2.1", port: 1, tls: true };

function link(id: string, more: Partial<DirectoryLink> = {}): DirectoryLink {
  return { directory: "site", id, roles: ["viewer"], ...more };
}

describe("accounts by a directory", () => {
  let database: Database<AuthSchema>;
  let clock: VirtualClock;
  let accounts: Accounts;
  let audited: AuditEntry[];
  let leases: Leases;
  /** Whose account has a second factor. */
  let withFactor: string;
  const open = async (): Promise<Accounts> =>
    Accounts.open({
      query: database.query,
      sealer: new Sealer(Buffer.alloc(32, 1)),
      clock,
      log: silentLog(),
      factors: { has: (id) => id === withFactor },
    });

  beforeEach(async () => {
    clock = new VirtualClock();
    withFactor = "";
    database = await openDatabase<AuthSchema>(":memory:", authMigrations);
    accounts = await open();
    audited = [];
    leases = new Leases({ accounts, audit: { record: (entry) => audited.push(entry) }, clock });
    await accounts.setPart("role", "viewer", {
      name: "Viewer",
      grants: [{ right: "live", cameras: "any", interfaces: "any" }],
    });
  });
  afterEach(async () => {
    leases.close();
    await database.close();
  });

  const named = (name: string) => accounts.list().find((account) => account.name === name);
  const idOf = (name: string): string => named(name)?.id ?? "";
  const changed = (name: string, more: Partial<DirectoryLink>, rename?: string): Promise<void> =>
    accounts.followDirectory([
      {
        account: idOf(name),
        link: { ...(named(name)?.directory as DirectoryLink), ...more },
        ...(rename === undefined ? {} : { name: rename }),
      },
    ]);
  const request = { right: "live", camera: "gate", interface: "rtsp" } as const;

  it("have the roles of their groups, and keep them over a restart", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    accounts = await open();
    expect(accounts.principalOf(idOf("alice"))?.grants.map(({ right, source }) => [right, source])).to.deep.equal([
      ["live", "role viewer, line 1"],
    ]);
    expect(named("alice")).to.deep.include({ kind: "person", directory: link("1") });
  });

  it("are made and changed all or none", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    const refused = accounts.followDirectory([
      { make: "bob", link: link("2") },
      { account: idOf("alice"), name: "bob", link: link("1") },
    ]);
    expect(await refused.catch((error: unknown) => error)).to.include({ kind: "invalid" });
    accounts = await open();
    expect(accounts.list().map(({ name }) => name)).to.deep.equal(["alice"]);
  });

  it("may change names with one another", async () => {
    await accounts.followDirectory([
      { make: "alice", link: link("1") },
      { make: "bob", link: link("2") },
    ]);
    const [alice, bob] = [idOf("alice"), idOf("bob")];
    await accounts.followDirectory([
      { account: alice, name: "bob", link: link("1") },
      { account: bob, name: "alice", link: link("2") },
    ]);
    expect([idOf("alice"), idOf("bob")]).to.deep.equal([bob, alice]);
    accounts = await open();
    expect([idOf("alice"), idOf("bob")]).to.deep.equal([bob, alice]);
  });

  it("end what runs when the directory puts them out, and what was begun does not go on when they are in again", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    const id = idOf("alice");
    const who = accounts.principalOf(id);
    if (who === undefined) throw new Error("not in");
    const credential = accounts.credentialOf(id);
    const lease = leases.open(who, [request]);
    await changed("alice", { out: "disabled" });
    expect(lease.ended.aborted).to.equal(true);
    expect([accounts.principalOf(id), accounts.credentialOf(id)]).to.deep.equal([undefined, undefined]);
    await accounts.followDirectory([{ account: id, link: link("1") }]);
    expect(accounts.principalOf(id)).not.to.equal(undefined);
    expect(accounts.credentialOf(id)).not.to.equal(credential);
  });

  it("end what runs at the instant of their expiry, of which the directory says nothing then", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1", { expires: later(clock.now(), HOUR) }) }]);
    const who = accounts.principalOf(idOf("alice"));
    if (who === undefined) throw new Error("not in");
    const lease = leases.open(who, [request]);
    await clock.advance(HOUR - MINUTE);
    expect(lease.ended.aborted).to.equal(false);
    await clock.advance(2 * MINUTE);
    expect(lease.ended.aborted).to.equal(true);
    expect(accounts.principalOf(idOf("alice"))).to.equal(undefined);
  });

  it("tell what would end before it does", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    const id = idOf("alice");
    const who = accounts.principalOf(id);
    if (who === undefined) throw new Error("not in");
    leases.open(who, [request]);
    leases.open(who, [request]);
    const ending = (more: Partial<DirectoryLink>): number =>
      leases.ending(id, accounts.grantsWith(id, link("1", more)));
    expect([ending({}), ending({ roles: [] }), ending({ out: "gone" })]).to.deep.equal([0, 2, 2]);
    expect(leases.size).to.equal(2);
  });

  it("may be external systems under a person, whose roles they have and with whom they are out", async () => {
    await accounts.followDirectory([{ make: "svc-vms", link: link("1") }]);
    const { account, secret } = await accounts.createIntegration({ name: "vms", grants: [], person: idOf("svc-vms") });
    expect(accounts.integrationSecrets("vms")[0].secret.equals(secret.reveal())).to.equal(true);
    expect(accounts.integrationSecrets("vms")[0].principal?.grants).to.have.length(1);
    await accounts.followDirectory(
      accounts.ofDirectory("site").map(({ id }) => ({ account: id, link: link("1", { out: "disabled" }) })),
    );
    expect(accounts.integrationSecrets("vms")[0].principal).to.equal(undefined);
    expect(accounts.principalOf(account.id)).to.equal(undefined);
    const other = await accounts.createIntegration({ name: "other", grants: [] });
    const refused = accounts.createIntegration({ name: "third", grants: [], person: other.account.id });
    expect(await refused.catch((error: unknown) => error)).to.include({ kind: "invalid" });
  });

  it("do not count as the last administrator: a directory may fail, and puts out whom it puts out", async () => {
    await accounts.createPerson({ name: "admin", password: PASSWORD, grants: [], roles: ["administrator"] });
    await accounts.followDirectory([{ make: "boss", link: link("1", { roles: ["administrator"] }) }]);
    const refused = accounts.remove(idOf("admin"));
    expect(await refused.catch((error: unknown) => error)).to.include({ kind: "wrong-state" });
    await changed("boss", { out: "disabled" });
    expect(accounts.principalOf(idOf("boss"))).to.equal(undefined);
  });

  it("keep the roles that groups give from being removed", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    const refused = accounts.removePart("role", "viewer");
    expect(await refused.catch((error: unknown) => error)).to.include({ kind: "wrong-state" });
  });

  it("have no password here", async () => {
    await accounts.followDirectory([{ make: "alice", link: link("1") }]);
    const refused = accounts.setPassword(idOf("alice"), PASSWORD);
    expect(await refused.catch((error: unknown) => error)).to.include({ kind: "invalid" });
  });

  describe("at the log-in", () => {
    let asked: string[];
    let answer: DirectoryAnswer;
    let down: boolean;
    beforeEach(async () => {
      [asked, answer, down] = [[], "in", false];
      accounts.useDirectories({
        get down() {
          return down;
        },
        logIn: async ({ id }, password) => {
          asked.push(`${id} ${password.reveal()}`);
          return answer;
        },
      });
      await accounts.followDirectory([{ make: "alice", link: link("1") }]);
      await accounts.createPerson({ name: "local", password: PASSWORD, grants: [] });
    });

    /** What is answered, and after how long of the clock's time. */
    async function attempt(
      name: string,
      password: string,
      door: "pages" | "streams" = "pages",
    ): Promise<readonly [string, number]> {
      const begun = clock.now();
      const progress = { done: false };
      const principal =
        door === "pages"
          ? accounts.logIn(name, password, PEER)
          : accounts.checkPassword(name, new Secret(password), PEER.address);
      const result = principal
        .then(
          (who) => who.name,
          (error: { tell?: string }) => error.tell ?? "?",
        )
        .finally(() => {
          progress.done = true;
        });
      // The hash of a password takes the time of this machine, not of the clock.
      while (!progress.done) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (!progress.done && clock.pending > 0) await clock.advance(100);
      }
      return [await result, clock.now() - begun];
    }

    it("are asked for at the directory, once in a minute", async () => {
      expect((await attempt("alice", "secret"))[0]).to.equal("alice");
      expect((await attempt("ALICE", "secret"))[0]).to.equal("alice");
      expect(asked).to.deep.equal(["1 secret"]);
      await clock.advance(MINUTE);
      await attempt("alice", "secret");
      expect(asked).to.have.length(2);
    });

    it("are refused as names that nobody has are: by the same words, after the same time", async () => {
      answer = "wrong";
      const refused = ["wrong name or password", 1000];
      expect(await attempt("alice", "guess")).to.deep.equal(refused);
      expect(await attempt("nobody", "guess")).to.deep.equal(refused);
      expect(await attempt("local", "guess")).to.deep.equal(refused);
      await changed("alice", { out: "disabled" });
      expect(await attempt("alice", "secret")).to.deep.equal(refused);
      expect(asked).to.deep.equal(["1 guess"]);
    });

    it("are refused alike where the password was right and the door is the wrong one", async () => {
      const refused = ["wrong name or password", 1000];
      withFactor = idOf("alice");
      expect(await attempt("alice", "secret", "streams")).to.deep.equal(refused);
      const { secret } = await accounts.createIntegration({ name: "vms", grants: [] });
      expect(await attempt("vms", secret.reveal())).to.deep.equal(refused);
    });

    it("say that the directory cannot be asked to all names alike, and let people of ours in", async () => {
      [answer, down] = ["unreachable", true];
      const words = (await attempt("alice", "secret"))[0];
      expect(words).to.include("cannot be asked");
      expect((await attempt("nobody", "guess"))[0]).to.equal(words);
      expect((await attempt("local", "guess"))[0]).to.equal(words);
      expect((await attempt("local", PASSWORD.reveal()))[0]).to.equal("local");
    });

    it("say to whose password was right that it has to be changed", async () => {
      answer = "change-password";
      expect((await attempt("alice", "secret"))[0]).to.include("change it at a computer of your domain");
    });
  });
});
