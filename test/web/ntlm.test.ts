import { expect } from "chai";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { Fault } from "../../base/fault.ts";
import type { KerberosProof } from "../../bridge/directory/kerberos.ts";
import type { NtlmSender, NtlmStep } from "../../bridge/directory/ntlm.ts";
import { FIRST_MESSAGE, lastMessage } from "../support/ntlm.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const DOOR = "/api/session/ntlm";
const KERBEROS_DOOR = "/api/session/kerberos";

describe("log-in by NTLM, at the API", () => {
  let site: WebSite;
  let shown: { readonly message: Buffer; readonly sender: NtlmSender }[];
  let next: NtlmStep | Fault;
  let tickets: number;

  beforeEach(async () => {
    shown = [];
    tickets = 0;
    next = { is: "person", name: "SITE\\alice", directory: "site", id: "id-1" };
    const step = async (message: Buffer, sender: NtlmSender): Promise<NtlmStep> => {
      shown.push({ message, sender });
      if (next instanceof Fault) throw next;
      return next;
    };
    const prove = async (): Promise<KerberosProof> => {
      tickets += 1;
      return { principal: "alice@X", directory: "site", id: "id-1", answer: Buffer.from("hello") };
    };
    site = await startWebSite(undefined, {}, { prove }, { step });
    await site.administrator();
    await site.accounts.followDirectory([{ make: "alice", link: { directory: "site", id: "id-1", roles: [] } }]);
  });
  afterEach(() => site.close());

  const send = (
    client: WebClient,
    message: Buffer,
    { scheme = "NTLM", door = DOOR, headers = {}, body = {} }: Readonly<Record<string, unknown>> = {},
  ): Promise<WebAnswer> =>
    client.send("POST", String(door), {
      body,
      headers: { authorization: `${String(scheme)} ${message.toString("base64")}`, ...(headers as object) },
    });

  it("asks for it, and is not in the audit log before anything was said", async () => {
    const before = site.audited.length;
    const { status, headers } = await site.stranger().send("POST", DOOR, { body: {} });
    expect({ status, asks: headers["www-authenticate"] }).to.deep.equal({ status: 401, asks: "NTLM" });
    expect([site.audited.length, shown]).to.deep.equal([before, []]);
  });

  it("hands the challenge on in the scheme of the client, without a session and without the audit log", async () => {
    const before = site.audited.length;
    next = { is: "challenge", message: Buffer.from("riddle") };
    for (const scheme of ["NTLM", "Negotiate"]) {
      const { status, headers, cookies } = await send(site.stranger(), FIRST_MESSAGE, { scheme });
      expect({ status, cookies, asks: headers["www-authenticate"] }).to.deep.equal({
        status: 401,
        cookies: [],
        asks: `${scheme} ${Buffer.from("riddle").toString("base64")}`,
      });
    }
    expect(site.audited).to.have.length(before);
    expect(shown[0]?.sender.bindings.toString("latin1")).to.match(/^tls-server-end-point:/);
  });

  it("begins an ordinary session, and says in the audit log that it was NTLM", async () => {
    const client = site.stranger();
    const { status, cookies } = await send(client, lastMessage());
    expect(status).to.equal(204);
    expect(cookies.join())
      .to.match(/httponly/i)
      .and.to.match(/samesite=strict/i)
      .and.to.match(/secure/i);
    expect((await client.send("GET", "/api/session")).json).to.have.nested.property("account.name", "alice");
    expect(site.audited.at(-1)).to.deep.include({ action: "log-in", who: "alice", why: "NTLM: SITE\\alice" });
  });

  it("enters a refusal under the name that was claimed", async () => {
    next = new UnauthenticatedFault("NTLM: SITE\\alice: NT_STATUS_LOGON_FAILURE", { tell: "Not accepted." });
    const { status, json, headers } = await send(site.stranger(), lastMessage());
    expect({ status, json, asks: headers["www-authenticate"] }).to.deep.equal({
      status: 401,
      json: { error: "Not accepted." },
      asks: undefined,
    });
    expect(site.audited.at(-1)).to.deep.include({
      who: "SITE\\alice",
      outcome: "failed",
      why: "NTLM: SITE\\alice: NT_STATUS_LOGON_FAILURE",
    });
  });

  it("is offered at the door of Kerberos beside it, which goes on taking tickets", async () => {
    const asked = await site.stranger().send("POST", KERBEROS_DOOR, { body: {} });
    expect([asked.status, asked.headers["www-authenticate"]]).to.deep.equal([401, "Negotiate, NTLM"]);
    expect((await send(site.stranger(), lastMessage(), { scheme: "Negotiate", door: KERBEROS_DOOR })).status).to.equal(
      204,
    );
    expect((await send(site.stranger(), lastMessage(), { door: KERBEROS_DOOR })).status).to.equal(204);
    expect([shown.length, tickets]).to.deep.equal([2, 0]);
    expect(
      (await send(site.stranger(), Buffer.from("ticket"), { scheme: "Negotiate", door: KERBEROS_DOOR })).status,
    ).to.equal(204);
    expect([shown.length, tickets]).to.deep.equal([2, 1]);
  });

  for (const header of ["via", "forwarded", "x-forwarded-for", "x-real-ip"])
    it(`is refused through a proxy that says ${header}, before anything is looked at`, async () => {
      const { status, json } = await send(site.stranger(), lastMessage(), { headers: { [header]: "for=10.0.0.1" } });
      expect(status).to.equal(403);
      expect((json as { error: string }).error).to.include("proxy");
      expect(shown).to.deep.equal([]);
    });

  it("is refused to a page of another site", async () => {
    const headers = { "sec-fetch-site": "cross-site" };
    expect((await send(site.stranger(), lastMessage(), { headers })).status).to.equal(403);
    expect((await send(site.stranger(), lastMessage(), { headers: { origin: "https://evil.test" } })).status).to.equal(
      403,
    );
    expect(shown).to.deep.equal([]);
  });

  it("lets nobody in who has no account here, or is out", async () => {
    next = { is: "person", name: "SITE\\carol", directory: "site", id: "id-9" };
    const { status, cookies } = await send(site.stranger(), lastMessage());
    expect([status, cookies]).to.deep.equal([401, []]);
    expect(site.audited.at(-1)).to.deep.include({ who: "SITE\\carol", outcome: "failed" });
  });

  it("is told to the pages where it is on, and is not there where it is off", async () => {
    expect((await site.stranger().send("GET", "/api/session")).json).to.deep.include({ ntlm: true });
    const off = await startWebSite();
    try {
      expect((await off.stranger().send("GET", "/api/session")).json).not.to.have.property("ntlm");
      expect((await send(off.stranger(), FIRST_MESSAGE)).status).to.equal(404);
    } finally {
      await off.close();
    }
  });
});
