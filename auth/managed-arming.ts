import { isoOf, MINUTE, type Millis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import type { Asker, SecondPerson } from "./approval.ts";
import type { ArmingWindow } from "./arming.ts";
import type { Audit } from "./audit.ts";
import { managerOf } from "./managed.ts";

/**
 * Arming of external systems by somebody who may manage accounts: each step stands in the audit log. Where that is set, a second person approves
 * what lets a system in; what keeps it out, nobody waits for.
 */
export class ManagedArming {
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

  /** See {@link Accounts.demandArming}. */
  async demand(id: string, demanded: boolean): Promise<void> {
    const name = this.#nameOf(id);
    if (!demanded && this.#isDemanded(id))
      await this.#approvals.pass(this.#asker, "arm", () => ({
        params: { id, demanded },
        words: `let ${name} in at any time, without being armed`,
      }));
    await this.#accounts.demandArming(id, demanded);
    this.#record(demanded ? "demand-arming" : "demand-no-arming", name);
  }

  /** See {@link Accounts.arm}. The time begins when it is done, and not when it was asked for. */
  async arm(id: string, forMs: Millis): Promise<ArmingWindow> {
    const name = this.#nameOf(id);
    if (this.#isDemanded(id))
      await this.#approvals.pass(this.#asker, "arm", () => ({
        params: { id, forMs },
        words: `arm ${name} for ${forMs / MINUTE} minutes, which begin when this is done`,
      }));
    const window = await this.#accounts.arm(id, forMs);
    this.#record("arm", name, { armedUntil: isoOf(window.until) });
    return window;
  }

  /** See {@link Accounts.disarm}. */
  async disarm(id: string): Promise<void> {
    const name = this.#nameOf(id);
    const isOpen = (): boolean => this.#accounts.find(id)?.arming?.window !== undefined;
    const was = isOpen();
    try {
      await this.#accounts.disarm(id);
    } finally {
      // It is out even where that could not be written to the database.
      if (was && !isOpen()) this.#record("disarm", name);
    }
  }

  #isDemanded(id: string): boolean {
    return this.#accounts.find(id)?.arming !== undefined;
  }

  #nameOf(id: string): string {
    return this.#accounts.find(id)?.name ?? id;
  }

  #record(action: string, subject: string, after?: object): void {
    this.#audit.record({
      ...managerOf(this.#asker),
      action,
      subject,
      outcome: "allowed",
      ...(after === undefined ? {} : { after: JSON.stringify(after) }),
    });
  }
}
