import { type Kysely, type Migration, sql } from "kysely";
import { Fault } from "../../base/fault.ts";
import type { Sealer } from "../../base/seal.ts";
import type { Secret } from "../../base/secret.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";

const LIMITS = {
  /** Syncs of a directory that are remembered; the oldest is forgotten first. */
  history: 200,
} as const;

/** How a sync ended. */
export type Outcome = "done" | "nothing" | "held" | "failed";

/** A sync that was. */
export interface SyncRecord {
  readonly directory: string;
  readonly at: UnixMillis;
  readonly tookMs: number;
  /** `changes`: what had changed since the one before. */
  readonly read: "full" | "changes";
  /** Who asked for it; `bridge` where it was due. */
  readonly by: string;
  readonly outcome: Outcome;
  readonly people: number;
  readonly came: number;
  readonly went: number;
  readonly changed: number;
  /** Why it was held or failed. */
  readonly why: string | undefined;
}

interface SyncTable extends Omit<SyncRecord, "at" | "why"> {
  readonly at: number;
  readonly why: string | null;
}

/** The tables of directories, for the schema of the database that holds them. */
export interface DirectorySchema {
  readonly directory_sync: SyncTable;
  readonly directory_password: { readonly directory: string; readonly sealed: string };
}

export const directoryMigrations: Readonly<Record<string, Migration>> = {
  "directory-0001-sync": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("directory_sync")
        .addColumn("directory", "text", (column) => column.notNull())
        .addColumn("at", "real", (column) => column.notNull())
        .addColumn("tookMs", "real", (column) => column.notNull())
        .addColumn("read", "text", (column) => column.notNull())
        .addColumn("by", "text", (column) => column.notNull())
        .addColumn("outcome", "text", (column) => column.notNull())
        .addColumn("people", "integer", (column) => column.notNull())
        .addColumn("came", "integer", (column) => column.notNull())
        .addColumn("went", "integer", (column) => column.notNull())
        .addColumn("changed", "integer", (column) => column.notNull())
        .addColumn("why", "text")
        .execute();
      await database.schema
        .createTable("directory_password")
        .addColumn("directory", "text", (column) => column.primaryKey())
        .addColumn("sealed", "text", (column) => column.notNull())
        .execute();
    },
  },
};

/** In the order in which they were written; the clock may be set back meanwhile. */
const ROW = sql<number>`rowid`;

/** What is kept of directories besides accounts: what syncs did, and sealed passwords. */
export class DirectoryStore {
  readonly #query: Kysely<DirectorySchema>;
  readonly #sealer: Sealer;

  constructor(query: Kysely<DirectorySchema>, sealer: Sealer) {
    this.#query = query;
    this.#sealer = sealer;
  }

  async remember({ why, ...record }: SyncRecord): Promise<void> {
    const { directory } = record;
    await this.#query
      .insertInto("directory_sync")
      .values({ ...record, why: why ?? null })
      .execute();
    const oldest = await this.#query
      .selectFrom("directory_sync")
      .select(ROW.as("row"))
      .where("directory", "=", directory)
      .orderBy(ROW, "desc")
      .offset(LIMITS.history)
      .limit(1)
      .executeTakeFirst();
    if (oldest !== undefined)
      await this.#query
        .deleteFrom("directory_sync")
        .where("directory", "=", directory)
        .where(ROW, "<=", oldest.row)
        .execute();
  }

  /** The newest first. */
  async history(directory: string): Promise<readonly SyncRecord[]> {
    const rows = await this.#query
      .selectFrom("directory_sync")
      .selectAll()
      .where("directory", "=", directory)
      .orderBy(ROW, "desc")
      .execute();
    return rows.map(({ at, why, ...rest }) => ({ ...rest, at: unixMillis(at), why: why ?? undefined }));
  }

  async password(directory: string): Promise<Secret | undefined> {
    const row = await this.#query
      .selectFrom("directory_password")
      .select("sealed")
      .where("directory", "=", directory)
      .executeTakeFirst();
    return row === undefined ? undefined : this.#sealer.open(row.sealed, directoryOwner(directory));
  }

  async setPassword(directory: string, password: Secret): Promise<void> {
    if (password.reveal() === "") throw new Fault("invalid", "an empty password", { tell: "the password is empty" });
    const sealed = this.#sealer.seal(password, directoryOwner(directory));
    await this.#query
      .insertInto("directory_password")
      .values({ directory, sealed })
      .onConflict((conflict) => conflict.column("directory").doUpdateSet({ sealed }))
      .execute();
  }
}

/** Whom a password in the database is sealed for. */
export function directoryOwner(directory: string): string {
  return `directory:${directory}`;
}
