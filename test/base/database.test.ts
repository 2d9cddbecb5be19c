import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { sql } from "kysely";
import { openDatabase } from "../../base/database.ts";
import { isFault } from "../../base/fault.ts";
import { siteMigrations } from "../../bridge/site-schema.ts";

type Migrations = Parameters<typeof openDatabase>[1];

describe("a database", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-database-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function open(migrations: Migrations): Promise<readonly string[]> {
    const database = await openDatabase(join(folder, "one.db"), migrations);
    try {
      const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(
        database.query,
      );
      return rows.map(({ name }) => name);
    } finally {
      await database.close();
    }
  }

  it("of each state that an older version may have left opens with all that is new, whatever part that is of", async () => {
    const all = Object.keys(siteMigrations);
    const parts = Map.groupBy(all, (name) => name.split("-", 1)[0]);
    for (const names of parts.values())
      for (let known = 0; known < names.length; known += 1) {
        // One part is so old, the others are as now.
        const isNew = new Set(names.slice(known));
        const old = Object.entries(siteMigrations).filter(([name]) => !isNew.has(name));
        await open(Object.fromEntries(old));
        expect(await open(siteMigrations), `without ${[...isNew].join(", ")}`).to.deep.equal(all.toSorted());
        await rm(join(folder, "one.db"));
      }
  });

  it("of a newer version is not opened", async () => {
    await open({ ...siteMigrations, "camera-9999-newer": { up: async () => undefined } });
    const refused = await open(siteMigrations).catch((error: unknown) => error);
    expect(isFault(refused, "unavailable")).to.equal(true);
  });
});
