import { parentPort } from "node:worker_threads";
import { AskedDatabases, type AskedQuestion } from "./database-questions.ts";

const databases = new AskedDatabases();

/** The thread of `database-thread.ts`: answers each question in the order in which they come, and ends with "end". */
parentPort?.on("message", (asked: AskedQuestion | "end") => {
  if (asked === "end") {
    databases.close();
    parentPort?.close();
  } else parentPort?.postMessage(databases.answer(asked), []);
});
