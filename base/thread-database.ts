import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import type { DatabaseQuestion } from "./database-questions.ts";
import { Fault } from "./fault.ts";
import type { SqliteResult } from "./sqlite.ts";

const LIMITS = {
  /** That wait for their turn with one database: more than clients ask at a time. */
  waiting: 1000,
  /** With those that wait however long it takes, of a kilobyte or two each: an hour of notes of a hundred streams. */
  patient: 20_000,
};

/** A question but for the database that is asked. */
type Question<Q = DatabaseQuestion> = Q extends unknown ? Omit<Q, "database"> : never;

/** The thread of a database, as that sees it. */
interface AskedThread {
  readonly what: string;
  readonly isThere: boolean;
  refusal(isPatient: boolean): Fault | undefined;
  ask(question: DatabaseQuestion, isPatient: boolean): Promise<SqliteResult | undefined>;
}

interface Waiting {
  readonly isPatient: boolean;
  readonly begin: (turn: Turn) => void;
  readonly giveUp: (error: Fault) => void;
}

/** One database of a thread: a statement, or a transaction, has its turn after the other, in the order in which they came. */
export class ThreadDatabase {
  readonly #number: number;
  readonly #thread: AskedThread;
  #waiting: Waiting[] = [];
  #turn: Turn | undefined;
  #closing: Promise<void> | undefined;

  constructor(number: number, thread: AskedThread) {
    this.#number = number;
    this.#thread = thread;
  }

  /** Rejects with a Fault `unavailable` where too many wait, or where nothing is answered and this one is not patient. */
  async turn(isPatient: boolean): Promise<Turn> {
    const refusal = this.#thread.refusal(isPatient) ?? this.#tooMany(isPatient);
    if (refusal !== undefined) throw refusal;
    if (this.#turn === undefined && this.#thread.isThere) return this.#begin(isPatient);
    return new Promise((begin, giveUp) => {
      this.#waiting.push({ isPatient, begin, giveUp });
    });
  }

  /** Within a turn. */
  ask(question: Question, isPatient: boolean): Promise<SqliteResult | undefined> {
    return this.#thread.ask({ ...question, database: this.#number }, isPatient);
  }

  /** A turn is over. */
  ended({ isLost }: Turn): void {
    if (!isLost) this.#next();
    // A transaction of it may be open, or be begun when the disk answers: nobody else may come into that.
    else
      void this.ask({ type: "roll back" }, true)
        .catch(() => undefined)
        .finally(() => this.#next());
  }

  /** Those are told who do not wait now. */
  giveUp(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const one of all) {
      const refusal = this.#thread.refusal(one.isPatient);
      if (refusal === undefined) this.#waiting.push(one);
      else one.giveUp(refusal);
    }
  }

  /** The thread has ended: so has what a turn has begun. */
  lose(): void {
    if (this.#turn !== undefined) this.#turn.isLost = true;
  }

  /** The thread answers again. */
  goOn(): void {
    if (this.#turn === undefined) this.#next();
  }

  /** Behind all that waits. Nothing may be asked after that. Where it gives no answer, the end of its thread closes it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.turn(true);
      await this.ask({ type: "close" }, true);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }

  #begin(isPatient: boolean): Turn {
    this.#turn = new Turn(this, isPatient);
    return this.#turn;
  }

  #next(): void {
    this.#turn = undefined;
    const next = this.#thread.isThere ? this.#waiting.shift() : undefined;
    next?.begin(this.#begin(next.isPatient));
  }

  #tooMany(isPatient: boolean): Fault | undefined {
    const most = isPatient ? LIMITS.patient : LIMITS.waiting;
    if (this.#waiting.length < most) return undefined;
    const { what } = this.#thread;
    return new Fault("unavailable", `${most} questions to ${what} wait`, { tell: `too much is asked of ${what} now` });
  }
}

/** A connection of Kysely: what is asked in it is asked together, and nothing of others in between. */
export class Turn implements DatabaseConnection {
  /** What was asked last was given up, or the thread has ended: nothing more is asked. */
  isLost = false;
  readonly #database: ThreadDatabase;
  readonly #isPatient: boolean;

  constructor(database: ThreadDatabase, isPatient: boolean) {
    this.#database = database;
    this.#isPatient = isPatient;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(alone);
    const result = await this.#ask({ type: "query", sql, values });
    if (result === undefined) return { rows: [] };
    if ("rows" in result) return { rows: result.rows.map((row) => objectOf(result.columns, row) as R) };
    return {
      rows: [],
      numAffectedRows: BigInt(result.changes),
      insertId: BigInt(result.lastInsertRowid),
    };
  }

  streamQuery(): never {
    throw new Fault("internal", "rows one by one would be a question each");
  }

  async rollBack(): Promise<void> {
    // Else the end of the turn does.
    if (!this.isLost) await this.#ask({ type: "roll back" });
  }

  async checkpoint(): Promise<void> {
    await this.#ask({ type: "checkpoint" });
  }

  end(): void {
    this.#database.ended(this);
  }

  async #ask(question: Question): Promise<SqliteResult | undefined> {
    if (this.isLost) throw new Fault("unavailable", "a transaction was given up before its end");
    try {
      return await this.#database.ask(question, this.#isPatient);
    } catch (error) {
      // What SQLite told is none.
      if (error instanceof Fault) this.isLost = true;
      throw error;
    }
  }
}

/** A buffer is sent to another thread with all the memory that it is a part of. */
function alone(value: unknown): unknown {
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

function objectOf(columns: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [index, name] of columns.entries()) made[name] = row[index];
  return made;
}
