import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { openConnection, openReading } from "../../directory/open.ts";
import { type DirectoryOptions, PRESETS } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import type { Reader } from "../../directory/reader.ts";
import { readerFor } from "../../directory/reader-for.ts";
import { pathsOf, rolesOf, type Snapshot } from "../../directory/snapshot.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";
import { type SambaDomain, startSamba } from "../support/samba.ts";

const PASSWORD = "Us3r-Passw0rd";

describe("Active Directory", function () {
  this.timeout(600_000);
  let domain: SambaDomain;
  before(async function () {
    domain = await startSamba(this);
    await domain.edit(
      ...["G-Viewers", "G-Guards", "G-Night", "G-Primary"].map((name) => ["group", name] as const),
      ["ou", "Left"],
      // Nested, and in a circle.
      ["add", "G-Viewers", "G-Guards"],
      ["add", "G-Guards", "G-Night"],
      ["add", "G-Night", "G-Guards"],
      ["add", "G-Viewers", "G-Primary"],
      ...["alice", "bob", "carol", "svc-vms"].map((name) => ["user", name] as const),
      ["add", "G-Night", "alice"],
      ["add", "G-Viewers", "bob"],
      ["add", "G-Viewers", "svc-vms"],
      // Whose primary group lists nobody.
      ["add", "G-Primary", "carol"],
      ["primary", "carol", "G-Primary"],
    );
  });
  after(async () => domain?.close());

  function options(more: Partial<DirectoryOptions> = {}): DirectoryOptions {
    return {
      name: "site",
      schema: "ad",
      servers: [domain.host],
      domain: domain.domain,
      nameServers: [domain.address],
      encryption: "ldaps",
      port: 636,
      trust: { ca: domain.caText },
      account: domain.account,
      password: async () => new Secret(domain.password),
      userBase: `CN=Users,${domain.base}`,
      groupBase: domain.base,
      ...PRESETS.ad,
      roles: [{ group: "G-Viewers", roles: ["viewer"] }],
      ...more,
    };
  }

  async function reading<T>(work: (reader: Reader) => Promise<T>, o = options()): Promise<T> {
    const connection = await openReading(o, systemClock);
    try {
      return await work(readerFor(connection, o));
    } finally {
      connection.close();
    }
  }

  const named = (snapshot: Snapshot, name: string) => [...snapshot.people.values()].find((one) => one.name === name);
  const names = (snapshot: Snapshot): readonly string[] =>
    [...rolesOf(snapshot).keys()].map((id) => snapshot.people.get(id)?.name ?? "").toSorted();

  for (const [encryption, port] of [
    ["ldaps", 636],
    ["starttls", 389],
  ] as const)
    it(`gives roles by nested and circular groups and by the primary group, over ${encryption}`, async () => {
      const snapshot = await reading((reader) => reader.full(), options({ encryption, port }));
      expect(names(snapshot)).to.deep.equal(["alice", "bob", "carol", "svc-vms"]);
      const alice = named(snapshot, "alice");
      const [path] = alice === undefined ? [] : pathsOf(snapshot, alice);
      expect(path?.groups.map(({ name }) => name)).to.deep.equal(["G-Night", "G-Guards", "G-Viewers"]);
    });

  it("is found by its SRV records", async function () {
    const dnsmasq = peer(this, "/usr/sbin/dnsmasq");
    const address = domain.address.replace(/\d+$/, "200");
    const { child } = dnsmasq.start([
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-hosts",
      "--no-resolv",
      "--bind-interfaces",
      `--listen-address=${address}`,
      `--srv-host=_ldap._tcp.dc._msdcs.${domain.domain},${domain.host},389,0,100`,
      `--srv-host=_ldap._tcp.dc._msdcs.${domain.domain},gone.${domain.domain},389,0,200`,
      `--host-record=${domain.host},${domain.address}`,
    ]);
    try {
      const o = options({ servers: [], nameServers: [address] });
      await eventually(async () => {
        const snapshot = await reading((reader) => reader.full(), o).catch(() => undefined);
        return snapshot !== undefined && named(snapshot, "bob") !== undefined;
      });
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  it("is not asked for anything where its certificate is not good", async () => {
    for (const trust of [{ ca: domain.otherCaText }, {}, { pin: `${"A".repeat(43)}=` }]) {
      const error = await openReading(options({ trust }), systemClock).catch((thrown: unknown) => thrown);
      expect(error).to.have.property("kind", "denied");
    }
    const plain = await openReading(options({ encryption: "none", port: 389 }), systemClock).catch(
      (thrown: unknown) => thrown,
    );
    expect(plain).to.have.property("tell").that.includes("wants encryption");
  });

  it("is asked at the next server where one does not answer", async () => {
    const snapshot = await reading(
      (reader) => reader.full(),
      options({ servers: ["127.255.255.254", domain.address] }),
    );
    expect(names(snapshot)).to.include("bob");
  });

  it("tells what has changed, who was deleted, and who was moved away", async () => {
    await domain.edit(
      ["user", "dora"],
      ["user", "erik"],
      ["user", "fay"],
      ...["dora", "erik", "fay"].map((name) => ["add", "G-Viewers", name] as const),
    );
    await reading(async (reader) => {
      const before = await reader.full();
      const same = await reader.changes(before);
      expect(same?.people).to.deep.equal(before.people);
      await domain.edit(["disable", "dora"], ["delete", "erik"], ["move", "fay", "Left"], ["rename", "bob", "robert"]);
      const after = await reader.changes(before);
      expect(after && names(after)).to.deep.equal(["alice", "carol", "dora", "robert", "svc-vms"]);
      expect(after && named(after, "dora")?.standing).to.equal("disabled");
      expect(after && named(after, "robert")?.id).to.equal(named(before, "bob")?.id);
      const full = await reader.full();
      expect(after?.people).to.deep.equal(full.people);
      // Groups that matter: all has to be read anew.
      await domain.edit(["remove", "G-Viewers", "dora"]);
      expect(await reader.changes(full)).to.equal(undefined);
      await domain.edit(["rename", "robert", "bob"]);
    });
  });

  it("takes who was made anew under an old name for somebody else", async () => {
    await domain.edit(["user", "gina"], ["add", "G-Viewers", "gina"]);
    const find = (): Promise<Person | undefined> =>
      reading(async (reader) => {
        for await (const person of reader.people("(sAMAccountName=gina)")) return person;
        return undefined;
      });
    const before = await find();
    await domain.edit(["delete", "gina"], ["user", "gina"]);
    const after = await find();
    expect([before?.name, after?.name]).to.deep.equal(["gina", "gina"]);
    expect(after?.id).not.to.equal(before?.id);
    await domain.edit(["delete", "gina"]);
  });

  it("says why it does not let somebody in", async () => {
    await domain.edit(
      ["policy", "lockoutThreshold", "3"],
      ...["hugo", "ida", "jack", "kim"].map((name) => ["user", name] as const),
      ["disable", "hugo"],
      ["set", "ida", "accountExpires", "116444736000000000"],
      ["set", "jack", "pwdLastSet", "0"],
    );
    const bound = async (name: string, password: string): Promise<string> => {
      const connection = await openConnection(options(), systemClock);
      try {
        await connection.bind(`CN=${name},CN=Users,${domain.base}`, new Secret(password));
        return "in";
      } catch (error) {
        return (error as { refusal?: string }).refusal ?? String(error);
      } finally {
        connection.close();
      }
    };
    expect(await bound("alice", PASSWORD)).to.equal("in");
    expect(await bound("alice", "wrong")).to.equal("wrong");
    expect(await bound("nobody", PASSWORD)).to.equal("wrong");
    expect(await bound("hugo", PASSWORD)).to.equal("disabled");
    expect(await bound("ida", PASSWORD)).to.equal("expired");
    expect(await bound("jack", PASSWORD)).to.equal("must-change-password");
    for (const guess of ["a", "b", "c"]) await bound("kim", guess);
    expect(await bound("kim", PASSWORD)).to.equal("locked");
    const found = await reading((reader) =>
      Array.fromAsync(reader.people("(|(sAMAccountName=ida)(sAMAccountName=kim))")),
    );
    const standings = found.map(({ name, standing, expires }) => [name, standing, expires]);
    expect(standings.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).to.deep.equal([
      ["ida", "active", 0],
      ["kim", "locked", undefined],
    ]);
    await domain.edit(...["hugo", "ida", "jack", "kim"].map((name) => ["delete", name] as const));
  });

  describe("with a bridge", () => {
    let t: TestBridge;
    before(async () => {
      const ca = join(domain.ca, "../../bridge-ca.pem");
      const passwordFile = join(domain.ca, "../../bridge-password");
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
      });
      await t.bridge.parts.accounts.setPart("role", "viewer", {
        name: "Viewer",
        grants: [{ right: "live", cameras: "any", interfaces: "any" }],
      });
      await sync();
    });
    after(async () => t?.close());

    const sync = () => t.bridge.parts.desk.sync("site", { who: "test", interface: "cli" }, { full: true });
    const accountOf = (name: string) => t.bridge.parts.accounts.list().find((one) => one.name === name);

    it("lets people in at the API by their own password, and nobody else", async function () {
      const curl = peer(this, "curl");
      const { https } = t.bridge.parts.addresses().doors;
      const status = async (name: string, password: string): Promise<string> => {
        const { stdout } = await curl.run([
          "--silent",
          "--insecure",
          "--output",
          "/dev/null",
          "--write-out",
          "%{http_code}",
          "--json",
          JSON.stringify({ name, password }),
          `https://127.0.0.1:${https}/api/session`,
        ]);
        return stdout.toString();
      };
      expect(await status("alice", PASSWORD)).to.equal("204");
      expect(await status("alice", "wrong")).to.equal("401");
      expect(await status("nobody", PASSWORD)).to.equal("401");
    });

    it("never lets a stranger lock somebody's account in the domain", async () => {
      const { accounts } = t.bridge.parts;
      const refused = await Promise.all(
        Array.from({ length: 12 }, (_, guess) =>
          accounts.checkPassword("bob", new Secret(`guess ${guess % 6}`), "192.0.2.7").then(
            () => "in",
            (error: { kind?: string }) => error.kind,
          ),
        ),
      );
      expect(new Set(refused)).to.deep.equal(new Set(["unauthenticated"]));
      const [bob] = await reading((reader) => Array.fromAsync(reader.people("(sAMAccountName=bob)")));
      expect(bob?.standing).to.equal("active");
    });

    it("ends the stream of a system whose person is disabled, at once when it is told to look", async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const person = accountOf("svc-vms")?.id;
      const { account, secret } = await t.bridge.parts.accounts.createIntegration({ name: "vms", grants: [], person });
      const id = await t.adopt(await t.camera());
      const login = { id: account.id, name: "vms", secret: secret.reveal() };
      const player = ffmpeg.start(
        ["-rtsp_transport", "tcp", "-i", t.rtsp(login, `live/${id}`), "-c", "copy", "-f", "null", "-"],
        { keepInput: true },
      );
      const ended = once(player.child, "exit");
      await eventually(() => t.bridge.parts.leases.holders().has(account.id));
      await domain.edit(["disable", "svc-vms"]);
      const preview = await t.bridge.parts.desk.preview("site");
      expect(preview.changes.find(({ name }) => name === "vms")).to.include({ what: "goes", ends: 1 });
      await sync();
      await ended;
      expect(t.bridge.parts.leases.holders().has(account.id), player.output()).to.equal(false);
      expect(accountOf("vms")?.directory).to.include({ out: "disabled" });
      await domain.edit(["enable", "svc-vms"]);
      await sync();
      expect(accountOf("vms")?.directory).not.to.have.property("out");
    });

    it("keeps its accounts as they are while the domain controller is dead", async () => {
      const before = t.bridge.parts.accounts.list();
      await domain.edit(["disable", "alice"]);
      domain.kill();
      expect((await sync()).outcome).to.equal("failed");
      expect(t.bridge.parts.accounts.list()).to.deep.equal(before);
      await domain.start();
      expect(await sync()).to.include({ outcome: "done", went: 1 });
      expect(accountOf("alice")?.directory).to.include({ out: "disabled" });
    });
  });
});
