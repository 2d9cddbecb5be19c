import type { KeyObject } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { asFault, type Fault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { makePair } from "../../keys/wrap.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";

const DAY_US = Date.UTC(2026, 10, 24) * 1000;

describe("a data folder that has lost keys", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const refused = (opening: Promise<unknown>): Promise<Fault> =>
    opening.then<never, Fault>(() => expect.fail("opened"), asFault);
  const certificates = async (): Promise<readonly string[]> =>
    (await readdir(folder)).filter((name) => name.startsWith("evidence-cert")).toSorted();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-lost-keys-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Makes a recovery key, and a data key that it opens. */
  async function recoveryKey(): Promise<{ readonly privateKey: KeyObject; readonly dataKey: string }> {
    const data = await openDataFolder(folder);
    const { publicKey, privateKey } = makePair();
    await data.keys.setRecovery(publicKey);
    const { id } = await data.keys.forRecording("gone", DAY_US);
    await data.close();
    return { privateKey, dataKey: id };
  }

  it("starts again under a new master key, and says of each camera and integration what was lost", async () => {
    let t: TestBridge = await startTestBridge({ folder });
    const id = await t.adopt(await t.camera());
    const login = await t.account();
    const certificate = await readFile(at("evidence-cert.pem"), "utf8");
    await t.close();
    const { privateKey, dataKey } = await recoveryKey();
    await rm(at("master.key"));

    const data = await openDataFolder(folder, { lostMaster: privateKey });
    expect(await data.keys.find(dataKey)).not.to.equal(undefined);
    await data.close();
    t = await startTestBridge({ folder });
    try {
      const { accounts } = t.bridge.parts;
      const other = await t.account();
      const state = () => t.cameras(other).find(({ info }) => info.id === id)?.info.connection;
      await eventually(() => state()?.state === "offline");
      expect(state()).to.include({
        why: "its password cannot be opened any more, for the master key that it was stored under is lost: remove the camera and adopt it again",
      });

      expect(accounts.list().find((one) => one.id === login.id)).to.include({ enabled: false });
      const wrong = await refused(accounts.checkPassword(login.name, new Secret(login.secret), "192.0.2.7"));
      expect(wrong.kind).to.equal("unauthenticated");
      expect((await refused(accounts.change(login.id, { enabled: true }))).tell).to.include(
        "renew it, then enable the account",
      );
      const renewed = await accounts.renewSecret(login.id);
      await accounts.change(login.id, { enabled: true });
      expect((await accounts.checkPassword(login.name, renewed, "192.0.2.7")).accountId).to.equal(login.id);

      const [kept = "", present, ...more] = await certificates();
      expect([present, more]).to.deep.equal(["evidence-cert.pem", []]);
      expect(kept).to.match(/^evidence-cert\.\d{4}-\d\d-\d\d\.pem$/);
      expect(await readFile(at(kept), "utf8")).to.equal(certificate);
      expect(await readFile(at("evidence-cert.pem"), "utf8")).not.to.equal(certificate);
    } finally {
      await t.close();
    }
  });

  it("changes nothing where the private key opens nothing, or the master key is not lost", async () => {
    const { privateKey } = await recoveryKey();
    const master = await readFile(at("master.key"), "utf8");
    expect(await refused(openDataFolder(folder, { lostMaster: privateKey }))).to.include({ kind: "wrong-state" });
    expect(await readFile(at("master.key"), "utf8")).to.equal(master);
    await rename(at("master.key"), at("kept"));
    const before = await readdir(folder);
    const fault = await refused(openDataFolder(folder, { lostMaster: makePair().privateKey }));
    expect([fault.kind, fault.tell]).to.deep.equal([
      "invalid",
      "the private key opens none of the data keys; nothing was changed",
    ]);
    expect(await readdir(folder)).to.deep.equal(before);
    await rename(at("kept"), at("master.key"));
    await (await openDataFolder(folder)).close();
  });

  it("is not opened where keys.db is gone, and says so", async () => {
    const t = await startTestBridge({ folder });
    await t.close();
    for (const name of await readdir(folder)) if (name.startsWith("keys.db")) await rm(at(name));
    expect((await refused(openDataFolder(folder))).tell).to.match(/keys\.db of .* is lost/);
    await rename(at("evidence-cert.pem"), at("aside.pem"));
    await (await openDataFolder(folder)).close();
  });

  it("takes the master key of an installation of before there was a vault for its secrets, and makes none there", async () => {
    await writeFile(at("viaduct.db"), "");
    expect((await refused(openDataFolder(folder))).tell).to.match(/master\.key is missing/);
    const old = Buffer.alloc(32, 3);
    await writeFile(at("viaduct-master-key"), old.toString("base64"));
    const before = process.env["CREDENTIALS_DIRECTORY"];
    process.env["CREDENTIALS_DIRECTORY"] = folder;
    try {
      const data = await openDataFolder(folder);
      expect(data.keys.get("secrets")).to.deep.equal(old);
      await data.close();
    } finally {
      if (before === undefined) delete process.env["CREDENTIALS_DIRECTORY"];
      else process.env["CREDENTIALS_DIRECTORY"] = before;
    }
  });

  it("has a key for secrets of its own where a master key was put there before the first start", async () => {
    const given = Buffer.alloc(32, 3);
    await writeFile(at("master.key"), given.toString("base64"));
    const data = await openDataFolder(folder);
    expect(data.keys.get("secrets")).not.to.deep.equal(given);
    await data.close();
  });
});
