import {
  CompiledQuery,
  type Dialect,
  type Driver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { ThreadDatabase, Turn } from "./thread-database.ts";

/** SQLite in another thread, for Kysely. `isPatient`: what is asked waits however long it takes. */
export function threadDialect(database: ThreadDatabase, isPatient: boolean): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driverOf(database, isPatient),
    createIntrospector: (query) => new SqliteIntrospector(query),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function driverOf(database: ThreadDatabase, isPatient: boolean): Driver {
  return {
    init: async () => undefined,
    acquireConnection: () => database.turn(isPatient),
    async beginTransaction(turn) {
      await turn.executeQuery(CompiledQuery.raw("begin"));
    },
    async commitTransaction(turn) {
      await turn.executeQuery(CompiledQuery.raw("commit"));
    },
    rollbackTransaction: (turn) => (turn as Turn).rollBack(),
    releaseConnection: async (turn) => (turn as Turn).end(),
    // Several have the database.
    destroy: async () => undefined,
  };
}
