import { expect } from "chai";
import type { Accounts } from "../../auth/accounts.ts";
import { type Lease, Leases } from "../../auth/leases.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import type { Secret } from "../../base/secret.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../base/units.ts";
import { kindOf, openSite, type Site, TLS, WATCH_ALL } from "./fixture.ts";
import { SECRET_WAYS } from "./secret-ways.ts";

const THERE: Peer = { ...TLS, address: "192.0.2.8" };

describe("a secret that is replaced", () => {
  let site: Site;
  let leases: Leases;
  let id: string;
  let old: Secret;

  beforeEach(async () => {
    site = await openSite();
    leases = new Leases({ ...site, audit: { record: () => undefined } });
    const made = await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL });
    [id, old] = [made.account.id, made.secret];
  });
  afterEach(async () => {
    leases.close();
    await site.database.close();
  });

  /** Throws as the door does. */
  type By = (secret: Secret, peer?: Peer, accounts?: Accounts) => Promise<Principal>;
  const bySecret =
    (way: keyof typeof SECRET_WAYS): By =>
    (password, peer = TLS, accounts = site.accounts) =>
      SECRET_WAYS[way]({ user: "vms", password }, { accounts, clock: site.clock }, peer);
  const digest = bySecret("digest SHA-256");
  const run = (who: Principal): Lease =>
    leases.open(who, [{ right: "live", camera: "gate", interface: "rtsp", address: TLS.address }]);

  for (const way of Object.keys(SECRET_WAYS) as (keyof typeof SECRET_WAYS)[])
    it(`opens by ${way} beside the new one for as long as was said, and then no more`, async () => {
      const by = bySecret(way);
      const next = await site.accounts.renewSecret(id, HOUR);
      expect([(await by(old)).name, (await by(next)).name]).to.deep.equal(["vms", "vms"]);
      await site.clock.advance(HOUR - SECOND);
      expect((await by(old)).name).to.equal("vms");
      await site.clock.advance(SECOND);
      expect(await kindOf(() => by(old))).to.equal("unauthenticated");
      expect((await by(next)).name).to.equal("vms");
    });

  it("opens nothing any more where nothing was said of an overlap, and what runs ends", async () => {
    const lease = run(await digest(old));
    await site.accounts.renewSecret(id);
    expect(lease.ended.aborted).to.equal(true);
    expect(await kindOf(() => digest(old))).to.equal("unauthenticated");
    expect(site.accounts.secretsOf(id)?.former).to.equal(undefined);
  });

  it("keeps what runs by it until its time is over, and what runs by the new one goes on", async () => {
    const before = run(await digest(old));
    const next = await site.accounts.renewSecret(id, HOUR);
    const [during, fresh] = [run(await digest(old)), run(await digest(next))];
    await site.clock.advance(HOUR - SECOND);
    expect([before, during, fresh].map(({ ended }) => ended.aborted)).to.deep.equal([false, false, false]);
    await site.clock.advance(2 * SECOND);
    expect([before, during, fresh].map(({ ended }) => ended.aborted)).to.deep.equal([true, true, false]);
  });

  for (const [what, table] of [
    ["that it is replaced", "integration_secret"],
    ["what replaces it", "account"],
  ] as const)
    it(`stays the present one, without an end, where it cannot be written down ${what}`, async () => {
      const { schema } = site.database.query;
      await schema.alterTable(table).renameTo("gone").execute();
      const renewed = await site.accounts.renewSecret(id, HOUR).then(
        () => true,
        () => false,
      );
      await schema.alterTable("gone").renameTo(table).execute();
      expect([renewed, site.accounts.secretsOf(id)?.former]).to.deep.equal([false, undefined]);
      await site.clock.advance(2 * HOUR);
      expect((await digest(old)).name).to.equal("vms");
    });

  for (const [what, table] of [
    ["that another one is", "integration_secret"],
    ["what replaces it", "account"],
  ] as const)
    for (const overlapMs of [0, HOUR])
      it(`stays where it cannot be written down ${what} in ${overlapMs} ms, and so does the one before it`, async () => {
        const { schema } = site.database.query;
        const next = await site.accounts.renewSecret(id, DAY);
        const [before, lease] = [site.accounts.secretsOf(id), run(await digest(old))];
        await site.accounts.close();
        await schema.alterTable(table).renameTo("gone").execute();
        const renewed = await site.accounts.renewSecret(id, overlapMs).then(
          () => true,
          () => false,
        );
        await schema.alterTable("gone").renameTo(table).execute();
        expect([renewed, lease.ended.aborted]).to.deep.equal([false, false]);
        expect(site.accounts.secretsOf(id)?.former?.until).to.equal(before?.former?.until);
        for (const accounts of [site.accounts, await site.again()])
          expect([(await digest(old, TLS, accounts)).name, (await digest(next, TLS, accounts)).name]).to.deep.equal([
            "vms",
            "vms",
          ]);
      });

  it("is not written back by a use of it while it is being replaced", async () => {
    await digest(old);
    await site.clock.advance(MINUTE);
    const at = site.clock.now();
    let replacing = Promise.resolve(old);
    await site.database.query.transaction().execute(async () => {
      replacing = site.accounts.renewSecret(id, HOUR);
      // It waits for the database now.
      await new Promise((resolve) => setImmediate(resolve));
      await digest(old);
    });
    const next = await replacing;
    await site.accounts.close();
    const again = await site.again();
    const lastUse = { at, address: TLS.address };
    expect(again.secretsOf(id)).to.deep.equal({ lastUse: undefined, former: { until: at + HOUR, lastUse } });
    expect([(await digest(old, TLS, again)).name, (await digest(next, TLS, again)).name]).to.deep.equal(["vms", "vms"]);
  });

  it("stays the present one where a crash came before what replaces it was written down", async () => {
    const { query } = site.database;
    const { credential } = await query.selectFrom("account").select("credential").executeTakeFirstOrThrow();
    await site.accounts.renewSecret(id, HOUR);
    await query.updateTable("account").set({ credential }).execute();
    const again = await site.again();
    expect(again.secretsOf(id)?.former).to.equal(undefined);
    await site.clock.advance(2 * HOUR);
    expect((await digest(old, TLS, again)).name).to.equal("vms");
  });

  it("can be ended early, with what runs by it alone", async () => {
    const before = run(await digest(old));
    const next = await site.accounts.renewSecret(id, HOUR);
    const fresh = run(await digest(next));
    await site.accounts.endFormerSecret(id);
    expect([before.ended.aborted, fresh.ended.aborted]).to.deep.equal([true, false]);
    expect(await kindOf(() => digest(old))).to.equal("unauthenticated");
    expect(await kindOf(() => site.accounts.endFormerSecret(id))).to.equal("not-found");
    const rows = await site.database.query.selectFrom("integration_secret").selectAll().execute();
    expect(rows.map(({ former, until }) => [former, until])).to.deep.equal([[null, null]]);
  });

  it("is ended at once where that cannot be written down, and can be ended again for good", async () => {
    const { schema } = site.database.query;
    await site.accounts.renewSecret(id, HOUR);
    const lease = run(await digest(old));
    await site.accounts.close();
    await schema.alterTable("integration_secret").renameTo("gone").execute();
    const ended = await site.accounts.endFormerSecret(id).then(
      () => true,
      () => false,
    );
    await schema.alterTable("gone").renameTo("integration_secret").execute();
    expect([ended, lease.ended.aborted, await kindOf(() => digest(old))]).to.deep.equal([
      false,
      true,
      "unauthenticated",
    ]);
    await site.accounts.endFormerSecret(id);
    expect(await kindOf(async () => digest(old, TLS, await site.again()))).to.equal("unauthenticated");
  });

  it("ends at once when another one is replaced after it: two hold at most", async () => {
    const first = run(await digest(old));
    const second = await site.accounts.renewSecret(id, HOUR);
    const third = await site.accounts.renewSecret(id, HOUR);
    expect(first.ended.aborted).to.equal(true);
    expect([await kindOf(() => digest(old)), (await digest(second)).name, (await digest(third)).name]).to.deep.equal([
      "unauthenticated",
      "vms",
      "vms",
    ]);
    await site.accounts.renewSecret(id);
    expect([await kindOf(() => digest(second)), await kindOf(() => digest(third))]).to.deep.equal([
      "unauthenticated",
      "unauthenticated",
    ]);
  });

  it("opens nothing while the account is disabled, and what ran does not go on when it is enabled again", async () => {
    await site.accounts.renewSecret(id, HOUR);
    const lease = run(await digest(old));
    await site.accounts.change(id, { enabled: false });
    expect([lease.ended.aborted, await kindOf(() => digest(old))]).to.deep.equal([true, "unauthenticated"]);
    await site.accounts.change(id, { enabled: true });
    expect((await digest(old)).name).to.equal("vms");
  });

  it("has its last use told apart from that of the new one, also after a restart; a wrong one is no use", async () => {
    const at = site.clock.now();
    await digest(old);
    expect(site.accounts.secretsOf(id)?.lastUse).to.deep.equal({ at, address: TLS.address });
    const next = await site.accounts.renewSecret(id, DAY);
    const until = at + DAY;
    const untouched = { lastUse: undefined, former: { until, lastUse: { at, address: TLS.address } } };
    expect(site.accounts.secretsOf(id)).to.deep.equal(untouched);
    await site.clock.advance(MINUTE);
    expect(await kindOf(() => digest({ reveal: () => "wrong" } as Secret))).to.equal("unauthenticated");
    expect(site.accounts.secretsOf(id)).to.deep.equal(untouched);
    await digest(next, THERE);
    await site.accounts.close();
    const again = await site.again();
    expect(again.secretsOf(id)).to.deep.equal({
      lastUse: { at: at + MINUTE, address: THERE.address },
      former: untouched.former,
    });
    expect((await digest(old, TLS, again)).name).to.equal("vms");
    await site.clock.advance(DAY);
    const later = await site.again();
    expect(later.secretsOf(id)?.former).to.equal(undefined);
    expect(await kindOf(() => digest(old, TLS, later))).to.equal("unauthenticated");
    expect(await kindOf(() => digest(next, TLS, later))).to.equal("none");
  });

  it("lies in the database sealed, and goes with the account", async () => {
    await site.accounts.renewSecret(id, HOUR);
    const rows = () => site.database.query.selectFrom("integration_secret").selectAll().execute();
    expect(JSON.stringify(await rows())).not.to.contain(old.reveal());
    await site.accounts.remove(id);
    expect(await kindOf(() => digest(old))).to.equal("unauthenticated");
    await site.again();
    expect(await rows()).to.deep.equal([]);
  });

  it("holds for 30 days at most, and is nobody's who has a password", async () => {
    for (const overlap of [-1, Number.NaN, 30 * DAY + 1])
      expect(await kindOf(() => site.accounts.renewSecret(id, overlap))).to.equal("invalid");
    expect((await digest(old)).name).to.equal("vms");
    expect(await kindOf(() => site.accounts.renewSecret(id, 30 * DAY))).to.equal("none");
    expect(site.accounts.secretsOf("nobody")).to.equal(undefined);
  });

  it("tells nobody that it is there: each name is tried with two secrets", async () => {
    await site.accounts.renewSecret(id, HOUR);
    for (const name of ["vms", "nobody", ""]) expect(site.accounts.integrationSecrets(name)).to.have.length(2);
    const [one, other] = site.accounts.integrationSecrets("nobody");
    expect([one.principal, other.principal]).to.deep.equal([undefined, undefined]);
  });
});
