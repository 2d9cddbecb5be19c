import { expect } from "chai";
import { readPart } from "../../auth/policy.ts";
import { codeFor } from "../support/authenticator.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const GIVEN = "words on a slip of paper";
const CHOSEN = "four other random words";

describe("a temporary password at the pages", () => {
  let site: WebSite;
  let admin: WebClient;
  let ada: WebClient;
  let id: string;

  const start = async (...[recordings, approval]: Parameters<typeof startWebSite>): Promise<void> => {
    site = await startWebSite(recordings, approval);
    admin = await site.administrator();
    await site.accounts.setPart("role", "guards", readPart("role", "guards", { name: "Guards", grants: [] }));
    const person = { name: "ada", password: GIVEN, roles: ["guards"] };
    id = ((await admin.send("POST", "/api/accounts/people", { body: person })).json as { id: string }).id;
    ada = site.stranger();
  };
  afterEach(() => site.close());

  const logIn = (more: object = {}, client = ada): Promise<WebAnswer> =>
    client.send("POST", "/api/session", { body: { name: "ada", password: GIVEN, ...more } });
  const isIn = async (client = ada): Promise<boolean> =>
    ((await client.send("GET", "/api/session")).json as { account: unknown }).account !== null;
  const seen = ({ status, json }: WebAnswer): unknown => [status, json];
  const setFactor = async (password: string): Promise<string> => {
    const { secret } = (await ada.send("POST", "/api/session/factor", { body: { password } })).json as {
      secret: string;
    };
    await ada.send("PUT", "/api/session/factor", { body: { code: codeFor(secret, site.clock.now()) } });
    await site.clock.advance(60_000);
    return secret;
  };

  it("is what an administrator gives, and opens nothing before another is chosen", async () => {
    await start();
    expect(seen(await logIn())).to.deep.equal([202, { needs: "password" }]);
    expect([ada.cookie, await isIn()]).to.deep.equal(["", false]);
    for (const [next, error] of [
      ["short", "a password needs 12 characters or more"],
      [GIVEN, "that is the password that you were given: choose another one"],
    ] as const)
      expect(seen(await logIn({ next })), next).to.deep.equal([400, { error }]);
    expect([(await logIn({ next: CHOSEN })).status, await isIn()]).to.deep.equal([204, true]);
    expect((await logIn({}, site.stranger())).status).to.equal(401);
    expect((await logIn({ password: CHOSEN }, site.stranger())).status).to.equal(204);
  });

  it("is in the audit log where it is given and where it is replaced, and no password is", async () => {
    await start();
    await logIn({ next: CHOSEN });
    await admin.send("PUT", `/api/accounts/${id}/password`, { body: { password: GIVEN } });
    const told = site.audited.filter(({ action }) => /password|make-account|^log-in/.test(action));
    expect(
      told.map(({ who, action, subject, outcome, why, after }) => [who, action, subject, outcome, why, after]),
    ).to.deep.equal([
      [
        "admin",
        "make-account",
        "ada",
        "allowed",
        undefined,
        '{"enabled":true,"roles":["guards"],"grants":[],"temporaryPassword":true}',
      ],
      ["ada", "change-password", "ada", "allowed", "it was temporary", undefined],
      ["ada", "log-in", undefined, "allowed", undefined, undefined],
      ["admin", "set-password", "ada", "allowed", undefined, '{"temporaryPassword":true}'],
    ]);
    expect(JSON.stringify(site.audited)).not.to.match(/slip of paper|random words/);
  });

  it("ends the sessions where somebody is given one, and is shown with the account", async () => {
    await start();
    await logIn({ next: CHOSEN });
    const given = { body: { password: GIVEN } };
    expect((await admin.send("PUT", `/api/accounts/${id}/password`, given)).status).to.equal(204);
    expect(await isIn()).to.equal(false);
    const listed = async (): Promise<unknown> => {
      const { accounts } = (await admin.send("GET", "/api/accounts")).json as {
        accounts: { name: string; temporaryPassword: boolean }[];
      };
      return accounts.map(({ name, temporaryPassword }) => [name, temporaryPassword]);
    };
    expect(await listed()).to.deep.equal([
      ["ada", true],
      ["admin", false],
    ]);
    // Where the administrator says so, as for an envelope in a safe.
    await admin.send("PUT", `/api/accounts/${id}/password`, { body: { password: GIVEN, temporary: false } });
    expect([(await logIn()).status, await listed()]).to.deep.equal([
      204,
      [
        ["ada", false],
        ["admin", false],
      ],
    ]);
  });

  it("is replaced behind the second factor alone, whose code a bad choice does not use up", async () => {
    await start();
    await logIn({ next: CHOSEN });
    const secret = await setFactor(CHOSEN);
    await admin.send("PUT", `/api/accounts/${id}/password`, { body: { password: GIVEN } });
    const code = codeFor(secret, site.clock.now());
    const other = "one more row of words";
    expect(seen(await logIn())).to.deep.equal([202, { needs: "code", newPassword: true }]);
    expect(seen(await logIn({ next: other }))).to.deep.equal([202, { needs: "code", newPassword: true }]);
    expect((await logIn({ next: other, code: "000000" })).status).to.equal(401);
    expect(seen(await logIn({ code }))).to.deep.equal([202, { needs: "password" }]);
    expect((await logIn({ next: "short", code })).status).to.equal(400);
    expect([(await logIn({ next: other, code })).status, await isIn()]).to.deep.equal([204, true]);
  });

  it("is replaced together with setting up a second factor that is demanded", async () => {
    await start();
    const role = readPart("role", "guards", { name: "Guards", secondFactor: true, grants: [] });
    await site.accounts.setPart("role", "guards", role);
    const { status, json } = await logIn();
    const { needs, newPassword, secret } = json as { needs: string; newPassword: boolean; secret: string };
    expect([status, needs, newPassword]).to.deep.equal([202, "factor", true]);
    const code = codeFor(secret, site.clock.now());
    expect(seen(await logIn({ code }))).to.deep.equal([202, { needs: "password" }]);
    const done = await logIn({ code, next: CHOSEN });
    expect((done.json as { recoveryCodes: string[] }).recoveryCodes).to.have.length(10);
    expect([done.status, await isIn()]).to.deep.equal([200, true]);
    await site.clock.advance(60_000);
    const again = await logIn({ password: CHOSEN, code: codeFor(secret, site.clock.now()) }, site.stranger());
    expect(again.status).to.equal(204);
  });

  it("is replaced before a second person is asked for the log-in", async () => {
    await start(undefined, { logInOf: ["guards"] });
    expect(seen(await logIn())).to.deep.equal([202, { needs: "password" }]);
    const waiting = await logIn({ next: CHOSEN });
    expect([waiting.status, (waiting.json as { needs: string }).needs, await isIn()]).to.deep.equal([
      202,
      "approval",
      false,
    ]);
    expect((await logIn({}, site.stranger())).status).to.equal(401);
  });

  it("is told from a wrong one by nobody who does not know it", async () => {
    await start();
    expect(seen(await logIn({ password: PASSWORD, next: CHOSEN }))).to.deep.equal([
      401,
      { error: "wrong name or password" },
    ]);
    expect((await logIn()).status).to.equal(202);
  });
});
