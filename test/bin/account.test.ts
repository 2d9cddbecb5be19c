import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Accounts } from "../../auth/accounts.ts";
import { type PlainGrant, readGrants } from "../../auth/grants.ts";
import { PasswordIsTemporary } from "../../auth/temporary-password.ts";
import { systemClock } from "../../base/clock.ts";
import { openDatabase } from "../../base/database.ts";
import { lockFolder } from "../../base/lock.ts";
import { silentLog } from "../../base/log.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";

const NARROW: readonly PlainGrant[] = [
  {
    right: "live",
    cameras: ["gate"],
    interfaces: ["onvif", "rtsp"],
    groups: ["yard"],
    except: ["door"],
    exceptGroups: ["yard"],
    hours: "office",
  },
  {
    right: "playback",
    cameras: "any",
    interfaces: "any",
    from: "2026-01-01T00:00:00.000Z",
    until: "2027-01-01T00:00:00.000Z",
    maxAgeMs: 3_600_000,
  },
  { right: "talk", cameras: ["gate"], interfaces: "any", deny: true },
  { right: "read-status", cameras: "any", interfaces: "any" },
];

describe("viaduct account", () => {
  let folder = "";
  let config = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-account-"));
    config = await writeConfig(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const account = (...args: readonly string[]): Promise<Ended> => viaduct(["account", ...args, "--config", config]);

  /** Works on the accounts as the bridge has them. */
  const withAccounts = async (work: (accounts: Accounts) => Promise<void>): Promise<void> => {
    const data = await openDataFolder(join(folder, "data"));
    const database = await openDatabase<SiteSchema>(data.file("viaduct.db"), siteMigrations);
    await work(
      await Accounts.open({ query: database.query, sealer: data.sealer, clock: systemClock, log: silentLog() }),
    );
    await database.close();
    await data.close();
  };

  it("lists none in a data folder that is new", async () => {
    expect(await account("list", "--json")).to.deep.equal({ code: 0, out: "[]\n", err: "" });
  });

  it("adds one, shows its secret once, and keeps it nowhere in clear text", async () => {
    const { code, out, err } = await account("add", "control-room", "--live", "any", "--talk", "any");
    const secret = /^name: {3}control-room\nsecret: (?<secret>\w{20})\n$/.exec(out)?.groups?.["secret"] ?? "";
    expect({ code, out }).to.deep.equal({ code: 0, out: `name:   control-room\nsecret: ${secret}\n` });
    expect(err).to.equal("The secret is shown this once; it cannot be shown again.\n");
    expect(await readFile(join(folder, "data/viaduct.db"), "latin1")).not.to.include(secret);
    expect(await account("list")).to.deep.equal({
      code: 0,
      out: "control-room  integration  live on any; talk on any\n",
      err: "",
    });
    const { out: json } = await account("list", "--json");
    expect(JSON.parse(json)).to.deep.equal([
      {
        name: "control-room",
        kind: "integration",
        directory: null,
        arming: null,
        temporaryPassword: false,
        enabled: true,
        roles: [],
        grants: [
          { right: "live", cameras: "any", interfaces: "any" },
          { right: "talk", cameras: "any", interfaces: "any" },
        ],
      },
    ]);
    expect(json).not.to.include(secret);
  });

  it("refuses what makes no sense, changing nothing", async () => {
    const rows: readonly (readonly [args: readonly string[], code: number, words: string])[] = [
      [["add", "idle"], 2, "say what the account may do"],
      [["add", "lost", "--live", "gate"], 2, "there is no camera gate"],
      [["add", "two words", "--live", "any"], 2, "a name has up to 64 letters, digits and . _ @ -"],
      [["add", "control-room", "--live", "any"], 2, "there is an account of that name already"],
      [["remove", "nobody"], 1, 'there is no account "nobody"'],
    ];
    for (const [args, code, words] of rows) {
      const ended = await account(...args);
      expect({ code: ended.code, out: ended.out }, args.join(" ")).to.deep.equal({ code, out: "" });
      expect(ended.err, args.join(" "))
        .to.equal(`viaduct: ${ended.err.slice(9)}`)
        .and.include(words);
    }
    expect((await account("list")).out).to.equal("control-room  integration  live on any; talk on any\n");
  });

  it("arms one that is let in only while it is armed, ends that, and lets it in at any time again", async () => {
    expect((await account("add", "psim", "--live", "any", "--only-while-armed")).code).to.equal(0);
    const shown = async (): Promise<string> => (await account("list")).out.split("\n").at(-2) ?? "";
    expect(await shown()).to.equal("psim  integration, not armed  live on any");
    const armed = await account("arm", "psim", "--for", "8h");
    expect({ code: armed.code, err: armed.err }).to.deep.equal({ code: 0, err: "" });
    const until = /^psim is armed until (?<until>\S+Z)\.\n$/.exec(armed.out)?.groups?.["until"];
    expect(await shown()).to.equal(`psim  integration, armed until ${until}  live on any`);
    const rows: readonly (readonly [args: readonly string[], code: number, words: string])[] = [
      [["arm", "psim", "--for", "25h"], 2, "for a minute at least, and for 24 hours at most"],
      [["arm", "psim", "--for", "0m"], 2, "for a minute at least, and for 24 hours at most"],
      [["arm", "psim", "--for", "soon"], 2, "--for is in minutes or hours"],
      [["arm", "control-room", "--for", "1h"], 1, "let in at any time"],
      [["disarm", "control-room"], 1, "it is not armed"],
    ];
    for (const [args, code, words] of rows) {
      const ended = await account(...args);
      expect({ code: ended.code, out: ended.out }, args.join(" ")).to.deep.equal({ code, out: "" });
      expect(ended.err, args.join(" ")).to.include(words);
    }
    expect((await account("disarm", "psim")).out).to.equal("psim is not armed any more.\n");
    expect(await shown()).to.equal("psim  integration, not armed  live on any");
    expect((await account("change", "psim", "--no-only-while-armed")).out).to.equal("psim is changed.\n");
    expect(await shown()).to.equal("psim  integration  live on any");
    expect((await account("remove", "psim")).code).to.equal(0);
  });

  it("is kept out while a bridge runs, and told why", async () => {
    const lock = lockFolder(join(folder, "data"));
    try {
      const { code, out, err } = await account("list");
      expect({ code, out }).to.deep.equal({ code: 1, out: "" });
      expect(err).to.include(`another Viaduct process is using ${join(folder, "data")}: stop it first`);
    } finally {
      await lock.close();
    }
  });

  it("lists roles, and with each grant all that narrows it", async () => {
    await withAccounts(async (accounts) => {
      await accounts.setPart("group", "yard", { name: "Yard", cameras: ["gate"] });
      await accounts.setPart("hours", "office", { name: "Office", zone: "UTC", weekly: [], exceptions: [] });
      await accounts.setPart("role", "guards", { name: "Guards", grants: [] });
      const id = accounts.list().find(({ name }) => name === "control-room")?.id ?? "";
      await accounts.change(id, { roles: ["guards"], grants: readGrants(NARROW), enabled: false });
    });
    expect((await account("list")).out).to.equal(
      `${[
        "control-room  integration, disabled  role guards",
        "live on gate,group:yard except door,group:yard through onvif,rtsp at office",
        "playback on any within 1h from 2026-01-01T00:00:00.000Z until 2027-01-01T00:00:00.000Z",
        "deny talk on gate",
        "read-status",
      ].join("; ")}\n`,
    );
    const [listed] = JSON.parse((await account("list", "--json")).out) as { roles: unknown; grants: unknown }[];
    expect([listed?.roles, listed?.grants]).to.deep.equal([["guards"], NARROW]);
  });

  it("tells the audit log who was added and removed, with which rights", async () => {
    await account("add", "visitor", "--live", "any");
    await account("remove", "visitor");
    const entries = (await readFile(join(folder, "data/audit.log"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const rights = '{"enabled":true,"roles":[],"grants":[{"right":"live","cameras":"any","interfaces":"any"}]}';
    const common = { who: userInfo().username, interface: "cli", subject: "visitor", outcome: "allowed" };
    const [added, removed] = entries.slice(-2);
    expect(added).to.include({ ...common, action: "make-account", after: rights });
    expect(removed).to.include({ ...common, action: "remove-account", before: rights });
  });

  it("gives an account other roles, and keeps it out or lets it in", async () => {
    for (const [args, listed] of [
      [["--no-role", "--enable"], "control-room  integration  live"],
      [["--role", "guards"], "control-room  integration  role guards; live"],
      [["--disable"], "control-room  integration, disabled  role guards; live"],
    ] as const) {
      const changed = await account("change", "control-room", ...args);
      expect(changed, args.join(" ")).to.deep.equal({ code: 0, out: "control-room is changed.\n", err: "" });
      expect((await account("list")).out.startsWith(listed), args.join(" ")).to.equal(true);
    }
    for (const [args, code] of [
      [["control-room"], 2],
      [["control-room", "--enable", "--disable"], 2],
      [["control-room", "--role", "nobodys"], 1],
      [["nobody", "--enable"], 1],
    ] as const)
      expect((await account("change", ...args)).code, args.join(" ")).to.equal(code);
  });

  it("makes another secret for an external system, which alone opens it then", async () => {
    const { code, out, err } = await account("renew-secret", "control-room");
    expect(code).to.equal(0);
    expect(out).to.match(/^name: {3}control-room\nsecret: \w{20}\n$/);
    expect(err).to.include("the one before does not open anything any more");
    expect((await account("renew-secret", "nobody")).code).to.equal(1);
  });

  it("makes another secret beside which the old one holds, and ends the old one", async () => {
    const { code, err } = await account("renew-secret", "control-room", "--overlap", "24h");
    expect([code, err]).to.deep.equal([0, err]);
    expect(err).to.match(/the one before holds beside it until \d{4}-\d\d-\d\dT[0-9:.]+Z\.\n$/);
    const end = () => account("end-secret", "control-room");
    expect((await end()).out).to.equal("The former secret of control-room does not open anything any more.\n");
    expect((await end()).err).to.include("no former secret");
    for (const wrong of ["24", "1w", "31d", "-1h"])
      expect((await account("renew-secret", "control-room", `--overlap=${wrong}`)).code, wrong).to.equal(2);
  });

  it("removes one", async () => {
    expect(await account("remove", "control-room")).to.deep.equal({
      code: 0,
      out: "control-room is removed.\n",
      err: "",
    });
    expect((await account("list")).out).to.equal("There are no accounts.\n");
  });

  it("adds a person, whose password is asked for", async () => {
    const add = (name: string, password: string, ...more: readonly string[]): Promise<Ended> =>
      viaduct(["account", "add-person", name, ...more, "--password-fd", "0", "--config", config], { input: password });
    expect(await add("eve", "short\n")).to.include({ code: 2, out: "" });
    expect(await add("eve", "correct horse battery\n", "--role", "administrator", "--lasting")).to.deep.equal({
      code: 0,
      out: "eve may log in.\n",
      err: "",
    });
    await withAccounts(async (accounts) => {
      const peer = { address: "192.0.2.1", port: 1, tls: true };
      expect((await accounts.logIn("eve", "correct horse battery", peer)).name).to.equal("eve");
    });
  });

  it("gives a person another password, and nobody a weak one", async () => {
    const set = (name: string, password: string): Promise<Ended> =>
      viaduct(["account", "password", name, "--password-fd", "0", "--config", config], { input: password });
    expect(await set("eve", "short\n")).to.include({ code: 2, out: "" });
    expect(await set("nobody", "four other random words\n")).to.include({ code: 1, out: "" });
    expect(await set("eve", "four other random words\n")).to.deep.equal({
      code: 0,
      out: "eve logs in with the new password from now on, at the pages, and has to choose another one there first.\n",
      err: "",
    });
    await withAccounts(async (accounts) => {
      const peer = { address: "192.0.2.1", port: 1, tls: true };
      const refused: unknown = await accounts.logIn("eve", "four other random words", peer).catch((error) => error);
      expect(refused).to.be.instanceOf(PasswordIsTemporary);
    });
    expect((await account("list")).out).to.match(/^eve {2}person, temporary password {2}role administrator$/m);
  });
});
