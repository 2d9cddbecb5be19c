import { type Kysely, type Migration, sql } from "kysely";

/** A registered person or system, as it is stored. */
export interface AccountTable {
  readonly id: string;
  readonly name: string;
  /** The name in the form in which names are compared. */
  readonly folded: string;
  readonly kind: string;
  readonly enabled: number;
  /** JSON of `PlainGrant[]`: those of its own. */
  readonly grants: string;
  /** JSON: a list of ids of roles. */
  readonly roles: string;
  readonly created: number;
  /** People: argon2id as a PHC string. Integrations: the sealed secret. */
  readonly credential: string;
  /** JSON of `DirectoryLink`; null for accounts that are ours alone. */
  readonly directory: string | null;
  /** 1: the password of a person was set by somebody else, and has to be changed. */
  readonly temporary_password: number;
  /** JSON of `Arming`; null for accounts that are let in at any time. */
  readonly arming: string | null;
}

/** A role, camera group or time profile. */
interface PolicyPartTable {
  /** A PolicyKind. */
  readonly kind: string;
  readonly id: string;
  /** JSON of what `plainPart` makes. */
  readonly definition: string;
}

/** The second factor of a person. */
interface SecondFactorTable {
  /** The id of the account. */
  readonly account: string;
  /** `totp`, or by what codes are sent. */
  readonly kind: string;
  /** The key of the authenticator, or where codes are sent, sealed. */
  readonly sealed: string;
  /** Number of the thirty seconds since 1970 whose code was taken last. */
  readonly last_step: number;
  /** JSON: SHA-256 of the recovery codes that are left. */
  readonly recovery: string;
}

/** A token of an account. */
export interface ApiTokenTable {
  readonly id: string;
  /** The id of the account. */
  readonly account: string;
  readonly name: string;
  /** SHA-256 of the token, which has more than 256 bits. */
  readonly hash: string;
  /** JSON: names of interfaces. */
  readonly interfaces: string;
  /** JSON: addresses and networks; from everywhere if empty. */
  readonly networks: string;
  readonly created: number;
  /** Null: never. */
  readonly expires: number | null;
  readonly used_at: number | null;
  readonly used_from: string | null;
}

/** How the secrets of an integration are used, and the one that was replaced while it holds. */
export interface IntegrationSecretTable {
  /** The id of the account. */
  readonly account: string;
  /** The former secret, sealed, and until when it holds (milliseconds since 1970); both or neither. */
  readonly former: string | null;
  readonly until: number | null;
  readonly former_used_at: number | null;
  readonly former_used_from: string | null;
  /** Of the present one. */
  readonly used_at: number | null;
  readonly used_from: string | null;
}

/** A request for a second person. */
export interface ApprovalTable {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly asked_at: number;
  /** JSON of the whole. */
  readonly definition: string;
}

/** The tables of accounts and rights, for the schema of the database that holds them. */
export interface AuthSchema {
  readonly account: AccountTable;
  readonly policy_part: PolicyPartTable;
  readonly second_factor: SecondFactorTable;
  readonly api_token: ApiTokenTable;
  readonly approval: ApprovalTable;
  readonly integration_secret: IntegrationSecretTable;
}

export const authMigrations: Readonly<Record<string, Migration>> = {
  "auth-0001-accounts": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("account")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("folded", "text", (column) => column.notNull().unique())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("enabled", "integer", (column) => column.notNull())
        .addColumn("grants", "text", (column) => column.notNull())
        .addColumn("created", "real", (column) => column.notNull())
        .addColumn("credential", "text", (column) => column.notNull())
        .execute();
    },
  },
  "auth-0002-roles": {
    async up(database) {
      await database.schema
        .createTable("policy_part")
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("definition", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("policy_part_key", ["kind", "id"])
        .execute();
      await database.schema
        .alterTable("account")
        .addColumn("roles", "text", (column) => column.notNull().defaultTo("[]"))
        .execute();
      const { rows } = await sql<{
        id: string;
        kind: string;
        grants: string;
      }>`select id, kind, grants from account`.execute(database);
      for (const { id, kind, grants } of rows) {
        const { own, roles } = migrated(kind, JSON.parse(grants) as readonly OldGrant[]);
        await sql`update account set grants = ${JSON.stringify(own)}, roles = ${JSON.stringify(roles)} where id = ${id}`.execute(
          database,
        );
      }
    },
  },
  "auth-0003-directory": {
    async up(database) {
      await database.schema.alterTable("account").addColumn("directory", "text").execute();
    },
  },
  "auth-0004-second-factor": {
    async up(database) {
      await database.schema
        .createTable("second_factor")
        .addColumn("account", "text", (column) => column.primaryKey())
        .addColumn("sealed", "text", (column) => column.notNull())
        .addColumn("last_step", "integer", (column) => column.notNull())
        .addColumn("recovery", "text", (column) => column.notNull())
        .execute();
    },
  },
  "auth-0005-api-tokens": {
    async up(database) {
      await database.schema
        .createTable("api_token")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("account", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull().unique())
        .addColumn("interfaces", "text", (column) => column.notNull())
        .addColumn("networks", "text", (column) => column.notNull())
        .addColumn("created", "real", (column) => column.notNull())
        .addColumn("expires", "real")
        .addColumn("used_at", "real")
        .addColumn("used_from", "text")
        .execute();
    },
  },
  "auth-0006-approvals": {
    async up(database) {
      await database.schema
        .createTable("approval")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("asked_at", "real", (column) => column.notNull())
        .addColumn("definition", "text", (column) => column.notNull())
        .execute();
    },
  },
  "auth-0007-sent-codes": {
    async up(database) {
      await database.schema
        .alterTable("second_factor")
        .addColumn("kind", "text", (column) => column.notNull().defaultTo("totp"))
        .execute();
    },
  },
  "auth-0008-former-secrets": {
    async up(database) {
      await database.schema
        .createTable("integration_secret")
        .addColumn("account", "text", (column) => column.primaryKey())
        .addColumn("former", "text")
        .addColumn("until", "real")
        .addColumn("former_used_at", "real")
        .addColumn("former_used_from", "text")
        .addColumn("used_at", "real")
        .addColumn("used_from", "text")
        .execute();
    },
  },
  "auth-0009-arming": {
    async up(database) {
      await database.schema.alterTable("account").addColumn("arming", "text").execute();
    },
  },
  // Of passwords that there are nobody knows who has set them.
  "auth-0010-temporary-passwords": {
    async up(database) {
      await database.schema
        .alterTable("account")
        .addColumn("temporary_password", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  // Accounts were removed without it.
  "auth-0011-second-factors-of-nobody": {
    async up(database) {
      await sql`delete from second_factor where account not in (select id from account)`.execute(database);
    },
  },
};

interface OldGrant {
  readonly right: string;
  readonly cameras: unknown;
  readonly interfaces: unknown;
}

/** Who watched, heard; who played recordings, heard them and searched. Whoever managed accounts everywhere was the administrator. */
function migrated(
  kind: string,
  grants: readonly OldGrant[],
): { readonly own: readonly OldGrant[]; readonly roles: readonly string[] } {
  const everywhere = grants.some(
    ({ right, interfaces }) => right === "manage-accounts" && interfaces === "any" && kind === "person",
  );
  if (everywhere) return { own: [], roles: ["administrator"] };
  const own = grants.flatMap((grant) => {
    if (grant.right === "live") return [grant, { ...grant, right: "audio" }];
    if (grant.right === "playback") return [grant, { ...grant, right: "search" }, { ...grant, right: "audio" }];
    return [grant];
  });
  return { own, roles: [] };
}
