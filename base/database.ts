import { Kysely, type Migration, Migrator, SqliteDialect } from "kysely";
import type { DatabaseThread } from "./database-thread.ts";
import { Fault } from "./fault.ts";
import { SqliteFile, type SqliteOptions } from "./sqlite.ts";
import { threadDialect } from "./thread-dialect.ts";
import { syncFile } from "./whole-file.ts";

/** An SQLite file (or `:memory:`) behind Kysely. */
export interface Database<Schema> {
  readonly query: Kysely<Schema>;
  /**
   * As {@link query}, for what is to be done in any case, and once: where its thread gives no answer, it waits until it does, where what
   * is asked otherwise is told so, and may be done all the same.
   */
  readonly patient: Kysely<Schema>;
  /** As `work`, which asks patiently. Rejects where its thread gives no answer, and `work` goes on. */
  whileAnswering<T>(work: Promise<T>): Promise<T>;
  /** Resolves when what was committed so far survives a power cut. Others have their turn meanwhile. */
  sync(): Promise<void>;
  /** Brings the file up to date, so that its log keeps nothing that was deleted or replaced. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

type Migrations = Readonly<Record<string, Migration>>;

/**
 * Opens or makes the file and brings it to the newest schema. `migrations` are applied in the order of their names,
 * those that are new behind those that were applied before, and never change once released.
 *
 * Write-ahead log, `synchronous=NORMAL`: a power cut may lose the last transactions, never the file. They are in the log, as far as the
 * kernel, so that {@link Database.sync} syncs that file, in another thread; a checkpoint would bring them to the disk as well, and hold the
 * process for as long. `durable`: no transaction is lost at all, and deleted content is overwritten.
 *
 * Without `thread`, the process waits for the disk with each question. With it, nobody else can open the file meanwhile.
 */
export async function openDatabase<Schema>(
  file: string,
  migrations: Migrations,
  { durable = false, thread }: Partial<SqliteOptions> & { readonly thread?: DatabaseThread | undefined } = {},
): Promise<Database<Schema>> {
  try {
    const opened = thread === undefined ? here<Schema>(file, { durable }) : apart<Schema>(file, { durable }, thread);
    return await migrated(await opened, file, migrations);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("unavailable", `cannot open database ${file}`, { cause });
  }
}

async function here<Schema>(file: string, options: SqliteOptions): Promise<Database<Schema>> {
  const native = new SqliteFile(file, options);
  const query = new Kysely<Schema>({ dialect: new SqliteDialect({ database: native }) });
  return {
    query,
    patient: query,
    whileAnswering: (work) => work,
    sync: () => syncLog(file),
    forget: async () => native.checkpoint(),
    close: () => query.destroy(),
  };
}

async function apart<Schema>(file: string, options: SqliteOptions, thread: DatabaseThread): Promise<Database<Schema>> {
  const database = await thread.open(file, { ...options, exclusive: true });
  const queryOf = (isPatient: boolean): Kysely<Schema> =>
    new Kysely<Schema>({ dialect: threadDialect(database, isPatient) });
  const [query, patient] = [queryOf(false), queryOf(true)];
  // Else the first question of each comes a moment later than others that were asked behind it.
  for (const one of [query, patient]) await one.connection().execute(async () => undefined);
  return {
    query,
    patient,
    whileAnswering: (work) => thread.whileAnswering(work),
    sync: () => thread.alongside(() => syncLog(file)),
    async forget() {
      const turn = await database.turn(false);
      await turn.checkpoint().finally(() => turn.end());
    },
    async close() {
      await query.destroy();
      await patient.destroy();
      await database.close();
    },
  };
}

/** In another thread of the process. */
function syncLog(file: string): Promise<void> {
  return syncFile(`${file}-wal`);
}

async function migrated<Schema>(
  database: Database<Schema>,
  file: string,
  migrations: Migrations,
): Promise<Database<Schema>> {
  const migrator = new Migrator({
    db: database.query,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // Several parts have tables in one file, each with names of its own: a new one of the first comes before old ones of the last.
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return database;
  const closed = database.close();
  if (error instanceof Fault) {
    // Where its thread gives no answer, that would be waited for.
    closed.catch(() => undefined);
    throw error;
  }
  await closed;
  throw new Fault("unavailable", `cannot migrate database ${file}`, { cause: error });
}
