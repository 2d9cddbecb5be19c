import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { lockFolder } from "../../base/lock.ts";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";

describe("viaduct account", function () {
  this.timeout(60_000);
  let folder = "";
  let config = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-account-"));
    config = await writeConfig(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const account = (...args: readonly string[]): Promise<Ended> => viaduct(["account", ...args, "--config", config]);

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
      out: "control-room  integration  live any; talk any\n",
      err: "",
    });
    const { out: json } = await account("list", "--json");
    expect(JSON.parse(json)).to.deep.equal([
      {
        name: "control-room",
        kind: "integration",
        enabled: true,
        grants: [
          { right: "live", cameras: "any" },
          { right: "talk", cameras: "any" },
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
    expect((await account("list")).out).to.equal("control-room  integration  live any; talk any\n");
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

  it("removes one", async () => {
    expect(await account("remove", "control-room")).to.deep.equal({
      code: 0,
      out: "control-room is removed.\n",
      err: "",
    });
    expect((await account("list")).out).to.equal("There are no accounts.\n");
  });
});
