import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import type { MonotonicMillis, UnixMillis } from "../base/units.ts";
import { type Account, newId } from "./account.ts";
import { foldedName } from "./account-name.ts";
import { isAdministrator } from "./administrator.ts";
import { isArmed } from "./arming.ts";
import { letsIn } from "./directory-link.ts";
import { demandsFactor, type FactorDemand } from "./factor-demand.ts";
import type { IntegrationSecrets } from "./integration-secrets.ts";
import { grantEndedBy, Policy } from "./policy.ts";
import type { EffectiveGrant, Principal } from "./principal.ts";
import type { SecondFactors } from "./second-factors.ts";

/** People and systems together; all are held in memory. */
export const MOST_ACCOUNTS = 20_000;

/** An account in memory. Replaced whole at each change; `revoke` ends the principals made from it. */
export interface KnownAccount {
  readonly account: Account;
  readonly credential: string;
  /** Of an integration, as long as the entry is there: opened once, for it is needed at each request. Undefined where it does not open. */
  readonly secret: Secret | undefined;
  readonly principal: Principal;
  readonly revoke: AbortController;
  /** Changes with the credential: what was begun with the old one ends. */
  readonly generation: string;
  /** A person who is let in nowhere without a second factor. */
  readonly demandsFactor: boolean;
  /** When somebody last came with it. */
  usedAt: MonotonicMillis | undefined;
}

/** The accounts in memory under the policy of this moment, and which of them are let in: looking one up costs nothing. */
export class KnownAccounts {
  readonly #secrets: IntegrationSecrets;
  readonly #clock: Clock;
  readonly #factors: Pick<SecondFactors, "has"> | undefined;
  readonly #factorDemand: FactorDemand;
  readonly #byId = new Map<string, KnownAccount>();
  readonly #byName = new Map<string, KnownAccount>();
  #policy = Policy.empty;

  constructor(
    secrets: IntegrationSecrets,
    clock: Clock,
    factors: Pick<SecondFactors, "has"> | undefined,
    factorDemand: FactorDemand,
  ) {
    this.#secrets = secrets;
    this.#clock = clock;
    this.#factors = factors;
    this.#factorDemand = factorDemand;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** In no order. */
  all(): Iterable<KnownAccount> {
    return this.#byId.values();
  }

  find(id: string): KnownAccount | undefined {
    return this.#byId.get(id);
  }

  /** However the name is spelt. */
  named(name: string): KnownAccount | undefined {
    return this.#byName.get(foldedName(name));
  }

  /** Fault `not-found`. */
  get(id: string): KnownAccount {
    const known = this.#byId.get(id);
    if (known === undefined) throw new Fault("not-found", `no account ${id}`);
    return known;
  }

  isIn(known: KnownAccount | undefined): boolean {
    return (
      known !== undefined &&
      this.isLetIn(known) &&
      !this.lacksFactor(known) &&
      known.account.temporaryPassword === undefined
    );
  }

  /** But for a second factor, or a password of one's own. */
  isLetIn({ account }: KnownAccount): boolean {
    const now = this.#clock.now();
    return account.enabled && letsIn(account.directory, now) && isArmed(account.arming, now);
  }

  /** Nothing else keeps it out. */
  isOnlyNotArmed({ account }: KnownAccount): boolean {
    const now = this.#clock.now();
    return account.enabled && letsIn(account.directory, now) && !isArmed(account.arming, now);
  }

  /** One is demanded, and there is none. */
  lacksFactor(known: KnownAccount): boolean {
    return known.demandsFactor && this.#factors?.has(known.account.id) === false;
  }

  /** Somebody has come with it. Undefined where it is not in. */
  used(known: KnownAccount | undefined): KnownAccount | undefined {
    if (known === undefined || !this.isIn(known)) return undefined;
    known.usedAt = this.#clock.monotonic();
    return known;
  }

  /** Who could manage accounts under the policy. */
  administrators(policy: Policy): readonly Account[] {
    return [...this.#byId.values()].map(({ account }) => account).filter((account) => isAdministrator(account, policy));
  }

  /** `overlaps`: the credential before goes on to hold, and so does what was begun with it. */
  put(account: Account, credential: string, { overlaps = false } = {}): void {
    const before = this.#byId.get(account.id);
    const revoke = new AbortController();
    const { id, name, kind } = account;
    const grants = grantsUnder(this.#policy, account);
    const until = account.arming?.window?.until;
    const now = (): UnixMillis => this.#clock.now();
    const known: KnownAccount = {
      account,
      credential,
      secret: this.#secrets.open(account, credential),
      principal: {
        accountId: id,
        name,
        kind,
        grants,
        now,
        revoked: revoke.signal,
        ...(until === undefined ? {} : { until }),
      },
      revoke,
      // What was begun before the account was out does not go on when it is in again.
      generation:
        before !== undefined && (overlaps || before.credential === credential) && this.isIn(before)
          ? before.generation
          : newId(),
      demandsFactor: this.#demandsFactor(account),
      usedAt: before?.usedAt,
    };
    this.#byId.set(id, known);
    this.#byName.set(foldedName(name), known);
    before?.revoke.abort(new Fault("denied", `the account ${name} was changed`));
  }

  /** Several, of which some may have the former names of others. */
  putAll(all: readonly { readonly account: Account; readonly credential: string }[]): void {
    for (const { account } of all) {
      const before = this.#byId.get(account.id);
      if (before !== undefined) this.#byName.delete(foldedName(before.account.name));
    }
    for (const { account, credential } of all) this.put(account, credential);
  }

  drop(account: Account): void {
    const known = this.#byId.get(account.id);
    this.#byId.delete(account.id);
    this.#byName.delete(foldedName(account.name));
    known?.revoke.abort(new Fault("denied", `the account ${account.name} was removed`));
  }

  /** Makes the policy the present one. Principals of accounts whose rights it does not change stay as they are. */
  follow(next: Policy): void {
    this.#policy = next;
    for (const { account, credential, principal, demandsFactor: demanded } of this.#byId.values())
      if (textOf(grantsUnder(next, account)) !== textOf(principal.grants) || this.#demandsFactor(account) !== demanded)
        this.put(account, credential);
  }

  #demandsFactor(account: Account): boolean {
    return demandsFactor(account, this.#policy, this.#factorDemand);
  }
}

/** Fault `invalid`: there may not be so many. */
export function assertNotTooMany(accounts: number): void {
  if (accounts > MOST_ACCOUNTS) throw new Fault("invalid", "too many accounts", { tell: "too many accounts" });
}

/** What an account may do, and no longer than it is armed. */
function grantsUnder(policy: Policy, account: Account): readonly EffectiveGrant[] {
  const until = account.arming?.window?.until;
  const grants = policy.effective(account);
  return until === undefined ? grants : grants.map((grant) => grantEndedBy(grant, until));
}

/** Two lists of grants with the same text mean the same. */
function textOf(grants: readonly EffectiveGrant[]): string {
  return JSON.stringify(grants, (_, value: unknown) => (value instanceof Set ? [...value] : value));
}
