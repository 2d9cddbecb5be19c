import type { Kysely } from "kysely";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { Turns } from "../base/turns.ts";
import type { Account } from "./account.ts";
import { accountOf, rowOf } from "./account-row.ts";
import type { AuthSchema } from "./auth-schema.ts";
import { type IntegrationSecrets, SECRET_LOST } from "./integration-secrets.ts";
import type { KnownAccounts } from "./known-accounts.ts";
import { Policy, type PolicyKind, type PolicyParts, plainPart } from "./policy.ts";

/** The secret of an integration is replaced with a change of its account. */
export interface Replacing {
  /** See {@link KnownAccounts.put}. */
  readonly overlaps: boolean;
  /** What is kept of the one before, written with the change or not at all. */
  write(query: Kysely<AuthSchema>): Promise<void>;
  /** Both are. */
  written(): void;
}

/** Accounts and policy in the database: each change is written there first, and known after that, one after another. */
export class AccountStore {
  readonly #query: Kysely<AuthSchema>;
  readonly #known: KnownAccounts;
  readonly #turns = new Turns();

  constructor(query: Kysely<AuthSchema>, known: KnownAccounts) {
    this.#query = query;
    this.#known = known;
  }

  /** Makes all accounts known. Fault `unavailable` when the database cannot be read, or when a row makes no sense. */
  async read(secrets: IntegrationSecrets, log: Log): Promise<void> {
    try {
      this.#known.follow(Policy.of(await this.#query.selectFrom("policy_part").selectAll().execute()));
      for (const row of await this.#query.selectFrom("account").selectAll().execute()) {
        const account = accountOf(row);
        const lost = account.enabled && secrets.isLost(account, row.credential);
        if (lost) log.error({ account: account.name }, `an integration is disabled: ${SECRET_LOST}`);
        this.#known.put(lost ? { ...account, enabled: false } : account, row.credential);
      }
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the accounts", { cause });
    }
  }

  /** One change after another: checks like "the last administrator" hold until their change is written. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    return this.#turns.take(change);
  }

  /** Ends with the changes under way. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  async insert(account: Account, credential: string): Promise<void> {
    await this.#query.insertInto("account").values(rowOf(account, credential)).execute();
    this.#known.put(account, credential);
  }

  async update(account: Account, credential: string, replacing?: Replacing): Promise<void> {
    const { id, ...rest } = rowOf(account, credential);
    await this.#query.transaction().execute(async (query) => {
      await replacing?.write(query);
      await query.updateTable("account").set(rest).where("id", "=", id).execute();
    });
    replacing?.written();
    this.#known.put(account, credential, replacing);
  }

  /** New ones and such as there are, all or none. */
  async putAll(all: readonly { readonly account: Account; readonly credential: string }[]): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      // Names may be changed around: none stands in the way of another meanwhile.
      for (const { account } of all)
        await query
          .updateTable("account")
          .set({ folded: `\0${account.id}` })
          .where("id", "=", account.id)
          .execute();
      for (const { account, credential } of all) {
        const { id, ...rest } = rowOf(account, credential);
        await query
          .insertInto("account")
          .values({ id, ...rest })
          .onConflict((conflict) => conflict.column("id").doUpdateSet(rest))
          .execute();
      }
    });
    this.#known.putAll(all);
  }

  /** All or none, with all that is kept of each, of which nobody could find out any more what it is. */
  async remove(all: readonly Account[]): Promise<void> {
    const ids = all.map(({ id }) => id);
    await this.#query.transaction().execute(async (query) => {
      await query.deleteFrom("account").where("id", "in", ids).execute();
      for (const table of ["second_factor", "api_token", "integration_secret"] as const)
        await query.deleteFrom(table).where("account", "in", ids).execute();
    });
    for (const account of all) this.#known.drop(account);
  }

  /** `next`: the policy with the part. */
  async putPart<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K], next: Policy): Promise<void> {
    const definition = JSON.stringify(plainPart(kind, part));
    await this.#query
      .insertInto("policy_part")
      .values({ kind, id, definition })
      .onConflict((conflict) => conflict.columns(["kind", "id"]).doUpdateSet({ definition }))
      .execute();
    this.#known.follow(next);
  }

  /** `next`: the policy without the part. */
  async removePart(kind: PolicyKind, id: string, next: Policy): Promise<void> {
    await this.#query.deleteFrom("policy_part").where("kind", "=", kind).where("id", "=", id).execute();
    this.#known.follow(next);
  }
}
