import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startViaduct, viaduct, writeConfig } from "../support/viaduct.ts";
import { WebClient } from "../support/web-client.ts";

const PASSWORD = "correct horse battery";

describe("viaduct serve", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-serve-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("hands out a one-time set-up token while there is no administrator, and logs no secret", async () => {
    const config = await writeConfig(folder, "logLevel: debug\n");
    const first = startViaduct(["serve", "--config", config]);
    await first.until("set-up token:\n\n    ");
    expect(first.out()).to.match(/^Viaduct \S+ is running: https:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(first.out()).to.match(/\nIts certificate's SHA-256 fingerprint: [0-9A-F]{2}(:[0-9A-F]{2}){31}\n/);
    const token = / {4}(?<token>\w{20})\n/.exec(first.out())?.groups?.["token"] ?? "";
    const client = new WebClient(Number(/:(?<port>\d+)\//.exec(first.out())?.groups?.["port"]));
    await client.send("POST", "/api/setup", { body: { token: "a-wrong-token", name: "admin", password: PASSWORD } });
    await client.logIn("admin", "a-wrong-password");
    const made = await client.send("POST", "/api/setup", { body: { token, name: "admin", password: PASSWORD } });
    expect(made.status).to.equal(201);
    const added = await client.send("POST", "/api/accounts", { body: { name: "vms", watching: { live: "any" } } });
    const { secret } = added.json as { secret: string };

    const busy = await viaduct(["account", "list", "--config", config]);
    expect(busy.code).to.equal(1);
    expect(busy.err).to.include("another Viaduct process is using");

    const { code, err } = await first.stop();
    expect(code).to.equal(0);
    const audit = await readFile(join(folder, "data/audit.log"), "utf8");
    const session = client.cookie.split("=")[1] ?? "";
    expect(
      err
        .split("\n")
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    ).to.include.members(["ready", "the first administrator was made", "log-in failed", "stopping", "stopped"]);
    for (const word of [token, PASSWORD, secret, session, "a-wrong-token", "a-wrong-password"]) {
      expect(word.length).to.be.greaterThan(10);
      expect(err).not.to.include(word);
      expect(audit).not.to.include(word);
    }

    const second = startViaduct(["serve", "--config", config]);
    await second.until("fingerprint");
    const { code: again, out } = await second.stop("SIGINT");
    expect(again).to.equal(0);
    expect(out).not.to.match(/token|administrator/);
  });

  it("says which port is taken, and ends with 1", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      const config = await writeConfig(folder, `metrics: {}\n`);
      const text = (await readFile(config, "utf8")).replace("rtsps: { port: 0 }", `rtsps: { port: ${port} }`);
      const { code, out, err } = await viaduct(["serve", "--config", "-"], {
        input: text.replace("dataFolder: data", `dataFolder: ${join(folder, "data")}`),
      });
      expect({ code, out }).to.deep.equal({ code: 1, out: "" });
      expect(err).to.match(new RegExp(`viaduct: cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE`));
    } finally {
      server.close();
    }
  });

  it("says that it cannot use a data folder", async () => {
    const config = await writeConfig(folder);
    const text = (await readFile(config, "utf8")).replace("dataFolder: data", `dataFolder: ${config}/data`);
    const { code, err } = await viaduct(["serve", "--config", "-"], { input: text });
    expect(code).to.equal(1);
    expect(err).to.include(`cannot use ${config}/data as data folder: ENOTDIR`);
  });
});
