import type { Kysely, Migration } from "kysely";
import { type Database, openDatabase } from "../base/database.ts";

/** A data key as it is kept: encrypted for each of those who may open it. */
export interface StoredDataKey {
  /** 32 hexadecimal digits; stands in the segments that it opens. */
  readonly id: string;
  readonly camera: string;
  /** The UTC day of the recordings, `2026-11-24`. */
  readonly day: string;
  /** Under the master key; null in write-only mode. */
  readonly master: Uint8Array | null;
  /** For the private key of write-only mode, and for the recovery key. */
  readonly reader: Uint8Array | null;
  readonly recovery: Uint8Array | null;
}

/** Who else data keys are encrypted for. */
export type Holder = "reader" | "recovery";

interface Schema {
  /** Keys under the master key. */
  vault: { name: string; wrapped: Uint8Array };
  /** Public keys, PEM. */
  holders: { name: Holder; pem: string };
  dataKeys: StoredDataKey;
}

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-keys": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("vault")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("wrapped", "blob", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("holders")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("pem", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("dataKeys")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("day", "text", (column) => column.notNull())
        .addColumn("master", "blob")
        .addColumn("reader", "blob")
        .addColumn("recovery", "blob")
        .execute();
      await db.schema.createIndex("dataKeys_day").on("dataKeys").columns(["camera", "day"]).execute();
    },
  },
};

/** `keys.db`: keys, all of them encrypted. What is deleted is overwritten in the file. */
export class KeyStore {
  readonly #database: Database<Schema>;

  private constructor(database: Database<Schema>) {
    this.#database = database;
  }

  static async open(file: string): Promise<KeyStore> {
    return new KeyStore(await openDatabase<Schema>(file, MIGRATIONS, { durable: true }));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async vault(): Promise<ReadonlyMap<string, Uint8Array>> {
    const rows = await this.#database.query.selectFrom("vault").selectAll().execute();
    return new Map(rows.map(({ name, wrapped }) => [name, wrapped]));
  }

  async putVault(name: string, wrapped: Uint8Array): Promise<void> {
    await this.#database.query.insertInto("vault").values({ name, wrapped }).execute();
  }

  async holders(): Promise<ReadonlyMap<Holder, string>> {
    const rows = await this.#database.query.selectFrom("holders").selectAll().execute();
    return new Map(rows.map(({ name, pem }) => [name, pem]));
  }

  async dataKey(id: string): Promise<StoredDataKey | undefined> {
    return this.#database.query.selectFrom("dataKeys").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** The newest key of a camera and day. */
  async dataKeyOf(camera: string, day: string): Promise<StoredDataKey | undefined> {
    return this.#database.query
      .selectFrom("dataKeys")
      .selectAll()
      .where("camera", "=", camera)
      .where("day", "=", day)
      .orderBy("rowid" as never, "desc")
      .executeTakeFirst();
  }

  async putDataKey(key: StoredDataKey): Promise<void> {
    await this.#database.query.insertInto("dataKeys").values(key).execute();
  }

  all(): Promise<readonly StoredDataKey[]> {
    return this.#database.query.selectFrom("dataKeys").selectAll().orderBy("camera").orderBy("day").execute();
  }

  /** Everything under new keys, or nothing. `vault` takes the place of the whole one. */
  async replace(o: {
    readonly vault?: ReadonlyMap<string, Uint8Array>;
    readonly holder?: { readonly name: Holder; readonly pem: string | undefined };
    readonly dataKeys: readonly StoredDataKey[];
  }): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      if (o.vault !== undefined) await query.deleteFrom("vault").execute();
      for (const [name, wrapped] of o.vault ?? []) await query.insertInto("vault").values({ name, wrapped }).execute();
      if (o.holder !== undefined) {
        const { name, pem } = o.holder;
        await query.deleteFrom("holders").where("name", "=", name).execute();
        if (pem !== undefined) await query.insertInto("holders").values({ name, pem }).execute();
      }
      for (const { id, master, reader, recovery } of o.dataKeys)
        await query.updateTable("dataKeys").set({ master, reader, recovery }).where("id", "=", id).execute();
    });
    await this.#database.forget();
  }

  /** Destroys keys for ever: what they opened stays closed. Resolves with how many. */
  async shred(camera: string, goes: (day: string) => boolean): Promise<number> {
    const rows = await this.#database.query
      .selectFrom("dataKeys")
      .select(["id", "day"])
      .where("camera", "=", camera)
      .execute();
    const going = rows.filter(({ day }) => goes(day)).map(({ id }) => id);
    for (const id of going) await this.#database.query.deleteFrom("dataKeys").where("id", "=", id).execute();
    if (going.length > 0) await this.#database.forget();
    return going.length;
  }

  async cameras(): Promise<readonly string[]> {
    const rows = await this.#database.query.selectFrom("dataKeys").select("camera").distinct().execute();
    return rows.map(({ camera }) => camera);
  }
}
