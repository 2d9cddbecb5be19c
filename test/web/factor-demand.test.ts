import { expect } from "chai";
import { readPart } from "../../auth/policy.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { codeFor } from "../support/authenticator.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

describe("a second factor that a role demands, at the API", () => {
  let site: WebSite;
  let ada: WebClient;
  let secret = "";

  before(async () => {
    site = await startWebSite();
    ada = await site.person("ada", []);
  });
  after(() => site.close());

  const demand = (secondFactor: object = { secondFactor: true }): Promise<void> =>
    site.accounts.setPart(
      "role",
      "guards",
      readPart("role", "guards", { name: "Guards", grants: [], ...secondFactor }),
    );
  const idOfAda = (): string => site.accounts.list().find(({ name }) => name === "ada")?.id ?? "";
  const logIn = (client: WebClient, more: object = {}): Promise<WebAnswer> =>
    client.send("POST", "/api/session", { body: { name: "ada", password: PASSWORD, ...more } });
  const nameOf = async (client: WebClient): Promise<unknown> =>
    ((await client.send("GET", "/api/session")).json as { account: { name: string } | null }).account?.name;

  it("ends the session of who has none, and their tokens", async () => {
    const made = await ada.send("POST", "/api/session/tokens", { body: { name: "script", password: PASSWORD } });
    const { token } = made.json as { token: string };
    await demand({});
    await site.accounts.change(idOfAda(), { roles: ["guards"] });
    expect(await nameOf(ada)).to.equal("ada");
    await demand();
    expect(await nameOf(ada)).to.equal(undefined);
    const headers = { authorization: `Bearer ${token}` };
    expect((await site.stranger().send("GET", "/api/cameras", { headers })).status).to.equal(401);
  });

  it("is set up in the log-in, behind the right password, before anything else", async () => {
    expect((await logIn(ada, { password: "wrong horse battery" })).json).to.deep.equal({
      error: "wrong name or password",
    });
    expect((await logIn(ada, { code: "000000" })).status, "there is no secret yet").to.equal(409);
    const { status, json, cookies } = await logIn(ada);
    const begun = json as { needs: string; secret: string; uri: string };
    expect([status, begun.needs, cookies]).to.deep.equal([202, "factor", []]);
    expect(begun.uri).to.contain(begun.secret);
    ({ secret } = begun);
    const wrong = await logIn(ada, { code: "000000" });
    expect([wrong.status, wrong.cookies]).to.deep.equal([400, []]);
    expect(await nameOf(ada)).to.equal(undefined);
    const done = await logIn(ada, { code: codeFor(secret, site.clock.now()) });
    expect([done.status, (done.json as { recoveryCodes: string[] }).recoveryCodes.length]).to.deep.equal([200, 10]);
    expect(await nameOf(ada)).to.equal("ada");
    expect(site.audited.map(({ action, outcome, why }) => [action, outcome, why])).to.deep.include.members([
      ["log-in", "failed", "first step right, factor missing"],
      ["set-second-factor", "allowed", undefined],
      ["log-in", "allowed", undefined],
    ]);
    expect(JSON.stringify(site.audited)).not.to.contain(secret);
  });

  it("is asked for from then on as every other", async () => {
    expect((await logIn(site.stranger())).json).to.deep.equal({ needs: "code" });
    await site.clock.advance(30 * SECOND);
    expect((await logIn(site.stranger(), { code: codeFor(secret, site.clock.now()) })).status).to.equal(204);
  });

  it("takes too long to set up after ten minutes, and begins with another secret", async () => {
    await site.options.factors.remove(idOfAda());
    const first = (await logIn(ada)).json as { secret: string };
    await site.clock.advance(11 * MINUTE);
    expect((await logIn(ada, { code: codeFor(first.secret, site.clock.now()) })).status).to.equal(409);
    const second = (await logIn(ada)).json as { secret: string };
    expect(second.secret).not.to.equal(first.secret);
    expect((await logIn(ada, { code: codeFor(second.secret, site.clock.now()) })).status).to.equal(200);
    ({ secret } = second);
  });

  it("ends the session of who removes it, who has to set up another", async () => {
    await site.clock.advance(30 * SECOND);
    const code = codeFor(secret, site.clock.now());
    expect((await ada.send("DELETE", "/api/session/factor", { body: { code } })).status).to.equal(204);
    expect(await nameOf(ada)).to.equal(undefined);
    expect((await logIn(ada)).json).to.include({ needs: "factor" });
  });

  it("is told of in the list of accounts, and as a reason why not", async () => {
    const admin = await site.administrator();
    const { accounts } = (await admin.send("GET", "/api/accounts")).json as {
      accounts: { name: string; secondFactor: unknown }[];
    };
    expect(accounts.map(({ name, secondFactor }) => [name, secondFactor])).to.deep.equal([
      ["ada", "missing"],
      ["admin", null],
    ]);
    const path = `/api/accounts/${idOfAda()}/why?right=read-audit&interface=web`;
    expect((await admin.send("GET", path)).json).to.include({
      allowed: false,
      why: "a second factor has to be set up first",
    });
  });
});
