import type { Account } from "../../auth/account.ts";
import { foldedName, isAccountName } from "../../auth/account-name.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { DirectoryLink } from "../../auth/directory-link.ts";
import type { Leases } from "../../auth/leases.ts";
import type { Manager } from "../../auth/managed.ts";
import { Fault } from "../../base/fault.ts";
import { type AccountChange, differenceOf, heldBy, type Known, type Plan } from "../../directory/difference.ts";
import type { Snapshot } from "../../directory/snapshot.ts";
import type { DirectorySettings } from "../directory-settings.ts";

export interface FollowingParts {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly leases: Leases;
}

/** What a sync would change, and what runs that it would end. */
export interface Preview extends Plan {
  readonly directory: string;
  readonly people: number;
  /** By account: how much of what runs would end. */
  readonly ends: ReadonlyMap<string, number>;
  /** Why a sync would hold until somebody confirms it. */
  readonly held: string | undefined;
}

/** The accounts by one directory: what would have to change for them to be as it was read, and changing it. */
export class Following {
  readonly #settings: DirectorySettings;
  readonly #o: FollowingParts;

  constructor(settings: DirectorySettings, parts: FollowingParts) {
    this.#settings = settings;
    this.#o = parts;
  }

  /** The accounts of which that is so. */
  known(is: (account: Account) => boolean): readonly Known[] {
    return this.#o.accounts.ofDirectory(this.#settings.name).filter(is).flatMap(knownOf);
  }

  /** Changes nothing. Fault `invalid`: a group gives a role that is not there. */
  plan(snapshot: Snapshot): Preview {
    const { accounts, leases } = this.#o;
    this.#assertRoles();
    const all = accounts.list();
    const known = this.known(() => true);
    const taken = all.filter(
      ({ kind, directory }) => directory?.directory !== this.#settings.name || kind === "integration",
    );
    const plan = differenceOf(known, snapshot, {
      isUsable: isAccountName,
      folded: foldedName,
      taken: new Set(taken.map(({ name }) => foldedName(name))),
    });
    const ends = new Map<string, number>();
    for (const change of plan.changes) {
      if (change.accountId === undefined) continue;
      const count = leases.ending(
        change.accountId,
        accounts.grantsWith(change.accountId, linkOf(this.#settings.name, change)),
      );
      if (count > 0) ends.set(change.accountId, count);
    }
    return {
      ...plan,
      directory: this.#settings.name,
      people: snapshot.people.size,
      ends,
      held: heldBy(plan, this.#settings.brake) ?? heldByEmptiness(plan, snapshot),
    };
  }

  /** All of it or nothing. Each change is audited, under the name of whoever asked for it. Faults as for {@link Accounts.followDirectory}. */
  async apply(changes: readonly AccountChange[], by: Manager | undefined): Promise<void> {
    if (changes.length === 0) return;
    const { accounts, audit } = this.#o;
    await accounts.followDirectory(
      changes.map((change) => {
        const link = linkOf(this.#settings.name, change);
        if (change.accountId === undefined) return { make: change.name, link };
        return { account: change.accountId, link, ...(change.was === undefined ? {} : { name: change.name }) };
      }),
    );
    for (const { name, was, gains, loses, out, why, accountId } of changes)
      audit.record({
        ...(by ?? { who: `directory ${this.#settings.name}`, interface: "bridge" }),
        action: accountId === undefined ? "make-account" : "change-account",
        subject: name,
        outcome: "allowed",
        why: `directory ${this.#settings.name}: ${why}`,
        before: JSON.stringify({ ...(was === undefined ? {} : { name: was }), loses }),
        after: JSON.stringify({ gains, ...(out === undefined ? {} : { out }) }),
      });
  }

  #assertRoles(): void {
    for (const { group, roles } of this.#settings.roles)
      for (const role of roles)
        if (this.#o.accounts.policy.part("role", role) === undefined) {
          const tell = `there is no role ${role}, which the group ${group} gives: make it, or change directory.roles`;
          throw new Fault("invalid", tell, { tell });
        }
  }
}

function linkOf(directory: string, { id, roles, out, expires }: AccountChange): DirectoryLink {
  return {
    directory,
    id,
    roles,
    ...(out === undefined ? {} : { out }),
    ...(expires === undefined ? {} : { expires }),
  };
}

function knownOf({ id: accountId, name, kind, directory }: Account): readonly Known[] {
  if (directory === undefined) return [];
  const { id, roles, out, expires } = directory;
  return [{ accountId, name, kind, id, roles, out, expires }];
}

/** However few they are: a base or filter that finds nobody is a mistake more often than not. */
function heldByEmptiness({ removals, active }: Plan, { people }: Snapshot): string | undefined {
  if (people.size > 0 || removals === 0) return undefined;
  return `the directory has nobody left with a role, and all ${active} accounts would be out: nothing was changed`;
}
