import type { Person } from "./person.ts";
import type { Snapshot } from "./snapshot.ts";

/** What is asked of a directory over one connection. Faults: `unavailable`; `invalid` in words that say what to do. */
export interface Reader {
  /** Everything anew. */
  full(): Promise<Snapshot>;
  /** What is so now, by way of what has changed; undefined where that cannot be told. */
  changes(before: Snapshot): Promise<Snapshot | undefined>;
  /** People by id, as they are now; whoever is not there any more is missing. */
  states(ids: readonly string[]): Promise<readonly Person[]>;
  /** People below the base for whom the filter holds. */
  people(filter: string): AsyncGenerator<Person>;
}
