import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Database, openDatabase } from "../../base/database.ts";
import { DeviceScopes } from "../../bridge/device-scopes.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";

describe("scopes of the bridge's own device", () => {
  let folder: string;
  let database: Database<SiteSchema>;
  const opened = async (): Promise<DeviceScopes> => {
    await database?.close();
    database = await openDatabase<SiteSchema>(join(folder, "site.db"), siteMigrations);
    return DeviceScopes.open(database.query);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-scopes-"));
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  it("are there after a restart, in their order, as they were set last", async () => {
    const scopes = await opened();
    await scopes.change(() => ["urn:a", "urn:b", "urn:c"]);
    await scopes.change((list) => ["urn:d", ...list.slice(1).toReversed()]);
    expect((await opened()).list()).to.deep.equal(["urn:d", "urn:c", "urn:b"]);
  });

  it("are told of when they have changed, and not where a change was refused or is none", async () => {
    const scopes = await opened();
    let told = 0;
    scopes.whenChanged(() => {
      told += 1;
    });
    await scopes.change(() => ["urn:a"]);
    await scopes.change(() => ["urn:a"]);
    const refused = await scopes
      .change(() => {
        throw new RangeError("refused");
      })
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(RangeError);
    expect(told).to.equal(1);
    expect(scopes.list()).to.deep.equal(["urn:a"]);
  });

  it("are changed one after the other: none is lost where two are added at once", async () => {
    const scopes = await opened();
    await Promise.all(["urn:a", "urn:b"].map((one) => scopes.change((list) => [...list, one])));
    expect(scopes.list()).to.deep.equal(["urn:a", "urn:b"]);
  });
});
