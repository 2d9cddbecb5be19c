import { createHash, randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Fault, isFault } from "../base/fault.ts";
import { type Log, Repeats } from "../base/log.ts";
import type { Sealer } from "../base/seal.ts";
import { equalInConstantTime, makeSecret, Secret } from "../base/secret.ts";
import { MINUTE, type MonotonicMillis, type UnixMillis, unixMillis } from "../base/units.ts";
import type { AccountTable, AuthSchema } from "./auth-schema.ts";
import { plainGrants, readGrants } from "./grants.ts";
import { assertGoodPassword, hashPassword, isOutdated, verifyPassword } from "./password.ts";
import { ADMINISTRATOR, Policy, type PolicyKind, type PolicyParts, plainPart } from "./policy.ts";
import type { EffectiveGrant, Grant, Peer, Principal } from "./principal.ts";
import type { Interface } from "./right.ts";
import { Throttle } from "./throttle.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  /** People and systems together; all are held in memory. */
  accounts: 2000,
  /** 5.8 bits a character: enough that a captured digest, even of MD5, gives nothing to crack. */
  secretLength: 20,
  setUpTokenLength: 20,
  /** A password that was right needs no new argon2 for this long: Basic sends it with each request. */
  rememberMs: 1 * MINUTE,
} as const;

/** Letters, digits and a few signs; no colon, which ends the name in Basic, no quotes, no blanks at the ends. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}._@ -]{0,62}[\p{L}\p{N}._@-])?$/u;
/** What every client can write into a URL and a digest. */
const INTEGRATION_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** A registered person or system. */
export interface Account {
  /** Random; never used again. */
  readonly id: string;
  readonly name: string;
  /** People have a password of their own and use the pages; integrations have a generated secret and use ONVIF and RTSP. */
  readonly kind: "person" | "integration";
  readonly enabled: boolean;
  /** Ids of roles, whose grants it has besides its own. */
  readonly roles: readonly string[];
  /** Its own. */
  readonly grants: readonly Grant[];
  readonly created: UnixMillis;
}

/** What of an account is changed; what is absent stays. */
export interface AccountChange {
  readonly grants?: readonly Grant[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
}

/** An account in memory. Replaced whole at each change; `revoke` ends the principals made from it. */
interface Entry {
  readonly account: Account;
  readonly credential: string;
  readonly principal: Principal;
  readonly revoke: AbortController;
  /** Changes with the credential: what was begun with the old one ends. */
  readonly generation: string;
  /** A password that was right a moment ago, as a keyed hash. */
  remembered: { readonly mark: Buffer; readonly until: MonotonicMillis } | undefined;
}

export interface AccountsOptions<Schema extends AuthSchema> {
  /** A database with {@link authMigrations} applied. Stays the caller's. */
  readonly query: Kysely<Schema>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** That of the other doors, so that a wrong password counts at all of them; one of its own if absent. */
  readonly throttle?: Throttle;
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
  readonly #failures: Repeats;
  readonly #byId = new Map<string, Entry>();
  readonly #byName = new Map<string, Entry>();
  /** For names that nobody has: a sealed secret to open, so that they take as long as others. */
  readonly #decoy: string;
  readonly #rememberKey = randomBytes(32);
  #policy = Policy.empty;
  #setUpHash: Buffer | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(options: AccountsOptions<AuthSchema>) {
    this.#query = options.query;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#throttle = options.throttle ?? new Throttle(options.clock);
    this.#failures = new Repeats(options.clock);
    this.#decoy = options.sealer.seal(makeSecret(LIMITS.secretLength), integrationOwner("nobody"));
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
    const account = this.#byName.get(folded(name))?.account;
    return account === undefined ? "unknown" : account.enabled ? account.kind : "disabled";
  }

  /** A snapshot of what the account may do now; undefined when it is disabled or gone. */
  principalOf(accountId: string): Principal | undefined {
    const entry = this.#byId.get(accountId);
    return entry?.account.enabled === true ? entry.principal : undefined;
  }

  /** Names the present credential of an account; another value means that it was changed. Undefined when disabled or gone. */
  credentialOf(accountId: string): string | undefined {
    const entry = this.#byId.get(accountId);
    return entry?.account.enabled === true ? entry.generation : undefined;
  }

  /**
   * The secret of an integration, for digest schemes. For every other name a secret that nobody has, after the same work,
   * and no principal: compute as with a real one, then refuse.
   */
  integrationSecret(name: string): { readonly secret: Secret; readonly principal: Principal | undefined } {
    const entry = this.#byName.get(folded(name));
    const usable = entry !== undefined && entry.account.kind === "integration" && entry.account.enabled;
    const secret = usable
      ? this.#sealer.open(entry.credential, integrationOwner(entry.account.id))
      : this.#sealer.open(this.#decoy, integrationOwner("nobody"));
    return { secret, principal: usable ? entry.principal : undefined };
  }

  /**
   * Checks a name and a password that arrived readable (Basic, PasswordText), so only inside TLS. Not throttled: the caller
   * is. Faults: `unauthenticated`, `busy` (too many passwords to check).
   */
  async checkPassword(name: string, password: Secret): Promise<Principal> {
    const entry = this.#byName.get(folded(name));
    if (!(await this.#isRight(entry, password)) || entry === undefined || !entry.account.enabled)
      throw new UnauthenticatedFault(`wrong name or password for ${name}`, { account: name });
    // The account may have changed while the password was checked.
    const principal = this.principalOf(entry.account.id);
    if (principal === undefined || this.#byId.get(entry.account.id)?.credential !== entry.credential)
      throw new UnauthenticatedFault(`${name} was changed during the log-in`);
    return principal;
  }

  /** Log-in of a person through `door`. Faults: `unauthenticated`, `busy` (throttled, or too many passwords to check). */
  async logIn(name: string, password: string, peer: Peer, door: Interface = "web"): Promise<Principal> {
    this.#throttle.admit(peer.address, name);
    const given = new Secret(password);
    try {
      const principal = await this.checkPassword(name, given);
      if (principal.kind !== "person") throw new UnauthenticatedFault(`${name} is not a person`);
      this.#throttle.succeeded(peer.address, name);
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
  }): Promise<{ readonly account: Account; readonly secret: Secret }> {
    const { name, grants, roles = [] } = integration;
    if (!INTEGRATION_NAME.test(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits and . _ @ -" });
    const secret = makeSecret(LIMITS.secretLength);
    const account = await this.#inTurn(() => {
      const id = newId();
      return this.#insert(
        { id, name, kind: "integration", grants, roles },
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
    if (!NAME.test(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits, blanks and . _ @ -" });
    assertGoodPassword(name, password);
    const hash = await hashPassword(password);
    return this.#inTurn(() => {
      still();
      return this.#insert({ id: newId(), name, kind: "person", grants, roles }, hash);
    });
  }

  async #insert(
    made: Pick<Account, "id" | "name" | "kind" | "grants" | "roles">,
    credential: string,
  ): Promise<Account> {
    if (this.#byName.has(folded(made.name)))
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
    for (const { account, credential, principal } of this.#byId.values())
      if (textOf(next.effective(account)) !== textOf(principal.grants)) this.#put(account, credential);
  }

  /** Whether an account has what it logs in with: the secret of an integration is under a master key, which may have been lost. */
  #opens({ id, kind }: Account, credential: string): boolean {
    try {
      if (kind === "integration") this.#sealer.open(credential, integrationOwner(id));
      return true;
    } catch (error) {
      if (isFault(error, "unavailable")) return false;
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
      principal: { accountId: id, name, kind, grants, now, revoked: revoke.signal },
      revoke,
      generation: before?.credential === credential ? before.generation : newId(),
      remembered: undefined,
    };
    this.#byId.set(id, entry);
    this.#byName.set(folded(name), entry);
    before?.revoke.abort(new Fault("denied", `the account ${name} was changed`));
  }

  #drop(account: Account): void {
    const entry = this.#byId.get(account.id);
    this.#byId.delete(account.id);
    this.#byName.delete(folded(account.name));
    entry?.revoke.abort(new Fault("denied", `the account ${account.name} was removed`));
  }

  async #isRight(entry: Entry | undefined, password: Secret): Promise<boolean> {
    if (entry?.account.kind === "integration") {
      const { secret, principal } = this.integrationSecret(entry.account.name);
      if (secret.equals(password.reveal()) && principal !== undefined) return true;
      // A wrong one takes as long as with every other name.
      return verifyPassword(undefined, password);
    }
    const mark = createHash("sha256").update(this.#rememberKey).update(password.reveal()).digest();
    const known = entry?.remembered;
    if (known !== undefined && known.until > this.#clock.monotonic() && equalInConstantTime(known.mark, mark))
      return true;
    const right = await verifyPassword(entry?.credential, password);
    if (right && entry !== undefined)
      entry.remembered = { mark, until: (this.#clock.monotonic() + LIMITS.rememberMs) as MonotonicMillis };
    return right;
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

const NOBODY_LEFT = "nobody would be left who may manage accounts";

/** An enabled person who may manage accounts at the pages, always, and to whom nothing denies it at any time. */
function isAdministrator(account: Account, policy: Policy): boolean {
  if (!account.enabled || account.kind !== "person") return false;
  const lines = policy
    .effective(account)
    .filter(({ right, interfaces }) => right === "manage-accounts" && (interfaces === "any" || interfaces.has("web")));
  return lines.some(isLasting) && lines.every(({ deny }) => deny !== true);
}

function isLasting({ hours, from, until }: EffectiveGrant): boolean {
  return hours === undefined && from === undefined && until === undefined;
}

/** Two lists of grants with the same text mean the same. */
function textOf(grants: readonly EffectiveGrant[]): string {
  return JSON.stringify(grants, (_, value: unknown) => (value instanceof Set ? [...value] : value));
}

function folded(name: string): string {
  return name.slice(0, 256).normalize("NFKC").toLowerCase();
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

function rowOf(account: Account, credential: string): AccountTable {
  const { id, name, kind, enabled, grants, roles, created } = account;
  return {
    id,
    name,
    kind,
    created,
    credential,
    folded: folded(name),
    enabled: enabled ? 1 : 0,
    grants: JSON.stringify(plainGrants(grants)),
    roles: JSON.stringify(roles),
  };
}

function accountOf(row: AccountTable): Account {
  const { id, name, kind } = row;
  if (kind !== "person" && kind !== "integration") throw new Fault("invalid", `account ${id} is of the kind ${kind}`);
  const grants = readGrants(JSON.parse(row.grants));
  const roles = JSON.parse(row.roles) as readonly string[];
  return { id, name, kind, enabled: row.enabled !== 0, roles, grants, created: unixMillis(row.created) };
}
