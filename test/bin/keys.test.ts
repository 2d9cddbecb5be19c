import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { loadSigner } from "../../bridge/signing.ts";
import { Harness } from "../support/recorder-harness.ts";
import { scratchFolder, videoSample } from "../support/recorder-samples.ts";
import { PROGRAM, viaduct, writeConfig } from "../support/viaduct.ts";

describe("viaduct keys, decrypt and verify", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";
  let segment = "";
  const at = (name: string): string => join(folder, name);
  const keys = (...args: readonly string[]) => viaduct(["keys", ...args, "--config", config]);
  const status = async () => JSON.parse((await keys("status", "--json")).out) as Record<string, unknown>;

  async function vaultKey(name: "secrets" | "former-secrets"): Promise<Buffer | undefined> {
    const data = await openDataFolder(at("data"));
    const key = data.keys.get(name);
    await data.close();
    return key;
  }

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
    config = await writeConfig(folder);
    const recordings = at("data/recordings");
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

  it("tell how keys stand, replace the master key, and recordings open as before", async () => {
    expect(await status()).to.deep.include({
      master: "file",
      dataKeys: 1,
      recovery: false,
      writeOnly: false,
      closed: 0,
    });
    const before = await readFile(at("data/master.key"), "utf8");
    const secrets = await vaultKey("secrets");
    expect((await keys("rotate")).code).to.equal(0);
    expect(await vaultKey("secrets")).not.to.deep.equal(secrets);
    expect(await vaultKey("former-secrets")).to.equal(undefined);
    expect(await readFile(at("data/master.key"), "utf8")).not.to.equal(before);
    const args = ["decrypt", segment, "--config", config, "--out", at("plain.mp4")];
    expect(await viaduct(args)).to.deep.equal({
      code: 0,
      out: `${at("plain.mp4")} is written, without encryption.\n`,
      err: "",
    });
    const again = await viaduct(args);
    expect(again.code).to.equal(1);
    expect(again.err).to.include("cannot use");
    const certificate = ["--certificate", at("data/evidence-cert.pem")];
    const plain = await viaduct(["verify", at("plain.mp4"), ...certificate]);
    expect(plain.code, plain.out).to.equal(0);
    expect(plain.out).to.match(/^2026-11-24T13:05:00\.000Z \S+ cam\/main \S+plain\.mp4: ok\n/);
    expect((await viaduct(["verify", at("data/recordings"), ...certificate])).code, "locked").to.equal(3);
    expect((await viaduct(["verify", at("data/recordings"), ...certificate, "--config", config])).code).to.equal(0);
  });

  it("leave nothing of a recording that cannot be decrypted whole", async () => {
    const args = ["decrypt", segment, "--config", config, "--out", at("part.mp4")];
    const bytes = await readFile(segment);
    const signature = bytes.lastIndexOf(Buffer.from("e07d5c1b48a64c6f9b3a2f71c59e8d04", "hex")) - 8;
    const rows = [
      [bytes.subarray(0, signature), "it is not finished"],
      [bytes.subarray(0, signature - 100), "is damaged"],
      [Buffer.from(bytes).fill(1, signature - 100, signature), "do not open"],
    ] as const;
    for (const [changed, why] of rows) {
      await writeFile(segment, changed);
      const refused = await viaduct(args);
      expect([refused.code, refused.out]).to.deep.equal([2, ""]);
      expect(refused.err).to.include(why);
      expect(await readdir(folder)).not.to.include("part.mp4");
    }
  });

  it("make a machine that only records, and open its recordings with the private key", async () => {
    expect((await keys("write-only", "--out", at("reader.pem"))).code).to.equal(0);
    expect((await stat(at("reader.pem"))).mode & 0o777).to.equal(0o600);
    expect(await status()).to.include({ writeOnly: true, closed: 1 });
    const closed = await viaduct(["decrypt", segment, "--config", config, "--out", at("no.mp4")]);
    expect({ code: closed.code, err: closed.err }).to.include({ code: 1 });
    expect(closed.err).to.include("is not here");
    await keys("write-only", "--off");
    expect((await keys("restore", "--private-key", at("reader.pem"))).out).to.include(
      "1 data keys are under the master key",
    );
    expect(await status()).to.include({ writeOnly: false, closed: 0 });
  });

  it("bring recordings back with the recovery key when the master key is lost, and refuse to start without either", async () => {
    expect((await keys("recovery", "--out", at("recovery.pem"))).code).to.equal(0);
    await rename(at("data/master.key"), at("gone"));
    const refused = await keys("status");
    expect(refused.code).to.equal(1);
    expect(refused.err).to.include("master.key is missing").and.include("Nothing was changed");
    expect((await keys("restore", "--lost-master", "--private-key", at("recovery.pem"))).code).to.equal(0);
    expect(await status()).to.include({ closed: 0 });
    const again = await keys("restore", "--lost-master", "--private-key", at("recovery.pem"));
    expect(again.code).to.equal(1);
    expect(again.err).to.include("is there and fits");
  });

  it("ask for a passphrase from a file descriptor, and take no other", async () => {
    const command = ["bash", "-c", '"$0" "$@" 3<<< "$NEW" 4<<< "$OLD"', process.execPath, PROGRAM] as const;
    const run = (old: string, ...args: readonly string[]) =>
      viaduct(["keys", ...args, "--config", config], { command, env: { OLD: old, NEW: "correct horse battery" } });
    const made = await run("", "rotate", "--to-passphrase", "--new-passphrase-fd", "3");
    expect(made.code, made.err).to.equal(0);
    expect((await run("correct horse battery", "status", "--passphrase-fd", "4")).out).to.include("under a passphrase");
    expect((await run("incorrect horse", "status", "--passphrase-fd", "4")).err).to.include(
      "passphrase is not the one",
    );
    expect((await keys("status")).err).to.include("nobody can be asked");
  });
});
