import type { Kysely, Migration } from "kysely";
import { Turns } from "../base/turns.ts";

const LIMITS = {
  /** All of them go into each answer of discovery, beside those that are fixed: together a few kilobytes, where a datagram has 64. */
  scopes: 16,
  characters: 128,
} as const;

/** What of ONVIF's own scopes says where a device is and how it is called. The others say what it is and does. */
const FREE = ["onvif://www.onvif.org/name/", "onvif://www.onvif.org/location/"];

interface DeviceScopeTable {
  /** Its place in the list. */
  readonly place: number;
  readonly scope: string;
}

/** The table of scopes that somebody has set, for the schema of the database that holds it. */
export interface DeviceScopeSchema {
  readonly onvif_scope: DeviceScopeTable;
}

export const deviceScopeMigrations: Readonly<Record<string, Migration>> = {
  "onvif-0002-scopes": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("onvif_scope")
        .addColumn("place", "integer", (column) => column.primaryKey())
        .addColumn("scope", "text", (column) => column.notNull())
        .execute();
    },
  },
};

export interface ScopeChange {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The scopes of the bridge's own device that somebody has set, on disk and in memory. */
export class DeviceScopes {
  /** The most that there may be. */
  static readonly most = LIMITS.scopes;
  readonly #query: Kysely<DeviceScopeSchema>;
  readonly #turns = new Turns();
  #list: readonly string[];
  #changed: () => void = () => undefined;

  private constructor(query: Kysely<DeviceScopeSchema>, list: readonly string[]) {
    this.#query = query;
    this.#list = list;
  }

  /** `query`: of a database with {@link deviceScopeMigrations} applied. Stays the caller's. */
  static async open<Schema extends DeviceScopeSchema>(query: Kysely<Schema>): Promise<DeviceScopes> {
    const own = query as unknown as Kysely<DeviceScopeSchema>;
    const rows = await own.selectFrom("onvif_scope").select("scope").orderBy("place").execute();
    return new DeviceScopes(
      own,
      rows.map(({ scope }) => scope),
    );
  }

  /** In the order in which they were set. */
  list(): readonly string[] {
    return this.#list;
  }

  /** `changed` is told after each change from now on, in the place of who was told before. */
  whenChanged(changed: () => void): void {
    this.#changed = changed;
  }

  /** From then on the list is what `make` makes of it. It is asked when all that was asked for before is done, and may throw. */
  change(make: (list: readonly string[]) => readonly string[]): Promise<ScopeChange> {
    return this.#turns.take(async () => {
      const before = this.#list;
      const after = make(before);
      if (after.length === before.length && after.every((scope, place) => scope === before[place]))
        return { before, after: before };
      await this.#query.transaction().execute(async (all) => {
        await all.deleteFrom("onvif_scope").execute();
        for (const [place, scope] of after.entries())
          await all.insertInto("onvif_scope").values({ place, scope }).execute();
      });
      this.#list = after;
      this.#changed();
      return { before, after };
    });
  }
}

/** A URI (RFC 3986) that can stand in a list of such, as discovery sends them: without blanks, quotes and steps upwards, written out or not. */
export function isScope(text: string): boolean {
  return (
    text.length <= LIMITS.characters &&
    /^[a-z][a-z0-9+.-]*:[!#-;=?-[\]_a-z~]+$/i.test(text) &&
    !/(?:\/|%2f)(?:\.|%2e){1,2}(?:\/|%2f|$)/i.test(text)
  );
}

/** Of ONVIF's own, and not a name or a place: a promise, as a profile is, that nobody but the bridge can make. In whatever case, as discovery compares. */
export function isReserved(scope: string): boolean {
  const lower = scope.toLowerCase();
  return lower.startsWith("onvif:") && !FREE.some((free) => lower.startsWith(free) && lower.length > free.length);
}
