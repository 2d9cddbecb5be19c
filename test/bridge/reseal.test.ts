import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { openDatabase } from "../../base/database.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR } from "../../base/units.ts";
import { CameraStore } from "../../bridge/camera-store.ts";
import { type DataFolder, openDataFolder } from "../../bridge/data-folder.ts";
import { resealSecrets } from "../../bridge/reseal.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";
import { printInFile, replaceMaster } from "../../keys/master.ts";
import { codeFor } from "../support/authenticator.ts";
import { startTestBridge } from "../support/bridge.ts";

describe("secrets, when the master key is replaced", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-reseal-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As they stand in the database. */
  function sealed(): readonly string[] {
    const database = new DatabaseSync(join(folder, "viaduct.db"), { readOnly: true });
    const passwords = database.prepare("SELECT password_sealed AS sealed FROM camera").all();
    const secrets = database.prepare("SELECT credential AS sealed FROM account WHERE kind = 'integration'").all();
    const former = database.prepare("SELECT former AS sealed FROM integration_secret WHERE former IS NOT NULL").all();
    const factors = database.prepare("SELECT sealed FROM second_factor").all();
    database.close();
    return [...passwords, ...secrets, ...former, ...factors].map((row) => String(row["sealed"]));
  }

  async function cameraPasswords(data: DataFolder): Promise<readonly (string | undefined)[]> {
    const database = await openDatabase<SiteSchema>(data.file("viaduct.db"), siteMigrations);
    const cameras = await new CameraStore(database.query, data.sealer).list();
    await database.close();
    return cameras.map(({ credentials }) => credentials?.password.reveal());
  }

  async function onDisk(): Promise<string> {
    const names = (await readdir(folder)).filter((name) => name.startsWith("viaduct.db"));
    return (await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")))).join("");
  }

  /** A new master key, and then the machine is switched off. */
  async function rotate(): Promise<void> {
    const data = await openDataFolder(folder);
    const master = randomBytes(32);
    await replaceMaster(folder, master, printInFile, () => data.keys.rotate(master));
    await data.close();
  }

  it("are sealed anew under another key, of which the old master key tells nothing, if need be at the next start", async () => {
    let t = await startTestBridge({ folder });
    await t.adopt(await t.camera());
    const login = await t.account();
    const { secret } = t.bridge.parts.factors.begin("person", "ada");
    const code = codeFor(secret.reveal(), systemClock.now());
    const [recovery] = await t.bridge.parts.factors.confirm("person", code, "127.0.0.1");
    const renewed = await t.bridge.parts.accounts.renewSecret(login.id, HOUR);
    await t.close();
    const before = sealed();
    expect(before).to.have.length(4);
    const held = await openDataFolder(folder);
    const former = held.keys.get("secrets");
    const passwords = await cameraPasswords(held);
    await held.close();
    await rotate();
    expect(sealed()).to.deep.equal(before);

    t = await startTestBridge({ folder });
    try {
      const { accounts, factors } = t.bridge.parts;
      // The key of the authenticator is opened for it, too.
      expect(await factors.check("person", recovery?.reveal() ?? "", "127.0.0.1")).to.equal("recovery code");
      for (const secret of [renewed, new Secret(login.secret)])
        expect((await accounts.checkPassword(login.name, secret, "192.0.2.7")).accountId).to.equal(login.id);
    } finally {
      await t.close();
    }
    const bytes = await onDisk();
    for (const one of before) expect(bytes).not.to.include(one);
    const after = await openDataFolder(folder);
    expect(after.keys.get("former-secrets")).to.equal(undefined);
    expect(after.keys.get("secrets")).not.to.deep.equal(former);
    expect(await cameraPasswords(after)).to.deep.equal(passwords);
    await after.close();
  });

  it("are not put under a third key before the second rotation is whole", async () => {
    const t = await startTestBridge({ folder });
    await t.account();
    await t.close();
    await rotate();
    const data = await openDataFolder(folder);
    const refused = await data.keys.rotate(randomBytes(32)).catch((error: Error) => error);
    expect(refused).to.include({ kind: "wrong-state" });
    await resealSecrets(data);
    await data.close();
    await rotate();
    await (await startTestBridge({ folder })).close();
  });
});
