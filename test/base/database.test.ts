import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { sql } from "kysely";
import { openDatabase } from "../../base/database.ts";
import { isFault } from "../../base/fault.ts";
import { siteMigrations } from "../../bridge/site-schema.ts";
import { Flushed } from "../support/flushed.ts";

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

  it("keeps through a power cut what was committed before a sync, without a checkpoint, which would hold up the process", async () => {
    const [file, copy] = [join(folder, "one.db"), join(folder, "cut.db")];
    const things = {
      "thing-0001": { up: (query) => query.schema.createTable("thing").addColumn("name", "text").execute() },
    } satisfies Migrations;
    const flushed = await Flushed.watch();
    const database = await openDatabase<{ thing: { name: string } }>(file, things);
    const enter = (name: string) => database.query.insertInto("thing").values({ name }).execute();
    try {
      await enter("before");
      await database.sync();
      await enter("behind");
      for (const end of ["", "-wal"]) await copyFile(file + end, copy + end);
      await flushed.cut(copy, file);
      const left = await openDatabase<{ thing: { name: string } }>(copy, things);
      const rows = await left.query.selectFrom("thing").selectAll().execute();
      await left.close();
      expect(rows).to.deep.equal([{ name: "before" }]);
    } finally {
      flushed.close();
      await database.close();
    }
  });
});
