import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { type Account, type AccountChange, newId } from "./account.ts";
import { isAccountName } from "./account-name.ts";
import type { AccountStore, Replacing } from "./account-store.ts";
import { isAdministrator, NOBODY_LEFT } from "./administrator.ts";
import type { IntegrationLogIns } from "./integration-log-ins.ts";
import { type IntegrationSecrets, SECRET_LOST } from "./integration-secrets.ts";
import { assertNotTooMany, type KnownAccounts } from "./known-accounts.ts";
import { assertGoodPassword, hashPassword, verifyPassword } from "./password.ts";
import type { Grant } from "./principal.ts";
import type { PasswordIsTemporary, PasswordProved } from "./temporary-password.ts";
import { changedMeanwhile } from "./unauthenticated.ts";

/** What every client can write into a URL and a digest. */
const INTEGRATION_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export interface NewPerson {
  readonly name: string;
  readonly password: Secret;
  readonly grants: readonly Grant[];
  readonly roles?: readonly string[];
  /** The password is good for choosing another alone. */
  readonly temporary?: boolean;
}

export interface NewIntegration {
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly roles?: readonly string[];
  /** Id of the account of a person of a directory, whose roles by groups it has too, and with whom it is out. */
  readonly person?: string | undefined;
  /** It is let in only while it is armed, which it is not yet. */
  readonly onlyWhileArmed?: boolean;
  /** Chosen by who makes it, under the rules for passwords; a generated one if absent. */
  readonly secret?: Secret;
}

/** Changes of accounts, one by one: what is asked of each, and what none may do. Its Faults stand at `Accounts`. */
export class AccountChanges {
  readonly #known: KnownAccounts;
  readonly #store: AccountStore;
  readonly #secrets: IntegrationSecrets;
  readonly #logIns: IntegrationLogIns;
  readonly #clock: Clock;

  constructor(o: {
    readonly known: KnownAccounts;
    readonly store: AccountStore;
    readonly secrets: IntegrationSecrets;
    readonly logIns: IntegrationLogIns;
    readonly clock: Clock;
  }) {
    this.#known = o.known;
    this.#store = o.store;
    this.#secrets = o.secrets;
    this.#logIns = o.logIns;
    this.#clock = o.clock;
  }

  /** `still` throws where the person is not to be made any more when their turn comes. */
  async createPerson(
    { name, password, grants, roles = [], temporary = false }: NewPerson,
    still: () => void = () => undefined,
  ): Promise<Account> {
    if (!isAccountName(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits, blanks and . _ @ -" });
    assertGoodPassword(name, password);
    const hash = await hashPassword(password);
    return this.#store.inTurn(() => {
      still();
      const made = { id: newId(), name, kind: "person", grants, roles } as const;
      return this.#insert(temporary ? { ...made, temporaryPassword: true } : made, hash);
    });
  }

  async createIntegration(made: NewIntegration): Promise<{ readonly account: Account; readonly secret: Secret }> {
    const { name, grants, roles = [], person, onlyWhileArmed = false, secret: chosen } = made;
    if (!INTEGRATION_NAME.test(name))
      throw new Fault("invalid", `name ${name}`, { tell: "a name has up to 64 letters, digits and . _ @ -" });
    if (chosen !== undefined) assertGoodPassword(name, chosen);
    const id = newId();
    const { secret, credential } = this.#secrets.make(id, chosen);
    const account = await this.#store.inTurn(() => {
      const directory = person === undefined ? undefined : this.#known.get(person).account.directory;
      if (person !== undefined && directory === undefined)
        throw new Fault("invalid", `${person} is not by a directory`, { tell: "that account is not of a directory" });
      return this.#insert(
        {
          id,
          name,
          kind: "integration",
          grants,
          roles,
          ...(directory === undefined ? {} : { directory }),
          ...(onlyWhileArmed ? { arming: {} } : {}),
        },
        credential,
      );
    });
    return { account, secret };
  }

  renewSecret(id: string, overlapMs: number, chosen?: Secret): Promise<Secret> {
    return this.#store.inTurn(async () => {
      const { account } = this.#known.get(id);
      if (account.kind !== "integration") throw wrongKind(`${account.name} is a person, with a password`);
      if (chosen !== undefined) assertGoodPassword(account.name, chosen);
      const { secret, credential } = this.#secrets.make(id, chosen);
      await this.#update(account, credential, this.#logIns.replacing(account, overlapMs));
      return secret;
    });
  }

  endFormerSecret(id: string): Promise<void> {
    return this.#store.inTurn(() => this.#logIns.endFormer(id));
  }

  async setPassword(id: string, password: Secret, temporary: boolean): Promise<void> {
    const hash = await this.#hashFor(id, password);
    await this.#store.inTurn(() => this.#replacePassword(id, hash, temporary));
  }

  async assertChoice({ account: { id, name } }: PasswordIsTemporary, next: Secret): Promise<void> {
    assertGoodPassword(name, next);
    if (await verifyPassword(this.#known.get(id).credential, next))
      throw new Fault("invalid", `${name} chose the temporary password`, {
        tell: "that is the password that you were given: choose another one",
      });
  }

  async choosePassword({ account: { id, name }, generation }: PasswordProved, next: Secret): Promise<void> {
    const hash = await this.#hashFor(id, next);
    await this.#store.inTurn(() => {
      if (this.#known.get(id).generation !== generation) throw changedMeanwhile(name);
      return this.#replacePassword(id, hash, false);
    });
  }

  change(
    id: string,
    change: AccountChange | ((before: Account) => AccountChange),
  ): Promise<{ readonly before: Account; readonly after: Account }> {
    return this.#store.inTurn(async () => {
      const { account: before, credential } = this.#known.get(id);
      const chosen = typeof change === "function" ? change(before) : change;
      if (chosen.enabled === true && this.#secrets.isLost(before, credential))
        throw new Fault("wrong-state", `the secret of ${before.name} does not open`, { tell: SECRET_LOST });
      const { grants = before.grants, roles = before.roles, enabled = before.enabled } = chosen;
      const after = { ...before, grants, roles: [...new Set(roles)], enabled };
      await this.#update(after, credential);
      return { before, after };
    });
  }

  remove(ids: readonly string[], still: (account: Account) => void): Promise<void> {
    return this.#store.inTurn(async () => {
      const all = ids.map((id) => this.#known.get(id).account);
      if (all.length === 0) return;
      for (const account of all) still(account);
      this.#assertManaged(all.map((account) => ({ ...account, enabled: false })));
      await this.#store.remove(all);
      for (const id of ids) this.#logIns.forget(id);
    });
  }

  /** Of a password that the account may have. Fault `invalid`. */
  async #hashFor(id: string, password: Secret): Promise<string> {
    const { account } = this.#known.get(id);
    if (account.kind !== "person") throw wrongKind(`${account.name} is an external system, with a secret`);
    if (account.directory !== undefined)
      throw new Fault("invalid", `the directory has the password of ${account.name}`, {
        tell: "the password of that account is changed at its directory",
      });
    assertGoodPassword(account.name, password);
    return hashPassword(password);
  }

  #replacePassword(id: string, hash: string, temporary: boolean): Promise<void> {
    const { temporaryPassword: _, ...now } = this.#known.get(id).account;
    return this.#update(temporary ? { ...now, temporaryPassword: true } : now, hash);
  }

  async #insert(
    made: Pick<Account, "id" | "name" | "kind" | "grants" | "roles" | "directory" | "arming" | "temporaryPassword">,
    credential: string,
  ): Promise<Account> {
    if (this.#known.named(made.name) !== undefined)
      throw new Fault("invalid", `${made.name} exists`, { tell: "there is an account of that name already" });
    assertNotTooMany(this.#known.size + 1);
    const account: Account = { ...made, enabled: true, created: this.#clock.now() };
    this.#known.policy.effective(account);
    await this.#store.insert(account, credential);
    return account;
  }

  async #update(account: Account, credential: string, replacing?: Replacing): Promise<void> {
    this.#assertManaged([account]);
    this.#known.policy.effective(account);
    await this.#store.update(account, credential, replacing);
  }

  /** Refuses a change that would leave nobody to undo it. */
  #assertManaged(changed: readonly Account[]): void {
    const { policy } = this.#known;
    const administrators = this.#known.administrators(policy);
    const ids = new Set(changed.map(({ id }) => id));
    if (
      administrators.every(({ id }) => ids.has(id)) &&
      administrators.length > 0 &&
      !changed.some((account) => isAdministrator(account, policy))
    )
      throw new Fault("wrong-state", `${administrators[0]?.name} is the last administrator`, { tell: NOBODY_LEFT });
  }
}

function wrongKind(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
