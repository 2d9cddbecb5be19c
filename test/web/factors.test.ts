import { expect } from "chai";
import { Secret } from "../../base/secret.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { codeFor } from "../support/authenticator.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

describe("second factors, at the API", () => {
  let site: WebSite;
  let ada: WebClient;
  let secret = "";
  let recovery: readonly string[] = [];

  before(async () => {
    site = await startWebSite();
    ada = await site.person("ada", []);
  });
  after(() => site.close());

  const code = (): string => codeFor(secret, site.clock.now());
  /** A code is good once; the next one comes half a minute later. */
  const nextCode = async (): Promise<string> => {
    await site.clock.advance(30 * SECOND);
    return code();
  };
  const logIn = async (more: object = {}, password = PASSWORD): Promise<WebAnswer> =>
    site.stranger().send("POST", "/api/session", { body: { name: "ada", password, ...more } });

  const accountOf = async (client: WebClient): Promise<unknown> =>
    ((await client.send("GET", "/api/session")).json as { account: unknown }).account;

  it("need the password once more, and count once the first code was right, which ends all that was begun without", async () => {
    expect(
      (await ada.send("POST", "/api/session/factor", { body: { password: "wrong horse battery" } })).status,
    ).to.equal(401);
    expect(site.audited.at(-1)).to.include({ who: "ada", action: "set-second-factor", outcome: "failed" });
    const { json } = await ada.send("POST", "/api/session/factor", { body: { password: PASSWORD } });
    const begun = json as { secret: string; uri: string };
    secret = begun.secret;
    expect(begun.uri).to.contain(secret);
    const other = site.stranger();
    await other.logIn("ada", PASSWORD);
    const running = site.accounts.principalOf(site.accounts.list().find(({ name }) => name === "ada")?.id ?? "");
    expect((await ada.send("PUT", "/api/session/factor", { body: { code: "000000" } })).status).to.equal(400);
    expect(await accountOf(other)).to.include({ name: "ada" });
    const confirmed = await ada.send("PUT", "/api/session/factor", { body: { code: code() } });
    recovery = (confirmed.json as { recoveryCodes: readonly string[] }).recoveryCodes;
    expect(new Set(recovery).size).to.equal(10);
    expect(recovery[0]).to.match(/^(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
    expect(await accountOf(ada)).to.include({ recoveryCodesLeft: 10 });
    // Whoever came with the password alone.
    expect([await accountOf(other), running?.revoked.aborted]).to.deep.equal([null, true]);
  });

  it("are asked for behind the right password alone, so that a wrong one tells nothing", async () => {
    const asked = await logIn();
    expect([asked.status, asked.json, asked.cookies]).to.deep.equal([202, { needs: "code" }, []]);
    const wrongPassword = await logIn({}, "wrong horse battery");
    const wrongBoth = await logIn({ code: "000000" }, "wrong horse battery");
    const wrongCode = await logIn({ code: "000000" });
    for (const answer of [wrongBoth, wrongCode])
      expect([answer.status, answer.json]).to.deep.equal([wrongPassword.status, wrongPassword.json]);
    expect((await logIn({ code: await nextCode() })).status).to.equal(204);
  });

  it("are good once", async () => {
    const once = await nextCode();
    expect((await logIn({ code: once })).status).to.equal(204);
    expect((await logIn({ code: once })).status).to.equal(401);
    const [first = ""] = recovery;
    expect((await logIn({ code: first.toLowerCase().replaceAll("-", " ") })).status).to.equal(204);
    expect((await logIn({ code: first })).status).to.equal(401);
    expect(site.audited.some(({ action, subject }) => action === "use-recovery-code" && subject === "ada")).to.equal(
      true,
    );
  });

  it("open nothing where the password was changed while the code was looked at", async () => {
    const { factors } = site.options;
    const check = factors.check.bind(factors);
    factors.check = async (id, ...of) => {
      factors.check = check;
      const found = await check(id, ...of);
      await site.accounts.setPassword(id, new Secret("another long password"));
      return found;
    };
    const answer = await logIn({ code: await nextCode() });
    expect([answer.status, answer.cookies]).to.deep.equal([401, []]);
    const { action, outcome } = site.audited.at(-1) ?? {};
    expect([action, outcome]).to.deep.equal(["log-in", "failed"]);
    await site.accounts.setPassword(site.accounts.named("ada")?.id ?? "", new Secret(PASSWORD));
  });

  it("cannot be guessed: after some wrong codes right ones have to wait, too", async () => {
    await site.clock.advance(10 * MINUTE);
    const statuses: number[] = [];
    // From an address that nothing is held against: the password is right each time.
    for (let n = 0; n < 8; n += 1) statuses.push((await logIn({ code: `00000${n}` })).status);
    expect(statuses.slice(0, 5)).to.deep.equal([401, 401, 401, 401, 401]);
    expect(statuses.at(-1)).to.equal(429);
    expect((await logIn({ code: await nextCode() })).status).to.be.oneOf([204, 429]);
    await site.clock.advance(10 * MINUTE);
    expect((await logIn({ code: code() })).status).to.equal(204);
  });

  it("keep the password alone from opening other doors", async () => {
    const error = await site.accounts
      .checkPassword("ada", new Secret(PASSWORD), "192.0.2.7")
      .catch((thrown: Error) => thrown);
    expect((error as Error).message).to.contain("second factor");
  });

  it("are removed with a code, or by who manages accounts", async () => {
    await site.clock.advance(10 * MINUTE);
    const body = { name: "ada", password: PASSWORD, code: await nextCode() };
    expect((await ada.send("POST", "/api/session", { body })).status).to.equal(204);
    expect((await ada.send("DELETE", "/api/session/factor", { body: { code: "000000" } })).status).to.equal(401);
    expect(site.audited.at(-1)).to.include({ who: "ada", action: "remove-second-factor", outcome: "failed" });
    const id = site.accounts.list().find(({ name }) => name === "ada")?.id;
    const administrator = await site.administrator();
    expect((await administrator.send("DELETE", `/api/accounts/${id}/factor`)).status).to.equal(204);
    expect((await administrator.send("DELETE", `/api/accounts/${id}/factor`)).status).to.equal(404);
    expect((await logIn()).status).to.equal(204);
    expect(site.audited.filter(({ action }) => action === "remove-second-factor").at(-1)).to.include({
      who: "admin",
      action: "remove-second-factor",
      subject: "ada",
    });
  });

  it("are not removed without a code by their owner, who may manage accounts", async () => {
    const manage = { right: "manage-accounts", cameras: "any", interfaces: "any" } as const;
    const boss = await site.person("boss", [manage]);
    const id = site.accounts.list().find(({ name }) => name === "boss")?.id ?? "";
    const begun = await boss.send("POST", "/api/session/factor", { body: { password: PASSWORD } });
    const first = codeFor((begun.json as { secret: string }).secret, site.clock.now());
    expect((await boss.send("PUT", "/api/session/factor", { body: { code: first } })).status).to.equal(200);
    expect((await boss.send("DELETE", `/api/accounts/${id}/factor`)).status).to.equal(400);
    expect(await accountOf(boss)).to.include({ recoveryCodesLeft: 10 });
  });
});
