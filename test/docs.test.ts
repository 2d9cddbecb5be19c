import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { matrixLines } from "./support/client-matrix.ts";
import { viaduct } from "./support/viaduct.ts";

const root = join(import.meta.dirname, "..");
const documents = ["README.md", ...globSync("docs/**/*.md", { cwd: root })];
const textOf = (document: string): string => readFileSync(join(root, document), "utf8");

/** `[words](target)`, pictures too. */
const LINK = /\]\((?<target>[^()\s]+)\)/g;
/** A heading, and what a link to it is called. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (?<title>.*)$/gm)].map((match) =>
    (match.groups?.["title"] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
/** `viaduct` and the words of a sub-command behind it, in code; a command line's `npx viaduct` too. */
const COMMAND = /(?:`|^|npx )viaduct (?<words>[a-z]+(?: [a-z]+)?)/gm;

describe("the documents", () => {
  it("link to files and headings that exist", () => {
    const broken = documents.flatMap((document) =>
      [...textOf(document).matchAll(LINK)]
        .map((match) => match.groups?.["target"] ?? "")
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [file = "", anchor] = target.split("#");
          const path = file === "" ? document : join(dirname(document), file);
          if (!existsSync(join(root, path))) return true;
          return anchor !== undefined && path.endsWith(".md") && !anchorsOf(textOf(path)).includes(anchor);
        })
        .map((target) => `${document}: ${target}`),
    );
    expect(broken).to.deep.equal([]);
  });

  it("can all be reached from the README", () => {
    const reached = new Set(["README.md"]);
    for (const document of reached)
      for (const match of textOf(document).matchAll(LINK)) {
        const path = join(dirname(document), match.groups?.["target"]?.split("#", 1)[0] ?? "");
        for (const found of globSync([path, `${path}/*.md`], { cwd: root }))
          if (found.endsWith(".md")) reached.add(found);
      }
    expect(documents.filter((document) => !reached.has(document))).to.deep.equal([]);
  });

  it("give each decision a number of its own, without gaps, that its heading says too", () => {
    const numbers = documents
      .filter((document) => document.startsWith("docs/decisions/"))
      .map((document) => {
        const [, ofFile = ""] = /(?<number>\d{4})-/.exec(document) ?? [];
        const [, ofHeading = ""] = /^# (?<number>\d+)\. /.exec(textOf(document)) ?? [];
        return [Number(ofFile), Number(ofHeading)];
      });
    expect(numbers.toSorted(([a = 0], [b = 0]) => a - b)).to.deep.equal(
      numbers.map((_, index) => [index + 1, index + 1]),
    );
  });

  it("have each word of the glossary once, in order", () => {
    const words = [...textOf("docs/glossary.md").matchAll(/^\| (?!word \||-)(?<word>[^|]+) \|/gm)].map((match) =>
      (match.groups?.["word"] ?? "").toLowerCase(),
    );
    expect(words.length).to.be.greaterThan(30);
    expect(words).to.deep.equal([...new Set(words)].toSorted());
  });

  it("name commands that exist", async () => {
    const named = new Map<string, string>();
    for (const document of documents)
      for (const match of textOf(document).matchAll(COMMAND)) named.set(match.groups?.["words"] ?? "", document);
    expect(named.size).to.be.greaterThan(5);
    const helps = await Promise.all(
      [...named].map(async ([words, document]) => {
        const [command = "", sub = ""] = words.split(" ");
        const { code, out } = await viaduct([command, "--help"]);
        const isGroup = /\nCommands:\n/.test(out);
        return code === 0 && (!isGroup || sub === "" || new RegExp(`\n {2}${sub}\\b`).test(out))
          ? []
          : [`${document}: viaduct ${words}`];
      }),
    );
    expect(helps.flat()).to.deep.equal([]);
  });

  it("say what clients are tested over which way, and how they log in", () => {
    const [, table = ""] = textOf("docs/conformance.md").split("| client | live over | recorded over | log-ins |\n");
    const lines = table.split("\n\n", 1)[0]?.split("\n").slice(1);
    expect(lines).to.deep.equal(matrixLines());
  });

  it("describe the configuration and the quirks as the code does", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/reference.ts"), "--check"], {
      encoding: "utf8",
    });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
  });
});
