import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Sealer } from "../base/seal.ts";
import type { Secret } from "../base/secret.ts";
import type { Millis, MonotonicMillis } from "../base/units.ts";
import type { Account, AccountChange } from "./account.ts";
import { AccountChanges, type NewIntegration, type NewPerson } from "./account-changes.ts";
import { AccountStore } from "./account-store.ts";
import type { ArmingWindow } from "./arming.ts";
import { Armings } from "./armings.ts";
import type { AuthSchema } from "./auth-schema.ts";
import { DirectoryAccounts } from "./directory-accounts.ts";
import type { DirectoryChange, DirectoryLink, DirectoryLogIn } from "./directory-link.ts";
import type { FactorDemand } from "./factor-demand.ts";
import { FirstAdministrator } from "./first-administrator.ts";
import { IntegrationLogIns, type SecretCandidate, type SecretsOf } from "./integration-log-ins.ts";
import { IntegrationSecrets } from "./integration-secrets.ts";
import { KnownAccounts } from "./known-accounts.ts";
import { PasswordCheck } from "./password-check.ts";
import { PasswordLogIn } from "./password-log-in.ts";
import type { Policy, PolicyKind, PolicyParts } from "./policy.ts";
import { PolicyChanges } from "./policy-changes.ts";
import type { EffectiveGrant, Peer, Principal } from "./principal.ts";
import type { Interface } from "./right.ts";
import type { SecondFactors } from "./second-factors.ts";
import type { PasswordIsTemporary, PasswordProved } from "./temporary-password.ts";
import { Throttle } from "./throttle.ts";

export interface AccountsOptions<Schema extends AuthSchema> {
  /** A database with {@link authMigrations} applied. Stays the caller's. */
  readonly query: Kysely<Schema>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** That of the other doors, so that a wrong password counts at all of them; one of its own if absent. */
  readonly throttle?: Throttle;
  /** Who has one cannot log in where nobody can ask for it. Nobody has one if absent. */
  readonly factors?: Pick<SecondFactors, "has">;
  /** Of whom one is demanded, besides those with a role that does; of nobody if absent. */
  readonly factorDemand?: FactorDemand;
  /** Whose log-in waits for a second person, by id, and so is at the pages alone; nobody's if absent. */
  readonly logInWaits?: (accountId: string) => boolean;
  /** Told of each external system whose time of being armed was over by itself. */
  readonly armingEnded?: (account: Account) => void;
}

/**
 * The registered accounts: who there is, what each may do, and how each proves itself. All are held in memory, so that
 * looking one up costs nothing; changes are written to the database first, one after another.
 */
export class Accounts {
  readonly #known: KnownAccounts;
  readonly #store: AccountStore;
  readonly #changes: AccountChanges;
  readonly #policyChanges: PolicyChanges;
  readonly #ofDirectories: DirectoryAccounts;
  readonly #first: FirstAdministrator;
  readonly #passwords: PasswordCheck;
  readonly #logIns: PasswordLogIn;
  readonly #integrations: IntegrationLogIns;
  readonly #armings: Armings;

  private constructor(
    known: KnownAccounts,
    store: AccountStore,
    secrets: IntegrationSecrets,
    integrations: IntegrationLogIns,
    o: Omit<AccountsOptions<AuthSchema>, "query">,
  ) {
    const {
      clock,
      log,
      factors,
      throttle = new Throttle(clock),
      logInWaits = () => false,
      armingEnded = () => undefined,
    } = o;
    this.#known = known;
    this.#store = store;
    this.#integrations = integrations;
    this.#changes = new AccountChanges({ known, store, secrets, logIns: integrations, clock });
    this.#policyChanges = new PolicyChanges(known, store);
    this.#ofDirectories = new DirectoryAccounts(known, store, clock);
    this.#first = new FirstAdministrator(known, this.#changes, throttle, log);
    this.#passwords = new PasswordCheck(clock);
    this.#armings = new Armings({ known, store, clock, log, ended: armingEnded });
    this.#logIns = new PasswordLogIn({
      known,
      store,
      integrations,
      passwords: this.#passwords,
      throttle,
      factors,
      logInWaits,
      clock,
      log,
    });
  }

  /** Reads all accounts. Fault `unavailable` when the database cannot be read, or a row makes no sense. */
  static async open<Schema extends AuthSchema>(o: AccountsOptions<Schema>): Promise<Accounts> {
    const secrets = new IntegrationSecrets(o.sealer);
    const known = new KnownAccounts(secrets, o.clock, o.factors, o.factorDemand ?? "by-role");
    // Kysely is invariant in its schema; the tables of others are never touched here.
    const query = o.query as unknown as Kysely<AuthSchema>;
    const store = new AccountStore(query, known);
    await store.read(secrets, o.log);
    const { clock, log } = o;
    return new Accounts(
      known,
      store,
      secrets,
      await IntegrationLogIns.open({ query, store, known, secrets, clock, log }),
      o,
    );
  }

  /** In the order of their names. */
  list(): readonly Account[] {
    return [...this.#known.all()].map(({ account }) => account).toSorted((a, b) => a.name.localeCompare(b.name, "en"));
  }

  /** Undefined for an unknown id. */
  find(id: string): Account | undefined {
    return this.#known.find(id)?.account;
  }

  /** However the name is spelt; undefined for an unknown one. */
  named(name: string): Account | undefined {
    return this.#known.named(name)?.account;
  }

  /** Roles, camera groups and time profiles of this moment. */
  get policy(): Policy {
    return this.#known.policy;
  }

  /** What the account would do with its roles and grants, whether it is enabled or not; for reports. Undefined for an unknown id. */
  grantsOf(accountId: string): readonly EffectiveGrant[] | undefined {
    return this.#known.find(accountId)?.principal.grants;
  }

  /** What there is under a name, for the administrator. */
  stateOf(name: string): "unknown" | "disabled" | "not-armed" | "person" | "integration" {
    const entry = this.#known.named(name);
    if (entry === undefined) return "unknown";
    if (this.#known.isOnlyNotArmed(entry)) return "not-armed";
    return this.#known.isLetIn(entry) ? entry.account.kind : "disabled";
  }

  /** A person who is let in nowhere without a second factor. False for an unknown id. */
  demandsFactor(id: string): boolean {
    return this.#known.find(id)?.demandsFactor === true;
  }

  /** Such a person, who has none yet. False for an unknown id. */
  lacksFactor(id: string): boolean {
    const entry = this.#known.find(id);
    return entry !== undefined && this.#known.lacksFactor(entry);
  }

  /** A snapshot of what the account may do now; undefined when it is disabled, gone, or without a second factor that is demanded. */
  principalOf(accountId: string): Principal | undefined {
    return this.#known.used(this.#known.find(accountId))?.principal;
  }

  /** Names the present credential of an account; another value means that it was changed. Undefined as for {@link principalOf}. */
  credentialOf(accountId: string): string | undefined {
    const entry = this.#known.find(accountId);
    return this.#known.isIn(entry) ? entry?.generation : undefined;
  }

  /**
   * The secrets of an integration, for digest schemes: the present one and a former one that still holds. In the place of one that is not
   * there, as for every other name, stands a secret that nobody has, with no principal: compute with both, then refuse.
   */
  integrationSecrets(name: string): readonly [SecretCandidate, SecretCandidate] {
    return this.#integrations.candidates(name);
  }

  /** When the secrets of an integration were used last, and until when a former one holds. Undefined of people and unknown ids. */
  secretsOf(id: string): SecretsOf | undefined {
    return this.#integrations.of(id);
  }

  /**
   * Checks a name and a password that arrived readable (Basic, PasswordText), so only inside TLS. Not throttled: the caller
   * is. Faults: `unauthenticated`, also for people whose password is not enough, for a second factor or a second person: there is no place
   * for these; `busy` (too many passwords to check).
   */
  checkPassword(name: string, password: Secret, address: string): Promise<Principal> {
    return this.#logIns.check(name, password, address);
  }

  /** What is asked for at the pages, besides what proves who somebody is; undefined where nothing is. For no account: nothing. */
  asksForMore(accountId: string): "second factor" | "second person" | undefined {
    return this.#logIns.asksForMore(accountId);
  }

  /** Log-in of a person through `door`, before the second factor, if there is one. Faults: `unauthenticated`, `busy` (throttled, or too many passwords to check), {@link PasswordIsTemporary}, {@link FactorDemanded}. */
  logIn(name: string, password: string, peer: Peer, door: Interface = "web"): Promise<Principal> {
    return this.#logIns.logIn(name, password, peer, door);
  }

  /**
   * Log-in of a person of a directory, by the person's id there, whom somebody else has vouched for; before the second factor, if there is
   * one. Faults: `unauthenticated` (no such account, or one that is not let in), {@link FactorDemanded}.
   */
  enter(directory: string, personId: string): Principal {
    return this.#ofDirectories.enter(directory, personId);
  }

  /** Nobody may manage accounts yet, so the first administrator is still to be made. */
  get setUpNeeded(): boolean {
    return this.#first.isMissing;
  }

  /** A new one-time token for {@link setUp}, to be shown to whoever starts the bridge; undefined when set-up is done. The one before it is void, and none outlives the process. */
  setUpToken(): Secret | undefined {
    return this.#first.makeToken();
  }

  /** Makes the first administrator. Faults: `unauthenticated` (wrong token), `wrong-state` (done already), `invalid`, `busy` (throttled). */
  setUp(token: string, name: string, password: string, peer: Peer): Promise<Principal> {
    return this.#first.setUp(token, name, password, peer);
  }

  /** Fault `invalid`: the name is taken or unusable, the password too weak, or there are too many accounts. */
  createPerson(person: NewPerson): Promise<Account> {
    return this.#changes.createPerson(person);
  }

  /** An account for an external system. The secret cannot be read again later. Fault `invalid` as for people. */
  createIntegration(integration: NewIntegration): Promise<{ readonly account: Account; readonly secret: Secret }> {
    return this.#changes.createIntegration(integration);
  }

  /**
   * Whether an external system is let in only while it is armed, and not just as soon as that is set. Takes effect at once. Faults: `not-found`;
   * `invalid` (a person).
   */
  demandArming(id: string, demanded: boolean): Promise<void> {
    return this.#armings.demand(id, demanded);
  }

  /**
   * Lets such a system in for a minute to 24 hours from now on, whatever was said before. Faults: `not-found`; `invalid` (a person, too long or
   * short); `wrong-state` where it is let in at any time.
   */
  arm(id: string, forMs: Millis): Promise<ArmingWindow> {
    return this.#armings.arm(id, forMs);
  }

  /** Ends that early, with all that runs. Takes effect before it is written down. Fault `not-found`: no such account, or it is not armed. */
  async disarm(id: string): Promise<void> {
    await this.#armings.disarm(id);
  }

  /** A new secret for an integration, generated, or `chosen` under the rules for passwords. The old one holds for `overlapMs` beside it, 30 days at most, and by default not at all. Fault `not-found`, `invalid` (a person, too long, too weak). */
  renewSecret(id: string, overlapMs = 0, chosen?: Secret): Promise<Secret> {
    return this.#changes.renewSecret(id, overlapMs, chosen);
  }

  /** A former secret that still holds does so no longer. Fault `not-found`. */
  endFormerSecret(id: string): Promise<void> {
    return this.#changes.endFormerSecret(id);
  }

  /**
   * Sessions of the person end. A `temporary` one is good for choosing another alone. Fault `not-found`, `invalid` (an integration, or the
   * password is too weak).
   */
  setPassword(id: string, password: Secret, { temporary = false } = {}): Promise<void> {
    return this.#changes.setPassword(id, password, temporary);
  }

  /** Fault `invalid`: the person could not choose that in the place of the temporary one. */
  assertChoice(temporary: PasswordIsTemporary, next: Secret): Promise<void> {
    return this.#changes.assertChoice(temporary, next);
  }

  /**
   * In the place of the one that its owner has just proved to know; it is no temporary one. Sessions of the person end. Faults as for
   * {@link setPassword}; `unauthenticated` where somebody else has changed the credential since.
   */
  choosePassword(proved: PasswordProved, next: Secret): Promise<void> {
    return this.#changes.choosePassword(proved, next);
  }

  /**
   * Own grants, roles and whether it is enabled, together or not at all. Takes effect at once: whatever runs with the old rights is
   * decided anew, once. Faults as for {@link remove}, `not-found` for a role, group or time profile that is not there, and `wrong-state`
   * where an integration is to be enabled whose secret is lost. `change` may depend on how the account stands when its turn comes.
   */
  change(
    id: string,
    change: AccountChange | ((before: Account) => AccountChange),
  ): Promise<{ readonly before: Account; readonly after: Account }> {
    return this.#changes.change(id, change);
  }

  /**
   * Takes effect at once, for all of them or none. `still` throws where one is not to be removed as it stands when their turn comes. Faults:
   * `not-found`; `wrong-state` when nobody would be left to manage accounts.
   */
  remove(ids: string | readonly string[], still: (account: Account) => void = () => undefined): Promise<void> {
    return this.#changes.remove(typeof ids === "string" ? [ids] : ids, still);
  }

  /** Ends all that was begun with the account, as a new credential does; the one that there is stays good. Fault `not-found`. */
  endAll(id: string): void {
    const { account, credential } = this.#known.get(id);
    this.#known.drop(account);
    this.#known.put(account, credential);
  }

  /**
   * Makes or replaces a role, camera group or time profile. Takes effect at once for all accounts that it touches. Faults:
   * `invalid`; `not-found` when it names what is not there; `wrong-state` when nobody would be left to manage accounts.
   */
  setPart<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Promise<void> {
    return this.#policyChanges.set(kind, id, part);
  }

  /** Faults: `not-found`; `wrong-state` when accounts or other parts name it. */
  removePart(kind: PolicyKind, id: string): Promise<void> {
    return this.#policyChanges.remove(kind, id);
  }

  /** From now on passwords of people of directories are asked for there. */
  useDirectories(directories: DirectoryLogIn): void {
    this.#passwords.useDirectories(directories);
  }

  /** Those by the directory, in no order: there may be thousands, and they are looked at often. */
  ofDirectory(directory: string): readonly Account[] {
    return this.#ofDirectories.of(directory);
  }

  /** Whether somebody has come with the account since then. */
  usedSince(id: string, since: MonotonicMillis): boolean {
    return (this.#known.find(id)?.usedAt ?? Number.NEGATIVE_INFINITY) >= since;
  }

  /** What the account would do if the directory said so; undefined where it would not be let in. */
  grantsWith(id: string, link: DirectoryLink): readonly EffectiveGrant[] | undefined {
    return this.#ofDirectories.grantsWith(id, link);
  }

  /**
   * Makes and changes accounts as a sync of the directory found it, all or none. Takes effect at once. Nobody is too important to be put
   * out: administrators by a directory do not count as the last. Faults: `invalid` (a name is taken or unusable, too many
   * accounts), `not-found` (a role, an account), `unavailable`.
   */
  followDirectory(changes: readonly DirectoryChange[]): Promise<void> {
    return this.#ofDirectories.follow(changes);
  }

  /** Waits for the changes under way. The database stays open: it is the caller's. */
  async close(): Promise<void> {
    this.#armings.close();
    await this.#store.settled();
    await this.#integrations.settled();
  }
}
