import { setImmediate } from "node:timers/promises";
import { AskedDatabases, type AskedQuestion, type DatabaseAnswer } from "../../base/database-questions.ts";
import type { DatabaseWorker } from "../../base/start-database-worker.ts";

/** In the place of the thread of databases: answers as that does, or waits as for a disk that hangs, or dies. */
export class HeldDatabases {
  /** Whether it does nothing with a question until {@link goOn}, and all behind it. */
  holds: (sql: string) => boolean = () => false;
  /** What was asked, in order: statements, and what is none by its name. */
  readonly asked: string[] = [];
  /** How many threads were begun. */
  begun = 0;
  #worker: Begun | undefined;

  /** Begins a thread. */
  readonly start = (): DatabaseWorker => {
    this.begun += 1;
    const worker = new Begun(
      (name) => this.holds(name),
      (name) => this.asked.push(name),
    );
    this.#worker = worker;
    return worker;
  };

  /** The disk answers again. */
  goOn(): void {
    this.holds = () => false;
    this.#worker?.work();
  }

  /** As by a lack of memory. */
  die(cause: unknown = new Error("out of memory")): void {
    this.#worker?.die(cause);
  }

  /** Whether the thread has ended. */
  get hasEnded(): boolean {
    return this.#worker?.hasEnded === true;
  }

  /** Resolves when it has nothing to do, or is held: virtual time must not go on before. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 10; turns = this.#worker?.isBusy === true ? 0 : turns + 1) await setImmediate();
  }
}

class Begun implements DatabaseWorker {
  readonly #databases = new AskedDatabases();
  readonly #holds: (name: string) => boolean;
  readonly #note: (name: string) => void;
  readonly #waiting: (AskedQuestion | "end")[] = [];
  readonly #end = Promise.withResolvers<void>();
  #answered: (answer: DatabaseAnswer) => void = () => undefined;
  #ended: (cause?: unknown) => void = () => undefined;
  #isHeld = false;
  hasEnded = false;

  constructor(holds: (name: string) => boolean, note: (name: string) => void) {
    this.#holds = holds;
    this.#note = note;
  }

  get isBusy(): boolean {
    return this.#waiting.length > 0 && !this.#isHeld;
  }

  listen({ answered, ended }: Parameters<DatabaseWorker["listen"]>[0]): void {
    this.#answered = answered;
    this.#ended = ended;
  }

  ask(asked: AskedQuestion): void {
    this.#push(structuredClone(asked));
  }

  end(): Promise<void> {
    this.#push("end");
    return this.#end.promise;
  }

  die(cause: unknown): void {
    this.#waiting.length = 0;
    this.#over(cause);
  }

  /** In a turn of its own each, as messages come. */
  work(): void {
    this.#isHeld = false;
    void setImmediate().then(() => this.#next());
  }

  #push(asked: AskedQuestion | "end"): void {
    if (this.hasEnded) return;
    this.#waiting.push(asked);
    if (this.#waiting.length === 1) this.work();
  }

  #next(): void {
    const [asked] = this.#waiting;
    if (asked === undefined || this.hasEnded) return;
    const name = asked === "end" ? asked : asked.question.type === "query" ? asked.question.sql : asked.question.type;
    this.#isHeld = this.#holds(name);
    if (this.#isHeld) return;
    this.#waiting.shift();
    this.#note(name);
    if (asked === "end") this.#over();
    else this.#answered(structuredClone(this.#databases.answer(asked)));
    if (this.#waiting.length > 0) this.work();
  }

  #over(cause?: unknown): void {
    this.#databases.close();
    this.hasEnded = true;
    this.#end.resolve();
    this.#ended(cause);
  }
}
