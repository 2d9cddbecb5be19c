import { expect } from "chai";
import { ApiTokens } from "../../auth/api-tokens.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import type { Peer } from "../../auth/principal.ts";
import { Throttle } from "../../auth/throttle.ts";
import { silentLog } from "../../base/log.ts";
import { DAY, HOUR, MINUTE, SECOND, unixMillis } from "../../base/units.ts";
import { kindOf, openSite, type Site, TLS, WATCH_ALL } from "./fixture.ts";

describe("API tokens", () => {
  let site: Site;
  let tokens: ApiTokens;
  let audited: AuditEntry[];
  let id: string;

  const open = (): Promise<ApiTokens> =>
    ApiTokens.open({
      query: site.database.query,
      accounts: site.accounts,
      throttle: new Throttle(site.clock),
      audit: { record: (entry) => audited.push(entry) },
      clock: site.clock,
      log: silentLog(),
    });
  const made = async (more: Partial<Parameters<ApiTokens["make"]>[1]> = {}): Promise<string> =>
    (await tokens.make(id, { name: `token ${tokens.list(id).length}`, ...more })).secret.reveal();
  const refusedAt = (text: string, peer: Peer = TLS, door: "api" | "rtsp" = "api"): Promise<string> =>
    kindOf(() => tokens.verify(text, peer, door));

  beforeEach(async () => {
    site = await openSite();
    audited = [];
    id = (await site.accounts.createIntegration({ name: "status", grants: WATCH_ALL })).account.id;
    tokens = await open();
  });
  afterEach(async () => {
    await tokens.close();
    await site.database.close();
  });

  it("open what their account may, and are kept as hashes alone, over a restart", async () => {
    const text = await made();
    expect(text).to.match(/^vdt_[A-Za-z0-9]{45}$/);
    expect(tokens.verify(text, TLS, "api")).to.include({ accountId: id, name: "status" });
    tokens = await open();
    expect(tokens.verify(text, TLS, "api").grants).to.have.length(WATCH_ALL.length);
    const stored = JSON.stringify(await site.database.query.selectFrom("api_token").selectAll().execute());
    expect(stored).not.to.contain(text.slice(4));
    expect(JSON.stringify(audited)).not.to.contain(text.slice(4));
  });

  it("follow their account: its rights of the moment, its end, and its removal over a restart", async () => {
    const text = await made();
    await site.accounts.change(id, { grants: [] });
    expect(tokens.verify(text, TLS, "api").grants).to.deep.equal([]);
    await site.accounts.change(id, { enabled: false });
    expect(await refusedAt(text)).to.equal("unauthenticated");
    await site.accounts.remove(id);
    tokens = await open();
    expect(await site.database.query.selectFrom("api_token").selectAll().execute()).to.deep.equal([]);
  });

  it("are taken from the networks and at the interfaces they are for, and answer the same everywhere else", async () => {
    const text = await made({ networks: ["192.0.2.0/24", "2001:db8::/32"], interfaces: ["api", "rtsp"] });
    const told = async (use: () => unknown): Promise<unknown> => {
      try {
        return use() === undefined;
      } catch (error) {
        return (error as { tell?: string }).tell;
      }
    };
    expect(await told(() => tokens.verify(text, { ...TLS, address: "2001:db8::7" }, "rtsp"))).to.equal(false);
    const answers = [
      await told(() => tokens.verify(text, { ...TLS, address: "192.0.3.7" }, "api")),
      await told(() => tokens.verify(text, TLS, "onvif")),
      await told(() => tokens.verify(`vdt_${"x".repeat(45)}`, TLS, "api")),
    ];
    expect(new Set(answers).size).to.equal(1);
    expect(answers[0]).to.match(/^this token is not taken/);
  });

  it("expire: no new request, and an end of what runs", async () => {
    const text = await made({ expires: unixMillis(site.clock.now() + HOUR) });
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const lease = leases.open(tokens.verify(text, TLS, "api"), [{ right: "live", camera: "gate", interface: "api" }]);
    await site.clock.advance(HOUR - SECOND);
    expect([await refusedAt(text), lease.ended.aborted]).to.deep.equal(["none", false]);
    await site.clock.advance(2 * SECOND);
    expect([await refusedAt(text), lease.ended.aborted]).to.deep.equal(["unauthenticated", true]);
    leases.close();
  });

  it("end what runs by them when they are revoked, and nothing else", async () => {
    const [mine, other] = [await made(), await made()];
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const run = (text: string) =>
      leases.open(tokens.verify(text, TLS, "api"), [{ right: "live", camera: "gate", interface: "api" }]);
    const [ended, still] = [run(mine), run(other)];
    // What the account may is changed meanwhile, and leaves both their right.
    await site.accounts.change(id, { grants: [...WATCH_ALL, { right: "ptz", cameras: "any", interfaces: "any" }] });
    expect([ended.ended.aborted, still.ended.aborted]).to.deep.equal([false, false]);
    const [, first] = tokens.list(id).toSorted((a, b) => b.name.localeCompare(a.name));
    await tokens.revoke(id, first?.id ?? "");
    expect([ended.ended.aborted, still.ended.aborted]).to.deep.equal([true, false]);
    expect([await refusedAt(mine), await refusedAt(other)]).to.deep.equal(["unauthenticated", "none"]);
    leases.close();
  });

  it("tell when and from where they were used last, and the audit log once an hour and for each address", async () => {
    const text = await made();
    tokens.verify(text, TLS, "api");
    tokens.verify(text, TLS, "api");
    await site.clock.advance(2 * MINUTE);
    tokens.verify(text, TLS, "api");
    const at = site.clock.now();
    await tokens.close();
    tokens = await open();
    expect(tokens.list(id)[0]?.lastUse).to.deep.equal({ at, address: TLS.address });
    expect(audited.map(({ action, subject, address }) => [action, subject, address])).to.deep.equal([
      ["use-token", "token 0", TLS.address],
    ]);
    tokens.verify(text, { ...TLS, address: "192.0.2.8" }, "api");
    await site.clock.advance(HOUR);
    tokens.verify(text, { ...TLS, address: "192.0.2.8" }, "api");
    expect(audited).to.have.length(3);
  });

  it("cannot be guessed: who tries has to wait, and those who have one too, at that address alone", async () => {
    const text = await made();
    const kinds: string[] = [];
    for (let n = 0; n < 8; n += 1) kinds.push(await refusedAt(`vdt_${"x".repeat(44)}${n}`));
    expect(kinds.slice(0, 5)).to.deep.equal(Array.from({ length: 5 }, () => "unauthenticated"));
    expect(kinds.at(-1)).to.equal("busy");
    expect(await refusedAt(text, { ...TLS, address: "198.51.100.1" })).to.equal("none");
  });

  it("are one of a name, also where two are asked for at once, and none where it cannot be written", async () => {
    const kinds = await Promise.all([1, 2].map(() => kindOf(() => tokens.make(id, { name: "page" }))));
    expect(kinds.toSorted()).to.deep.equal(["invalid", "none"]);
    await site.database.query.schema.dropTable("api_token").execute();
    const other = tokens.make(id, { name: "other" }).then(
      () => "made",
      () => "failed",
    );
    expect(await other).to.equal("failed");
    expect(tokens.list(id).map(({ name }) => name)).to.deep.equal(["page"]);
  });

  it("are made within bounds", async () => {
    await made({ name: "one" });
    const now = site.clock.now();
    const wrong: readonly Partial<Parameters<ApiTokens["make"]>[1]>[] = [
      { name: "one" },
      { name: " " },
      { name: "a\nb" },
      { name: "x".repeat(65) },
      { interfaces: [] },
      { networks: ["10.0.0.0/33"] },
      { networks: ["example.org"] },
      { networks: Array.from({ length: 33 }, () => "10.0.0.0/8") },
      { expires: now },
      { expires: unixMillis(now + 11 * 365 * DAY) },
    ];
    for (const more of wrong)
      expect(await kindOf(() => tokens.make(id, { name: "two", ...more })), JSON.stringify(more)).to.equal("invalid");
    for (let n = 1; n < 50; n += 1) await made();
    expect(await kindOf(() => made())).to.equal("invalid");
    expect(await kindOf(() => tokens.revoke("another", tokens.list(id)[0]?.id ?? ""))).to.equal("not-found");
    expect(tokens.list(id)).to.have.length(50);
  });
});
