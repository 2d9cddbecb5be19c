import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { systemClock } from "../../base/clock.ts";
import { examineNtlm } from "../../bridge/directory/examine-ntlm.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { openWindow } from "../support/browser-window.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { type SambaDomain, startSamba } from "../support/samba.ts";
import { type DomainMember, startMember } from "../support/winbind.ts";

const PASSWORD = "Us3r-Passw0rd";
const CLIENT = join(import.meta.dirname, "../support/ntlm-client.py");
const DOOR = "/api/session/ntlm";
const PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank", "outsider"];

/** OpenSSL 3 keeps MD4, which NTLM begins with, for those who ask for it. */
const LEGACY = `openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
`;

describe("log-in by NTLM, of people of a Samba domain, through winbind of a member", function () {
  this.timeout(600_000);
  let domain: SambaDomain;
  let member: DomainMember;
  let t: TestBridge;
  let curl: Peer;
  let python: Peer;
  let folder: string;

  before(async function () {
    curl = peer(this, "curl");
    python = pythonPeer(this, "ntlm_auth");
    domain = await startSamba(this, { members: true });
    member = await startMember(this, domain, domain.address.replace(/\d+$/, "200"));
    folder = dirname(domain.krb5Conf);
    await writeFile(join(folder, "openssl.cnf"), LEGACY);
    await domain.edit(
      ["group", "G-Viewers"],
      ...PEOPLE.map((name) => ["user", name] as const),
      ...PEOPLE.filter((name) => name !== "outsider").map((name) => ["add", "G-Viewers", name] as const),
      ["set", "alice", "userPrincipalName", "alice.a@site.test"],
      ["disable", "bob"],
      ["must-change", "carol"],
    );
    t = await begin("required");
  });
  after(async () => {
    await t?.close();
    await member?.close();
    await domain?.close();
  });

  const domains = () => [{ domain: domain.shortName, directory: "site" }];
  const port = () => t.bridge.parts.addresses().doors.https;

  async function begin(binding: "required" | "where-sent"): Promise<TestBridge> {
    const passwordFile = join(folder, "bridge-password");
    await writeFile(passwordFile, `${domain.password}\n`, { mode: 0o600 });
    const started = await startTestBridge({
      directory: [
        {
          name: "site",
          servers: [domain.host],
          nameServers: [domain.address],
          ca: domain.ca,
          account: domain.account,
          passwordFile,
          base: domain.base,
          roles: [{ group: "G-Viewers", roles: ["viewer"] }],
        },
      ],
      ntlm: { helper: member.helper, binding, domains: domains() },
    });
    const { accounts, desk } = started.bridge.parts;
    await accounts.setPart("role", "viewer", {
      name: "Viewer",
      grants: [{ right: "live", cameras: "any", interfaces: "any" }],
    });
    await started.administrator(PASSWORD);
    await desk.sync("site", { who: "test", interface: "cli" }, { full: true });
    return started;
  }

  /** The answers that the client had, as status and body. */
  async function logIn(
    user: string,
    o: { readonly password?: string; readonly bound?: string; readonly scheme?: string; readonly in?: string } = {},
  ): Promise<readonly string[]> {
    const { code, stdout, stderr } = await python.run(
      [
        CLIENT,
        String(port()),
        DOOR,
        o.in ?? domain.shortName,
        user,
        o.password ?? PASSWORD,
        o.bound ?? "ours",
        o.scheme ?? "NTLM",
      ],
      { env: { OPENSSL_CONF: join(folder, "openssl.cnf") } },
    );
    expect(code, stderr).to.equal(0);
    return stdout.toString().trim().split("\n");
  }

  async function byCurl(user: string, password = PASSWORD, ...more: readonly string[]): Promise<string> {
    const account = `${domain.shortName}\\${user}:${password}`;
    const how = [
      "--silent",
      "--insecure",
      "--ntlm",
      "--user",
      account,
      "--json",
      "{}",
      "--write-out",
      "\n%{http_code}",
    ];
    const { stdout } = await curl.run([...how, ...more, `https://127.0.0.1:${port()}${DOOR}`]);
    return stdout.toString().trim();
  }

  async function lastAudited(): Promise<AuditEntry> {
    const lines = (await readFile(join(t.folder, "audit.log"), "utf8")).trim().split("\n");
    return JSON.parse(lines.at(-1) ?? "{}") as AuditEntry;
  }

  it("is examined from end to end: it works, and who may not use winbind's privileged pipe is told so", async () => {
    const settings = { helper: member.helper, binding: "required", domains: domains() } as const;
    await examineNtlm(settings, systemClock);
    const error = await examineNtlm({ ...settings, helper: member.helperOfNobody }, systemClock).catch(
      (thrown) => thrown,
    );
    expect(error.tell).to.include("winbindd_priv");
  });

  it("lets a client in that binds its log-in to our certificate, by both schemes and both names", async () => {
    for (const o of [{}, { scheme: "Negotiate" }]) {
      const [challenged, entered] = await logIn("alice", o);
      expect(challenged).to.match(/^401 /);
      expect(entered).to.equal("204");
      expect(await lastAudited()).to.deep.include({ who: "alice", outcome: "allowed", why: "NTLM: SITE\\alice" });
    }
    expect((await logIn("alice.a@site.test", { in: "" })).at(-1)).to.equal("204");
  });

  it("refuses what is bound to another connection, and what is bound to none", async () => {
    expect((await logIn("alice", { bound: "other" })).at(-1)).to.match(/^401 .*not accepted/);
    expect((await lastAudited()).why).to.include("another connection");
    expect((await logIn("alice", { bound: "none" })).at(-1)).to.match(/^403 .*Extended Protection/);
    expect(await byCurl("alice")).to.match(/Extended Protection[\s\S]*403$/);
  });

  for (const [title, user, password, status, why] of [
    ["a wrong password", "erin", "wrong", 401, "NT_STATUS_LOGON_FAILURE"],
    ["somebody disabled", "bob", PASSWORD, 401, "not one person"],
    ["a password that has to be changed", "carol", PASSWORD, 401, "has expired"],
    [
      "a wrong password that has to be changed, likewise, without a word of that",
      "carol",
      "wrong",
      401,
      "LOGON_FAILURE",
    ],
    ["somebody who is not there", "zoe", PASSWORD, 401, "not one person"],
    ["somebody who has no account here", "outsider", PASSWORD, 401, "no account"],
    ["the guest", "Guest", "", 401, "not one person"],
  ] as const)
    it(`refuses ${title}`, async () => {
      const answer = (await logIn(user, { password })).at(-1) ?? "";
      expect(answer).to.match(new RegExp(`^${status} `));
      expect(answer.includes("has expired")).to.equal(title === "a password that has to be changed");
      const entry = await lastAudited();
      expect(entry).to.include({ who: `SITE\\${user}`, outcome: "failed" });
      expect(entry.why).to.include(why);
    });

  it("lets a browser in that binds its log-in by itself, with the page's button", async function () {
    const chromium = peer(this, "chromium");
    const credentials = { username: "SITE\\dave", password: PASSWORD };
    const window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"), { credentials });
    try {
      await window.page.getByRole("button", { name: "Log in with this computer's account" }).click();
      await window.page.locator("details.account summary", { hasText: "dave" }).waitFor();
      await window.picture("ntlm");
      expect(await lastAudited()).to.deep.include({ who: "dave", why: "NTLM: SITE\\dave" });
    } finally {
      await window.close();
    }
  });

  it("does not take somebody for another who has their name by now", async () => {
    expect((await logIn("frank")).at(-1)).to.equal("204");
    await domain.edit(
      ["set", "frank", "userPrincipalName", "francis@site.test"],
      ["rename", "frank", "francis"],
      ["rename", "outsider", "frank"],
    );
    expect((await logIn("frank")).at(-1)).to.match(/^401 /);
  });

  describe("where a person has switched on what is not bound", () => {
    before(async () => {
      await t.close();
      t = await begin("where-sent");
    });

    it("lets curl in, with a session that the API takes", async () => {
      const jar = join(folder, "jar");
      expect(await byCurl("alice", PASSWORD, "--cookie-jar", jar)).to.equal("204");
      const url = `https://127.0.0.1:${port()}/api/session`;
      const { stdout } = await curl.run(["--silent", "--insecure", "--cookie", jar, url]);
      expect(JSON.parse(stdout.toString())).to.deep.include({
        ntlm: true,
        account: { name: "alice", directory: true, rights: ["live"] },
      });
    });

    it("refuses curl with a wrong password, and somebody disabled", async () => {
      expect(await byCurl("erin", "wrong")).to.match(/401$/);
      expect(await byCurl("bob")).to.match(/401$/);
    });

    it("does not let wrong passwords lock anybody out of the domain, and refuses whom the domain has locked", async () => {
      await domain.edit(["policy", "lockoutThreshold", "4"]);
      await t.bridge.parts.desk.sync("site", { who: "test", interface: "cli" }, { full: true });
      for (let count = 0; count < 4; count += 1) await byCurl("erin", `wrong ${count}`);
      expect((await lastAudited()).why).to.include("does not lock the account");
      // Two of four were passed on, so others are left for the person.
      await domain.edit(["set", "alice", "lockoutTime", String((BigInt(Date.now()) + 11_644_473_600_000n) * 10_000n)]);
      expect(await byCurl("alice")).to.match(/401$/);
      expect((await lastAudited()).why).to.include("ACCOUNT_LOCKED_OUT");
    });

    it("says that it does not work when winbind is gone", async () => {
      await member.stop();
      expect(await byCurl("dave")).to.match(/does not work just now[\s\S]*503$/);
    });
  });
});
