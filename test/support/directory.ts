import type { Accounts } from "../../auth/accounts.ts";
import { nobodyElse, type SecondPerson } from "../../auth/approval.ts";
import { Fault } from "../../base/fault.ts";
import type { Finding } from "../../base/finding.ts";
import type { Secret } from "../../base/secret.ts";
import { MINUTE } from "../../base/units.ts";
import { DirectoryDesk } from "../../bridge/directory/desk.ts";
import type { Directories } from "../../bridge/directory/directories.ts";
import type { DirectoryStore } from "../../bridge/directory/store.ts";
import type { DirectoryAccess } from "../../directory/access.ts";
import type { LockoutPolicy } from "../../directory/lockout-policy.ts";
import type { RoleOfGroup } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import type { Reader } from "../../directory/reader.ts";
import { BindFault } from "../../directory/refusal.ts";
import type { Group, Member, Snapshot } from "../../directory/snapshot.ts";

/** A person of a directory in memory, whose id is their name unless something else is said. */
export function personNamed(name: string, more: Partial<Person> = {}): Person {
  return { id: name, dn: `CN=${name},DC=x`, name, displayName: name, standing: "active", ...more };
}

/** What a reader would have read: groups by name, with those that each is in; people with theirs. */
export function snapshotOf(o: {
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly people: Readonly<Record<string, readonly string[]>>;
  readonly more?: Readonly<Record<string, Partial<Person>>>;
  readonly mappings: readonly RoleOfGroup[];
}): Snapshot {
  const groups = new Map<string, Group>();
  const add = (name: string, parents: readonly string[]): void =>
    void groups.set(name, { id: name, dn: `CN=${name},DC=x`, name, parents });
  for (const { group } of o.mappings) add(group, []);
  for (const [name, parents] of Object.entries(o.groups ?? {})) {
    add(name, parents);
    for (const parent of parents) if (!groups.has(parent)) add(parent, []);
  }
  for (const of of Object.values(o.people)) for (const name of of) if (!groups.has(name)) add(name, []);
  const people = new Map<string, Member>();
  for (const [name, of] of Object.entries(o.people)) {
    const person = personNamed(name, o.more?.[name]);
    people.set(person.id, { ...person, groups: of });
  }
  return { people, groups, mapped: new Map(o.mappings.map((mapping) => [mapping, mapping.group])) };
}

/** A desk of a bridge without directories. */
export function noDirectories(approvals: SecondPerson = nobodyElse([])): DirectoryDesk {
  const get = (name: string): never => {
    throw new Fault("not-found", `no directory ${name}`);
  };
  return new DirectoryDesk({
    approvals,
    directories: { list: () => [], get } as unknown as Directories,
    accounts: {} as Accounts,
    store: {} as DirectoryStore,
    audit: { record: () => undefined },
  });
}

/** A directory in memory. Who is in which groups is changed by the test; what it was asked is remembered. */
export class MemoryDirectory implements DirectoryAccess {
  /** By id: the groups that each is in. */
  people: Record<string, readonly string[]> = {};
  more: Record<string, Partial<Person>> = {};
  /** Thrown at each request, where there is one. */
  failure: Error | undefined;
  /** By DN. */
  passwords: Record<string, string> = {};
  readonly asked: string[] = [];
  readonly #mappings: readonly RoleOfGroup[];

  constructor(mappings: readonly RoleOfGroup[]) {
    this.#mappings = mappings;
  }

  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const ask = (what: string): Snapshot => {
      this.asked.push(what);
      if (this.failure !== undefined) throw this.failure;
      return snapshotOf({ people: this.people, more: this.more, mappings: this.#mappings });
    };
    const { people } = this;
    return work({
      full: async () => ask("full"),
      changes: async (before) => ({ ...ask("changes"), groups: before.groups, mapped: before.mapped }),
      states: async (ids) => [...ask("states").people.values()].filter(({ id }) => ids.includes(id)),
      async *people() {
        for (const id of Object.keys(people)) yield personNamed(id);
      },
    });
  }

  async lockoutPolicy(): Promise<LockoutPolicy> {
    return { threshold: 5, windowMs: 30 * MINUTE };
  }

  async logIn(dn: string, password: Secret): Promise<void> {
    this.asked.push(`bind ${dn}`);
    if (this.passwords[dn] !== password.reveal()) throw new BindFault("wrong", dn);
  }

  async *examine(): AsyncGenerator<Finding> {
    yield { what: "connect", result: "works", says: "in memory" };
  }
}
