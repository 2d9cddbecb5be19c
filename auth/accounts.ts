import { createHash, randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Fault, isFault } from "../base/fault.ts";
import { type Log, Repeats } from "../base/log.ts";
import type { Sealer } from "../base/seal.ts";
import { equalInConstantTime, makeSecret, Secret } from "../base/secret.ts";
import type { MonotonicMillis, UnixMillis } from "../base/units.ts";
import type { Account, AccountChange } from "./account.ts";
import { foldedName, isAccountName } from "./account-name.ts";
import { accountOf, rowOf } from "./account-row.ts";
import { isAdministrator } from "./administrator.ts";
import type { AuthSchema } from "./auth-schema.ts";
import { type DirectoryChange, type DirectoryLink, type DirectoryLogIn, letsIn } from "./directory-link.ts";
import { demandsFactor, type FactorDemand, FactorDemanded } from "./factor-demand.ts";
import { assertGoodPassword, hashPassword, isOutdated, verifyPassword } from "./password.ts";
import { PasswordCheck } from "./password-check.ts";
import { ADMINISTRATOR, Policy, type PolicyKind, type PolicyParts, plainPart } from "./policy.ts";
import type { EffectiveGrant, Grant, Peer, Principal } from "./principal.ts";
import type { Interface } from "./right.ts";
import type { SecondFactors } from "./second-factors.ts";
import { Throttle } from "./throttle.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  /** People and systems together; all are held in memory. */
  accounts: 20_000,
  /** 5.8 bits a character: enough that a captured digest, even of MD5, gives nothing to crack. */
  secretLength: 20,
  setUpTokenLength: 20,
} as const;

/** What every client can write into a URL and a digest. */
const INTEGRATION_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** An account in memory. Replaced whole at each change; `revoke` ends the principals made from it. */
interface Entry {
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
}

/**
 * The registered accounts: who there is, what each may do, and how each proves itself. All are held in memory, so that
 * looking one up costs nothing; changes are written to the database first, one after another.
 */
export class Accounts {
  readonly #query: Kysely<AuthSchema>;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #throttle: Throttle;
  readonly #factors: Pick<SecondFactors, "has"> | undefined;
  readonly #factorDemand: FactorDemand;
  readonly #logInWaits: (accountId: string) => boolean;
  readonly #passwords: PasswordCheck;
  readonly #failures: Repeats;
  readonly #byId = new Map<string, Entry>();
  readonly #byName = new Map<string, Entry>();
  /** For names that nobody has, so that they take as long as others. */
  readonly #decoy = makeSecret(LIMITS.secretLength);
  #policy = Policy.empty;
  #setUpHash: Buffer | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(options: AccountsOptions<AuthSchema>) {
    this.#query = options.query;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#throttle = options.throttle ?? new Throttle(options.clock);
    this.#factors = options.factors;
    this.#factorDemand = options.factorDemand ?? "by-role";
    this.#logInWaits = options.logInWaits ?? (() => false);
    this.#passwords = new PasswordCheck(options.clock);
    this.#failures = new Repeats(options.clock);
  }

  /** Reads all accounts. Fault `unavailable` when the database cannot be read, `invalid` when a row makes no sense. */
  static async open<Schema extends AuthSchema>(options: AccountsOptions<Schema>): Promise<Accounts> {
    // Kysely is invariant in its schema; the tables of others are never touched here.
    const query = options.query as unknown as Kysely<AuthSchema>;
    const accounts = new Accounts({ ...options, query });
    try {
      accounts.#policy = Policy.of(await query.selectFrom("policy_part").selectAll().execute());
      for (const row of await query.selectFrom("account").selectAll().execute())
        accounts.#put(accounts.#usable(accountOf(row), row.credential), row.credential);
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the accounts", { cause });
    }
    return accounts;
  }

  /** In the order of their names. */
  list(): readonly Account[] {
    return [...this.#byId.values()]
      .map(({ account }) => account)
      .toSorted((a, b) => a.name.localeCompare(b.name, "en"));
  }

  /** Undefined for an unknown id. */
  find(id: string): Account | undefined {
    return this.#byId.get(id)?.account;
  }

  /** Roles, camera groups and time profiles of this moment. */
  get policy(): Policy {
    return this.#policy;
  }

  /** What the account would do with its roles and grants, whether it is enabled or not; for reports. Undefined for an unknown id. */
  grantsOf(accountId: string): readonly EffectiveGrant[] | undefined {
    return this.#byId.get(accountId)?.principal.grants;
  }

  /** What there is under a name, for the administrator. */
  stateOf(name: string): "unknown" | "disabled" | "person" | "integration" {
    const entry = this.#byName.get(foldedName(name));
    if (entry === undefined) return "unknown";
    return this.#isLetIn(entry) ? entry.account.kind : "disabled";
  }

  /** A person who is let in nowhere without a second factor. False for an unknown id. */
  demandsFactor(id: string): boolean {
    return this.#byId.get(id)?.demandsFactor === true;
  }

  /** Such a person, who has none yet. False for an unknown id. */
  lacksFactor(id: string): boolean {
    const entry = this.#byId.get(id);
    return entry !== undefined && this.#lacksFactor(entry);
  }

  /** A snapshot of what the account may do now; undefined when it is disabled, gone, or without a second factor that is demanded. */
  principalOf(accountId: string): Principal | undefined {
    return this.#used(this.#byId.get(accountId))?.principal;
  }

  /** Names the present credential of an account; another value means that it was changed. Undefined as for {@link principalOf}. */
  credentialOf(accountId: string): string | undefined {
    const entry = this.#byId.get(accountId);
    return this.#isIn(entry) ? entry?.generation : undefined;
  }

  /**
   * The secret of an integration, for digest schemes. For every other name a secret that nobody has, after the same work,
   * and no principal: compute as with a real one, then refuse.
   */
  integrationSecret(name: string): { readonly secret: Secret; readonly principal: Principal | undefined } {
    const named = this.#byName.get(foldedName(name));
    const entry = named?.account.kind === "integration" ? this.#used(named) : undefined;
    return entry?.secret === undefined
      ? { secret: this.#decoy, principal: undefined }
      : { secret: entry.secret, principal: entry.principal };
  }

  /**
   * Checks a name and a password that arrived readable (Basic, PasswordText), so only inside TLS. Not throttled: the caller
   * is. Faults: `unauthenticated`, also for people whose password is not enough, for a second factor or a second person: there is no place
   * for these; `busy` (too many passwords to check).
   */
  async checkPassword(name: string, password: Secret): Promise<Principal> {
    return this.#passwords.inTime(async () => {
      const { principal, demandsFactor: demanded } = await this.#checked(name, password);
      const { accountId } = principal;
      if (demanded || this.#factors?.has(accountId) === true || this.#logInWaits(accountId))
        throw new UnauthenticatedFault(
          `${name} needs a second factor or a second person besides the password, who are asked for at the pages alone`,
          {
            account: name,
          },
        );
      return principal;
    });
  }

  /** With a second factor or without. */
  async #checked(name: string, password: Secret): Promise<Entry> {
    const entry = this.#byName.get(foldedName(name));
    if (!(await this.#isRight(entry, password)) || entry === undefined || !this.#isLetIn(entry))
      throw new UnauthenticatedFault(`wrong name or password for ${name}`, {
        account: name,
        ...(this.#passwords.directoryDown ? { tell: DIRECTORY_DOWN } : {}),
      });
    // The account may have changed while the password was checked.
    const now = this.#byId.get(entry.account.id);
    if (now === undefined || !this.#isLetIn(now) || now.credential !== entry.credential)
      throw new UnauthenticatedFault(`${name} was changed during the log-in`);
    now.usedAt = this.#clock.monotonic();
    return now;
  }

  /** Log-in of a person through `door`, before the second factor, if there is one. Faults: `unauthenticated`, `busy` (throttled, or too many passwords to check), {@link FactorDemanded}. */
  async logIn(name: string, password: string, peer: Peer, door: Interface = "web"): Promise<Principal> {
    this.#throttle.admit(peer.address, name);
    const given = new Secret(password);
    try {
      const entry = await this.#passwords.inTime(async () => {
        const found = await this.#checked(name, given);
        if (found.account.kind !== "person") throw new UnauthenticatedFault(`${name} is not a person`);
        return found;
      });
      const { principal } = entry;
      this.#throttle.succeeded(peer.address, name);
      if (this.#lacksFactor(entry)) throw new FactorDemanded(entry.account);
      if (this.#get(principal.accountId).account.directory === undefined)
        await this.#rehash(principal.accountId, given);
      return principal;
    } catch (error) {
      if (error instanceof UnauthenticatedFault) {
        this.#throttle.failed(peer.address, name);
        const repeated = this.#failures.admit(`${peer.address} ${name}`);
        if (repeated !== undefined)
          this.#log.warn({ account: name.slice(0, 64), address: peer.address, door, repeated }, "log-in failed");
      }
      throw error;
    }
  }

  /** Nobody may manage accounts yet, so the first administrator is still to be made. */
  get setUpNeeded(): boolean {
    return this.#administrators(this.#policy).length === 0;
  }

  /** A new one-time token for {@link setUp}, to be shown to whoever starts the bridge; undefined when set-up is done. The one before it is void, and none outlives the process. */
  setUpToken(): Secret | undefined {
    if (!this.setUpNeeded) return undefined;
    const token = makeSecret(LIMITS.setUpTokenLength);
    this.#setUpHash = sha256(token.reveal());
    return token;
  }

  /** Makes the first administrator. Faults: `unauthenticated` (wrong token), `wrong-state` (done already), `invalid`, `busy` (throttled). */
  async setUp(token: string, name: string, password: string, peer: Peer): Promise<Principal> {
    this.#throttle.admit(peer.address, SET_UP);
    if (this.#setUpHash === undefined || !equalInConstantTime(this.#setUpHash, sha256(token))) {
      this.#throttle.failed(peer.address, SET_UP);
      throw new Fault("unauthenticated", "wrong set-up token", {
        tell: "this is not the set-up token of the present start",
      });
    }
    const account = await this.#createPerson(
      { name, password: new Secret(password), grants: [], roles: [ADMINISTRATOR] },
      () => {
        if (!this.setUpNeeded)
          throw new Fault("wrong-state", "there is an administrator already", { tell: "set-up is done" });
      },
    );
    this.#setUpHash = undefined;
    this.#log.info({ account: account.name }, "the first administrator was made");
    return this.#get(account.id).principal;
  }

  /** Fault `invalid`: the name is taken or unusable, the password too weak, or there are too many accounts. */
  createPerson(person: {
    readonly name: string;
    readonly password: Secret;
    readonly grants: readonly Grant[];
    readonly roles?: readonly string[];
  }): Promise<Account> {
    return this.#createPerson(person, () => undefined);
  }

  /** An account for an external system. The secret cannot be read again later. Fault `invalid` as for people. */
  async createIntegration(integration: {
    readonly name: string;
    readonly grants: readonly Grant[];
    readonly roles?: readonly string[];
    /** Id of the account of a person of a directory, whose roles by groups it has too, and with whom it is out. */
    readonly person?: string | undefined;
  }): Promise<{ readonly account: Account; readonly secret: Secret }> {
    const { name, grants, roles = [], person } = integration;
    if (!INTEGRATION_NAME.test(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits and . _ @ -" });
    const secret = makeSecret(LIMITS.secretLength);
    const account = await this.#inTurn(() => {
      const id = newId();
      const directory = person === undefined ? undefined : this.#get(person).account.directory;
      if (person !== undefined && directory === undefined)
        throw new Fault("invalid", `${person} is not by a directory`, { tell: "that account is not of a directory" });
      return this.#insert(
        { id, name, kind: "integration", grants, roles, ...(directory === undefined ? {} : { directory }) },
        this.#sealer.seal(secret, integrationOwner(id)),
      );
    });
    return { account, secret };
  }

  /** A new secret for an integration; the old one stops working. Fault `not-found`, `invalid` (a person). */
  renewSecret(id: string): Promise<Secret> {
    return this.#inTurn(async () => {
      const { account } = this.#get(id);
      if (account.kind !== "integration") throw new Fault("invalid", `${account.name} is a person, with a password`);
      const secret = makeSecret(LIMITS.secretLength);
      await this.#update(account, this.#sealer.seal(secret, integrationOwner(id)));
      return secret;
    });
  }

  /** Fault `not-found`, `invalid` (an integration, or the password is too weak). Sessions of the person end. */
  async setPassword(id: string, password: Secret): Promise<void> {
    const { account } = this.#get(id);
    if (account.kind !== "person") throw new Fault("invalid", `${account.name} is an integration, with a secret`);
    if (account.directory !== undefined)
      throw new Fault("invalid", `the directory has the password of ${account.name}`, {
        tell: "the password of that account is changed at its directory",
      });
    assertGoodPassword(account.name, password);
    const hash = await hashPassword(password);
    await this.#inTurn(() => this.#update(this.#get(id).account, hash));
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
    return this.#inTurn(async () => {
      const { account: before, credential } = this.#get(id);
      const chosen = typeof change === "function" ? change(before) : change;
      if (chosen.enabled === true && !this.#opens(before, credential))
        throw new Fault("wrong-state", `the secret of ${before.name} does not open`, { tell: SECRET_LOST });
      const { grants = before.grants, roles = before.roles, enabled = before.enabled } = chosen;
      const after = { ...before, grants, roles: [...new Set(roles)], enabled };
      await this.#update(after);
      return { before, after };
    });
  }

  /**
   * Makes or replaces a role, camera group or time profile. Takes effect at once for all accounts that it touches. Faults:
   * `invalid`; `not-found` when it names what is not there; `wrong-state` when nobody would be left to manage accounts.
   */
  setPart<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Promise<void> {
    return this.#inTurn(async () => {
      const next = this.#policy.with(kind, id, part);
      this.#assertManagedUnder(next);
      const definition = JSON.stringify(plainPart(kind, part));
      await this.#query
        .insertInto("policy_part")
        .values({ kind, id, definition })
        .onConflict((conflict) => conflict.columns(["kind", "id"]).doUpdateSet({ definition }))
        .execute();
      this.#follow(next);
    });
  }

  /** Faults: `not-found`; `wrong-state` when accounts or other parts name it. */
  removePart(kind: PolicyKind, id: string): Promise<void> {
    return this.#inTurn(async () => {
      const next = this.#policy.without(kind, id);
      for (const { account } of this.#byId.values()) {
        try {
          next.effective(account);
        } catch (cause) {
          const tell = `${id} is in use by ${account.name}`;
          throw new Fault("wrong-state", tell, { cause, tell });
        }
      }
      await this.#query.deleteFrom("policy_part").where("kind", "=", kind).where("id", "=", id).execute();
      this.#follow(next);
    });
  }

  /** Takes effect at once. Faults: `not-found`; `wrong-state` when nobody would be left to manage accounts. */
  remove(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const { account } = this.#get(id);
      this.#assertManaged({ ...account, enabled: false });
      await this.#query.deleteFrom("account").where("id", "=", id).execute();
      this.#drop(account);
    });
  }

  /** Ends all that was begun with the account, as a new credential does; the one that there is stays good. Fault `not-found`. */
  endAll(id: string): void {
    const { account, credential } = this.#get(id);
    this.#drop(account);
    this.#put(account, credential);
  }

  /** From now on passwords of people of directories are asked for there. */
  useDirectories(directories: DirectoryLogIn): void {
    this.#passwords.useDirectories(directories);
  }

  /** Those by the directory, in no order: there may be thousands, and they are looked at often. */
  ofDirectory(directory: string): readonly Account[] {
    const all: Account[] = [];
    for (const { account } of this.#byId.values()) if (account.directory?.directory === directory) all.push(account);
    return all;
  }

  /** Whether somebody has come with the account since then. */
  usedSince(id: string, since: MonotonicMillis): boolean {
    return (this.#byId.get(id)?.usedAt ?? Number.NEGATIVE_INFINITY) >= since;
  }

  /** What the account would do if the directory said so; undefined where it would not be let in. */
  grantsWith(id: string, link: DirectoryLink): readonly EffectiveGrant[] | undefined {
    const { account } = this.#get(id);
    return account.enabled && letsIn(link, this.#clock.now())
      ? this.#policy.effective({ ...account, directory: link })
      : undefined;
  }

  /**
   * Makes and changes accounts as a sync of the directory found it, all or none. Takes effect at once. Nobody is too important to be put
   * out: administrators by a directory do not count as the last. Faults: `invalid` (a name is taken or unusable, too many
   * accounts), `not-found` (a role, an account), `unavailable`.
   */
  followDirectory(changes: readonly DirectoryChange[]): Promise<void> {
    return this.#inTurn(async () => {
      const next = changes.map((change) => this.#followed(change));
      const names = new Map([...this.#byId].map(([id, { account }]) => [id, foldedName(account.name)]));
      for (const { account } of next) names.set(account.id, foldedName(account.name));
      if (new Set(names.values()).size < names.size) throw new Fault("invalid", "two accounts would have one name");
      if (names.size > LIMITS.accounts) throw new Fault("invalid", "too many accounts", { tell: "too many accounts" });
      for (const { account } of next) this.#policy.effective(account);
      await this.#query.transaction().execute(async (query) => {
        // Names may be changed around: none stands in the way of another meanwhile.
        for (const { account } of next)
          await query
            .updateTable("account")
            .set({ folded: `\0${account.id}` })
            .where("id", "=", account.id)
            .execute();
        for (const { account, credential } of next) {
          const { id, ...rest } = rowOf(account, credential);
          await query
            .insertInto("account")
            .values({ id, ...rest })
            .onConflict((conflict) => conflict.column("id").doUpdateSet(rest))
            .execute();
        }
      });
      for (const { account } of next) {
        const before = this.#byId.get(account.id);
        if (before !== undefined) this.#byName.delete(foldedName(before.account.name));
      }
      for (const { account, credential } of next) this.#put(account, credential);
    });
  }

  #followed(change: DirectoryChange): { readonly account: Account; readonly credential: string } {
    if ("make" in change) {
      if (!isAccountName(change.make)) throw new Fault("invalid", `name ${change.make}`);
      const made = { id: newId(), name: change.make, kind: "person", enabled: true, grants: [], roles: [] } as const;
      return { account: { ...made, created: this.#clock.now(), directory: change.link }, credential: NO_CREDENTIAL };
    }
    const { account, credential } = this.#get(change.account);
    return { account: { ...account, name: change.name ?? account.name, directory: change.link }, credential };
  }

  /** Waits for the changes under way. The database stays open: it is the caller's. */
  async close(): Promise<void> {
    await this.#lastChange;
  }

  async #createPerson(
    person: {
      readonly name: string;
      readonly password: Secret;
      readonly grants: readonly Grant[];
      readonly roles?: readonly string[];
    },
    still: () => void,
  ): Promise<Account> {
    const { name, password, grants, roles = [] } = person;
    if (!isAccountName(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits, blanks and . _ @ -" });
    assertGoodPassword(name, password);
    const hash = await hashPassword(password);
    return this.#inTurn(() => {
      still();
      return this.#insert({ id: newId(), name, kind: "person", grants, roles }, hash);
    });
  }

  async #insert(
    made: Pick<Account, "id" | "name" | "kind" | "grants" | "roles" | "directory">,
    credential: string,
  ): Promise<Account> {
    if (this.#byName.has(foldedName(made.name)))
      throw new Fault("invalid", `${made.name} exists`, { tell: "there is an account of that name already" });
    if (this.#byId.size >= LIMITS.accounts)
      throw new Fault("invalid", "too many accounts", { tell: "too many accounts" });
    const account: Account = { ...made, enabled: true, created: this.#clock.now() };
    this.#policy.effective(account);
    await this.#query.insertInto("account").values(rowOf(account, credential)).execute();
    this.#put(account, credential);
    return account;
  }

  async #update(account: Account, credential = this.#get(account.id).credential): Promise<void> {
    this.#assertManaged(account);
    this.#policy.effective(account);
    const { id, ...rest } = rowOf(account, credential);
    await this.#query.updateTable("account").set(rest).where("id", "=", id).execute();
    this.#put(account, credential);
  }

  /** Refuses a change that would leave nobody to undo it. */
  #assertManaged(changed: Account): void {
    const administrators = this.#administrators(this.#policy);
    if (
      administrators.every(({ id }) => id === changed.id) &&
      administrators.length > 0 &&
      !isAdministrator(changed, this.#policy)
    )
      throw new Fault("wrong-state", `${changed.name} is the last administrator`, { tell: NOBODY_LEFT });
  }

  #assertManagedUnder(next: Policy): void {
    if (this.#administrators(this.#policy).length > 0 && this.#administrators(next).length === 0)
      throw new Fault("wrong-state", "nobody could manage accounts", { tell: NOBODY_LEFT });
  }

  #administrators(policy: Policy): readonly Account[] {
    return [...this.#byId.values()].map(({ account }) => account).filter((account) => isAdministrator(account, policy));
  }

  /** Makes the policy the present one. Principals of accounts whose rights it does not change stay as they are. */
  #follow(next: Policy): void {
    this.#policy = next;
    for (const { account, credential, principal, demandsFactor: demanded } of this.#byId.values())
      if (textOf(next.effective(account)) !== textOf(principal.grants) || this.#demandsFactor(account) !== demanded)
        this.#put(account, credential);
  }

  /** Whether an account has what it logs in with: the secret of an integration is under a master key, which may have been lost. */
  #opens(account: Account, credential: string): boolean {
    return account.kind !== "integration" || this.#openedSecret(account, credential) !== undefined;
  }

  #openedSecret({ id, kind }: Account, credential: string): Secret | undefined {
    try {
      return kind === "integration" ? this.#sealer.open(credential, integrationOwner(id)) : undefined;
    } catch (error) {
      if (isFault(error, "unavailable")) return undefined;
      throw error;
    }
  }

  #usable(account: Account, credential: string): Account {
    if (!account.enabled || this.#opens(account, credential)) return account;
    this.#log.error({ account: account.name }, `an integration is disabled: ${SECRET_LOST}`);
    return { ...account, enabled: false };
  }

  #get(id: string): Entry {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new Fault("not-found", `no account ${id}`);
    return entry;
  }

  #put(account: Account, credential: string): void {
    const before = this.#byId.get(account.id);
    const revoke = new AbortController();
    const { id, name, kind } = account;
    const grants = this.#policy.effective(account);
    const now = (): UnixMillis => this.#clock.now();
    const entry: Entry = {
      account,
      credential,
      secret: this.#openedSecret(account, credential),
      principal: { accountId: id, name, kind, grants, now, revoked: revoke.signal },
      revoke,
      // What was begun before the account was out does not go on when it is in again.
      generation: before?.credential === credential && this.#isIn(before) ? before.generation : newId(),
      demandsFactor: this.#demandsFactor(account),
      usedAt: before?.usedAt,
    };
    this.#byId.set(id, entry);
    this.#byName.set(foldedName(name), entry);
    before?.revoke.abort(new Fault("denied", `the account ${name} was changed`));
  }

  #isIn(entry: Entry | undefined): boolean {
    return entry !== undefined && this.#isLetIn(entry) && !this.#lacksFactor(entry);
  }

  /** But for a second factor. */
  #isLetIn({ account }: Entry): boolean {
    return account.enabled && letsIn(account.directory, this.#clock.now());
  }

  #demandsFactor(account: Account): boolean {
    return demandsFactor(account, this.#policy, this.#factorDemand);
  }

  #lacksFactor(entry: Entry): boolean {
    return entry.demandsFactor && this.#factors?.has(entry.account.id) === false;
  }

  #used(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || !this.#isIn(entry)) return undefined;
    entry.usedAt = this.#clock.monotonic();
    return entry;
  }

  #drop(account: Account): void {
    const entry = this.#byId.get(account.id);
    this.#byId.delete(account.id);
    this.#byName.delete(foldedName(account.name));
    entry?.revoke.abort(new Fault("denied", `the account ${account.name} was removed`));
  }

  async #isRight(entry: Entry | undefined, password: Secret): Promise<boolean> {
    if (entry?.account.kind !== "integration") {
      const isIn = entry !== undefined && this.#isLetIn(entry);
      return this.#passwords.isRight(entry, isIn, password);
    }
    const { secret, principal } = this.integrationSecret(entry.account.name);
    if (secret.equals(password.reveal()) && principal !== undefined) return true;
    // A wrong one takes as long as with every other name.
    return verifyPassword(undefined, password);
  }

  /** The only moment at which the password is at hand to be hashed at today's cost. The log-in does not depend on it. */
  async #rehash(id: string, password: Secret): Promise<void> {
    const old = this.#get(id).credential;
    if (!isOutdated(old)) return;
    try {
      const hash = await hashPassword(password);
      await this.#inTurn(async () => {
        if (this.#byId.get(id)?.credential === old) await this.#update(this.#get(id).account, hash);
      });
    } catch (err) {
      this.#log.warn({ err, account: id }, "could not hash a password anew");
    }
  }

  /** One change after another: checks like "the last administrator" hold until their change is written. */
  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const before = this.#lastChange;
    const mine = (async () => {
      await before;
      return change();
    })();
    this.#lastChange = mine.catch(() => undefined);
    return mine;
  }
}

/** What failed uses of the set-up token count under: no account can have this name. */
const SET_UP = ":set-up";

const SECRET_LOST =
  "its secret cannot be opened any more, for the master key that it was stored under is lost: renew it, then enable the account";

const DIRECTORY_DOWN = "wrong name or password, or the directory cannot be asked just now: try again in a minute";

/** People whose password a directory has have none here. */
const NO_CREDENTIAL = "";

const NOBODY_LEFT = "nobody would be left who may manage accounts";

/** Two lists of grants with the same text mean the same. */
function textOf(grants: readonly EffectiveGrant[]): string {
  return JSON.stringify(grants, (_, value: unknown) => (value instanceof Set ? [...value] : value));
}

function newId(): string {
  return randomBytes(12).toString("hex");
}

/** Whom a secret in the database is sealed for. */
export function integrationOwner(id: string): string {
  return `account:${id}`;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
