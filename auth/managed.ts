import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { isoOf } from "../base/units.ts";
import type { Account, AccountChange } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import { type Asker, canonical, type SecondPerson } from "./approval.ts";
import type { Audit, AuditEntry } from "./audit.ts";
import { printGrant } from "./grant-words.ts";
import { plainGrants } from "./grants.ts";
import { type Policy, type PolicyKind, type PolicyParts, plainPart } from "./policy.ts";
import { gainsPower, powersOf } from "./powers.ts";
import type { EffectiveGrant } from "./principal.ts";
import type { Interface } from "./right.ts";

/** Who changes accounts and rights, through which door, from where. */
export interface Manager {
  readonly who: string;
  readonly interface: Interface;
  readonly address?: string;
}

/** The same for the audit log. */
export function managerOf({ who, interface: door, address }: Asker): Manager {
  return { who, interface: door, ...(address === undefined ? {} : { address }) };
}

/**
 * Changes of accounts and rights by somebody who may: each stands in the audit log, with what was before and what is after. Where that
 * is set, a second person approves what makes an administrator.
 */
export class ManagedAccounts {
  readonly #accounts: Accounts;
  readonly #audit: Audit;
  readonly #approvals: SecondPerson;
  readonly #asker: Asker;

  constructor(accounts: Accounts, audit: Audit, approvals: SecondPerson, asker: Asker) {
    this.#accounts = accounts;
    this.#audit = audit;
    this.#approvals = approvals;
    this.#asker = asker;
  }

  /** See {@link Accounts.createIntegration}. */
  async createIntegration(
    made: Parameters<Accounts["createIntegration"]>[0],
  ): ReturnType<Accounts["createIntegration"]> {
    const { name, grants, roles = [], person } = made;
    const under = person === undefined ? undefined : this.#accounts.find(person);
    const directory = under?.directory;
    const planned = { name, enabled: true, grants, roles, ...(directory === undefined ? {} : { directory }) };
    await this.#pass([], planned, { under });
    const done = await this.#accounts.createIntegration(made);
    this.#record("make-account", done.account.name, undefined, rightsOf(done.account));
    return done;
  }

  /** See {@link Accounts.createPerson}. */
  async createPerson(made: Parameters<Accounts["createPerson"]>[0]): Promise<Account> {
    const { name, grants, roles = [] } = made;
    await this.#pass([], { name, enabled: true, grants, roles }, {});
    const account = await this.#accounts.createPerson(made);
    this.#record("make-account", account.name, undefined, rightsOf(account));
    return account;
  }

  /** See {@link Accounts.change}. */
  async change(...[id, change]: Parameters<Accounts["change"]>): Promise<void> {
    const chosenOf = typeof change === "function" ? change : () => change;
    const found = this.#accounts.find(id);
    const planned = found && changed(found, chosenOf(found));
    const bound = canonical(planned && this.#boundOf(planned));
    if (found !== undefined && planned !== undefined) await this.#pass(this.#grantsOf(found), planned, { id });
    const { before, after } = await this.#accounts.change(id, (now) => {
      const chosen = chosenOf(now);
      const next = changed(now, chosen);
      // What was approved is this change of that account, and not what somebody else has made of it since.
      if (
        this.#approvals.waits("grant-administrator") &&
        gainsPower(this.#grantsOf(now), this.#grantsOf(next)) &&
        canonical(this.#boundOf(next)) !== bound
      )
        throw new Fault("wrong-state", `${now.name} was changed meanwhile`, {
          tell: "the account was changed meanwhile: look at it again",
        });
      return chosen;
    });
    this.#record("change-account", before.name, rightsOf(before), rightsOf(after));
  }

  /** See {@link Accounts.remove}. */
  async remove(ids: string | readonly string[], still: (account: Account) => void = () => undefined): Promise<void> {
    const removed: Account[] = [];
    await this.#accounts.remove(ids, (account) => {
      still(account);
      removed.push(account);
    });
    for (const before of removed) this.#record("remove-account", before.name, rightsOf(before), undefined);
  }

  /** See {@link Accounts.setPassword}. */
  async setPassword(id: string, password: Secret, { temporary = false } = {}): Promise<void> {
    const account = await this.passInPlaceOf(id, "another password", { temporary });
    await this.#accounts.setPassword(id, password, { temporary });
    this.#record("set-password", account.name, undefined, temporary ? { temporaryPassword: true } : undefined);
  }

  /** See {@link Accounts.renewSecret}. */
  async renewSecret(id: string, overlapMs = 0, chosen?: Secret): Promise<Secret> {
    const account = await this.passInPlaceOf(id, "another secret", { overlapMs });
    const secret = await this.#accounts.renewSecret(id, overlapMs, chosen);
    const until = this.#accounts.secretsOf(id)?.former?.until;
    this.#record("renew-secret", account.name, undefined, until && { formerHoldsUntil: isoOf(until) });
    return secret;
  }

  /** See {@link Accounts.endFormerSecret}. */
  async endFormerSecret(id: string): Promise<void> {
    const { name = id } = this.#accounts.find(id) ?? {};
    await this.#accounts.endFormerSecret(id);
    this.#record("end-former-secret", name, undefined, undefined);
  }

  /** See {@link Accounts.setPart}. */
  async setPart<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Promise<void> {
    const before = this.#part(kind, id);
    const { policy } = this.#accounts;
    const next = policy.with(kind, id, part);
    // Hours may be those of any role, and of any account's own grants.
    const touched = kind === "role" ? [id] : [...next.roles.keys()];
    const grants = kind === "hours" ? this.#accounts.list().flatMap((account) => account.grants) : [];
    const of = (one: Policy): readonly EffectiveGrant[] =>
      one.effective({ roles: touched.filter((role) => one.roles.has(role)), grants });
    if (gainsPower(of(policy), of(next)))
      await this.#approvals.pass(this.#asker, "grant-administrator", () => ({
        params: { kind, id, part: plainPart(kind, part), powers: powersOf(of(next)) },
        words: `set the ${kind} ${id}, by which people may manage accounts or approve: ${JSON.stringify(plainPart(kind, part))}`,
      }));
    await this.#accounts.setPart(kind, id, part);
    this.#record(`set-${kind}`, id, before, this.#part(kind, id));
  }

  /** See {@link Accounts.removePart}. */
  async removePart(kind: PolicyKind, id: string): Promise<void> {
    const before = this.#part(kind, id);
    await this.#accounts.removePart(kind, id);
    this.#record(`remove-${kind}`, id, before, undefined);
  }

  /**
   * Asks for a second person where the account has powers that whoever has its new `credential` can use in its place. `terms`: those
   * of the credential. Faults: `not-found`, and those of {@link SecondPerson.pass}.
   */
  async passInPlaceOf(id: string, credential: string, terms?: object): Promise<Account> {
    const account = this.#accounts.find(id);
    if (account === undefined) throw new Fault("not-found", `no account ${id}`);
    if (gainsPower([], this.#grantsOf({ ...account, enabled: true })))
      await this.#approvals.pass(this.#asker, "grant-administrator", () => ({
        params: { id, credential, terms },
        words: `give ${account.name}, who may manage accounts or approve, ${credential}`,
      }));
    return account;
  }

  /** Asks for a second person where an account would get powers that it has not. `under`: the person of a directory whose system it is. */
  async #pass(
    before: readonly EffectiveGrant[],
    account: Named,
    { id, under }: { readonly id?: string; readonly under?: Account | undefined },
  ): Promise<void> {
    if (!gainsPower(before, this.#grantsOf(account))) return;
    const { name, roles, grants, directory } = account;
    await this.#approvals.pass(this.#asker, "grant-administrator", () => {
      const given = directory?.roles.map((role) => `role ${role} by directory ${directory.directory}`) ?? [];
      const rights = [...roles.map((role) => `role ${role}`), ...given, ...plainGrants(grants).map(printGrant)];
      const whose = under === undefined ? "" : `, a system under ${under.name},`;
      return {
        params: { id, name, under: under?.id, ...this.#boundOf(account) },
        words: `give ${name}${whose} ${rights.join("; ") || "its rights"}`,
      };
    });
  }

  /** What an approval of the account's rights is bound to: hours and roles that they name may be changed meanwhile. */
  #boundOf(account: Named): object {
    return { ...rightsOf(account), powers: powersOf(this.#grantsOf(account)) };
  }

  /** None for who is kept out. */
  #grantsOf(account: Named): readonly EffectiveGrant[] {
    return account.enabled ? this.#accounts.policy.effective(account) : [];
  }

  #part(kind: PolicyKind, id: string): object | undefined {
    const part = this.#accounts.policy.part(kind, id);
    return part && plainPart(kind, part);
  }

  #record(action: string, subject: string, before: object | undefined, after: object | undefined): void {
    const entry: AuditEntry = {
      ...managerOf(this.#asker),
      action,
      subject,
      outcome: "allowed",
      ...(before === undefined ? {} : { before: JSON.stringify(before) }),
      ...(after === undefined ? {} : { after: JSON.stringify(after) }),
    };
    this.#audit.record(entry);
  }
}

type Named = Pick<Account, "name" | "enabled" | "roles" | "grants" | "directory" | "arming" | "temporaryPassword">;

function changed(account: Account, { enabled, roles, grants }: AccountChange): Account {
  return {
    ...account,
    enabled: enabled ?? account.enabled,
    roles: roles ?? account.roles,
    grants: grants ?? account.grants,
  };
}

function rightsOf({ enabled, roles, grants, arming, temporaryPassword }: Omit<Named, "name">): object {
  return {
    enabled,
    roles,
    grants: plainGrants(grants),
    ...(arming === undefined ? {} : { onlyWhileArmed: true }),
    ...(temporaryPassword === undefined ? {} : { temporaryPassword }),
  };
}
