import { expect } from "chai";
import { RIGHTS } from "../../auth/right.ts";
import { Secret } from "../../base/secret.ts";
import { MINUTE } from "../../base/units.ts";
import type { WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const LIVE = [{ right: "live", cameras: "any", interfaces: "any" }] as const;

describe("web sessions", () => {
  let site: WebSite;

  beforeEach(async () => {
    site = await startWebSite();
  });
  afterEach(() => site.close());

  const account = async (client: WebClient): Promise<unknown> =>
    ((await client.send("GET", "/api/session")).json as { account: unknown }).account;
  const setUp = (token: string, password = PASSWORD) =>
    site.stranger().send("POST", "/api/setup", { body: { token, name: "admin", password } });

  describe("set-up", () => {
    it("makes the first administrator with the token of this start, once, and logs in", async () => {
      const token = site.accounts.setUpToken()?.reveal() ?? "";
      const client = site.stranger();
      expect((await client.send("GET", "/api/session")).json).to.deep.equal({ setUpNeeded: true, account: null });
      const made = await client.send("POST", "/api/setup", { body: { token, name: "admin", password: PASSWORD } });
      expect({ status: made.status, json: made.json }).to.deep.equal({ status: 201, json: { name: "admin" } });
      expect((await client.send("GET", "/api/session")).json).to.deep.equal({
        setUpNeeded: false,
        account: { name: "admin", rights: RIGHTS, mailCodes: true, smsCodes: true },
      });
      expect((await setUp(token)).status).to.equal(401);
      expect(site.accounts.setUpToken()).to.equal(undefined);
    });

    it("refuses a wrong token in words, and slows down whoever guesses", async () => {
      site.accounts.setUpToken();
      const refused = await setUp("wrong");
      expect(refused.status).to.equal(401);
      expect(refused.json).to.deep.equal({ error: "this is not the set-up token of the present start" });
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 10; attempt += 1) statuses.push((await setUp("wrong")).status);
      expect(statuses.at(-1)).to.equal(429);
    });

    it("keeps the token for another try when the password is too weak", async () => {
      const token = site.accounts.setUpToken()?.reveal() ?? "";
      const weak = await setUp(token, "short");
      expect({ status: weak.status, json: weak.json }).to.deep.equal({
        status: 400,
        json: { error: "a password needs 12 characters or more" },
      });
      expect((await setUp(token)).status).to.equal(201);
    });
  });

  describe("log-in", () => {
    it("is in the audit log, with the one that failed and the log-out, and with no password", async () => {
      await site.administrator();
      const before = site.audited.length;
      const client = site.stranger();
      await client.logIn("admin", "not the password");
      await client.logIn("admin", PASSWORD);
      await client.send("DELETE", "/api/session");
      const entries = site.audited.slice(before);
      expect(entries.map(({ action, who, outcome, why }) => [action, who, outcome, why])).to.deep.equal([
        ["log-in", "admin", "failed", "unauthenticated"],
        ["log-in", "admin", "allowed", undefined],
        ["log-out", "admin", "allowed", undefined],
      ]);
      expect(JSON.stringify(entries)).not.to.include("password");
    });

    it("gives a cookie that scripts, other sites and plain HTTP never see", async () => {
      await site.administrator();
      const { status, cookies } = await site.stranger().logIn("admin", PASSWORD);
      expect(status).to.equal(204);
      expect(cookies).to.have.length(1);
      const [pair = "", ...attributes] = (cookies[0] ?? "").split("; ");
      expect(pair).to.match(/^__Host-viaduct=[A-Za-z0-9]{45}$/);
      // Without Domain, so for this host alone; without Expires, so gone with the browser.
      expect(attributes.map((one) => one.toLowerCase()).sort()).to.deep.equal([
        "httponly",
        "path=/",
        "samesite=strict",
        "secure",
      ]);
    });

    it("says the same of a wrong password, an unknown name and an external system", async () => {
      await site.administrator();
      const { secret } = await site.accounts.createIntegration({ name: "vms", grants: LIVE });
      for (const [name, password] of [
        ["admin", "not the password"],
        ["nobody", PASSWORD],
        ["vms", secret.reveal()],
      ] as const) {
        const { status, json, cookies } = await site.stranger().logIn(name, password);
        expect({ status, json, cookies }, name).to.deep.equal({
          status: 401,
          json: { error: "wrong name or password" },
          cookies: [],
        });
      }
    });

    it("is refused unread for a while after many failures", async () => {
      await site.administrator();
      for (let attempt = 0; attempt < 6; attempt += 1) await site.stranger().logIn("admin", "not the password");
      expect((await site.stranger().logIn("admin", PASSWORD)).status).to.equal(429);
      await site.clock.advance(2 * MINUTE);
      expect((await site.stranger().logIn("admin", PASSWORD)).status).to.equal(204);
    });

    it("is not in the audit log while it is refused unread, whatever names a stranger makes up", async () => {
      await site.administrator();
      const attempt = (name: string) => site.stranger().logIn(name, "not the password");
      // Failures of one address count together, also those of names that nobody has.
      for (let count = 0; count < 21; count += 1) await attempt(`ghost ${count}`);
      const before = site.audited.length;
      expect((await attempt("one more ghost")).status).to.equal(429);
      expect(site.audited).to.have.length(before);
    });

    it("is never by a cookie that somebody else has planted (session fixation)", async () => {
      await site.administrator();
      const mallory = await site.person("mallory", LIVE);
      for (const planted of [mallory.cookie, `__Host-viaduct=${"a".repeat(45)}`]) {
        const victim = site.stranger();
        victim.cookie = planted;
        expect((await victim.logIn("admin", PASSWORD)).status).to.equal(204);
        expect(victim.cookie).not.to.equal(planted);
        const planter = site.stranger();
        planter.cookie = planted;
        expect(await account(planter), planted).not.to.deep.equal(await account(victim));
      }
      expect(await account(mallory)).to.include({ name: "mallory" });
    });

    it("begins a session of its own each time, and the oldest of eleven ends", async () => {
      await site.administrator();
      const clients: WebClient[] = [];
      for (let index = 0; index < 11; index += 1) {
        const client = site.stranger();
        await client.logIn("admin", PASSWORD);
        clients.push(client);
      }
      expect(new Set(clients.map(({ cookie }) => cookie)).size).to.equal(11);
      const [oldest, second] = clients as [WebClient, WebClient];
      expect(await account(oldest)).to.equal(null);
      expect(await account(second)).not.to.equal(null);
    });
  });

  describe("end", () => {
    it("with log-out, for everyone who knows the cookie", async () => {
      const client = await site.administrator();
      const copy = site.stranger();
      copy.cookie = client.cookie;
      const { status, cookies } = await client.send("DELETE", "/api/session");
      expect(status).to.equal(204);
      expect(cookies[0]).to.match(/^__Host-viaduct=; .*expires=Thu, 01 Jan 1970/i);
      expect(await account(copy)).to.equal(null);
      expect((await copy.send("DELETE", "/api/session")).status).to.equal(401);
    });

    it("after half an hour without a request, and after twelve hours in any case", async () => {
      const client = await site.administrator();
      await site.clock.advance(29 * MINUTE);
      expect(await account(client)).not.to.equal(null);
      await site.clock.advance(31 * MINUTE);
      expect(await account(client)).to.equal(null);

      await client.logIn("admin", PASSWORD);
      for (let minutes = 20; minutes < 12 * 60; minutes += 20) {
        await site.clock.advance(20 * MINUTE);
        expect(await account(client), `${minutes} min`).not.to.equal(null);
      }
      await site.clock.advance(20 * MINUTE);
      expect(await account(client)).to.equal(null);
    });

    const ends: readonly (readonly [why: string, (id: string) => Promise<unknown>])[] = [
      ["disabled", (id) => site.accounts.change(id, { enabled: false })],
      ["removed", (id) => site.accounts.remove(id)],
      ["given another password", (id) => site.accounts.setPassword(id, new Secret("another horse battery"))],
    ];
    for (const [why, end] of ends)
      it(`when the account is ${why}`, async () => {
        const client = await site.person("guard", LIVE);
        expect(await account(client)).to.deep.equal({
          name: "guard",
          rights: ["live"],
          mailCodes: true,
          smsCodes: true,
        });
        await end(site.accounts.list().find(({ name }) => name === "guard")?.id ?? "");
        expect(await account(client)).to.equal(null);
        expect((await client.send("GET", "/api/cameras")).status).to.equal(401);
      });
  });
});
