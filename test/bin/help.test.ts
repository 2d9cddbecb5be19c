import { expect } from "chai";
import { type Ended, viaduct } from "../support/viaduct.ts";

/** What `viaduct <path> --help` says, of this command and of all below it. */
async function helpOf(path: string): Promise<readonly (readonly [path: string, help: Ended])[]> {
  const help = await viaduct([...path.split(" ").filter(Boolean), "--help"]);
  const list = /\nCommands:\n(?<lines>(?: {2}.*\n?)+)/.exec(help.out)?.groups?.["lines"] ?? "";
  const names = [...list.matchAll(/^ {2}(?<name>[a-z-]+)/gm)].map((match) => match.groups?.["name"] ?? "");
  // A command that is not known gets the help of the one above it, which would lead here again.
  expect(help.out.startsWith(`Usage: ${`viaduct ${path}`.trim()} `), path).to.equal(true);
  const below = names.filter((name) => name !== "help").map((name) => helpOf(`${path} ${name}`.trim()));
  return [[path, help], ...(await Promise.all(below)).flat()];
}

describe("viaduct --help", () => {
  let help: ReadonlyMap<string, Ended>;

  before(async () => {
    help = new Map(await helpOf(""));
  });

  it("leads to every command", () => {
    expect([...help.keys()]).to.include.members(["serve", "sim camera", "account add", "check"]);
  });

  it("says of every command what it does, and of every option what it means", () => {
    for (const [path, { code, out, err }] of help) {
      expect({ code, err }, path).to.deep.equal({ code: 0, err: "" });
      expect(out, path).to.match(new RegExp(`^Usage: ${`viaduct ${path}`.trim()} .*\n\n[A-Za-z]`));
      for (const [, option] of out.matchAll(/^ {2}(-\S.*)$/gm)) expect(option, path).to.match(/ {2,}\S|>$/);
    }
  });

  it("shows examples of what people type first", () => {
    for (const example of ["viaduct demo", "viaduct serve --config", "viaduct discover --interface"])
      expect(help.get("")?.out).to.include(example);
    for (const path of ["discover", "sim camera", "account add", "check"])
      expect(help.get(path)?.out, path).to.match(/Examples?:\n {2}viaduct /);
  });
});

describe("viaduct, called wrongly", () => {
  const rows: readonly (readonly [call: string, words: string])[] = [
    ["nonsense", "unknown command 'nonsense'"],
    ["serve", "required option '--config <file>'"],
    ["serve --config x --nonsense", "unknown option '--nonsense'"],
    ["demo --cameras 0", "--cameras must be 1 to 16"],
    ["discover --seconds 0", "--seconds must be 1 to 300"],
    ["discover --port many", "--port must be 1 to 65535"],
    ["discover --interface eth0", "eth0 is neither an IP address nor a range"],
    ["discover 10.0.0.0/8 --interface 127.0.0.0/30", "more than 4096 addresses"],
    ["sim camera --size large", "--size must be like 640x360"],
    ["sim camera --size 10x10", "both even"],
    ["sim camera --port many", "--port must be a number"],
    ["sim camera --transport pigeon", 'a simulated camera sends by tcp, udp, http, multicast, not by "pigeon"'],
    ["sim camera --card main", 'a card has the main stream, or both, not "main"'],
    ["sim camera --quirk none", 'there is no quirk "none": see `viaduct sim quirks`'],
  ];
  it("ends with 2 and says what is wrong, without a stack", async () => {
    const all = await Promise.all(rows.map(async ([call]) => viaduct(call.split(" "))));
    for (const [index, { code, out, err }] of all.entries()) {
      const [call, words] = rows[index] ?? ["", ""];
      expect({ code, out }, `${call}: ${err}`).to.deep.equal({ code: 2, out: "" });
      expect(err, call).to.include(words);
      expect(err, call).not.to.match(/\n\s+at /);
    }
  });

  it("prints its help and ends with 2 where a command is missing", async () => {
    for (const call of [[], ["sim"], ["config"], ["account"]]) {
      const { code, err } = await viaduct(call);
      expect({ code, usage: err.startsWith("Usage: viaduct") }, call.join(" ")).to.deep.equal({ code: 2, usage: true });
    }
  });

  it("ends with 0 for its version and with 1 for what fails", async () => {
    const { code, out } = await viaduct(["--version"]);
    expect({ code, version: /^\d+\.\d+\.\d+\n$/.test(out) }).to.deep.equal({ code: 0, version: true });
    const missing = await viaduct(["config", "check", "/nowhere/viaduct.yaml"]);
    expect({ code: missing.code, out: missing.out }).to.deep.equal({ code: 1, out: "" });
    expect(missing.err).to.include("cannot read /nowhere/viaduct.yaml");
  });
});
