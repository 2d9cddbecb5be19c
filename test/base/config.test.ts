import { expect } from "chai";
import { z } from "zod";
import { readConfig } from "../../base/config.ts";
import { Fault } from "../../base/fault.ts";

const schema = z.strictObject({
  name: z.string().describe("What it is called."),
  door: z.strictObject({ port: z.int().max(65_535), hosts: z.array(z.string()).default([]) }),
});

function problemsOf(text: string): readonly string[] {
  try {
    readConfig(text, schema, "f.yaml");
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    expect((error as Fault).kind).to.equal("invalid");
    return (error as Fault).message.split("\n");
  }
  return [];
}

describe("a configuration file", () => {
  it("is read with its defaults", () => {
    expect(readConfig("name: a\ndoor: { port: 1 }\n", schema, "f.yaml")).to.deep.equal({
      name: "a",
      door: { port: 1, hosts: [] },
    });
  });

  const rows: readonly (readonly [why: string, text: string, start: string])[] = [
    ["a value of another type", "name: a\ndoor:\n  port: many\n", "f.yaml:3: door.port: "],
    ["a value beyond its bound", "name: a\ndoor:\n\n  port: 70000\n", "f.yaml:4: door.port: "],
    [
      "an unknown key",
      "name: a\ndoor:\n  port: 1\n  prot: 2\n",
      "f.yaml:4: door.prot: there is no such key; there are port, hosts",
    ],
    ["a missing key", "door: { port: 1 }\n", "f.yaml:1: name: is missing, expected string. What it is called."],
    ["the block that lacks a key", "name: a\ndoor:\n  hosts: []\n", "f.yaml:2: door.port: is missing, expected number"],
    ["an element of a list", "name: a\ndoor:\n  port: 1\n  hosts:\n    - a\n    - 7\n", "f.yaml:6: door.hosts.1: "],
    ["text that is not YAML", "name: a\ndoor: [\n", "f.yaml:"],
    ["a key that stands twice", "name: a\nname: b\ndoor: { port: 1 }\n", "f.yaml:2: "],
    ["an alias", "name: &x a\ndoor: { port: 1, hosts: [*x] }\n", "f.yaml: aliases"],
    ["an empty file", "", "f.yaml:1: name: "],
  ];
  for (const [why, text, start] of rows)
    it(`is refused with the line of ${why}`, () => {
      expect(problemsOf(text)[0]).to.satisfy(
        (line: string | undefined) => line?.startsWith(start),
        `${problemsOf(text)[0]}`,
      );
    });

  it("names every mistake at once", () => {
    expect(problemsOf("name: 1\ndoor: { port: x }\n")).to.have.length(2);
  });
});
