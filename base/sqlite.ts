import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqliteDatabase, SqliteStatement } from "kysely";
import { Fault } from "./fault.ts";

type Parameters = Parameters_<StatementSync["all"]>;
type Parameters_<F> = F extends (...values: infer V) => unknown ? V : never;

const LIMITS = {
  /** That are kept ready for the next time: preparing one costs more than most of them do. */
  statements: 256,
};

/** How a file is opened. */
export interface SqliteOptions {
  /** No transaction is lost in a power cut, and deleted content is overwritten. */
  readonly durable: boolean;
  /**
   * Nobody else opens it meanwhile, so that SQLite keeps its index of the log to itself, where it is a file in memory that is shared
   * otherwise: a disk that hangs holds up who writes to that, and with them whatever else the process does to its memory, a fork first of all.
   */
  readonly exclusive?: boolean;
}

/** What came of a statement: the rows of one that reads, or what another one has changed. */
export type SqliteResult =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };

interface Kept {
  readonly native: StatementSync;
  /** Of what it reads; none where it reads nothing. */
  readonly columns: readonly string[];
}

/** One SQLite file (or `:memory:`), asked in the thread that opened it, which waits for the disk. */
export class SqliteFile implements SqliteDatabase {
  readonly #native: DatabaseSync;
  /** Those that were used last. */
  readonly #kept = new Map<string, Kept>();

  /** Throws as SQLite does. */
  constructor(file: string, { durable, exclusive = false }: SqliteOptions) {
    this.#native = new DatabaseSync(file);
    // Before anything else is done with it.
    if (exclusive) this.#native.exec("PRAGMA locking_mode=EXCLUSIVE;");
    this.#native.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;",
    );
    if (durable) this.#native.exec("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
  }

  prepare(sql: string): SqliteStatement {
    const { native, columns } = this.#statement(sql);
    return {
      reader: columns.length > 0,
      all: (values) => native.all(...(values as Parameters)),
      run: (values) => native.run(...(values as Parameters)),
      iterate: () => {
        throw new Fault("internal", "rows one by one would hold up a statement that others use");
      },
    };
  }

  /** With rows that do not repeat the names of the columns: they cost half on the way to another thread. */
  ask(sql: string, values: readonly unknown[]): SqliteResult {
    const { native, columns } = this.#statement(sql);
    if (columns.length === 0) return native.run(...(values as Parameters));
    native.setReturnArrays(true);
    try {
      return { columns, rows: native.all(...(values as Parameters)) as unknown as unknown[][] };
    } finally {
      native.setReturnArrays(false);
    }
  }

  #statement(sql: string): Kept {
    const statement = this.#kept.get(sql) ?? keptOf(this.#native.prepare(sql));
    this.#kept.delete(sql);
    this.#kept.set(sql, statement);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > LIMITS.statements && oldest !== undefined) this.#kept.delete(oldest);
    return statement;
  }

  /** Takes back what an open transaction has done, if there is one. */
  rollBack(): void {
    if (this.#native.isTransaction) this.#native.exec("ROLLBACK");
  }

  /** Brings the file up to date, and empties its log. */
  checkpoint(): void {
    this.#native.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  close(): void {
    this.#native.close();
  }
}

function keptOf(native: StatementSync): Kept {
  return { native, columns: native.columns().map(({ name }) => name) };
}
