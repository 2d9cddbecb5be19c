import type { Clock, Timer } from "./clock.ts";
import { type DatabaseAnswer, type DatabaseQuestion, errorOf } from "./database-questions.ts";
import { Fault } from "./fault.ts";
import { type Log, Repeats } from "./log.ts";
import type { SqliteOptions, SqliteResult } from "./sqlite.ts";
import type { DatabaseWorker } from "./start-database-worker.ts";
import { ThreadDatabase } from "./thread-database.ts";
import { type Millis, SECOND } from "./units.ts";

const LIMITS = {
  /** Before a thread that has ended is begun again. */
  pauseMs: SECOND,
};

/** A thread is not found to hang in one look: where this process was held up itself, answers that are there are heard before the second. */
const FIRST_LOOK = 0.9;

/** One that is under way in the other thread. */
interface Running {
  readonly isPatient: boolean;
  isOverdue: boolean;
  /** Nobody waits for it any more. It may be done all the same. */
  isGivenUp: boolean;
  timer: Timer | undefined;
  readonly resolve: (result: SqliteResult | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Databases in a thread of their own, which waits for their disk, so that nothing else does. A question that takes longer than
 * `answerMs` hangs until all that is overdue is answered. Who waits then, or asks, is told so: Fault `unavailable`, with the cause
 * `ETIMEDOUT`. What is asked patiently waits on, as what is to be done in any case. What was given up may be done when the disk answers.
 *
 * A thread that ends of its own is begun again a moment later. What was under way is told as failed then, patient or not.
 */
export class DatabaseThread {
  /** What lies in its databases, for messages: `the catalog of recordings`. */
  readonly what: string;
  readonly #o: ConstructorParameters<typeof DatabaseThread>[0];
  readonly #repeats: Repeats;
  readonly #databases: ThreadDatabase[] = [];
  readonly #opened = new Map<number, Extract<DatabaseQuestion, { type: "open" }>>();
  readonly #running = new Map<number, Running>();
  /** Of {@link whileAnswering}. */
  readonly #told = new Set<(error: Fault) => void>();
  #worker: DatabaseWorker | undefined;
  #asked = 0;
  #hangs = false;
  #isReopening = false;
  #stopped = false;
  #closed = false;

  constructor(o: {
    readonly what: string;
    readonly clock: Clock;
    readonly log: Log;
    /** What takes longer hangs. */
    readonly answerMs: Millis;
    /** Told when it begins to hang, or has ended, and when it answers again. */
    readonly told: (hangs: boolean) => void;
    /** Begins the other thread. */
    readonly worker: () => DatabaseWorker;
  }) {
    this.what = o.what;
    this.#o = o;
    this.#repeats = new Repeats(o.clock);
    this.#begin();
  }

  /** Opens or makes a file. Rejects as SQLite does, or with what is told of one that hangs. */
  async open(file: string, options: SqliteOptions): Promise<ThreadDatabase> {
    const number = this.#databases.length;
    const question = { type: "open", database: number, file, ...options } as const;
    const database = new ThreadDatabase(number, this);
    this.#databases.push(database);
    await this.ask(question, false);
    this.#opened.set(number, question);
    return database;
  }

  /** Why nobody is to wait now; undefined where what is asked is answered, or where it waits patiently. */
  refusal(isPatient: boolean): Fault | undefined {
    return this.#hangs && (this.#stopped || !isPatient) ? this.#noAnswer() : undefined;
  }

  /** Whether there is somebody to ask. */
  get isThere(): boolean {
    return this.#worker !== undefined && !this.#isReopening;
  }

  /** Of a database whose turn the asker has. */
  ask(question: DatabaseQuestion, isPatient: boolean): Promise<SqliteResult | undefined> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(this.#ended());
    const refusal = this.refusal(isPatient);
    if (refusal !== undefined) return Promise.reject(refusal);
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      worker.ask({ id, question });
      this.#running.set(id, this.#watched({ isPatient, resolve, reject }));
    });
  }

  /** As `work`, which is done for one of its databases elsewhere, and hangs as a question does. */
  async alongside<T>(work: () => Promise<T>): Promise<T> {
    const refusal = this.refusal(false);
    if (refusal !== undefined) throw refusal;
    const id = this.#asked++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#running.set(id, this.#watched({ isPatient: false, resolve: () => undefined, reject }));
    void work()
      .then(resolve, reject)
      .finally(() => this.#answered({ id }));
    return promise;
  }

  /** As `work`, for which something is asked patiently; rejects while, and as soon as, nothing is answered. */
  async whileAnswering<T>(work: Promise<T>): Promise<T> {
    // It may end later, and nobody hears of it.
    work.catch(() => undefined);
    if (this.#hangs) throw this.#noAnswer();
    const { promise, reject } = Promise.withResolvers<never>();
    this.#told.add(reject);
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.#told.delete(reject);
    }
  }

  /** From now on nobody waits while nothing is answered, not even patiently. */
  stop(): void {
    this.#stopped = true;
    if (this.#hangs) this.#giveUp();
  }

  /** When its databases are closed. Resolves when the thread has ended; where it gives no answer, it ends when it does. */
  async close(): Promise<void> {
    this.stop();
    this.#closed = true;
    const ended = this.#worker?.end();
    if (!this.#hangs) await ended;
  }

  #begin(): void {
    const worker = this.#o.worker();
    this.#worker = worker;
    worker.listen({
      answered: (answer) => this.#answered(answer),
      ended: (cause) => this.#dead(worker, cause),
    });
  }

  #watched(o: Pick<Running, "isPatient" | "resolve" | "reject">): Running {
    const { clock, answerMs } = this.#o;
    const one: Running = {
      ...o,
      isOverdue: false,
      isGivenUp: false,
      timer: clock.after(answerMs * FIRST_LOOK, () => {
        one.timer = clock.after(answerMs * (1 - FIRST_LOOK), () => {
          one.isOverdue = true;
          this.#hang();
        });
      }),
    };
    return one;
  }

  #answered({ id, result, error }: DatabaseAnswer): void {
    const one = this.#running.get(id);
    if (one === undefined) return;
    one.timer?.cancel();
    this.#running.delete(id);
    if (error === undefined) one.resolve(result);
    else one.reject(errorOf(error));
    const isBehind = [...this.#running.values()].some(({ isOverdue, isGivenUp }) => isOverdue || isGivenUp);
    if (!isBehind && !this.#isReopening) this.#answers();
  }

  #hang(): void {
    const isNew = !this.#hangs;
    this.#hangs = true;
    this.#giveUp();
    if (isNew) this.#o.told(true);
  }

  #answers(): void {
    if (!this.#hangs) return;
    this.#hangs = false;
    this.#o.told(false);
    for (const database of this.#databases) database.goOn();
  }

  #giveUp(): void {
    for (const one of this.#running.values())
      if (this.#stopped || !one.isPatient) {
        one.isGivenUp = true;
        one.reject(this.#noAnswer());
      }
    for (const database of this.#databases) database.giveUp();
    for (const tell of this.#told) tell(this.#noAnswer());
  }

  #dead(worker: DatabaseWorker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const one of this.#running.values()) {
      one.timer?.cancel();
      one.reject(this.#ended(cause));
    }
    this.#running.clear();
    for (const database of this.#databases) database.lose();
    if (this.#closed) return;
    if (this.#repeats.admit("ended") !== undefined)
      this.#o.log.error({ err: cause }, `the thread of ${this.what} has ended: it is begun again`);
    this.#hang();
    this.#o.clock.after(LIMITS.pauseMs, () => void this.#again());
  }

  /** Begins another thread in its place. */
  async #again(): Promise<void> {
    if (this.#closed) return;
    this.#begin();
    const worker = this.#worker;
    this.#isReopening = true;
    try {
      await Promise.all([...this.#opened.values()].map((question) => this.ask(question, true)));
      this.#isReopening = false;
      this.#answers();
    } catch (err) {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      void worker?.end();
      if (this.#repeats.admit("open") !== undefined)
        this.#o.log.error({ err }, `${this.what} cannot be opened again: it is tried on`);
      this.#o.clock.after(LIMITS.pauseMs, () => void this.#again());
    }
  }

  #noAnswer(): Fault {
    const cause = Object.assign(new Error("the disk gives no answer"), { code: "ETIMEDOUT" });
    const tell = `${this.what} gives no answer: its disk hangs`;
    return new Fault("unavailable", tell, { tell, cause });
  }

  #ended(cause?: unknown): Fault {
    const tell = `${this.what} gives no answer now`;
    return new Fault("unavailable", `the thread of ${this.what} has ended`, { tell, cause });
  }
}
