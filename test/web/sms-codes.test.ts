import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const MASKED = { by: "sms", to: "+45…78" };

describe("codes by SMS, at the API", () => {
  let site: WebSite;
  let ada: WebClient;

  before(async () => {
    site = await startWebSite();
    ada = await site.person("ada", []);
  });
  after(() => site.close());
  afterEach(() => site.clock.advance(20 * MINUTE));

  const begin = (more: object): Promise<WebAnswer> =>
    ada.send("POST", "/api/session/factor", { body: { password: PASSWORD, ...more } });
  const last = (): string => site.mails.at(-1)?.code ?? "";

  it("go to no number that is none, that is not allowed, or besides an e-mail address", async () => {
    const refused = [
      await begin({ sms: "12 34 56 78" }),
      await begin({ sms: "+46 70 123 45 67" }),
      await begin({ sms: "+4512345678", mail: "ada@example.org" }),
      await begin({ sms: "+4512345678", password: "wrong horse battery" }),
    ];
    expect(refused.map(({ status }) => status)).to.deep.equal([400, 400, 400, 401]);
    expect(refused[1]?.json).to.deep.equal({ error: "to +45 alone" });
    expect(site.mails).to.deep.equal([]);
  });

  it("count once the first was right, and are sent at log-ins from then on, to a number that is shown masked alone", async () => {
    expect((await begin({ sms: "+45 12 34 56 78" })).json).to.deep.equal({ sent: MASKED });
    expect(site.mails.at(-1)?.to).to.equal("+4512345678");
    const stranger = site.stranger();
    const logIn = (more: object = {}): Promise<WebAnswer> =>
      stranger.send("POST", "/api/session", { body: { name: "ada", password: PASSWORD, ...more } });
    expect((await logIn()).status).to.equal(204);
    expect((await ada.send("PUT", "/api/session/factor", { body: { code: last() } })).status).to.equal(200);
    await site.clock.advance(MINUTE);
    const asked = await logIn();
    expect([asked.status, asked.json]).to.deep.equal([202, { needs: "code", sent: MASKED }]);
    expect((await logIn({ code: last() })).status).to.equal(204);
    const { account } = (await stranger.send("GET", "/api/session")).json as { account: object };
    expect(account).to.include({ codesBy: "sms", mailCodes: true, smsCodes: true });
    const told = JSON.stringify([site.audited, account, asked.json]);
    for (const secret of ["12345678", ...site.mails.map(({ code }) => code)]) expect(told).not.to.contain(secret);
  });
});
