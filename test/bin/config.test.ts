import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { z } from "zod";
import { PROGRAM, viaduct } from "../support/viaduct.ts";

describe("viaduct config", () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-config-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const check = async (text: string): Promise<{ code: number | null; problems: readonly string[] }> => {
    const file = join(folder, "viaduct.yaml");
    await writeFile(file, text);
    const { code, err } = await viaduct(["config", "check", file]);
    return {
      code,
      problems: err
        .replace(/^viaduct: /, "")
        .replaceAll(`${file}:`, "")
        .trimEnd()
        .split("\n"),
    };
  };

  it("prints an example that it finds right itself, in a pipe and in a file", async () => {
    const { out } = await viaduct(["config", "example"]);
    const piped = await viaduct(["config", "check", "-"], { input: out });
    expect(piped).to.deep.equal({ code: 0, out: "It is right.\n", err: "" });
    expect((await check(out)).code).to.equal(0);
  });

  it("prints an example whose switched-off lines are right, too", async () => {
    const { out } = await viaduct(["config", "example"]);
    expect(await check(out.replace(/^( *)# (?=[a-zA-Z]+: [[{])/gm, "$1"))).to.deep.equal({ code: 0, problems: [""] });
  });

  it("names every mistake with its line and what to write instead", async () => {
    const { code, problems } = await check(`dataFolder: data
logLevel: loud
cameraSide:
  interfaces: []
clientSide:
  adresses: [127.0.0.1]
  web: { port: 99999 }
  rtsp:
    enabled: sometimes
recording:
  segmentSeconds: 5
`);
    expect(code).to.equal(2);
    expect(problems).to.have.members([
      '2: logLevel: Invalid option: expected one of "debug"|"info"|"warn"|"error"',
      "4: cameraSide.interfaces: Too small: expected array to have >=1 items",
      "5: clientSide.addresses: is missing, expected array. Own addresses on which clients are served. Nothing else is bound.",
      "6: clientSide.adresses: there is no such key; there are addresses, names, web, rtsps, rtsp, udp, srtp, multicast, onvifHttp, clientCertificates, notifications, profileScopes, userLevels, cameraDevices, discovery",
      "7: clientSide.web.port: Too big: expected number to be <=65535",
      "9: clientSide.rtsp.enabled: Invalid input: expected boolean, received string",
      "11: recording.segmentSeconds: Too small: expected number to be >=10",
    ]);
  });

  it("names the line of what is not YAML", async () => {
    expect((await check("dataFolder: x\ndataFolder: y\n")).problems).to.deep.equal(["2: Map keys must be unique"]);
    expect((await check("dataFolder: [\n")).problems[0]).to.match(/^2: /);
  });

  it("prints a JSON Schema that takes the example, and no key that there is not", async () => {
    const [printed, { out: example }] = await Promise.all([
      viaduct(["config", "schema"]),
      viaduct(["config", "example"]),
    ]);
    const text = JSON.parse(printed.out) as Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>;
    expect(text.$schema).to.match(/^https:\/\/json-schema\.org\//);
    const schema = z.fromJSONSchema(text);
    const settings = parse(example) as Readonly<Record<string, object>>;
    expect(schema.safeParse(settings).error?.issues).to.equal(undefined);
    expect(schema.safeParse({ ...settings, more: 1 }).success).to.equal(false);
    const clientSide = { ...settings["clientSide"], adresses: [] };
    expect(schema.safeParse({ ...settings, clientSide }).success).to.equal(false);
  });

  it("says nothing where its reader has read enough", async () => {
    const command = ["sh", "-c", '"$1" "$2" config schema | head -c 1', "sh", process.execPath, PROGRAM] as const;
    expect(await viaduct([], { command })).to.deep.equal({ code: 0, out: "{", err: "" });
  });
});
