import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";

describe("viaduct role, group, hours and why", () => {
  let folder = "";
  let config = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-rights-"));
    config = await writeConfig(folder);
    await call("account", "add", "guard", "--live", "any");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const call = (...args: readonly string[]): Promise<Ended> => viaduct([...args, "--config", config]);
  const done = async (out: string, ...args: readonly string[]): Promise<void> => {
    expect(await call(...args), args.join(" ")).to.deep.equal({ code: 0, out: `${out}\n`, err: "" });
  };

  it("say that there are none, but for the administrator's role", async () => {
    expect((await call("group", "list")).out).to.equal("There are no camera groups.\n");
    expect((await call("hours", "list", "--json")).out).to.equal("[]\n");
    expect((await call("role", "list")).out).to.match(/^administrator {2}Administrator\n {2}see on any\n/);
  });

  it("make a group, hours, and a role out of them", async () => {
    await done("site is made.", "group", "add", "site", "--name", "The site");
    await done("outside is made.", "group", "add", "outside", "--parent", "site");
    const week = ["--zone", "Europe/Copenhagen", "--week", "sun 02:00-04:00", "--except", "2026-12-24 closed"];
    await done("night is made.", "hours", "add", "night", ...week);
    await done("guards is made.", "role", "add", "guards", "--name", "Guards", "--grant", "ptz on group:site at night");
    await done("guards is changed.", "role", "change", "guards", "--add-grant", "deny talk on any");
    await done("guard is changed.", "account", "change", "guard", "--role", "guards");
    expect((await call("group", "list")).out).to.equal(
      "outside  outside\n  cameras: none\n  in: site\nsite  The site\n  cameras: none\n",
    );
    expect((await call("hours", "list")).out).to.equal(
      "night  night\n  zone: Europe/Copenhagen\n  sun 02:00-04:00\n  except 2026-12-24 closed\n",
    );
    expect((await call("role", "list")).out).to.match(
      /\nguards {2}Guards\n {2}ptz on group:site at night\n {2}deny talk on any\n {2}held by: guard\n$/,
    );
    const roles = JSON.parse((await call("role", "list", "--json")).out) as { id: string; accounts: string[] }[];
    expect(roles.find(({ id }) => id === "guards")?.accounts).to.deep.equal(["guard"]);
  });

  it("change what is said, and leave the rest", async () => {
    await done("night is changed.", "hours", "change", "night", "--name", "Nights", "--no-except");
    await done("outside is changed.", "group", "change", "outside", "--no-parent");
    expect((await call("hours", "list")).out).to.equal("night  Nights\n  zone: Europe/Copenhagen\n  sun 02:00-04:00\n");
    expect((await call("group", "list")).out).to.match(/^outside {2}outside\n {2}cameras: none\nsite/);
  });

  it("say why an account may, and why not, and end with 1 where it may not", async () => {
    const at = (instant: string): readonly string[] => ["--interface", "rtsp", "--at", instant];
    const may = await call("why", "guard", "live", "gate", ...at("2026-11-29T03:00:00+01:00"));
    expect(may).to.deep.equal({
      code: 0,
      out: [
        "guard may live on gate through rtsp at 2026-11-29T02:00:00.000Z: grant of live.",
        "  account, line 1: matches",
        "",
      ].join("\n"),
      err: "",
    });
    const not = await call("why", "guard", "talk", "gate", ...at("2026-11-29T03:00:00+01:00"));
    expect(not).to.deep.include({ code: 1, err: "" });
    expect(not.out).to.include("guard may not talk on gate").and.include("role guards, line 2, which denies: matches");
    const json = await call("why", "guard", "read-audit", "--interface", "web", "--json");
    expect(json.code).to.equal(1);
    expect(JSON.parse(json.out)).to.deep.include({ allowed: false, why: "no grant of read-audit", grants: [] });
    await done("guard is changed.", "account", "change", "guard", "--disable");
    const camera = "The camera looks to it as one that does not exist.\n";
    expect((await call("why", "guard", "live", "gate", "--interface", "web")).out).to.include(
      `is disabled.\n${camera}`,
    );
    const over = await call("why", "guard", "read-audit", "--interface", "web");
    expect(over.out).to.match(/^guard may not read-audit through web at \S+: the account is disabled\.\n$/);
    await done("guard is changed.", "account", "change", "guard", "--enable");
  });

  const REFUSED: readonly (readonly [line: string, code: number, words: string])[] = [
    ["role add guards", 2, "there is a role guards already"],
    ["role change others", 1, "there is no role others"],
    ["role add fliers --grant fly", 2, "fly is not a right"],
    ["role remove guards", 1, "guards is in use by guard"],
    ["role remove administrator", 1, "can be neither changed nor removed"],
    ["role remove others", 1, "there is no role others"],
    ["group remove site", 1, "site is in use by others"],
    ["group add yard --camera gone", 2, "there is no camera gone"],
    ["group add Yard", 2, "an id has up to 64 of a-z, 0-9 and -"],
    ["group change site --parent site", 2, "group site is in itself"],
    ["hours add office", 2, "say the time zone"],
    ["hours add office --zone Mars", 2, "there is no such time zone"],
    ["hours add office --zone UTC --week always", 2, "is no hours"],
    ["why nobody live gate --interface rtsp", 1, "there is no account"],
    ["why guard live --interface rtsp", 2, "say over which"],
    ["why guard read-audit gate --interface web", 2, "no right over cameras"],
    ["why guard fly --interface rtsp", 2, "there is no right"],
    ["why guard live gate --interface door", 2, "there is no interface"],
    ["why guard live gate --interface rtsp --at 2026-11-29T03:00:00", 2, "with its zone"],
  ];
  it("are refused in words where they make no sense", async () => {
    for (const [line, code, words] of REFUSED) {
      const ended = await call(...line.split(" "));
      expect({ code: ended.code, out: ended.out }, line).to.deep.equal({ code, out: "" });
      expect(ended.err, line).to.include(words);
    }
  });

  it("remove what nobody uses, and tell the audit log", async () => {
    await done("outside is removed.", "group", "remove", "outside");
    const log = (await readFile(join(folder, "data/audit.log"), "utf8")).trim().split("\n");
    expect(JSON.parse(log.at(-1) ?? "")).to.include({ action: "remove-group", subject: "outside", interface: "cli" });
  });
});
