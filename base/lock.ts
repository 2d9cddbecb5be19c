import { DatabaseSync } from "node:sqlite";
import { Fault } from "./fault.ts";
import type { Closable } from "./lifecycle.ts";

/**
 * Makes sure that one process works on a folder. The lock is the operating system's (through SQLite's file locking), so
 * it is gone with the process however that ends, and a left-over file means nothing.
 */
export function lockFolder(folder: string): Closable {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(`${folder}/lock`);
  } catch (cause) {
    throw new Fault("unavailable", `cannot create a lock in ${folder}`, { cause });
  }
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    const tell = `another Viaduct process is using ${folder}: stop it first, or choose another data folder`;
    throw new Fault("busy", tell, { tell, cause });
  }
  return { close: () => database.close() };
}
