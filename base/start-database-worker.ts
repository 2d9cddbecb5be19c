import { Worker } from "node:worker_threads";
import type { AskedQuestion, DatabaseAnswer } from "./database-questions.ts";

const LIMITS = {
  /** Of the heap, of which it uses a few. It is never to be reached: where SQLite finds no room for a row, V8 ends the whole process. */
  heapMegabytes: 256,
  /** Of what is new in it. A page of a thousand rows is less than one. */
  youngMegabytes: 4,
};

/** A thread that databases are asked in, as `database-thread.ts` sees it. */
export interface DatabaseWorker {
  /** Each question has one answer, in the order of the questions. `ended`: of its own, once. */
  listen(o: { readonly answered: (answer: DatabaseAnswer) => void; readonly ended: (cause?: unknown) => void }): void;
  ask(asked: AskedQuestion): void;
  /** Behind all that was asked. Resolves when it has ended. */
  end(): Promise<void>;
}

/** Begins one: `database-worker.ts`. */
export function startDatabaseWorker(): DatabaseWorker {
  const worker = new Worker(new URL("database-worker.ts", import.meta.url), {
    name: "databases",
    resourceLimits: {
      maxOldGenerationSizeMb: LIMITS.heapMegabytes,
      maxYoungGenerationSizeMb: LIMITS.youngMegabytes,
    },
  });
  const exit = Promise.withResolvers<void>();
  return {
    listen({ answered, ended }) {
      let cause: unknown;
      worker.on("message", answered);
      // Both end it.
      for (const event of ["error", "messageerror"])
        worker.on(event, (error: unknown) => {
          cause = error;
          void worker.terminate();
        });
      worker.on("exit", () => {
        exit.resolve();
        ended(cause);
      });
    },
    ask: (asked) => worker.postMessage(asked, []),
    end() {
      worker.postMessage("end", []);
      return exit.promise;
    },
  };
}
