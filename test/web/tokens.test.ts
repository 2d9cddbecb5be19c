import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, SECOND } from "../../base/units.ts";
import { selfSigned } from "../../net/tls.ts";
import { track } from "../media/codec-fixture.ts";
import { codeFor } from "../support/authenticator.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const ENDED = 4403;

describe("tokens, at the API", () => {
  let site: WebSite;
  let ada: WebClient;

  const grants: readonly Grant[] = [
    { right: "live", cameras: new Set(["gate"]), interfaces: "any" },
    { right: "manage-accounts", cameras: "any", interfaces: new Set(["web"]) },
    { right: "read-audit", cameras: "any", interfaces: new Set(["api"]) },
  ];
  beforeEach(async () => {
    site = await startWebSite();
    site.camera("gate", [track("JPEG")]).flow();
    site.camera("yard").flow();
    ada = await site.person("ada", grants);
  });
  afterEach(() => site.close());

  const make = (more: object = {}): Promise<WebAnswer> =>
    ada.send("POST", "/api/session/tokens", { body: { name: "script", password: PASSWORD, ...more } });
  const made = async (more: object = {}): Promise<{ id: string; token: string }> =>
    (await make(more)).json as { id: string; token: string };
  /** A program that is no browser. */
  const by = (token: string, more: Readonly<Record<string, string>> = {}) => ({
    headers: { authorization: `Bearer ${token}`, origin: "", "sec-fetch-site": "", ...more },
  });

  it("open what the account may through `api`, and not what it may through `web` alone", async () => {
    const { token } = await made();
    const program = site.stranger();
    const seen = (await program.send("GET", "/api/cameras", by(token))).json as { cameras: { id: string }[] };
    expect(seen.cameras.map(({ id }) => id)).to.deep.equal(["gate"]);
    expect((await program.send("GET", "/api/audit/state", by(token))).status).to.equal(200);
    expect(site.audited.at(-1)).to.include({ who: "ada", action: "read-audit", interface: "api", outcome: "allowed" });
    expect((await program.send("GET", "/api/accounts", by(token))).status).to.equal(403);
    expect((await ada.send("GET", "/api/accounts")).status).to.equal(200);
    expect((await ada.send("GET", "/api/audit/state")).status).to.equal(403);
  });

  it("are made with the password once more, and shown once", async () => {
    expect((await make({ password: "wrong horse battery" })).status).to.equal(401);
    expect(site.audited.at(-1)).to.include({ who: "ada", action: "make-token", outcome: "failed" });
    const { id, token } = await made({ networks: ["127.0.0.1"], expires: null });
    const { json, text } = await ada.send("GET", "/api/session/tokens");
    expect(text).not.to.contain(token.slice(4));
    expect((json as { tokens: object[] }).tokens).to.have.length(1);
    expect((json as { tokens: object[] }).tokens[0]).to.deep.include({ id, expires: null, lastUse: null });
    expect(site.audited.at(-1)).to.include({ action: "make-token", subject: "ada: script", interface: "web" });
    expect(JSON.stringify(site.audited)).not.to.contain(token.slice(4));
  });

  it("want the code of the second factor, too, where there is one", async () => {
    const begun = (await ada.send("POST", "/api/session/factor", { body: { password: PASSWORD } })).json;
    const { secret } = begun as { secret: string };
    await ada.send("PUT", "/api/session/factor", { body: { code: codeFor(secret, site.clock.now()) } });
    expect((await make()).status).to.equal(401);
    await site.clock.advance(30 * SECOND);
    expect((await make({ code: codeFor(secret, site.clock.now()) })).status).to.equal(201);
  });

  it("never fall back to the cookie, and need no same origin, which cookies do", async () => {
    const { token } = await made();
    const [right, wrong] = [by(token), by(`vdt_${"x".repeat(45)}`)];
    const bare = await ada.send("GET", "/api/cameras", wrong);
    expect([bare.status, bare.headers["www-authenticate"]]).to.deep.equal([
      401,
      'Bearer realm="Viaduct", error="invalid_token"',
    ]);
    for (const odd of ["Bearer", "bearer ", `Bearer ${token} ${token}`])
      expect((await ada.send("GET", "/api/cameras", { headers: { authorization: odd } })).status, odd).to.equal(401);
    const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const body = { from: "2025-12-31T23:59:00Z", text: "x" };
    const mark = (headers: Readonly<Record<string, string>>): Promise<WebAnswer> =>
      ada.send("POST", "/api/cameras/gate/bookmarks", { body, headers });
    // It may not set bookmarks: that is what it is told, and not that the page is another site's.
    expect((await mark({ ...right.headers, ...evil })).json).to.deep.equal({ error: "not allowed" });
    expect((await mark(evil)).json).to.deep.equal({ error: "Requests from other sites are refused." });
  });

  it("change nothing of what their account is known by", async () => {
    const { id, token } = await made();
    for (const [method, path, body] of [
      ["GET", "/api/session/tokens", undefined],
      ["POST", "/api/session/tokens", { name: "more", password: PASSWORD }],
      ["DELETE", `/api/session/tokens/${id}`, undefined],
      ["POST", "/api/session/factor", { password: PASSWORD }],
      ["PUT", "/api/session/factor", { code: "000000" }],
      ["DELETE", "/api/session/factor", { code: "000000" }],
      ["DELETE", "/api/session", undefined],
    ] as const)
      expect((await site.stranger().send(method, path, { body, ...by(token) })).status, `${method} ${path}`).to.equal(
        403,
      );
  });

  it("change nothing of what their account is known by where it may manage accounts, either", async () => {
    const manage = { right: "manage-accounts", cameras: "any", interfaces: "any" } as const;
    const { account } = await site.accounts.createIntegration({ name: "robot", grants: [manage] });
    const { json: shown } = await ada.send("POST", `/api/accounts/${account.id}/tokens`, { body: { name: "robot" } });
    for (const [method, path, body] of [
      ["POST", "tokens", { name: "more" }],
      ["POST", "secret", undefined],
      ["PUT", "password", { password: PASSWORD }],
      ["DELETE", "factor", undefined],
    ] as const) {
      const url = `/api/accounts/${account.id}/${path}`;
      const { status, json } = await site
        .stranger()
        .send(method, url, { body, ...by((shown as { token: string }).token) });
      expect([status, JSON.stringify(json)], url).to.deep.equal([
        400,
        '{"error":"This is for accounts of others: what your own is known by, you change in the menu at your name."}',
      ]);
    }
  });

  it("are in the audit log where they fail, unless somebody floods it", async () => {
    for (let n = 0; n < 30; n += 1) await site.stranger().send("GET", "/api/cameras", by(`vdt_${"y".repeat(45)}`));
    const failed = site.audited.filter(({ action, outcome }) => action === "use-token" && outcome === "failed");
    expect(failed).to.have.length.within(5, 10);
    expect(failed[0]).to.include({ interface: "api", address: "127.0.0.1", why: "an unknown token" });
  });

  it("show live pictures, which end when the token is revoked and not with a log-out", async () => {
    const { id, token } = await made();
    const feed = (headers: Readonly<Record<string, string>>) => site.stranger().feed("/api/live/gate", headers);
    const [open, closed] = [await feed(by(token).headers), await feed(by("vdt_no").headers)];
    if (typeof open === "number") throw new Error(`refused with ${open}`);
    expect(closed).to.equal(401);
    const over = { ended: 0 };
    void open.closed.then((code) => Object.assign(over, { ended: code }));
    const other = site.stranger();
    await other.logIn("ada", PASSWORD);
    await ada.send("DELETE", "/api/session");
    expect(over.ended).to.equal(0);
    expect((await other.send("DELETE", `/api/session/tokens/${id}`)).status).to.equal(204);
    expect(await open.closed).to.equal(ENDED);
    expect((await site.stranger().send("GET", "/api/cameras", by(token))).status).to.equal(401);
  });

  it("of external systems are made and revoked by who manages accounts; people make their own", async () => {
    const bob = await site.person("bob", []);
    const { account } = await site.accounts.createIntegration({ name: "status", grants });
    const path = `/api/accounts/${account.id}/tokens`;
    const expires = new Date(site.clock.now() + HOUR).toISOString();
    const answer = await ada.send("POST", path, { body: { name: "page", expires } });
    expect(answer.status).to.equal(201);
    const { id, token } = answer.json as { id: string; token: string };
    expect((await site.stranger().send("GET", "/api/cameras", by(token))).status).to.equal(200);
    const bobs = site.accounts.list().find(({ name }) => name === "bob")?.id;
    expect((await ada.send("POST", `/api/accounts/${bobs}/tokens`, { body: { name: "page" } })).status).to.equal(400);
    expect((await bob.send("DELETE", `/api/session/tokens/${id}`)).status).to.equal(404);
    expect(((await ada.send("GET", path)).json as { tokens: object[] }).tokens).to.have.length(1);
    expect((await ada.send("DELETE", `${path}/${id}`)).status).to.equal(204);
    expect((await site.stranger().send("GET", "/api/cameras", by(token))).status).to.equal(401);
    expect(
      site.audited.some(({ action, subject }) => action === "revoke-token" && subject === "status: page"),
    ).to.equal(true);
  });

  it("may be certificates of clients, which are listed by their fingerprint and have no secret", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const certificate = await selfSigned(
      privateKey.export({ type: "pkcs8", format: "der" }),
      "CN=vms",
      site.clock.now(),
    );
    const answer = (await make({ certificate })).json as { certificate: string; token?: string };
    expect(answer.certificate).to.match(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(answer).not.to.have.property("token");
    const { tokens } = (await ada.send("GET", "/api/session/tokens")).json as { tokens: readonly object[] };
    expect(tokens[0]).to.include({ name: "script", certificate: answer.certificate });
    expect(site.audited.at(-1)).to.include({ action: "make-token", who: "ada" });
    expect(site.audited.at(-1)?.after).to.contain(answer.certificate);
    const again = await make({ certificate, name: "again" });
    expect(again.status).to.equal(400);
    expect(again.text).to.match(/is a token already/);
    expect((await make({ certificate: "x", name: "other" })).text).to.match(/not exactly one in PEM/);
    expect((await make({ certificate, password: "wrong horse battery" })).status).to.equal(401);
  });
});
