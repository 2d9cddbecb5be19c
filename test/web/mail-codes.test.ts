import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const MAIL = "ada@example.org";
const MASKED = { by: "mail", to: "a…@example.org" };

describe("codes by e-mail, at the API", () => {
  let site: WebSite;
  let ada: WebClient;
  let recovery: readonly string[] = [];

  before(async () => {
    site = await startWebSite();
    ada = await site.person("ada", []);
  });
  after(() => site.close());
  afterEach(() => site.clock.advance(20 * MINUTE));

  const last = (): string => site.mails.at(-1)?.code ?? "";
  const wrong = (): string => (last() === "000000" ? "000001" : "000000");
  const begin = (mail: string, password = PASSWORD): Promise<WebAnswer> =>
    ada.send("POST", "/api/session/factor", { body: { password, mail } });
  const logIn = (more: object = {}, client = site.stranger()): Promise<WebAnswer> =>
    client.send("POST", "/api/session", { body: { name: "ada", password: PASSWORD, ...more } });
  const accountOf = async (client: WebClient): Promise<object | null> =>
    ((await client.send("GET", "/api/session")).json as { account: object | null }).account;

  it("are set up with the password once more, and count once the first was right", async () => {
    expect((await begin(MAIL, "wrong horse battery")).status).to.equal(401);
    expect((await begin("ada@example.org, bob@example.org")).status).to.equal(400);
    expect(site.mails).to.deep.equal([]);
    expect((await begin(MAIL)).json).to.deep.equal({ sent: MASKED });
    expect(site.mails.map(({ to }) => to)).to.deep.equal([MAIL]);
    expect((await ada.send("PUT", "/api/session/factor", { body: { code: wrong() } })).status).to.equal(400);
    expect(await accountOf(ada)).not.to.have.property("recoveryCodesLeft");
    const confirmed = await ada.send("PUT", "/api/session/factor", { body: { code: last() } });
    recovery = (confirmed.json as { recoveryCodes: string[] }).recoveryCodes;
    expect(await accountOf(ada)).to.include({ recoveryCodesLeft: 10, codesBy: "mail", mailCodes: true });
    const stored = JSON.stringify(site.audited);
    for (const secret of [MAIL, ...site.mails.map(({ code }) => code)]) expect(stored).not.to.contain(secret);
  });

  it("are sent behind the right password alone, and a wrong code tells no more than a wrong password", async () => {
    const before = site.mails.length;
    const wrongPassword = await logIn({ password: "wrong horse battery" });
    expect([wrongPassword.status, site.mails.length]).to.deep.equal([401, before]);
    const asked = await logIn();
    expect([asked.status, asked.json, asked.cookies]).to.deep.equal([202, { needs: "code", sent: MASKED }, []]);
    const wrongCode = await logIn({ code: wrong() });
    expect([wrongCode.status, wrongCode.json]).to.deep.equal([wrongPassword.status, wrongPassword.json]);
    expect((await logIn({ code: `${last().slice(0, 3)} ${last().slice(3)}` })).status).to.equal(204);
    expect((await logIn({ code: last() })).status).to.equal(401);
    expect(site.audited.filter(({ action }) => action === "send-code").at(-1)).to.include({
      who: "ada",
      outcome: "allowed",
    });
  });

  it("are not sent without end: whoever knows the password is told to wait, and recovery codes still open", async () => {
    const before = site.mails.length;
    const answers: WebAnswer[] = [];
    for (let n = 0; n < 4; n += 1) {
      answers.push(await logIn());
      await site.clock.advance(MINUTE);
    }
    expect(site.mails.length - before).to.equal(3);
    expect(answers.at(-1)?.json).to.deep.equal({
      needs: "code",
      trouble: "no more codes are sent for now: try again in 12 minutes, or use a recovery code",
    });
    expect((await logIn({ code: recovery[0] })).status).to.equal(204);
  });

  it("are asked for once more to make a token, and to remove them", async () => {
    const body = { name: "script", password: PASSWORD };
    const client = site.stranger();
    await logIn();
    await logIn({ code: last() }, client);
    await site.clock.advance(MINUTE);
    expect((await client.send("POST", "/api/session/tokens", { body })).status).to.equal(401);
    expect((await client.send("POST", "/api/session/factor/code", { body: {} })).json).to.deep.equal({ sent: MASKED });
    const made = await client.send("POST", "/api/session/tokens", { body: { ...body, code: last() } });
    expect(made.status).to.equal(201);
    await site.clock.advance(MINUTE);
    await client.send("POST", "/api/session/factor/code", { body: {} });
    expect((await client.send("DELETE", "/api/session/factor", { body: { code: last() } })).status).to.equal(204);
    expect((await client.send("POST", "/api/session/factor/code", { body: {} })).status).to.equal(409);
    expect((await logIn()).status).to.equal(204);
  });

  it("that could not be sent say so, and set nothing up", async () => {
    const client = site.stranger();
    await client.logIn("ada", PASSWORD);
    const body = { password: PASSWORD, mail: "broken@example.org" };
    const { status, json } = await client.send("POST", "/api/session/factor", { body });
    expect([status, json]).to.deep.equal([
      503,
      { error: "the code could not be sent: try again in a minute, or use a recovery code" },
    ]);
    expect(site.options.factors.has(site.accounts.list()[0]?.id ?? "")).to.equal(false);
  });
});
