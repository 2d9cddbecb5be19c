import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { Throttle } from "../../auth/throttle.ts";
import { systemClock } from "../../base/clock.ts";
import { KerberosLogIns } from "../../bridge/directory/kerberos.ts";
import { endPointBinding } from "../../net/end-point-binding.ts";
import type { Gssapi } from "../../net/gssapi.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { openWindow } from "../support/browser-window.ts";
import { gssapi } from "../support/gssapi.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { type SambaDomain, startSamba } from "../support/samba.ts";
import { WebClient } from "../support/web-client.ts";

const PASSWORD = "Us3r-Passw0rd";
const HOST = "bridge.site.test";
const CLIENT = join(import.meta.dirname, "../support/kerberos-client.py");

/** What curl had in the end: the status of the last answer, and its body. */
interface Answer {
  readonly status: string;
  readonly body: string;
}

describe("log-in by Kerberos, of people of a Samba domain", function () {
  this.timeout(600_000);
  let domain: SambaDomain;
  let t: TestBridge;
  let library: Gssapi;
  let curl: Peer;
  let kinit: Peer;
  let python: Peer;
  let folder: string;

  before(async function () {
    library = gssapi(this);
    curl = peer(this, "curl");
    kinit = peer(this, "kinit");
    python = pythonPeer(this, "gssapi");
    domain = await startSamba(this);
    folder = dirname(domain.krb5Conf);
    await domain.edit(
      ["group", "G-Viewers"],
      ...["alice", "bob", "carol", "mallory", "outsider", "svc-http", "svc-other"].map(
        (name) => ["user", name] as const,
      ),
      ...["alice", "bob", "carol", "mallory"].map((name) => ["add", "G-Viewers", name] as const),
      ["set", "svc-http", "servicePrincipalName", `HTTP/${HOST}`],
      ["set", "svc-http", "msDS-SupportedEncryptionTypes", "24"],
      ["set", "svc-other", "servicePrincipalName", "HTTP/other.site.test"],
      ["set", "svc-other", "msDS-SupportedEncryptionTypes", "24"],
    );
    const { keytab } = settings();
    await domain.keytab(`HTTP/${HOST}`, keytab);
    // A key that is there, and of another service.
    await domain.keytab("HTTP/other.site.test", keytab);
    const ca = join(folder, "bridge-ca.pem");
    const passwordFile = join(folder, "bridge-password");
    await writeFile(ca, domain.caText);
    await writeFile(passwordFile, `${domain.password}\n`, { mode: 0o600 });
    t = await startTestBridge({
      directory: [
        {
          name: "site",
          servers: [domain.host],
          nameServers: [domain.address],
          ca,
          account: domain.account,
          passwordFile,
          base: domain.base,
          roles: [{ group: "G-Viewers", roles: ["viewer"] }],
        },
      ],
      kerberos: settings(),
    });
    await t.bridge.parts.accounts.setPart("role", "viewer", {
      name: "Viewer",
      grants: [{ right: "live", cameras: "any", interfaces: "any" }],
    });
    await t.administrator(PASSWORD);
    await sync();
    for (const name of ["alice", "bob", "carol", "outsider"]) await ticket(name);
  });
  after(async () => {
    await t?.close();
    await domain?.close();
  });

  const settings = () => ({
    keytab: join(folder, "http.keytab"),
    service: `HTTP/${HOST}@${domain.realm}`,
    realms: [{ realm: domain.realm, directory: "site" }],
  });
  const sync = () => t.bridge.parts.desk.sync("site", { who: "test", interface: "cli" }, { full: true });
  const env = (name: string) => ({ KRB5_CONFIG: domain.krb5Conf, KRB5CCNAME: `FILE:${join(folder, `cc-${name}`)}` });
  const port = () => t.bridge.parts.addresses().doors.https;

  async function ticket(name: string, ...options: readonly string[]): Promise<void> {
    const { code, stderr } = await kinit.run([...options, `${name}@${domain.realm}`], {
      env: env(name),
      input: `${PASSWORD}\n`,
    });
    expect(code, stderr).to.equal(0);
  }

  async function logIn(name: string, host = HOST, ...more: readonly string[]): Promise<Answer> {
    const url = `https://${host}:${port()}/api/session/kerberos`;
    const { stdout, stderr } = await curl.run(
      [
        "--silent",
        "--show-error",
        "--insecure",
        "--negotiate",
        "--user",
        ":",
        "--json",
        "{}",
        "--resolve",
        `${host}:${port()}:127.0.0.1`,
        "--write-out",
        "\n%{http_code}",
        ...more,
        url,
      ],
      { env: env(name) },
    );
    const lines = stdout.toString().split("\n");
    return { status: lines.at(-1) ?? stderr, body: lines.at(-2) ?? "" };
  }

  async function tokens(name: string, ...bindings: readonly string[]): Promise<readonly string[]> {
    const { code, stdout, stderr } = await python.run([CLIENT, `HTTP@${HOST}`, ...bindings], { env: env(name) });
    expect(code, stderr).to.equal(0);
    return stdout.toString().trim().split("\n");
  }

  const show = (token: string) =>
    new WebClient(port()).send("POST", "/api/session/kerberos", {
      body: {},
      headers: { authorization: `Negotiate ${token}` },
    });

  async function lastAudited(): Promise<AuditEntry> {
    const lines = (await readFile(join(t.folder, "audit.log"), "utf8")).trim().split("\n");
    return JSON.parse(lines.at(-1) ?? "{}") as AuditEntry;
  }

  it("lets curl in with the ticket of kinit, and gives a session that the API takes", async () => {
    const jar = join(folder, "jar");
    expect((await logIn("alice", HOST, "--cookie-jar", jar)).status).to.equal("204");
    const { stdout } = await curl.run([
      "--silent",
      "--insecure",
      "--cookie",
      jar,
      "--resolve",
      `${HOST}:${port()}:127.0.0.1`,
      `https://${HOST}:${port()}/api/session`,
    ]);
    expect(JSON.parse(stdout.toString())).to.deep.include({
      kerberos: true,
      account: { name: "alice", directory: true, rights: ["live"] },
    });
  });

  it("sends Chromium that may not give its ticket to the bridge back to name and password", async function () {
    const window = await openWindow(peer(this, "chromium"), t.bridge.parts.addresses().web("127.0.0.1"));
    try {
      await window.page.getByRole("button", { name: "Log in with this computer's account" }).click();
      await window.page.getByText("has no Kerberos ticket for the bridge").waitFor();
      expect(window.troubles).to.deep.equal([]);
    } finally {
      await window.close();
    }
  });

  it("takes each token once", async () => {
    const [token = ""] = await tokens("alice", "-");
    expect((await show(token)).status).to.equal(204);
    const again = await show(token);
    expect({ status: again.status, cookies: again.cookies }).to.deep.equal({ status: 401, cookies: [] });
  });

  it("takes no token that was bound to another server's connection", async () => {
    const socket = connect({ host: "127.0.0.1", port: port(), rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const certificate = socket.getPeerX509Certificate() as X509Certificate;
    socket.destroy();
    const right = endPointBinding(certificate);
    const wrong = Buffer.from(right);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    const [ours = "", theirs = ""] = await tokens("alice", right.toString("hex"), wrong.toString("hex"));
    expect((await show(theirs)).status).to.equal(401);
    expect((await show(ours)).status).to.equal(204);
  });

  it("takes no ticket for another service, though its key is in the keytab", async () => {
    expect((await logIn("alice", "other.site.test")).status).to.equal("401");
  });

  it("lets nobody in who has no account here", async () => {
    const { status, body } = await logIn("outsider");
    expect(status).to.equal("401");
    expect(body).to.include("no account here");
  });

  it("does not let somebody disabled in with a ticket of before, without waiting for a sync", async () => {
    expect((await logIn("bob")).status).to.equal("204");
    await domain.edit(["disable", "bob"]);
    expect((await logIn("bob")).status).to.equal("401");
  });

  it("does not take somebody for another who has their name by now", async () => {
    const [token = "", another = ""] = await tokens("carol", "-", "-");
    expect((await show(token)).status).to.equal(204);
    await domain.edit(
      ["set", "carol", "userPrincipalName", "caroline@site.test"],
      ["rename", "carol", "caroline"],
      ["rename", "mallory", "carol"],
    );
    await sync();
    expect((await show(another)).status).to.equal(401);
  });

  it("takes no ticket of a realm that is not listed", async () => {
    const { service, keytab } = settings();
    const directory = () => ({ idOf: async () => "alice" });
    const parts = {
      gssapi: library,
      directory,
      throttle: new Throttle(systemClock),
      replayCache: join(folder, "other"),
    };
    const [token = "", another = ""] = await tokens("alice", "-", "-");
    const prove = (realm: string, shown: string) =>
      new KerberosLogIns({ keytab, service, realms: [{ realm, directory: "site" }] }, parts).prove(
        Buffer.from(shown, "base64"),
        Buffer.alloc(0),
        { address: "10.0.0.1", port: 50_000, tls: true },
      );
    expect(await prove(domain.realm, token)).to.include({ principal: `alice@${domain.realm}`, id: "alice" });
    const error = await prove("OTHER.TEST", another).catch((thrown: unknown) => thrown);
    expect(error).to.have.property("message").that.includes("not listed");
  });

  it("refuses garbage of every length, also such that is longer than other heads may be", async () => {
    for (const bytes of [1, 100, 40_000]) {
      const { status } = await show(Buffer.alloc(bytes, 0x60).toString("base64"));
      expect(status, String(bytes)).to.be.oneOf([401, 429]);
    }
    expect((await lastAudited()).outcome).to.equal("failed");
  });
});
