import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { examineDirectory } from "../../directory/examine.ts";
import { openConnection, openReading } from "../../directory/open.ts";
import { type DirectoryOptions, PRESETS } from "../../directory/options.ts";
import { readerFor } from "../../directory/reader-for.ts";
import { pathsOf, rolesOf } from "../../directory/snapshot.ts";
import { startTestBridge } from "../support/bridge.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

const BASE = "dc=site,dc=test";
const MANY = 5000;
/** Well within what the server says of {@link MANY}. */
const SOME_BYTES = 200_000;

function person(uid: string, more = ""): string {
  return `dn: uid=${uid},ou=people,${BASE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid} Person\nsn: ${uid}\nuserPassword: secret-${uid}\n${more}\n`;
}

function unit(name: string): string {
  return `dn: ou=${name},${BASE}\nchangetype: add\nobjectClass: organizationalUnit\nou: ${name}\n\n`;
}

function group(name: string, ...members: readonly string[]): string {
  return `dn: cn=${name},ou=groups,${BASE}\nchangetype: add\nobjectClass: groupOfNames\ncn: ${name}\n${members.map((dn) => `member: ${dn},${BASE}\n`).join("")}\n`;
}

const LDIF = [
  unit("people"),
  unit("groups"),
  ...["alice", "bob", "carol", "dave"].map((uid) => person(uid)),
  group("viewers", "uid=bob,ou=people", "CN = Guards,OU = groups"),
  group("guards", "uid=alice,ou=people", "cn=night,ou=groups"),
  // A circle.
  group("night", "uid=carol,ou=people", "cn=guards,ou=groups", "uid=nobody,ou=people"),
  `dn: cn=unix,ou=groups,${BASE}\nchangetype: add\nobjectClass: posixGroup\ncn: unix\ngidNumber: 700\nmemberUid: dave\n\n`,
].join("");

/** Stands before the server, and counts what it says. */
async function relayTo(port: number) {
  let after: { bytes: number; readonly work: () => void } | undefined;
  const relay = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    server.on("data", ({ length }) => {
      if (after === undefined) return;
      after.bytes -= length;
      if (after.bytes > 0) return;
      after.work();
      after = undefined;
    });
    client.pipe(server).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on("error", () => other.destroy()).once("close", () => other.destroy());
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  return {
    port: (relay.address() as AddressInfo).port,
    /** Does `work` when the server has said that much more. */
    after(bytes: number, work: () => void): void {
      after = { bytes, work };
    },
    close: () => relay.close(),
  };
}

describe("OpenLDAP", () => {
  let slapd: Slapd;
  before(async function () {
    slapd = await startSlapd(this, LDIF);
  });
  after(async () => slapd?.close());

  function options(more: Partial<DirectoryOptions> = {}): DirectoryOptions {
    return {
      name: "site",
      schema: "rfc2307",
      servers: ["127.0.0.1"],
      nameServers: [],
      encryption: "ldaps",
      port: slapd.tlsPort,
      trust: { ca: slapd.caText },
      account: slapd.account,
      password: async () => new Secret(slapd.password),
      userBase: slapd.base,
      groupBase: slapd.base,
      ...PRESETS.rfc2307,
      roles: [
        { group: "viewers", roles: ["viewer"] },
        { group: `CN=Unix, ou=groups,${BASE}`, roles: ["operator"] },
      ],
      ...more,
    };
  }

  async function reading<T>(
    o: DirectoryOptions,
    work: (reader: ReturnType<typeof readerFor>) => Promise<T>,
  ): Promise<T> {
    const connection = await openReading(o, systemClock);
    try {
      return await work(readerFor(connection, o));
    } finally {
      connection.close();
    }
  }

  for (const encryption of ["ldaps", "starttls"] as const)
    it(`gives roles by nested, circular and posix groups, over ${encryption}`, async () => {
      const port = encryption === "ldaps" ? slapd.tlsPort : slapd.port;
      await reading(options({ encryption, port }), async (reader) => {
        const snapshot = await reader.full();
        const roles = Object.fromEntries(
          [...rolesOf(snapshot)].map(([id, of]) => [snapshot.people.get(id)?.name ?? "", of]),
        );
        expect(roles).to.deep.equal({ alice: ["viewer"], bob: ["viewer"], carol: ["viewer"], dave: ["operator"] });
        const carol = [...snapshot.people.values()].find(({ name }) => name === "carol");
        const [path] = carol === undefined ? [] : pathsOf(snapshot, carol);
        expect(path?.groups.map(({ name }) => name)).to.deep.equal(["night", "guards", "viewers"]);
      });
    });

  it("is read anew only when something has changed", async () => {
    await reading(options(), async (reader) => {
      const before = await reader.full();
      expect(await reader.changes(before)).to.equal(before);
      await slapd.modify(`dn: uid=bob,ou=people,${BASE}\nchangetype: modify\nreplace: cn\ncn: Robert\n`);
      expect(await reader.changes(before)).to.equal(undefined);
    });
  });

  it("says who was locked by an administrator, and who is gone", async () => {
    await slapd.modify(
      `${person("eve")}${person("frank")}dn: uid=eve,ou=people,${BASE}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`,
    );
    await reading(options(), async (reader) => {
      const found = await Array.fromAsync(reader.people("(|(uid=eve)(uid=frank))"));
      expect(found.map(({ name, standing }) => [name, standing])).to.deep.equal([
        ["eve", "disabled"],
        ["frank", "active"],
      ]);
      await slapd.modify(`dn: uid=frank,ou=people,${BASE}\nchangetype: delete\n`);
      expect((await reader.states(found.map(({ id }) => id))).map(({ name }) => name)).to.deep.equal(["eve"]);
    });
  });

  it("lets people in by their own password, inside TLS alone", async () => {
    const bound = async (o: DirectoryOptions, password: string): Promise<string> => {
      const connection = await openConnection(o, systemClock);
      try {
        await connection.bind(`uid=alice,ou=people,${BASE}`, new Secret(password));
        return "in";
      } catch (error) {
        return (error as { refusal?: string }).refusal ?? (error as Error).message;
      } finally {
        connection.close();
      }
    };
    expect(await bound(options(), "secret-alice")).to.equal("in");
    expect(await bound(options(), "secret-bob")).to.equal("wrong");
    expect(await bound(options({ encryption: "none", port: slapd.port }), "secret-alice")).to.include(
      "wants encryption",
    );
  });

  for (const [name, more, stage, words] of [
    ["no such group", { roles: [{ group: "nobodies", roles: ["viewer"] }] }, "groups", "no group nobodies"],
    ["a base that is not there", { userBase: "ou=x,dc=site,dc=test" }, "base", "there is no ou=x"],
    ["a filter that is none", { userFilter: "(uid=" }, "groups", "is no search filter"],
    ["another authority", { trust: {} }, "TLS", "certificate"],
    ["another key than the pinned one", { trust: { pin: `${"A".repeat(43)}=` } }, "TLS", "not the one of trust.pin"],
    ["a wrong password", { password: async () => new Secret("no") }, "log-in", "password is wrong"],
    ["no server there", { port: 1 }, "connect", "ECONNREFUSED"],
    ["no such name", { servers: ["ldap.invalid"] }, "name", "DNS knows no address"],
  ] as const satisfies readonly (readonly [string, Partial<DirectoryOptions>, string, string])[])
    it(`is examined to where it fails: ${name}`, async () => {
      const findings = await Array.fromAsync(examineDirectory(options(more), systemClock));
      const failure = findings.find(({ result }) => result === "fails");
      expect([failure?.what, failure?.says]).to.satisfy(
        ([what, says]: string[]) => what === stage && says?.includes(words),
        JSON.stringify(failure),
      );
      expect(findings.at(-1)).to.equal(failure);
    });

  it("is examined to the end where all is well", async () => {
    const findings = await Array.fromAsync(examineDirectory(options(), systemClock));
    expect(findings.filter(({ result }) => result !== "works")).to.deep.equal([]);
    expect(findings.map(({ what }) => what)).to.deep.equal([
      "name",
      "connect",
      "TLS",
      "log-in",
      "base",
      "groups",
      "groups",
      "groups",
      "people",
    ]);
  });

  it(`makes ${MANY} accounts in one sync, and loses none where the server dies in the middle of another`, async () => {
    const many = Array.from({ length: MANY }, (_, at) => `many${at}`);
    await slapd.modify(
      [...many.map((uid) => person(uid)), group("many", ...many.map((uid) => `uid=${uid},ou=people`))].join(""),
    );
    const folder = await mkdtemp(join(tmpdir(), "viaduct-directory-"));
    await writeFile(join(folder, "ca.pem"), slapd.caText);
    await writeFile(join(folder, "password"), `${slapd.password}\n`, { mode: 0o600 });
    const relay = await relayTo(slapd.tlsPort);
    const t = await startTestBridge({
      folder,
      directory: [
        {
          name: "site",
          schema: "rfc2307",
          servers: ["127.0.0.1"],
          port: relay.port,
          ca: join(folder, "ca.pem"),
          account: slapd.account,
          passwordFile: join(folder, "password"),
          base: BASE,
          roles: [{ group: "many", roles: ["viewer"] }],
        },
      ],
    });
    try {
      const { accounts, desk } = t.bridge.parts;
      const sync = () => desk.sync("site", { who: "test", interface: "cli" }, { full: true });
      const cpu = process.cpuUsage();
      await accounts.setPart("role", "viewer", {
        name: "Viewer",
        grants: [{ right: "live", cameras: "any", interfaces: "any" }],
      });
      // The sync at the start may have found the role already.
      await sync();
      const { user, system } = process.cpuUsage(cpu);
      const done = (await desk.history("site")).find(({ outcome }) => outcome === "done");
      expect(done).to.include({ came: MANY });
      const nothing = await sync();
      expect(nothing).to.include({ outcome: "nothing", people: MANY });
      console.log(
        `      ${MANY} accounts made in ${done?.tookMs} ms (${Math.round((user + system) / 1000)} ms of CPU), compared in ${nothing.tookMs} ms`,
      );
      const before = accounts.list();
      const killed = new Promise<void>((resolve) => relay.after(SOME_BYTES, () => resolve(slapd.kill())));
      expect((await sync()).outcome).to.equal("failed");
      await killed;
      expect(accounts.list()).to.deep.equal(before);
      await slapd.start();
      expect(await sync()).to.include({ outcome: "nothing", people: MANY });
    } finally {
      await t.close();
      relay.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
