import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { readPart } from "../../auth/policy.ts";
import { Fault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { KerberosProof } from "../../bridge/directory/kerberos.ts";
import { endPointBinding } from "../../net/end-point-binding.ts";
import { codeFor } from "../support/authenticator.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const DOOR = "/api/session/kerberos";
const TICKET = Buffer.from("a ticket").toString("base64");

describe("log-in by Kerberos, at the API", () => {
  let site: WebSite;
  let shown: { readonly token: Buffer; readonly bindings: Buffer }[];
  let proof: () => Promise<KerberosProof>;

  beforeEach(async () => {
    shown = [];
    const good = { principal: "alice@X", directory: "site", id: "id-1", answer: Buffer.from("hello") };
    proof = async () => good;
    const prove = (token: Buffer, bindings: Buffer): Promise<KerberosProof> => {
      shown.push({ token, bindings });
      return proof();
    };
    site = await startWebSite(undefined, {}, { prove });
    await site.administrator();
    await site.accounts.followDirectory([{ make: "alice", link: { directory: "site", id: "id-1", roles: [] } }]);
  });
  afterEach(() => site.close());

  const show = (client: WebClient, body: object = {}, authorization = `Negotiate ${TICKET}`): Promise<WebAnswer> =>
    client.send("POST", DOOR, { body, headers: { authorization } });
  const nameOf = async (client: WebClient): Promise<unknown> =>
    ((await client.send("GET", "/api/session")).json as { account: { name: string } | null }).account?.name;
  const link = (more: object) => {
    const account = site.accounts.list().find(({ name }) => name === "alice")?.id ?? "";
    return site.accounts.followDirectory([{ account, link: { directory: "site", id: "id-1", roles: [], ...more } }]);
  };

  it("asks for a ticket, and is not in the audit log until there is one", async () => {
    const before = site.audited.length;
    const { status, headers, json } = await site.stranger().send("POST", DOOR, { body: {} });
    expect({ status, asks: headers["www-authenticate"] }).to.deep.equal({ status: 401, asks: "Negotiate" });
    expect((json as { error: string }).error).to.include("Log in with name and password");
    expect([site.audited.length, shown]).to.deep.equal([before, []]);
  });

  it("begins a session of the account, answers the client, and says in the audit log how", async () => {
    const client = site.stranger();
    const { status, headers } = await show(client);
    expect({ status, answer: headers["www-authenticate"] }).to.deep.equal({
      status: 204,
      answer: `Negotiate ${Buffer.from("hello").toString("base64")}`,
    });
    expect(await nameOf(client)).to.equal("alice");
    expect(site.audited.at(-1)).to.deep.include({ action: "log-in", who: "alice", why: "Kerberos: alice@X" });
    expect(shown.map(({ token }) => token.toString())).to.deep.equal(["a ticket"]);
  });

  it("hands on what the client may have bound its log-in to: our certificate", async () => {
    await show(site.stranger());
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: site.port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const certificate = new X509Certificate((socket.getPeerX509Certificate() as X509Certificate).raw);
    socket.destroy();
    expect(shown[0]?.bindings.length).to.equal("tls-server-end-point:".length + 32);
    expect(shown[0]?.bindings).to.deep.equal(endPointBinding(certificate));
  });

  it("asks for the second factor as after a password, each time behind a ticket", async () => {
    const guards = readPart("role", "guards", { name: "Guards", grants: [], secondFactor: true });
    await site.accounts.setPart("role", "guards", guards);
    await link({ roles: ["guards"] });
    const client = site.stranger();
    const begun = await show(client);
    const { needs, secret } = begun.json as { needs: string; secret: string };
    expect([begun.status, needs, begun.cookies]).to.deep.equal([202, "factor", []]);
    expect((await show(client, { code: codeFor(secret, site.clock.now()) })).status).to.equal(200);
    const again = site.stranger();
    expect((await show(again)).json).to.deep.equal({ needs: "code" });
    expect(await nameOf(again)).to.equal(undefined);
    await site.clock.advance(30 * SECOND);
    expect((await show(again, { code: "000000" })).status).to.equal(401);
    expect((await show(again, { code: codeFor(secret, site.clock.now()) })).status).to.equal(204);
    expect(await nameOf(again)).to.equal("alice");
    expect(shown).to.have.length(5);
  });

  it("lets nobody in whose account is out, and says what to do", async () => {
    await link({ out: "disabled" });
    const { status, json, cookies } = await show(site.stranger());
    expect([status, cookies]).to.deep.equal([401, []]);
    expect((json as { error: string }).error).to.include("ask the administrator");
    expect(site.audited.at(-1)).to.deep.include({ who: "alice@X", outcome: "failed" });
  });

  it("sends NTLM back to name and password, without asking for more of it", async () => {
    proof = () => Promise.reject(new Fault("denied", "NTLM", { tell: "NTLM is not taken." }));
    const { status, headers, json } = await show(site.stranger());
    expect({ status, asks: headers["www-authenticate"], json }).to.deep.equal({
      status: 403,
      asks: undefined,
      json: { error: "NTLM is not taken." },
    });
  });

  it("is refused to a page of another site", async () => {
    const { status } = await site.stranger().send("POST", DOOR, {
      body: {},
      headers: { authorization: `Negotiate ${TICKET}`, "sec-fetch-site": "cross-site" },
    });
    expect([status, shown]).to.deep.equal([403, []]);
  });

  it("is no other scheme, and nothing besides", async () => {
    for (const authorization of ["Basic YTpi", "Negotiate", "Bearer x", "Negotiate a b"])
      expect((await show(site.stranger(), {}, authorization)).status, authorization).to.equal(401);
    expect((await show(site.stranger(), { name: "alice" })).status).to.equal(400);
    expect(shown).to.deep.equal([]);
  });

  it("is told to the pages where it is on, and is not there where it is off", async () => {
    expect((await site.stranger().send("GET", "/api/session")).json).to.deep.include({ kerberos: true });
    const off = await startWebSite();
    try {
      expect((await off.stranger().send("GET", "/api/session")).json).not.to.have.property("kerberos");
      expect((await off.stranger().send("POST", DOOR, { body: {} })).status).to.equal(404);
    } finally {
      await off.close();
    }
  });
});
