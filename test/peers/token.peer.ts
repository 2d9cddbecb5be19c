import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { loadSigner } from "../../bridge/signing.ts";
import { Harness } from "../support/recorder-harness.ts";
import { scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { type SoftToken, softToken } from "../support/soft-token.ts";
import { type Ended, startViaduct, viaduct, writeConfig } from "../support/viaduct.ts";

describe("the master key in a PKCS#11 token, which is SoftHSM, and looked into by OpenSC", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let token: SoftToken;
  let config = "";
  let segment = "";
  const at = (...path: readonly string[]): string => join(folder, ...path);
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    viaduct(args, { env: { ...token.env, ...env } });
  const keys = (...args: readonly string[]): Promise<Ended> => run(["keys", ...args, "--config", config]);
  const done = async (what: Promise<Ended>): Promise<string> => {
    const { code, out, err } = await what;
    expect(code, err).to.equal(0);
    return out;
  };
  const refused = async (what: Promise<Ended>): Promise<string> => {
    const { code, out, err } = await what;
    expect([code, out]).to.deep.equal([1, ""]);
    return err;
  };
  const status = async (): Promise<Record<string, unknown>> => JSON.parse(await done(keys("status", "--json")));
  const plays = async (): Promise<boolean> => {
    await rm(at("plain.mp4"), { force: true });
    return (await run(["decrypt", segment, "--config", config, "--out", at("plain.mp4")])).code === 0;
  };
  const setPin = (pin: string): Promise<void> => writeFile(at("pin"), `${pin}\n`, { mode: 0o600 });
  const configure = (key = "viaduct-master", label = "site"): Promise<string> =>
    writeConfig(folder, `keys: { token: { module: ${token.module}, name: ${label}, key: ${key}, pinFile: pin } }\n`);

  beforeEach(async function () {
    ({ folder, remove } = await scratchFolder());
    token = await softToken(this, folder);
    await setPin(token.pin);
    config = await configure();
    const recordings = at("data", "recordings");
    await mkdir(recordings, { recursive: true });
    const data = await openDataFolder(at("data"));
    const signer = await loadSigner(data, systemClock);
    const harness = await Harness.open(recordings, { keys: data.keys, encryption: "full", signer });
    await harness.push(Array.from({ length: 60 }, (_, index) => videoSample(index)));
    await harness.close();
    await data.close();
    const [name = ""] = (await readdir(recordings, { recursive: true })).filter((one) => one.endsWith(".mp4"));
    segment = join(recordings, name);
  });
  afterEach(() => remove());

  it("is opened by a key that was made there and never leaves it; recordings open as before, and the bridge starts", async () => {
    expect(await done(keys("token"))).to.include("none called viaduct-master");
    expect(await done(keys("token", "--make"))).to.match(/RSA 3072, never leaves the token, decrypts by RSA-OAEP/);
    expect(await refused(keys("token", "--make"))).to.include("has an RSA key viaduct-master already");
    const listed = await token.tool(["--list-objects", "--type", "privkey"]);
    expect(listed).to.match(/label:\s+viaduct-master/);
    expect(listed).to.match(/Access:\s+sensitive, always sensitive, never extractable, local/);

    const before = await readFile(at("data", "master.key"), "utf8");
    expect(await done(keys("rotate", "--to-token"))).to.include("only the token opens");
    expect(await readFile(at("data", "master.key"), "utf8")).to.match(/^viaduct-token-1 sha1 [0-9a-f]{64} \S+\n$/);
    expect(await status()).to.include({ master: "token", closed: 0 });
    expect(await plays()).to.equal(true);
    // A new one has taken its place: who has seen the file has nothing.
    await writeFile(at("viaduct-master-key"), before);
    expect(await refused(run(["keys", "status", "--config", config], { CREDENTIALS_DIRECTORY: folder }))).to.include(
      "is not the master key",
    );
    const bridge = startViaduct(["serve", "--config", config], { env: token.env });
    await bridge.until("is running");
    expect((await bridge.stop()).code).to.equal(0);

    await done(keys("rotate"));
    expect(await status(), "stays where it is").to.include({ master: "token" });
    await done(keys("rotate", "--to-file"));
    expect(await status()).to.include({ master: "file", closed: 0 });
    expect(await plays()).to.equal(true);
  });

  it("is what OpenSC decrypts by the token's key, made by OpenSC too", async () => {
    await token.tool(["--keypairgen", "--key-type", "rsa:2048", "--label", "by-opensc", "--id", "07"]);
    config = await configure("by-opensc");
    await done(keys("rotate", "--to-token"));
    const [, , , wrapped = ""] = (await readFile(at("data", "master.key"), "utf8")).trim().split(" ");
    await writeFile(at("wrapped"), Buffer.from(wrapped, "base64"));
    const oaep = ["--mechanism", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA-1", "--mgf", "MGF1-SHA1"];
    await token.tool(["--decrypt", "--id", "07", ...oaep, "--input-file", at("wrapped"), "--output-file", at("clear")]);
    const clear = await readFile(at("clear"));
    expect(clear.length).to.equal(32);
    await writeFile(at("viaduct-master-key"), clear.toString("base64"));
    const opened = run(["keys", "status", "--json", "--config", config], { CREDENTIALS_DIRECTORY: folder });
    expect(JSON.parse(await done(opened))).to.include({ master: "credential", closed: 0 });
  });

  it("is not put under a key that could leave the token", async () => {
    await token.tool(["--keypairgen", "--key-type", "rsa:2048", "--label", "loose", "--extractable"]);
    config = await configure("loose");
    expect(await done(keys("token"))).to.include("CAN LEAVE THE TOKEN");
    const before = await readFile(at("data", "master.key"), "utf8");
    expect(await refused(keys("rotate", "--to-token"))).to.include("would give the key loose away");
    expect(await readFile(at("data", "master.key"), "utf8")).to.equal(before);
    expect(await status()).to.include({ master: "file" });
  });

  it("stays closed, unchanged, where token, key, library or setting are missing, and says which", async () => {
    await done(keys("token", "--make"));
    await done(keys("rotate", "--to-token"));
    const before = await readFile(at("data", "master.key"), "utf8");
    await rename(at("tokens"), at("unplugged"));
    await mkdir(at("tokens"));
    expect(await refused(keys("status"))).to.match(/no token site .*plug it in.*Nothing was changed/);
    await rm(at("tokens"), { recursive: true });
    await rename(at("unplugged"), at("tokens"));

    await configure("another");
    expect(await refused(keys("status"))).to.include("token site has no RSA key another");
    await token.tool(["--keypairgen", "--key-type", "rsa:2048", "--label", "another"]);
    expect(await refused(keys("status"))).to.include("is not the one that");
    await writeConfig(folder);
    expect(await refused(keys("status"))).to.include("set keys.token");
    await writeConfig(folder, "keys: { token: { module: gone.so, name: site, pinFile: pin } }\n");
    expect(await refused(keys("status"))).to.include(`${at("gone.so")} cannot be loaded`);

    await configure();
    await writeFile(
      at("no-package.cjs"),
      `const { Module } = require("node:module"), load = Module._load;
Module._load = (name, ...more) => { if (name === "pkcs11js") throw new Error("gone"); return load(name, ...more); };`,
    );
    const without = run(["keys", "status", "--config", config], { NODE_OPTIONS: `--require=${at("no-package.cjs")}` });
    expect(await refused(without))
      .to.include("pkcs11js")
      .and.include("npm run build");
    expect(await readFile(at("data", "master.key"), "utf8")).to.equal(before);
    expect(await status()).to.include({ master: "token", closed: 0 });

    const changed = before.replace(/\S(?=\S{40}\n$)/, (one) => (one === "A" ? "B" : "A"));
    await writeFile(at("data", "master.key"), changed);
    const { code, out, err } = await keys("status");
    expect([code, out]).to.deep.equal([2, ""]);
    expect(err).to.include("it was changed. Put your copy of it back");
  });

  it("is asked for with a wrong PIN once, however often the bridge is started, and again when a person says so", async () => {
    await done(keys("token", "--make"));
    await done(keys("rotate", "--to-token"));
    await setPin("000000");
    expect(await refused(keys("status"))).to.include("refuses the PIN");
    // The token's own count is set back, so that what was refused is remembered by us alone.
    await token.tool(["--list-objects"]);
    // One behind the other: the data folder is for one of them alone.
    for (const command of [["keys", "status"], ["serve"]])
      expect(await refused(run([...command, "--config", config]))).to.match(/was given a wrong PIN before.*--try-pin/);
    await setPin(token.pin);
    expect(await refused(keys("status"))).to.include("--try-pin");
    expect(await done(keys("token", "--try-pin"))).to.include("it takes the PIN");
    expect(await status()).to.include({ master: "token", closed: 0 });

    await chmod(at("pin"), 0o644);
    expect(await refused(keys("status"))).to.include("can be read by everybody");
  });

  it("takes the PIN from systemd's credential where no file is named", async () => {
    await writeConfig(folder, `keys: { token: { module: ${token.module}, name: site } }\n`);
    expect(await refused(keys("token"))).to.include("credential viaduct-token-pin");
    await mkdir(at("credentials"));
    await rename(at("pin"), at("credentials", "viaduct-token-pin"));
    const credentials = { CREDENTIALS_DIRECTORY: at("credentials") };
    await done(run(["keys", "token", "--make", "--config", config], credentials));
    await done(run(["keys", "rotate", "--to-token", "--config", config], credentials));
    expect(await done(run(["keys", "status", "--config", config], credentials))).to.include("a key in the token opens");
  });

  it("is done without by the recovery key, where the token is lost", async () => {
    await done(keys("token", "--make"));
    await done(keys("rotate", "--to-token"));
    await done(keys("recovery", "--out", at("recovery.pem")));
    await rm(at("tokens"), { recursive: true });
    await mkdir(at("tokens"));
    await done(keys("restore", "--lost-master", "--private-key", at("recovery.pem")));
    expect(await status()).to.include({ master: "file", closed: 0 });
    expect(await plays()).to.equal(true);
  });
});
