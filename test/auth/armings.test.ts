import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import { sql } from "kysely";
import { approvalSchema } from "../../auth/acts.ts";
import { ApiTokens } from "../../auth/api-tokens.ts";
import { ApprovalNeeded, type Asker } from "../../auth/approval.ts";
import { Approvals } from "../../auth/approvals.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { explain } from "../../auth/explain.ts";
import { IssuerKeys } from "../../auth/jwt/issuer-keys.ts";
import { JwtLogIns } from "../../auth/jwt/jwt-log-ins.ts";
import { type Lease, Leases } from "../../auth/leases.ts";
import { ManagedArming } from "../../auth/managed-arming.ts";
import type { Grant, Principal } from "../../auth/principal.ts";
import { Throttle } from "../../auth/throttle.ts";
import { silentLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import { DAY, HOUR, isoOf, later, MINUTE, SECOND, unixMillis } from "../../base/units.ts";
import { makeCertificate } from "../support/client-certificate.ts";
import { testIssuer } from "../support/jwt-issuer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { kindOf, openSite, PASSWORD, type Site, TLS, WATCH_ALL } from "./fixture.ts";
import { SECRET_WAYS } from "./secret-ways.ts";

const ISSUER = "https://id.example/realms/site";

describe("an external system that is let in only while it is armed", () => {
  let site: Site;
  let leases: Leases;
  let tokens: ApiTokens;
  let jwts: JwtLogIns;
  let id: string;
  let secret: Secret;
  let by: Readonly<Record<string, () => Principal | Promise<Principal>>>;

  beforeEach(async () => {
    site = await openSite();
    const { accounts, clock, database } = site;
    const audit = { record: () => undefined };
    leases = new Leases({ accounts, audit, clock });
    const made = await accounts.createIntegration({ name: "vms", grants: WATCH_ALL, onlyWhileArmed: true });
    [id, secret] = [made.account.id, made.secret];
    const throttle = (): Throttle => new Throttle(clock);
    tokens = await ApiTokens.open({
      query: database.query,
      accounts,
      throttle: throttle(),
      audit,
      clock,
      log: silentLog(),
    });
    const token = (await tokens.make(id, { name: "one" })).secret.reveal();
    const issuer = testIssuer(ISSUER, () => Math.floor(clock.now() / 1000));
    const keys = new IssuerKeys({
      issuer: "site",
      load: () => Promise.resolve(issuer.keySet()),
      clock,
      log: silentLog(),
    });
    await keys.refresh();
    const rules = { issuer: ISSUER, audiences: ["viaduct"], algorithms: ["ES256"], toleranceMs: 0 } as const;
    jwts = new JwtLogIns(
      [
        {
          name: "site",
          rules: { ...rules, notBefore: "required", longestMs: DAY },
          keys,
          claim: "sub",
          accounts: undefined,
          interfaces: new Set(["api"] as const),
          asksForFactor: false,
        },
      ],
      { accounts, throttle: throttle(), audit, clock },
    );
    by = {
      ...Object.fromEntries(
        Object.entries(SECRET_WAYS).map(([way, logIn]) => [way, () => logIn({ user: "vms", password: secret }, site)]),
      ),
      "an API token": () => tokens.verify(token, TLS, "api"),
      "a JWT": () => jwts.verify(issuer.token({ exp: Math.floor(clock.now() / 1000) + 7200 }), TLS, "api"),
    };
  });
  afterEach(async () => {
    leases.close();
    jwts.close();
    await tokens.close();
    await site.accounts.close();
    expect(site.clock.pending, "timers").to.equal(0);
    await site.database.close();
  });

  const wayOf = (way: string): (() => Principal | Promise<Principal>) => by[way] ?? (() => expect.fail(way));
  const runBy = async (way: string): Promise<Lease> =>
    leases.open(await wayOf(way)(), [{ right: "live", camera: "gate", interface: "rtsp", address: TLS.address }]);

  for (const way of [...Object.keys(SECRET_WAYS), "an API token", "a JWT"]) {
    it(`comes by ${way} from when it is armed until its time is over, and what runs ends with that`, async () => {
      expect(await kindOf(wayOf(way))).to.equal("unauthenticated");
      await site.accounts.arm(id, HOUR);
      const lease = await runBy(way);
      await site.clock.advance(HOUR - SECOND);
      expect([lease.ended.aborted, (await wayOf(way)()).name]).to.deep.equal([false, "vms"]);
      await site.clock.advance(SECOND);
      expect([lease.ended.aborted, await kindOf(wayOf(way))]).to.deep.equal([true, "unauthenticated"]);
    });

    it(`comes by ${way} no more when that is ended early, and what ran does not go on when it is armed anew`, async () => {
      await site.accounts.arm(id, HOUR);
      const lease = await runBy(way);
      const who = await wayOf(way)();
      await site.accounts.disarm(id);
      expect([lease.ended.aborted, who.revoked.aborted]).to.deep.equal([true, true]);
      expect(await kindOf(wayOf(way))).to.equal("unauthenticated");
      await site.accounts.arm(id, HOUR);
      expect((await wayOf(way)()).name).to.equal("vms");
      expect(lease.ended.aborted).to.equal(true);
    });
  }

  it("is told the same as a stranger, and one with a wrong secret", async () => {
    const toldOf = (user: string, password: Secret): Promise<string> =>
      SECRET_WAYS.Basic({ user, password }, site).then(
        ({ name }) => `${name} is in`,
        (error: { tell?: string }) => error.tell ?? "",
      );
    const stranger = await toldOf("nobody", secret);
    expect([await toldOf("vms", secret), await toldOf("vms", new Secret("wrong"))]).to.deep.equal([stranger, stranger]);
    expect(site.accounts.integrationSecrets("vms").map(({ principal }) => principal)).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it("by a client's certificate is refused as with any other token", async () => {
    const { folder, remove } = await scratchFolder();
    const { pem } = makeCertificate(folder, "vms");
    await remove();
    site.clock.setWall(unixMillis(Date.parse(new X509Certificate(pem).validFrom) + HOUR));
    const { certificate: fingerprint = "" } = await tokens.register(id, { name: "two" }, pem);
    const come = (): string => tokens.verifyCertificate(fingerprint, TLS, "api")?.name ?? "nobody's";
    expect(await kindOf(come)).to.equal("unauthenticated");
    const { until } = await site.accounts.arm(id, MINUTE);
    expect(come()).to.equal("vms");
    // And is over with the time, long before the certificate.
    expect(tokens.verifyCertificate(fingerprint, TLS, "api")?.until).to.equal(until);
    await site.clock.advance(MINUTE);
    expect(await kindOf(come)).to.equal("unauthenticated");
  });

  it("ends what it comes by at its own time, where that is over before the time for which it is armed", async () => {
    await site.accounts.arm(id, 2 * HOUR);
    const { secret: token } = await tokens.make(id, { name: "short", expires: later(site.clock.now(), HOUR) });
    const who = tokens.verify(token.reveal(), TLS, "api");
    const lease = leases.open(who, [{ right: "live", camera: "gate", interface: "api", address: TLS.address }]);
    expect(who.until).to.equal(later(site.clock.now(), HOUR));
    await site.clock.advance(HOUR - SECOND);
    expect(lease.ended.aborted).to.equal(false);
    await site.clock.advance(SECOND);
    expect([lease.ended.aborted, site.accounts.principalOf(id)?.name]).to.deep.equal([true, "vms"]);
  });

  it("goes on without a break when it is armed for longer, and ends sooner when it is armed for less", async () => {
    await site.accounts.arm(id, HOUR);
    const lease = await runBy("digest MD5");
    await site.clock.advance(30 * MINUTE);
    await site.accounts.arm(id, HOUR);
    await site.clock.advance(45 * MINUTE);
    expect(lease.ended.aborted).to.equal(false);
    await site.accounts.arm(id, MINUTE);
    await site.clock.advance(MINUTE - SECOND);
    expect(lease.ended.aborted).to.equal(false);
    await site.clock.advance(SECOND);
    expect(lease.ended.aborted).to.equal(true);
  });

  it("is armed with an end over a restart, and armed no more after it", async () => {
    const { until } = await site.accounts.arm(id, HOUR);
    await site.clock.advance(59 * MINUTE);
    await site.accounts.close();
    const again = await site.again();
    expect(again.find(id)?.arming?.window?.until).to.equal(until);
    expect(again.principalOf(id)?.until).to.equal(until);
    await site.clock.advance(MINUTE);
    expect(again.principalOf(id)).to.equal(undefined);
    await again.close();
    const later = await site.again();
    expect(later.find(id)?.arming).to.deep.equal({});
    await later.close();
  });

  it("whose time ended while the bridge was stopped is not let in by a clock that is set back after its start", async () => {
    const { from } = await site.accounts.arm(id, HOUR);
    await site.accounts.close();
    await site.clock.advance(2 * HOUR);
    const again = await site.again();
    await site.clock.advance(SECOND);
    site.clock.setWall(from);
    expect(again.principalOf(id)).to.equal(undefined);
    await again.close();
  });

  for (const [what, set] of [
    ["back by a year", -365 * DAY],
    ["back by ten minutes", -10 * MINUTE],
    ["ahead by ten minutes", 10 * MINUTE],
    ["ahead by a year", 365 * DAY],
  ] as const)
    it(`is armed for no longer than was said by a clock that is set ${what}`, async () => {
      await site.accounts.arm(id, HOUR);
      const lease = await runBy("digest MD5");
      await site.clock.advance(20 * MINUTE);
      site.clock.setWall(unixMillis(site.clock.now() + set));
      await site.clock.advance(30 * MINUTE + SECOND);
      expect(lease.ended.aborted).to.equal(set > 0);
      await site.clock.advance(10 * MINUTE);
      expect([lease.ended.aborted, site.accounts.principalOf(id)]).to.deep.equal([true, undefined]);
    });

  it("is armed for its whole time at most after a restart with a clock that was set back", async () => {
    await site.accounts.arm(id, HOUR);
    await site.accounts.close();
    site.clock.setWall(unixMillis(site.clock.now() - 365 * DAY));
    const again = await site.again();
    await site.clock.advance(HOUR - SECOND);
    expect(again.principalOf(id)?.name).to.equal("vms");
    await site.clock.advance(SECOND);
    expect(again.principalOf(id)).to.equal(undefined);
    await again.close();
  });

  it("ends in memory also where the end cannot be written down", async () => {
    await site.accounts.arm(id, HOUR);
    const lease = await runBy("digest MD5");
    await site.database.query.schema.alterTable("account").renameTo("gone").execute();
    await kindOf(() => site.accounts.disarm(id)).catch(() => "internal");
    expect([lease.ended.aborted, site.accounts.principalOf(id)]).to.deep.equal([true, undefined]);
  });

  it("stays armed through other changes of its account, and disarmed through them", async () => {
    const { until } = await site.accounts.arm(id, HOUR);
    await site.accounts.change(id, { roles: [] });
    await site.accounts.renewSecret(id);
    expect(site.accounts.principalOf(id)?.until).to.equal(until);
    const changing = site.accounts.change(id, { grants: [] });
    const ending = site.accounts.disarm(id);
    await Promise.all([changing, ending]);
    expect([site.accounts.principalOf(id), site.accounts.find(id)?.arming]).to.deep.equal([undefined, {}]);
  });

  it("is out where another change that was under way has brought it back, and the end cannot be written down", async () => {
    const { query } = site.database;
    await site.accounts.arm(id, HOUR);
    await sql`CREATE TRIGGER full BEFORE UPDATE ON account WHEN NEW.arming = '{}' BEGIN SELECT RAISE(ABORT, 'full'); END`.execute(
      query,
    );
    let [changing, ending] = [Promise.resolve<unknown>(undefined), Promise.resolve()];
    await query.transaction().execute(async () => {
      changing = site.accounts.change(id, { grants: [] });
      // It waits for the database now, with the account as it was.
      await new Promise((resolve) => setImmediate(resolve));
      ending = site.accounts.disarm(id);
      ending.catch(() => undefined);
    });
    await changing;
    expect(await ending.catch((error: Error) => error.message)).to.include("full");
    expect([site.accounts.principalOf(id), site.accounts.find(id)?.arming]).to.deep.equal([undefined, {}]);
  });

  it("is out where that is ended early while it is just being armed for longer", async () => {
    await site.accounts.arm(id, MINUTE);
    const longer = site.accounts.arm(id, HOUR);
    const ending = site.accounts.disarm(id);
    await Promise.all([longer, ending]);
    expect([site.accounts.principalOf(id), site.accounts.find(id)?.arming]).to.deep.equal([undefined, {}]);
  });

  it("is let in at any time again where that is set, and never unarmed by being marked once more", async () => {
    await site.accounts.arm(id, HOUR);
    await site.accounts.demandArming(id, true);
    expect(site.accounts.stateOf("vms")).to.equal("integration");
    await site.accounts.demandArming(id, false);
    await site.clock.advance(2 * HOUR);
    expect(site.accounts.principalOf(id)?.until).to.equal(undefined);
    expect(site.accounts.principalOf(id)?.name).to.equal("vms");
    const lease = await runBy("digest MD5");
    await site.accounts.demandArming(id, true);
    expect([lease.ended.aborted, site.accounts.stateOf("vms")]).to.deep.equal([true, "not-armed"]);
  });

  for (const [what, arm, kind] of [
    ["for less than a minute", () => site.accounts.arm(id, MINUTE - 1), "invalid"],
    ["for more than 24 hours", () => site.accounts.arm(id, DAY + 1), "invalid"],
    ["for no number", () => site.accounts.arm(id, Number.NaN), "invalid"],
    ["where nobody is", () => site.accounts.arm("nobody", HOUR), "not-found"],
    ["and disarmed where nobody is", () => site.accounts.disarm("nobody"), "not-found"],
    ["and disarmed where it is not armed", () => site.accounts.disarm(id), "not-found"],
    [
      "where it needs not be",
      async () => {
        await site.accounts.demandArming(id, false);
        await site.accounts.arm(id, HOUR);
      },
      "wrong-state",
    ],
  ] as const)
    it(`is not armed ${what}`, async () => {
      expect(await kindOf(arm)).to.equal(kind);
    });

  it("is never a person", async () => {
    const ada = await site.accounts.createPerson({ name: "ada", password: new Secret(PASSWORD), grants: [] });
    expect(await kindOf(() => site.accounts.demandArming(ada.id, true))).to.equal("invalid");
    expect(await kindOf(() => site.accounts.arm(ada.id, HOUR))).to.equal("invalid");
  });

  it("is explained by it, and by when its time is over", async () => {
    const why = (ahead = 0) => {
      const { accounts, clock } = site;
      const account = accounts.find(id);
      if (account === undefined) return expect.fail();
      const question = { right: "live", camera: "gate", interface: "rtsp" } as const;
      const at = unixMillis(clock.now() + ahead);
      return explain({ ...account, lacksFactor: false }, accounts.grantsOf(id) ?? [], { ...question, at });
    };
    expect(why()).to.include({ allowed: false, why: "it is let in only while it is armed, and it is not" });
    const { until } = await site.accounts.arm(id, HOUR);
    expect(why()).to.include({ allowed: true, until });
    expect(why(HOUR)).to.include({ allowed: false, hidden: true });
    await site.accounts.change(id, { enabled: false });
    expect(why()).to.include({ why: "the account is disabled" });
    expect(site.accounts.stateOf("vms")).to.equal("disabled");
  });

  describe("by somebody who may manage accounts", () => {
    const grant = (right: Grant["right"]): Grant => ({ right, cameras: "any", interfaces: "any" });
    let audited: AuditEntry[];
    let approvals: Approvals;
    let askers: Record<"ada" | "bob", Asker & { readonly principal: Principal }>;

    const open = async (acts: readonly "arm"[]): Promise<void> => {
      audited = [];
      const { accounts, clock, database } = site;
      const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
      const settings = approvalSchema.parse({ acts });
      approvals = await Approvals.open({ query: database.query, accounts, audit, settings, clock });
      const person = async (name: string, right: Grant["right"]) => {
        const made = await accounts.createPerson({ name, password: new Secret(PASSWORD), grants: [grant(right)] });
        const principal = accounts.principalOf(made.id);
        if (principal === undefined) throw new Error(name);
        return { principal, who: name, interface: "web", address: "192.0.2.1" } as const;
      };
      askers = { ada: await person("ada", "manage-accounts"), bob: await person("bob", "approve") };
    };
    afterEach(() => approvals.close());
    const managed = (): ManagedArming =>
      new ManagedArming(site.accounts, { record: (entry) => void audited.push(entry) }, approvals, askers.ada);
    const approved = async (work: () => Promise<unknown>): Promise<string> => {
      const asked = await work().then(
        () => expect.fail("nobody was asked"),
        (error: unknown) => error,
      );
      if (!(asked instanceof ApprovalNeeded)) throw asked;
      await approvals.answer(askers.bob, asked.approval.id, "approved");
      await work();
      return asked.approval.words;
    };
    const told = (): readonly string[] =>
      audited.filter(({ subject }) => subject === "vms").map(({ who, action }) => `${who} ${action}`);

    it("is armed, disarmed and set to it, each in the audit log with its end", async () => {
      await open([]);
      const { until } = await managed().arm(id, HOUR);
      await managed().disarm(id);
      expect(await kindOf(() => managed().disarm(id))).to.equal("not-found");
      await managed().demand(id, false);
      await managed().demand(id, true);
      expect(told()).to.deep.equal(["ada arm", "ada disarm", "ada demand-no-arming", "ada demand-arming"]);
      expect(audited[0]).to.include({ after: JSON.stringify({ armedUntil: isoOf(until) }), address: "192.0.2.1" });
    });

    it("is armed when another person has approved exactly that, from then on and once", async () => {
      await open(["arm"]);
      expect(await approved(() => managed().arm(id, 2 * HOUR))).to.equal(
        "arm vms for 120 minutes, which begin when this is done",
      );
      expect(site.accounts.find(id)?.arming?.window?.until).to.equal(site.clock.now() + 2 * HOUR);
      for (const again of [() => managed().arm(id, 2 * HOUR), () => managed().arm(id, 3 * HOUR)])
        expect(await kindOf(again)).to.equal("wrong-state");
    });

    it("is not armed for longer than what another person has approved", async () => {
      await open(["arm"]);
      const asked = await managed()
        .arm(id, HOUR)
        .catch((error: unknown) => error);
      if (!(asked instanceof ApprovalNeeded)) throw asked;
      await approvals.answer(askers.bob, asked.approval.id, "approved");
      expect(await kindOf(() => managed().arm(id, 3 * HOUR))).to.equal("wrong-state");
      expect(site.accounts.stateOf("vms")).to.equal("not-armed");
      await managed().arm(id, HOUR);
      expect(site.accounts.stateOf("vms")).to.equal("integration");
    });

    it("waits for nobody to be kept out, and for a second person to be let in without being armed", async () => {
      await open(["arm"]);
      await approved(() => managed().arm(id, HOUR));
      await managed().disarm(id);
      await managed().demand(id, true);
      expect(site.accounts.stateOf("vms")).to.equal("not-armed");
      expect(await approved(() => managed().demand(id, false))).to.equal("let vms in at any time, without being armed");
      expect(site.accounts.stateOf("vms")).to.equal("integration");
    });
  });
});
