import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Kysely, type Migration, Migrator, type SqliteDatabase, SqliteDialect, type SqliteStatement } from "kysely";
import { Fault } from "./fault.ts";
import { syncFile } from "./whole-file.ts";

type Parameters = Parameters_<StatementSync["all"]>;
type Parameters_<F> = F extends (...values: infer V) => unknown ? V : never;

const LIMITS = {
  /** That are kept ready for the next time: preparing one costs more than most of them do. */
  statements: 256,
};

/** Prepares statements, and keeps those that were used last. */
class Statements {
  readonly #native: DatabaseSync;
  readonly #kept = new Map<string, SqliteStatement>();

  constructor(native: DatabaseSync) {
    this.#native = native;
  }

  of(sql: string): SqliteStatement {
    const statement = this.#kept.get(sql) ?? statementOf(this.#native.prepare(sql));
    this.#kept.delete(sql);
    this.#kept.set(sql, statement);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > LIMITS.statements && oldest !== undefined) this.#kept.delete(oldest);
    return statement;
  }
}

function statementOf(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (values) => statement.all(...(values as Parameters)),
    run: (values) => statement.run(...(values as Parameters)),
    iterate: () => {
      throw new Fault("internal", "rows one by one would hold up a statement that others use");
    },
  };
}

/** An SQLite file (or `:memory:`) behind Kysely. */
export interface Database<Schema> {
  readonly query: Kysely<Schema>;
  /** Resolves when what was committed so far survives a power cut. Others have their turn meanwhile. */
  sync(): Promise<void>;
  /** Brings the file up to date, so that its log keeps nothing that was deleted or replaced. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or makes the file and brings it to the newest schema. `migrations` are applied in the order of their names,
 * those that are new behind those that were applied before, and never change once released.
 *
 * Write-ahead log, `synchronous=NORMAL`: a power cut may lose the last transactions, never the file. They are in the log, as far as the
 * kernel, so that {@link Database.sync} syncs that file, in another thread; a checkpoint would bring them to the disk as well, and hold the
 * process for as long. `durable`: no transaction is lost at all, and deleted content is overwritten.
 */
export async function openDatabase<Schema>(
  file: string,
  migrations: Readonly<Record<string, Migration>>,
  { durable = false }: { readonly durable?: boolean } = {},
): Promise<Database<Schema>> {
  let native: DatabaseSync;
  try {
    native = new DatabaseSync(file);
    native.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;",
    );
    if (durable) native.exec("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
  } catch (cause) {
    throw new Fault("unavailable", `cannot open database ${file}`, { cause });
  }
  const statements = new Statements(native);
  const adapter: SqliteDatabase = {
    prepare: (sql) => statements.of(sql),
    close: () => native.close(),
  };
  const query = new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapter }) });
  const migrator = new Migrator({
    db: query,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // Several parts have tables in one file, each with names of its own: a new one of the first comes before old ones of the last.
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await query.destroy();
    throw new Fault("unavailable", `cannot migrate database ${file}`, { cause: error });
  }
  return {
    query,
    sync: () => syncFile(`${file}-wal`),
    async forget() {
      native.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
    close: () => query.destroy(),
  };
}
