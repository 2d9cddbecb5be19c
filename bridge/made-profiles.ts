import type { Kysely, Migration } from "kysely";
import { Fault } from "../base/fault.ts";
import { Turns } from "../base/turns.ts";

const LIMITS = {
  /** Of one account at one device. */
  ofOwner: 64,
  /** Of all together: what somebody with accounts to spare can have the bridge remember. */
  all: 4096,
} as const;

/** What a profile can have, in the words of Media2's ConfigurationEnumeration, each behind what it depends on (Media2 5.3.1). */
export const PARTS = ["VideoSource", "VideoEncoder", "AudioSource", "AudioEncoder", "Metadata", "PTZ"] as const;
export type Part = (typeof PARTS)[number];

/** A media profile as a client has made it. */
export interface MadeProfile {
  readonly token: string;
  readonly name: string;
  /** Tokens of configurations, by what they are. */
  readonly parts: Readonly<Partial<Record<Part, string>>>;
}

/** Whose it is: there for no other account, and at no other device. */
export interface ProfileOwner {
  readonly accountId: string;
  /** The camera whose device that is; empty for the device of all cameras. */
  readonly device: string;
}

/** The profiles of one owner. */
export interface OwnProfiles {
  list(): readonly MadeProfile[];
  find(token: string): MadeProfile | undefined;
  /** Makes or changes one. `make` is asked when all that was asked for before is done, and may throw. Fault `busy` where there are too many. */
  put(token: string, make: () => Omit<MadeProfile, "token">): Promise<void>;
  remove(token: string): Promise<void>;
}

interface MadeProfileTable {
  readonly account: string;
  readonly device: string;
  readonly token: string;
  /** JSON of what else a {@link MadeProfile} has. */
  readonly definition: string;
}

/** The table of profiles that clients have made, for the schema of the database that holds it. */
export interface MadeProfileSchema {
  readonly onvif_profile: MadeProfileTable;
}

export const madeProfileMigrations: Readonly<Record<string, Migration>> = {
  "onvif-0001-profiles": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("onvif_profile")
        .addColumn("account", "text", (column) => column.notNull())
        .addColumn("device", "text", (column) => column.notNull())
        .addColumn("token", "text", (column) => column.notNull())
        .addColumn("definition", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("onvif_profile_key", ["account", "device", "token"])
        .execute();
    },
  },
};

/** Media profiles that clients have made, on disk and in memory. What is in one may be gone, or hidden from its owner by now. */
export class MadeProfiles {
  readonly #query: Kysely<MadeProfileSchema>;
  readonly #of = new Map<string, Map<string, MadeProfile>>();
  readonly #turns = new Turns();
  #count = 0;

  private constructor(query: Kysely<MadeProfileSchema>) {
    this.#query = query;
  }

  /** Those of accounts that are gone are forgotten: `accounts` has the ids of all that are there. */
  static async open<Schema extends MadeProfileSchema>(o: {
    /** Of a database with {@link madeProfileMigrations} applied. Stays the caller's. */
    readonly query: Kysely<Schema>;
    readonly accounts: ReadonlySet<string>;
  }): Promise<MadeProfiles> {
    const made = new MadeProfiles(o.query as unknown as Kysely<MadeProfileSchema>);
    const rows = await made.#query.selectFrom("onvif_profile").selectAll().orderBy("token").execute();
    for (const { account, device, token, definition } of rows)
      if (o.accounts.has(account)) {
        const profile = { ...(JSON.parse(definition) as Omit<MadeProfile, "token">), token };
        made.#set({ accountId: account, device }, token, profile);
      } else await made.#query.deleteFrom("onvif_profile").where("account", "=", account).execute();
    return made;
  }

  of(owner: ProfileOwner): OwnProfiles {
    const own = (): ReadonlyMap<string, MadeProfile> => this.#of.get(keyOf(owner)) ?? new Map();
    return {
      list: () => [...own().values()],
      find: (token) => own().get(token),
      put: (token, make) =>
        this.#turns.take(() => {
          const profile = { ...make(), token };
          if (!own().has(token) && (own().size >= LIMITS.ofOwner || this.#count >= LIMITS.all))
            throw new Fault("busy", `too many profiles of ${owner.accountId}`);
          return this.#change(owner, token, profile);
        }),
      remove: (token) => this.#turns.take(() => this.#change(owner, token, undefined)),
    };
  }

  async #change(owner: ProfileOwner, token: string, to: MadeProfile | undefined): Promise<void> {
    await this.#keep(owner, token, to);
    this.#set(owner, token, to);
  }

  async #keep({ accountId, device }: ProfileOwner, token: string, to: MadeProfile | undefined): Promise<void> {
    if (to === undefined) {
      await this.#query
        .deleteFrom("onvif_profile")
        .where("account", "=", accountId)
        .where("device", "=", device)
        .where("token", "=", token)
        .execute();
      return;
    }
    const definition = JSON.stringify({ name: to.name, parts: to.parts });
    await this.#query
      .insertInto("onvif_profile")
      .values({ account: accountId, device, token, definition })
      .onConflict((conflict) => conflict.columns(["account", "device", "token"]).doUpdateSet({ definition }))
      .execute();
  }

  #set(owner: ProfileOwner, token: string, to: MadeProfile | undefined): void {
    const key = keyOf(owner);
    const own = this.#of.get(key) ?? new Map<string, MadeProfile>();
    const before = own.size;
    if (to === undefined) own.delete(token);
    else own.set(token, to);
    this.#count += own.size - before;
    if (own.size > 0) this.#of.set(key, own);
    else this.#of.delete(key);
  }
}

function keyOf({ accountId, device }: ProfileOwner): string {
  return `${accountId} ${device}`;
}
