import { expect } from "chai";
import { readGrants } from "../../auth/grants.ts";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("the list of accounts", () => {
  let site: WebSite;
  let admin: WebClient;

  before(async () => {
    site = await startWebSite();
    admin = await site.administrator();
  });
  after(() => site.close());

  it("is added people, who log in with their password and have the rights of their roles", async () => {
    const grants = readGrants([{ right: "adopt-camera", cameras: "any", interfaces: "any" }]);
    await site.accounts.setPart("role", "installers", { name: "Installers", grants });
    const add = (body: object) => admin.send("POST", "/api/accounts/people", { body });
    const carl = { name: "carl", password: "correct horse battery", roles: ["installers"], temporary: false };
    expect((await add(carl)).status).to.equal(201);
    const client = site.stranger();
    expect((await client.logIn("carl", carl.password)).status).to.equal(204);
    expect((await client.send("GET", "/api/discovery")).status).to.equal(200);
    for (const [what, body, status] of [
      ["the same name again", carl, 400],
      ["a weak password", { ...carl, name: "dan", password: "short" }, 400],
      ["no such role", { ...carl, name: "dan", roles: ["none"] }, 404],
      ["grants", { ...carl, name: "dan", grants: [] }, 400],
    ] as const)
      expect((await add(body)).status, what).to.equal(status);
    expect(site.accounts.list().map(({ name }) => name)).to.deep.equal(["admin", "carl"]);
    const made = site.audited.filter(({ action }) => action === "make-account");
    expect(made.map(({ who, subject, after }) => [who, subject, after])).to.deep.equal([
      ["admin", "carl", '{"enabled":true,"roles":["installers"],"grants":[]}'],
    ]);
  });

  it("shows what roles, groups, denials and hours make of an account, and keeps them when what it watches is chosen", async () => {
    site.camera("gate");
    site.camera("yard");
    const grants = readGrants([
      { right: "live", cameras: ["gate"], interfaces: "any" },
      { right: "talk", cameras: "any", interfaces: "any", deny: true },
      { right: "ptz", cameras: ["gate"], interfaces: "any" },
      { right: "playback", cameras: "any", interfaces: "any", except: ["yard"], until: "2999-01-01T00:00:00.000Z" },
    ]);
    const { account } = await site.accounts.createIntegration({ name: "psim", grants });
    await site.accounts.setPart("group", "outside", { name: "Outside", cameras: ["yard", "gone"] });
    const ofRole = readGrants([
      { right: "talk", cameras: "any", interfaces: "any" },
      { right: "live", cameras: [], groups: ["outside"], interfaces: ["rtsp"] },
      { right: "audio", cameras: "any", interfaces: "any" },
      { right: "read-status", cameras: "any", interfaces: "any" },
    ]);
    await site.accounts.setPart("role", "wardens", { name: "Wardens", grants: ofRole });
    await site.accounts.change(account.id, { roles: ["wardens"] });
    const listed = async (): Promise<object | undefined> =>
      ((await admin.send("GET", "/api/accounts")).json as { accounts: { id: string }[] }).accounts.find(
        ({ id }) => id === account.id,
      );
    const none = { live: [], playback: [], audio: [], metadata: [], talk: [] };
    const shown = { roles: ["wardens"], others: ["ptz", "read-status"], narrowed: true };
    const effective = { ...none, playback: ["gate"], audio: "any" };
    expect(await listed()).to.deep.include({
      ...shown,
      watching: { ...none, live: ["gate"] },
      effective: { ...effective, live: ["gate", "yard"] },
    });
    const body = { watching: { metadata: ["yard"] } };
    expect((await admin.send("PATCH", `/api/accounts/${account.id}`, { body })).status).to.equal(204);
    expect(await listed()).to.deep.include({
      ...shown,
      watching: { ...none, metadata: ["yard"] },
      effective: { ...effective, live: ["yard"], metadata: ["yard"] },
    });
    expect(site.accounts.list().find(({ id }) => id === account.id)?.grants).to.deep.equal([
      ...grants.slice(1),
      { right: "metadata", cameras: new Set(["yard"]), interfaces: "any" },
    ]);
    await site.accounts.remove(account.id);
  });

  it("shows an administrator with everything, on cameras that come later too", async () => {
    const { accounts } = (await admin.send("GET", "/api/accounts")).json as { accounts: Record<string, unknown>[] };
    const all = { live: "any", playback: "any", audio: "any", metadata: "any", talk: "any" };
    expect(accounts[0]).to.deep.include({ roles: ["administrator"], effective: all, narrowed: false });
    expect(accounts[0]?.["others"]).to.include.members(["ptz", "manage-accounts", "read-audit"]);
  });
});
