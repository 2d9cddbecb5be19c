import { SqliteFile, type SqliteOptions, type SqliteResult } from "./sqlite.ts";

/** What a thread of databases is asked: all of one database in the order in which it is asked. */
export type DatabaseQuestion = { readonly database: number } & (
  | ({ readonly type: "open"; readonly file: string } & SqliteOptions)
  | { readonly type: "query"; readonly sql: string; readonly values: readonly unknown[] }
  /** Where there is a transaction. */
  | { readonly type: "roll back" }
  | { readonly type: "checkpoint" }
  | { readonly type: "close" }
);

/** `id`: of the question, and of its answer. */
export interface AskedQuestion {
  readonly id: number;
  readonly question: DatabaseQuestion;
}

/** As SQLite told it: an error loses all but its text on the way to another thread. */
export interface PlainError {
  readonly message: string;
  /** `code`, `errcode`, `errstr` of SQLite. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface DatabaseAnswer {
  readonly id: number;
  /** Of a statement. */
  readonly result?: SqliteResult | undefined;
  readonly error?: PlainError;
}

/** The databases of one thread. */
export class AskedDatabases {
  readonly #files = new Map<number, SqliteFile>();

  /** Never throws: an error is an answer. */
  answer({ id, question }: AskedQuestion): DatabaseAnswer {
    try {
      return { id, result: this.#do(question) };
    } catch (error) {
      return { id, error: plainOf(error) };
    }
  }

  /** Those that are open. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #do(question: DatabaseQuestion): SqliteResult | undefined {
    if (question.type === "open") {
      this.#files.set(question.database, new SqliteFile(question.file, question));
      return undefined;
    }
    const file = this.#files.get(question.database);
    if (file === undefined) {
      if (question.type === "roll back" || question.type === "close") return undefined;
      throw new Error("this database is not open");
    }
    if (question.type === "query") return file.ask(question.sql, question.values);
    if (question.type === "roll back") file.rollBack();
    else if (question.type === "checkpoint") file.checkpoint();
    else {
      this.#files.delete(question.database);
      file.close();
    }
    return undefined;
  }
}

function plainOf(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error), facts: {} };
  return { message: error.message, facts: Object.fromEntries(Object.entries(error)) };
}

/** The error that {@link PlainError} was made of, but for where it was thrown. */
export function errorOf({ message, facts }: PlainError): Error {
  return Object.assign(new Error(message), facts);
}
