import { expect } from "chai";
import { Secret } from "../../base/secret.ts";
import { HOUR, isoOf, later } from "../../base/units.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const NEXT = "four other random words";

describe("passwords and secrets, at the API", () => {
  let site: WebSite;
  let admin: WebClient;
  let ada: WebClient;

  before(async () => {
    site = await startWebSite();
    admin = await site.person("boss", [{ right: "manage-accounts", cameras: "any", interfaces: "any" }]);
    ada = await site.person("ada", []);
  });
  after(() => site.close());

  const idOf = (name: string): string => site.accounts.list().find((one) => one.name === name)?.id ?? "";
  const logIn = async (name: string, password: string): Promise<number> =>
    (await site.stranger().send("POST", "/api/session", { body: { name, password } })).status;
  const isIn = async (client: WebClient): Promise<boolean> =>
    ((await client.send("GET", "/api/session")).json as { account: unknown }).account !== null;
  const change = (client: WebClient, body: object): Promise<WebAnswer> =>
    client.send("PUT", "/api/session/password", { body });

  it("change one's own behind the present one, which ends all other sessions, and is in the audit log without either", async () => {
    const elsewhere = site.stranger();
    await elsewhere.logIn("ada", PASSWORD);
    expect((await change(ada, { password: PASSWORD, next: NEXT })).status).to.equal(204);
    expect([await isIn(ada), await isIn(elsewhere)]).to.deep.equal([true, false]);
    expect([await logIn("ada", PASSWORD), await logIn("ada", NEXT)]).to.deep.equal([401, 204]);
    const entry = site.audited.find(({ action }) => action === "change-password");
    expect(entry).to.include({ who: "ada", outcome: "allowed" });
    expect(JSON.stringify(site.audited)).not.to.include(NEXT).and.not.to.include(PASSWORD);
  });

  for (const [what, body, status] of [
    ["a wrong present one", { password: "not that one at all", next: "yet other random words" }, 401],
    ["a weak new one", { password: NEXT, next: "short" }, 400],
    ["none", { next: "yet other random words" }, 400],
  ] as const)
    it(`refuse ${what}, and change nothing`, async () => {
      expect((await change(ada, body)).status).to.equal(status);
      expect([await isIn(ada), await logIn("ada", NEXT)]).to.deep.equal([true, 204]);
    });

  it("are nobody's without a log-in", async () => {
    expect((await change(site.stranger(), { password: NEXT, next: PASSWORD })).status).to.equal(401);
  });

  it("change one's own no more once another was given meanwhile, which has to be changed itself", async () => {
    const eve = await site.person("eve", []);
    const { accounts } = site;
    const checked = accounts.logIn.bind(accounts);
    accounts.logIn = async (...given) => {
      const who = await checked(...given);
      await accounts.setPassword(idOf("eve"), new Secret("words on a slip of paper"), { temporary: true });
      return who;
    };
    const { status } = await change(eve, { password: PASSWORD, next: NEXT });
    accounts.logIn = checked;
    expect([status, await isIn(eve), await logIn("eve", NEXT)]).to.deep.equal([401, false, 401]);
    expect(await logIn("eve", "words on a slip of paper")).to.equal(202);
  });

  it("are given anew by who manages accounts, which logs out", async () => {
    const id = idOf("ada");
    expect((await admin.send("PUT", `/api/accounts/${id}/password`, { body: { password: PASSWORD } })).status).to.equal(
      204,
    );
    // Where it is to be changed first, 202 says so.
    expect([await isIn(ada), await logIn("ada", NEXT), await logIn("ada", PASSWORD)]).to.deep.equal([false, 401, 202]);
    expect(site.audited.at(-3)).to.include({ who: "boss", action: "set-password", subject: "ada" });
  });

  it("are not given anew to oneself without the present one, nor to an external system, nor to nobody", async () => {
    const { account } = await site.accounts.createIntegration({ name: "vms", grants: [] });
    for (const [id, status] of [
      [idOf("boss"), 400],
      [account.id, 400],
      ["nobody", 404],
    ] as const)
      expect((await admin.send("PUT", `/api/accounts/${id}/password`, { body: { password: NEXT } })).status).to.equal(
        status,
      );
    expect(await isIn(admin)).to.equal(true);
  });

  it("make another secret for an external system, and none for a person", async () => {
    const id = idOf("vms");
    const before = site.accounts.principalOf(id);
    const { status, json } = await admin.send("POST", `/api/accounts/${id}/secret`);
    expect([status, (json as { secret: string }).secret.length]).to.deep.equal([200, 20]);
    expect(before?.revoked.aborted).to.equal(true);
    expect(site.audited.at(-1)).to.include({ who: "boss", action: "renew-secret", subject: "vms" });
    expect((await admin.send("POST", `/api/accounts/${idOf("ada")}/secret`)).status).to.equal(400);
    expect((await admin.send("POST", "/api/accounts/nobody/secret")).status).to.equal(404);
  });

  it("make another secret beside which the old one holds, show both, and end the old one", async () => {
    const id = idOf("vms");
    const path = `/api/accounts/${id}/secret`;
    const before = site.accounts.principalOf(id);
    const secretsOf = async (): Promise<unknown> => {
      const { json } = await admin.send("GET", "/api/accounts");
      return (json as { accounts: { id: string; secrets: unknown }[] }).accounts.find((one) => one.id === id)?.secrets;
    };
    expect(await secretsOf()).to.deep.equal({ lastUse: null, former: null });
    const until = isoOf(later(site.clock.now(), 24 * HOUR));
    expect((await admin.send("POST", path, { body: { overlapHours: 24 } })).status).to.equal(200);
    expect(site.audited.at(-1)).to.include({
      action: "renew-secret",
      subject: "vms",
      after: JSON.stringify({ formerHoldsUntil: until }),
    });
    expect(before?.renew?.() ?? site.accounts.principalOf(id)).not.to.equal(undefined);
    expect(await secretsOf()).to.deep.equal({ lastUse: null, former: { until, lastUse: null } });
    for (const overlapHours of [-1, 721, "24"])
      expect((await admin.send("POST", path, { body: { overlapHours } })).status).to.equal(400);
    expect((await admin.send("DELETE", `${path}/former`)).status).to.equal(204);
    expect(site.audited.at(-1)).to.include({ who: "boss", action: "end-former-secret", subject: "vms" });
    expect((await admin.send("DELETE", `${path}/former`)).status).to.equal(404);
    expect(await secretsOf()).to.deep.equal({ lastUse: null, former: null });
  });
});
