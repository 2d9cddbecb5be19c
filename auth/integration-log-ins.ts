import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Secret } from "../base/secret.ts";
import { DAY, MINUTE, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Account } from "./account.ts";
import type { AccountStore, Replacing } from "./account-store.ts";
import type { AuthSchema, IntegrationSecretTable } from "./auth-schema.ts";
import type { IntegrationSecrets } from "./integration-secrets.ts";
import type { KnownAccount, KnownAccounts } from "./known-accounts.ts";
import { isNews, type LastUse, lastUseOf } from "./last-use.ts";
import type { Principal } from "./principal.ts";
import { principalUntil } from "./principal-until.ts";

const LIMITS = {
  /** How long a former secret may hold. */
  overlapMs: 30 * DAY,
  /** So old may be what is known of the last use. */
  useEveryMs: 1 * MINUTE,
} as const;

/** What is known of the secrets of an integration: of the present one, and of the one before while that still holds. */
export interface SecretsOf {
  readonly lastUse: LastUse | undefined;
  readonly former: { readonly until: UnixMillis; readonly lastUse: LastUse | undefined } | undefined;
}

/** A secret that somebody may have come with; whether they have, the scheme finds out. */
export interface SecretCandidate {
  readonly secret: Secret;
  /** Undefined where nobody is let in by it, whatever was shown. */
  readonly principal: Principal | undefined;
  /** It was the right one. */
  used(address: string): void;
}

interface Held {
  readonly accountId: string;
  readonly secret: Secret;
  /** As it is stored. */
  readonly credential: string;
  /** Of a former one. */
  until: UnixMillis | undefined;
  lastUse: LastUse | undefined;
  readonly revoke: AbortController;
  made: { readonly of: Principal; readonly until: UnixMillis | undefined; readonly principal: Principal } | undefined;
}

interface Pair {
  present: Held;
  former: Held | undefined;
}

/**
 * With what integrations log in: the present secret, and beside it, for as long as was said when it was replaced, the former one. What was
 * begun with either goes on as long as that very secret holds.
 */
export class IntegrationLogIns {
  readonly #query: Kysely<AuthSchema>;
  readonly #store: Parts["store"];
  readonly #known: KnownAccounts;
  readonly #secrets: IntegrationSecrets;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pairs = new Map<string, Pair>();
  #writing: Promise<unknown> = Promise.resolve();

  /** Of accounts that are known already. Fault `unavailable` when the database cannot be read. */
  static async open(o: Parts): Promise<IntegrationLogIns> {
    const logIns = new IntegrationLogIns(o);
    try {
      for (const row of await o.query.selectFrom("integration_secret").selectAll().execute()) await logIns.#read(row);
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the former secrets", { cause });
    }
    return logIns;
  }

  private constructor({ query, store, known, secrets, clock, log }: Parts) {
    this.#query = query;
    this.#store = store;
    this.#known = known;
    this.#secrets = secrets;
    this.#clock = clock;
    this.#log = log;
  }

  /** The secrets of that name, of this moment: always two, so that nobody learns whether there is such a name, or a former secret. */
  candidates(name: string): readonly [SecretCandidate, SecretCandidate] {
    const named = this.#known.named(name);
    const known = named?.account.kind === "integration" ? this.#known.used(named) : undefined;
    const pair = known && this.#pairOf(known);
    return [this.#candidate(pair?.present), this.#candidate(pair?.former)];
  }

  /** Undefined of an unknown account, and of one that has no secret that opens. */
  of(accountId: string): SecretsOf | undefined {
    const known = this.#known.find(accountId);
    const pair = known?.account.kind === "integration" ? this.#pairOf(known) : undefined;
    if (pair === undefined) return undefined;
    const { present, former } = pair;
    const until = former?.until;
    return {
      lastUse: present.lastUse,
      former: former === undefined || until === undefined ? undefined : { until, lastUse: former.lastUse },
    };
  }

  /**
   * The secret is to be replaced: it holds for `overlapMs` more, 0 for not at all. One that was replaced before it holds no longer. Fault
   * `invalid`: that is longer than a secret may hold.
   */
  replacing({ id }: Account, overlapMs: number): Replacing {
    if (!(overlapMs >= 0 && overlapMs <= LIMITS.overlapMs))
      throw new Fault("invalid", `overlap of ${overlapMs} ms`, {
        tell: "a replaced secret holds for up to 30 days, or 0 for not at all",
      });
    const pair = this.#pairOf(this.#known.get(id));
    const replaced = overlapMs > 0 ? pair?.present : undefined;
    const until = unixMillis(this.#clock.now() + overlapMs);
    return {
      overlaps: replaced !== undefined,
      write: async (query) => {
        if (replaced !== undefined) await write(query, id, { former: { ...replaced, until } });
        else await query.deleteFrom("integration_secret").where("account", "=", id).execute();
      },
      written: () => {
        const ended = pair?.former;
        if (replaced === undefined) this.#pairs.delete(id);
        else {
          replaced.until = until;
          this.#pairs.set(id, { present: replaced, former: replaced });
        }
        ended?.revoke.abort(new Fault("denied", "a former secret was replaced"));
      },
    };
  }

  /** The former secret holds no longer; what runs by it ends. Rejects where that cannot be written down: it may be ended again. Fault `not-found`: there is none. */
  async endFormer(accountId: string): Promise<void> {
    const known = this.#known.get(accountId);
    const pair = known.account.kind === "integration" ? this.#pairOf(known) : undefined;
    const former = pair?.former;
    if (pair === undefined || former === undefined)
      throw new Fault("not-found", `no former secret of ${known.account.name}`, {
        tell: "there is no former secret: it was ended, or its time is over",
      });
    former.revoke.abort(new Fault("denied", "the former secret was ended"));
    await write(this.#query, accountId, { present: pair.present });
    pair.former = undefined;
  }

  /** The account is gone. */
  forget(accountId: string): void {
    this.#pairs.delete(accountId);
  }

  /** Ends when what was used last is written down. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #read(row: IntegrationSecretTable): Promise<void> {
    const known = this.#known.find(row.account);
    const pair = known && this.#pairOf(known);
    if (known === undefined || pair === undefined) {
      await this.#query.deleteFrom("integration_secret").where("account", "=", row.account).execute();
      return;
    }
    pair.present.lastUse = lastUseOf(row.used_at, row.used_from);
    if (row.former === null || row.until === null || row.former === known.credential) return;
    const secret = this.#secrets.open(known.account, row.former);
    // Of a master key that is lost.
    if (secret === undefined) return;
    pair.former = {
      ...heldOf(known.account.id, row.former, secret),
      until: unixMillis(row.until),
      lastUse: lastUseOf(row.former_used_at, row.former_used_from),
    };
    this.#pairOf(known);
  }

  /** As it is now: a former secret whose time is over is gone. */
  #pairOf({ account, credential, secret }: KnownAccount): Pair | undefined {
    if (secret === undefined) return undefined;
    const pair = this.#pairs.get(account.id) ?? { present: heldOf(account.id, credential, secret), former: undefined };
    this.#pairs.set(account.id, pair);
    if (pair.present.credential !== credential) pair.present = heldOf(account.id, credential, secret);
    if (pair.former?.until !== undefined && pair.former.until <= this.#clock.now()) {
      pair.former = undefined;
      this.#note(account.id);
    }
    return pair;
  }

  #candidate(held: Held | undefined): SecretCandidate {
    if (held === undefined) return { secret: this.#secrets.decoy, principal: undefined, used: () => undefined };
    return { secret: held.secret, principal: this.#principalOf(held), used: (address) => this.#used(held, address) };
  }

  /** Undefined where the secret holds no longer, or the account is out. */
  #principalOf(held: Held): Principal | undefined {
    const known = this.#known.find(held.accountId);
    if (known === undefined || !this.#known.isIn(known) || held.revoke.signal.aborted) return undefined;
    const { until } = held;
    if (until === undefined ? held.credential !== known.credential : until <= this.#clock.now()) return undefined;
    const of = known.principal;
    if (held.made?.of !== of || held.made.until !== until)
      held.made = {
        of,
        until,
        principal: principalUntil(of, {
          until,
          revoked: held.revoke.signal,
          renew: () => this.#principalOf(held),
        }),
      };
    return held.made.principal;
  }

  #used(held: Held, address: string): void {
    const use = { at: this.#clock.now(), address };
    if (!isNews(use, held.lastUse, LIMITS.useEveryMs)) return;
    held.lastUse = use;
    this.#note(held.accountId);
  }

  /** Nobody waits for it. In turn: what is being replaced meanwhile would be written back as it was. */
  #note(accountId: string): void {
    const written = this.#store.inTurn(async () => {
      const known = this.#known.find(accountId);
      const pair = known && this.#pairOf(known);
      if (pair !== undefined) await write(this.#query, accountId, pair);
    });
    this.#writing = Promise.all([this.#writing, written]).catch((err: unknown) =>
      this.#log.warn({ err, account: accountId }, "could not write down how a secret was used"),
    );
  }
}

async function write(query: Kysely<AuthSchema>, account: string, { present, former }: Partial<Pair>): Promise<void> {
  const row = {
    former: former?.credential ?? null,
    until: former?.until ?? null,
    former_used_at: former?.lastUse?.at ?? null,
    former_used_from: former?.lastUse?.address ?? null,
    used_at: present?.lastUse?.at ?? null,
    used_from: present?.lastUse?.address ?? null,
  };
  await query
    .insertInto("integration_secret")
    .values({ account, ...row })
    .onConflict((conflict) => conflict.column("account").doUpdateSet(row))
    .execute();
}

interface Parts {
  readonly query: Kysely<AuthSchema>;
  readonly store: Pick<AccountStore, "inTurn">;
  readonly known: KnownAccounts;
  readonly secrets: IntegrationSecrets;
  readonly clock: Clock;
  readonly log: Log;
}

function heldOf(accountId: string, credential: string, secret: Secret): Held {
  const revoke = new AbortController();
  return { accountId, secret, credential, until: undefined, lastUse: undefined, revoke, made: undefined };
}
