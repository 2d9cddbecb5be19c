import { hash } from "argon2";
import { expect } from "chai";
import type { Accounts } from "../../auth/accounts.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import type { Grant } from "../../auth/principal.ts";
import { WebSessions } from "../../auth/sessions.ts";
import { openDatabase } from "../../base/database.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR, MINUTE, SECOND } from "../../base/units.ts";
import { administrator, kindOf, MANAGE, openSite, PASSWORD, PLAIN, type Site, TLS, WATCH_ALL } from "./fixture.ts";

describe("second factors from before they went with their accounts", () => {
  it("stay those of accounts that there are", async () => {
    const { "auth-0011-second-factors-of-nobody": last, ...before } = authMigrations;
    const database = await openDatabase<AuthSchema>(":memory:", before);
    const { query } = database;
    const account = {
      id: "1",
      kind: "person",
      grants: "[]",
      roles: "[]",
      created: 0,
      enabled: 1,
      temporary_password: 0,
    };
    const named = { name: "ada", folded: "ada", credential: "x", directory: null, arming: null };
    await query
      .insertInto("account")
      .values({ ...account, ...named })
      .execute();
    const factor = { kind: "totp", sealed: "x", last_step: 0, recovery: "[]" };
    for (const owner of ["1", "2"])
      await query
        .insertInto("second_factor")
        .values({ ...factor, account: owner })
        .execute();
    await last?.up(query as never);
    expect(await query.selectFrom("second_factor").select("account").execute()).to.deep.equal([{ account: "1" }]);
    await database.close();
  });
});

describe("accounts", () => {
  let site: Site;
  let accounts: Accounts;
  beforeEach(async () => {
    site = await openSite();
    accounts = site.accounts;
  });
  afterEach(() => site.database.close());

  describe("the first administrator", () => {
    it("is made with the one-time token, and may do everything", async () => {
      expect(accounts.setUpNeeded).to.equal(true);
      const principal = accounts.principalOf(await administrator(accounts));
      expect(principal).to.deep.include({ name: "admin", kind: "person" });
      expect(principal?.grants.map(({ right }) => right)).to.include.members([
        "manage-accounts",
        "adopt-camera",
        "live",
      ]);
      expect([accounts.setUpNeeded, accounts.setUpToken()]).to.deep.equal([false, undefined]);
    });
    it("is not made with another token, an earlier token, or the same one twice", async () => {
      const old = accounts.setUpToken()?.reveal() ?? "";
      const token = accounts.setUpToken()?.reveal() ?? "";
      expect(await kindOf(() => accounts.setUp("wrong", "a", PASSWORD, TLS))).to.equal("unauthenticated");
      expect(await kindOf(() => accounts.setUp(old, "a", PASSWORD, TLS))).to.equal("unauthenticated");
      const both = [
        kindOf(() => accounts.setUp(token, "a", PASSWORD, TLS)),
        kindOf(() => accounts.setUp(token, "b", PASSWORD, TLS)),
      ];
      expect((await Promise.all(both)).toSorted()).to.deep.equal(["none", "wrong-state"]);
      expect(await kindOf(() => accounts.setUp(token, "c", PASSWORD, TLS))).to.equal("unauthenticated");
    });
    it("keeps the token after a password that was too weak", async () => {
      const token = accounts.setUpToken()?.reveal() ?? "";
      expect(await kindOf(() => accounts.setUp(token, "admin", "short", TLS))).to.equal("invalid");
      expect(await kindOf(() => accounts.setUp(token, "admin", PASSWORD, TLS))).to.equal("none");
    });
    it("cannot be guessed at speed", async () => {
      const token = accounts.setUpToken()?.reveal() ?? "";
      for (let n = 0; n < 6; n += 1) await kindOf(() => accounts.setUp(`${n}`, "a", PASSWORD, TLS));
      expect(await kindOf(() => accounts.setUp(token, "a", PASSWORD, TLS))).to.equal("busy");
    });
    it("cannot be made before a token was shown", async () =>
      expect(await kindOf(() => accounts.setUp("", "a", PASSWORD, TLS))).to.equal("unauthenticated"));
  });

  describe("names and passwords", () => {
    const names: readonly (readonly [string, string])[] = [
      ["Søren Kierkegaard", "none"],
      ["a.b_c@d-e", "none"],
      ["", "invalid"],
      [" admin", "invalid"],
      ["admin ", "invalid"],
      ["a:b", "invalid"],
      ['a"b', "invalid"],
      ["a\nb", "invalid"],
      ["x".repeat(65), "invalid"],
    ];
    for (const [name, result] of names)
      it(`name ${JSON.stringify(name.slice(0, 20))}: ${result}`, async () =>
        expect(
          await kindOf(() => accounts.createPerson({ name, password: new Secret(PASSWORD), grants: [] })),
        ).to.equal(result));
    const passwords: readonly (readonly [string, string])[] = [
      ["elevenchars", "invalid"],
      ["twelve chars", "none"],
      ["aaaaaaaaaaaaaaaaaa", "invalid"],
      ["Administrator", "invalid"],
      ["x y z w ".repeat(200), "invalid"],
    ];
    for (const [password, result] of passwords)
      it(`password ${JSON.stringify(password.slice(0, 20))}: ${result}`, async () =>
        expect(
          await kindOf(() =>
            accounts.createPerson({ name: "administrator", password: new Secret(password), grants: [] }),
          ),
        ).to.equal(result));
    it("are unique without regard to case, also among integrations", async () => {
      await accounts.createIntegration({ name: "vms", grants: [] });
      expect(await kindOf(() => accounts.createIntegration({ name: "VMS", grants: [] }))).to.equal("invalid");
      const twice = [1, 2].map(() => kindOf(() => accounts.createIntegration({ name: "twice", grants: [] })));
      expect((await Promise.all(twice)).toSorted()).to.deep.equal(["invalid", "none"]);
    });
    it("of integrations fit into a URL", async () =>
      expect(await kindOf(() => accounts.createIntegration({ name: "søren", grants: [] }))).to.equal("invalid"));
  });

  it("are the same after a restart", async () => {
    await administrator(accounts);
    const grants: readonly Grant[] = [{ right: "live", cameras: new Set(["cam1"]), interfaces: new Set(["rtsp"]) }];
    const { secret } = await accounts.createIntegration({ name: "vms", grants });
    const again = await site.again();
    expect(again.list()).to.deep.equal(accounts.list());
    expect(again.integrationSecrets("vms")[0].secret.reveal()).to.equal(secret.reveal());
    expect((await again.logIn("admin", PASSWORD, TLS)).name).to.equal("admin");
  });
  it("lie in the database without password or secret", async () => {
    await administrator(accounts);
    const { secret } = await accounts.createIntegration({ name: "vms", grants: [] });
    const stored = JSON.stringify(await site.database.query.selectFrom("account").selectAll().execute());
    expect(stored).not.to.include(secret.reveal());
    expect(stored).not.to.include(PASSWORD);
    expect(stored)
      .to.match(/\$argon2id\$v=19\$[mtp=,0-9]*\$/)
      .and.to.include("m=19456")
      .and.to.include("t=2");
  });
  it("have secrets of twenty letters and digits that differ", async () => {
    const secrets = await Promise.all(
      ["a", "b"].map(async (name) => (await accounts.createIntegration({ name, grants: [] })).secret.reveal()),
    );
    expect(secrets[0]).to.match(/^[A-Za-z0-9]{20}$/);
    expect(secrets[0]).not.to.equal(secrets[1]);
  });

  describe("changes", () => {
    it("end the principals made before, and take effect at once", async () => {
      const { account } = await accounts.createIntegration({ name: "vms", grants: [] });
      const changes: readonly (() => Promise<unknown>)[] = [
        () => accounts.change(account.id, { grants: WATCH_ALL }),
        () => accounts.renewSecret(account.id),
        () => accounts.change(account.id, { enabled: false }),
        () => accounts.change(account.id, { enabled: true }),
        () => accounts.remove(account.id),
      ];
      for (const change of changes) {
        const before = accounts.principalOf(account.id);
        await change();
        if (before !== undefined) expect(before.revoked.aborted).to.equal(true);
      }
      expect(accounts.principalOf(account.id)).to.equal(undefined);
      expect(accounts.integrationSecrets("vms")[0].principal).to.equal(undefined);
    });
    it("leave the principals of others alone", async () => {
      const [a, b] = await Promise.all(["a", "b"].map((name) => accounts.createIntegration({ name, grants: [] })));
      const other = accounts.principalOf(b?.account.id ?? "");
      await accounts.remove(a?.account.id ?? "");
      expect(other?.revoked.aborted).to.equal(false);
    });
    it("take all that is kept of an account with it: second factor, tokens, how its secrets were used", async () => {
      const { query } = site.database;
      const made = await accounts.createIntegration({ name: "vms", grants: WATCH_ALL });
      const { id } = made.account;
      await accounts.renewSecret(id, HOUR);
      const factor = { account: id, kind: "mail", sealed: "x", last_step: 0, recovery: "[]" };
      await query.insertInto("second_factor").values(factor).execute();
      const token = { name: "t", hash: "x", interfaces: "[]", networks: "[]", created: 0 };
      await query
        .insertInto("api_token")
        .values({ ...token, id: "t", account: id, expires: null, used_at: null, used_from: null })
        .execute();
      await accounts.remove(id);
      for (const table of ["account", "second_factor", "api_token", "integration_secret"] as const)
        expect(await query.selectFrom(table).selectAll().execute(), table).to.deep.equal([]);
    });
    it("of unknown accounts are refused", async () => {
      for (const change of [
        () => accounts.remove("x"),
        () => accounts.change("x", { enabled: true }),
        () => accounts.change("x", { grants: [] }),
      ])
        expect(await kindOf(change)).to.equal("not-found");
    });
    it("never leave nobody who may manage accounts", async () => {
      const id = await administrator(accounts);
      for (const change of [
        () => accounts.remove(id),
        () => accounts.change(id, { enabled: false }),
        () => accounts.change(id, { roles: [] }),
      ])
        expect(await kindOf(change)).to.equal("wrong-state");
      const second = await accounts.createPerson({ name: "second", password: new Secret(PASSWORD), grants: MANAGE });
      expect(await kindOf(() => accounts.remove([id, second.id]))).to.equal("wrong-state");
      expect(accounts.list()).to.have.length(2);
      const both = [kindOf(() => accounts.remove(id)), kindOf(() => accounts.remove(second.id))];
      expect((await Promise.all(both)).toSorted()).to.deep.equal(["none", "wrong-state"]);
      expect(accounts.setUpNeeded).to.equal(false);
    });
    it("of a password or a secret fit the kind of account", async () => {
      const id = await administrator(accounts);
      const { account } = await accounts.createIntegration({ name: "vms", grants: [] });
      expect(await kindOf(() => accounts.renewSecret(id))).to.equal("invalid");
      expect(await kindOf(() => accounts.setPassword(account.id, new Secret(PASSWORD)))).to.equal("invalid");
      expect(await kindOf(() => accounts.setPassword(id, new Secret("short")))).to.equal("invalid");
      await accounts.setPassword(id, new Secret("another long password"));
      expect(await kindOf(() => accounts.logIn("admin", PASSWORD, TLS))).to.equal("unauthenticated");
      expect(await kindOf(() => accounts.logIn("admin", "another long password", TLS))).to.equal("none");
    });
  });

  describe("log-in", () => {
    it("is for people, by any spelling of the name", async () => {
      await administrator(accounts);
      const { secret } = await accounts.createIntegration({ name: "vms", grants: [] });
      expect((await accounts.logIn("ADMIN", PASSWORD, TLS)).name).to.equal("admin");
      for (const [name, password] of [
        ["vms", secret.reveal()],
        ["admin", ""],
        ["admin", `${PASSWORD} `],
        ["nobody", PASSWORD],
      ] as const)
        expect(await kindOf(() => accounts.logIn(name, password, TLS)), name).to.equal("unauthenticated");
    });
    it("hashes a password anew that was hashed at less than today's cost, and lets in who has come with it", async () => {
      const id = await administrator(accounts);
      const { query } = site.database;
      const credential = await hash(PASSWORD, { memoryCost: 1024, timeCost: 2, parallelism: 1 });
      await query.updateTable("account").set({ credential }).where("id", "=", id).execute();
      const again = await site.again();
      expect((await again.logIn("admin", PASSWORD, TLS)).revoked.aborted).to.equal(false);
      const after = await query.selectFrom("account").select("credential").executeTakeFirstOrThrow();
      expect(after.credential).to.match(/m=19456,/);
      expect((await again.logIn("admin", PASSWORD, TLS)).name).to.equal("admin");
    });
    it("is slowed down after some failures, then opens again", async () => {
      await administrator(accounts);
      for (let n = 0; n < 6; n += 1) await kindOf(() => accounts.logIn("admin", `wrong ${n}`, TLS));
      expect(await kindOf(() => accounts.logIn("admin", PASSWORD, TLS))).to.equal("busy");
      expect(await kindOf(() => accounts.logIn("admin", PASSWORD, { ...TLS, address: "192.0.2.99" }))).to.equal("none");
      await site.clock.advance(3 * SECOND);
      expect(await kindOf(() => accounts.logIn("admin", PASSWORD, TLS))).to.equal("none");
    });
    it("is refused, not queued without end, when many come at one time", async () => {
      await administrator(accounts);
      const many = Array.from({ length: 40 }, (_, n) =>
        kindOf(() => accounts.logIn(`n${n}`, "x", { ...PLAIN, address: `192.0.2.${n}` })),
      );
      const kinds = await Promise.all(many);
      expect(kinds.filter((kind) => kind === "busy")).to.have.length(18);
      expect(kinds.filter((kind) => kind === "unauthenticated")).to.have.length(22);
    });
  });

  describe("web sessions", () => {
    let sessions: WebSessions;
    let id: string;
    const begin = (): string => {
      const principal = accounts.principalOf(id);
      if (principal === undefined) throw new Error("no principal");
      return sessions.begin(principal).reveal();
    };
    beforeEach(async () => {
      id = await administrator(accounts);
      sessions = new WebSessions({ accounts, clock: site.clock });
    });
    afterEach(() => {
      sessions.close();
      expect(site.clock.pending).to.equal(0);
    });
    it("end by themselves within a minute, with what runs in them, twelve hours after the log-in", async () => {
      const use = sessions.run(begin());
      await site.clock.advance(12 * HOUR - MINUTE);
      expect(use?.ended.aborted).to.equal(false);
      await site.clock.advance(MINUTE);
      expect(use?.ended.aborted).to.equal(true);
    });
    it("go on while something runs in them, and end half an hour after that", async () => {
      const session = begin();
      const [one, other] = [sessions.run(session), sessions.run(session)];
      await site.clock.advance(HOUR);
      one?.close();
      one?.close();
      await site.clock.advance(HOUR);
      other?.close();
      await site.clock.advance(29 * MINUTE);
      expect(other?.ended.aborted).to.equal(false);
      await site.clock.advance(MINUTE);
      expect(other?.ended.aborted).to.equal(true);
    });
    it("find who logged in, until log-out", () => {
      const session = begin();
      expect(session).to.have.length(45);
      expect(sessions.find(session)?.name).to.equal("admin");
      sessions.end(session);
      expect([sessions.find(session), sessions.find(""), sessions.find("x")]).to.deep.equal([
        undefined,
        undefined,
        undefined,
      ]);
    });
    it("end after half an hour without a request", async () => {
      const session = begin();
      await site.clock.advance(29 * MINUTE);
      expect(sessions.find(session)).not.to.equal(undefined);
      await site.clock.advance(30 * MINUTE);
      expect(sessions.find(session)).to.equal(undefined);
    });
    it("end after twelve hours, however busy", async () => {
      const session = begin();
      for (let half = 0; half < 12 * 3 - 1; half += 1) {
        await site.clock.advance(20 * MINUTE);
        expect(sessions.find(session)).not.to.equal(undefined);
      }
      await site.clock.advance(20 * MINUTE);
      expect(sessions.find(session)).to.equal(undefined);
      await site.clock.advance(HOUR);
    });
    it("carry the rights of the moment, and end with the password and with the account", async () => {
      await accounts.createPerson({ name: "second", password: new Secret(PASSWORD), grants: MANAGE });
      const session = begin();
      await accounts.change(id, { roles: [] });
      await accounts.change(id, { grants: WATCH_ALL });
      const found = sessions.find(session);
      expect(found?.grants.map(({ right }) => right)).to.deep.equal(["live"]);
      expect(found?.revoked.aborted).to.equal(false);
      await accounts.setPassword(id, new Secret("another long password"));
      expect(sessions.find(session)).to.equal(undefined);
      const next = begin();
      await accounts.change(id, { enabled: false });
      expect(sessions.find(next)).to.equal(undefined);
      await accounts.change(id, { enabled: true });
      const last = begin();
      await accounts.remove(id);
      expect(sessions.find(last)).to.equal(undefined);
    });
    it("begin by no log-in whose password was changed meanwhile", async () => {
      const before = await accounts.logIn("admin", PASSWORD, TLS);
      await accounts.setPassword(id, new Secret("another long password"));
      expect(await kindOf(() => sessions.begin(before))).to.equal("unauthenticated");
    });
    it("are ten at most for one account: the oldest goes", () => {
      const all = Array.from({ length: 12 }, begin);
      expect(all.map((session) => sessions.find(session) !== undefined)).to.deep.equal([
        false,
        false,
        ...Array.from({ length: 10 }, () => true),
      ]);
    });
  });
});
