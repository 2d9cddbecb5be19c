import { Fault } from "../base/fault.ts";
import type { AccountStore } from "./account-store.ts";
import { NOBODY_LEFT } from "./administrator.ts";
import type { KnownAccounts } from "./known-accounts.ts";
import type { PolicyKind, PolicyParts } from "./policy.ts";

/** Changes of roles, camera groups and time profiles, none of which takes from accounts what they name. Its Faults stand at `Accounts`. */
export class PolicyChanges {
  readonly #known: KnownAccounts;
  readonly #store: AccountStore;

  constructor(known: KnownAccounts, store: AccountStore) {
    this.#known = known;
    this.#store = store;
  }

  set<K extends PolicyKind>(kind: K, id: string, part: PolicyParts[K]): Promise<void> {
    return this.#store.inTurn(async () => {
      const { policy } = this.#known;
      const next = policy.with(kind, id, part);
      if (this.#known.administrators(policy).length > 0 && this.#known.administrators(next).length === 0)
        throw new Fault("wrong-state", "nobody could manage accounts", { tell: NOBODY_LEFT });
      await this.#store.putPart(kind, id, part, next);
    });
  }

  remove(kind: PolicyKind, id: string): Promise<void> {
    return this.#store.inTurn(async () => {
      const next = this.#known.policy.without(kind, id);
      for (const { account } of this.#known.all()) {
        try {
          next.effective(account);
        } catch (cause) {
          const tell = `${id} is in use by ${account.name}`;
          throw new Fault("wrong-state", tell, { cause, tell });
        }
      }
      await this.#store.removePart(kind, id, next);
    });
  }
}
