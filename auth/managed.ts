import type { Account } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import type { Audit, AuditEntry } from "./audit.ts";
import { plainGrants } from "./grants.ts";
import { type PolicyKind, type PolicyParts, plainPart } from "./policy.ts";
import type { Interface } from "./right.ts";

/** Who changes accounts and rights, through which door, from where. */
export interface Manager {
  readonly who: string;
  readonly interface: Interface;
  readonly address?: string;
}

/** Changes of accounts and rights by somebody who may: each stands in the audit log, with what was before and what is after. */
export class ManagedAccounts {
  readonly #accounts: Accounts;
  readonly #audit: Audit;
  readonly #manager: Manager;

  constructor(accounts: Accounts, audit: Audit, manager: Manager) {
    this.#accounts = accounts;
    this.#audit = audit;
    this.#manager = manager;
  }

  /** See {@link Accounts.createIntegration}. */
  async createIntegration(
    made: Parameters<Accounts["createIntegration"]>[0],
  ): ReturnType<Accounts["createIntegration"]> {
    const done = await this.#accounts.createIntegration(made);
    this.#record("make-account", done.account.name, undefined, rightsOf(done.account));
    return done;
  }

  /** See {@link Accounts.change}. */
  async change(...[id, change]: Parameters<Accounts["change"]>): Promise<void> {
    const { before, after } = await this.#accounts.change(id, change);
    this.#record("change-account", before.name, rightsOf(before), rightsOf(after));
  }

  /** See {@link Accounts.remove}. */
  async remove(id: string): Promise<void> {
    const before = this.#find(id);
    await this.#accounts.remove(id);
    if (before !== undefined) this.#record("remove-account", before.name, rightsOf(before), undefined);
  }

  /** See {@link Accounts.setPart}. */
  async setPart<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Promise<void> {
    const before = this.#part(kind, id);
    await this.#accounts.setPart(kind, id, part);
    this.#record(`set-${kind}`, id, before, this.#part(kind, id));
  }

  /** See {@link Accounts.removePart}. */
  async removePart(kind: PolicyKind, id: string): Promise<void> {
    const before = this.#part(kind, id);
    await this.#accounts.removePart(kind, id);
    this.#record(`remove-${kind}`, id, before, undefined);
  }

  #find(id: string): Account | undefined {
    return this.#accounts.list().find((account) => account.id === id);
  }

  #part(kind: PolicyKind, id: string): object | undefined {
    const part = this.#accounts.policy.part(kind, id);
    return part && plainPart(kind, part);
  }

  #record(action: string, subject: string, before: object | undefined, after: object | undefined): void {
    const entry: AuditEntry = {
      ...this.#manager,
      action,
      subject,
      outcome: "allowed",
      ...(before === undefined ? {} : { before: JSON.stringify(before) }),
      ...(after === undefined ? {} : { after: JSON.stringify(after) }),
    };
    this.#audit.record(entry);
  }
}

function rightsOf({ enabled, roles, grants }: Account): object {
  return { enabled, roles, grants: plainGrants(grants) };
}
