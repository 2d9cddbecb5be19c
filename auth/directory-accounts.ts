import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { type Account, newId } from "./account.ts";
import { foldedName, isAccountName } from "./account-name.ts";
import type { AccountStore } from "./account-store.ts";
import { type DirectoryChange, type DirectoryLink, letsIn } from "./directory-link.ts";
import { FactorDemanded } from "./factor-demand.ts";
import { assertNotTooMany, type KnownAccounts } from "./known-accounts.ts";
import type { EffectiveGrant, Principal } from "./principal.ts";
import { UnauthenticatedFault } from "./unauthenticated.ts";

/** People whose password a directory has have none here. */
const NO_CREDENTIAL = "";

const NO_ACCOUNT =
  "you have no account here, or it is not let in: ask the administrator, or log in with name and password";

/** Accounts as directories say: who is by them, and what follows from a sync. Its Faults stand at `Accounts`. */
export class DirectoryAccounts {
  readonly #known: KnownAccounts;
  readonly #store: AccountStore;
  readonly #clock: Clock;

  constructor(known: KnownAccounts, store: AccountStore, clock: Clock) {
    this.#known = known;
    this.#store = store;
    this.#clock = clock;
  }

  of(directory: string): readonly Account[] {
    const all: Account[] = [];
    for (const { account } of this.#known.all()) if (account.directory?.directory === directory) all.push(account);
    return all;
  }

  enter(directory: string, personId: string): Principal {
    const account = this.of(directory).find((one) => one.kind === "person" && one.directory?.id === personId);
    const entry = account && this.#known.find(account.id);
    if (entry === undefined || !this.#known.isLetIn(entry))
      throw new UnauthenticatedFault(`no account is let in for ${personId} of ${directory}`, { tell: NO_ACCOUNT });
    entry.usedAt = this.#clock.monotonic();
    if (this.#known.lacksFactor(entry)) throw new FactorDemanded(entry.account);
    return entry.principal;
  }

  grantsWith(id: string, link: DirectoryLink): readonly EffectiveGrant[] | undefined {
    const { account } = this.#known.get(id);
    return account.enabled && letsIn(link, this.#clock.now())
      ? this.#known.policy.effective({ ...account, directory: link })
      : undefined;
  }

  follow(changes: readonly DirectoryChange[]): Promise<void> {
    return this.#store.inTurn(async () => {
      const next = changes.map((change) => this.#after(change));
      const names = new Map<string, string>();
      for (const { account } of [...this.#known.all(), ...next]) names.set(account.id, foldedName(account.name));
      if (new Set(names.values()).size < names.size) throw new Fault("invalid", "two accounts would have one name");
      assertNotTooMany(names.size);
      for (const { account } of next) this.#known.policy.effective(account);
      await this.#store.putAll(next);
    });
  }

  #after(change: DirectoryChange): { readonly account: Account; readonly credential: string } {
    if ("make" in change) {
      if (!isAccountName(change.make)) throw new Fault("invalid", `name ${change.make}`);
      const made = { id: newId(), name: change.make, kind: "person", enabled: true, grants: [], roles: [] } as const;
      return { account: { ...made, created: this.#clock.now(), directory: change.link }, credential: NO_CREDENTIAL };
    }
    const { account, credential } = this.#known.get(change.account);
    return { account: { ...account, name: change.name ?? account.name, directory: change.link }, credential };
  }
}
