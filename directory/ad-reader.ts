import { Fault } from "../base/fault.ts";
import { membersOf } from "./ad-members.ts";
import type { Connection, Entry } from "./connection.ts";
import { isDn } from "./dn.ts";
import { allOf, anyOf, filterValue } from "./filter.ts";
import type { DirectoryOptions, RoleOfGroup } from "./options.ts";
import { peopleOf, statesOf } from "./people.ts";
import { attributesOf, idOf, type Person, personOf, ridOf, textOf } from "./person.ts";
import type { Reader } from "./reader.ts";
import { type Group, type Mark, type Member, noGroup, type Snapshot } from "./snapshot.ts";

const LIMITS = {
  /** Groups that give a role, or are in one that does. */
  groups: 2000,
  people: 50_000,
} as const;

/** Names the server's own copy of the directory (MS-ADTS 3.1.1.1.9): it changes when a server is restored from a backup. */
const INVOCATION = "invocationId";

/**
 * Reads Active Directory by back links: it is asked who is in the groups that matter, from the mapped ones down. So nothing
 * depends on how many members a group has, and what is read is only what gives roles. The primary group of people, which lists
 * nobody, is found by its number.
 */
export class AdReader implements Reader {
  readonly #connection: Connection;
  readonly #o: DirectoryOptions;

  constructor(connection: Connection, options: DirectoryOptions) {
    this.#connection = connection;
    this.#o = options;
  }

  /** Everything anew. Faults: `unavailable`; `invalid` (a mapped group is not there, too much of something). */
  async full(): Promise<Snapshot> {
    // Before anything else, so that what changes meanwhile is read again the next time.
    const mark = await this.#mark();
    const groups = new Map<string, Group>();
    const mapped = new Map<RoleOfGroup, string>();
    let level: Group[] = [];
    const add = (entry: Entry, within: readonly string[]): string => {
      const group = this.#group(entry);
      const known = groups.get(group.id);
      groups.set(group.id, { ...group, parents: [...new Set([...(known?.parents ?? []), ...within])] });
      if (known === undefined) level.push(group);
      if (groups.size > LIMITS.groups) throw tooMany(`${LIMITS.groups} groups`);
      return group.id;
    };
    for (const mapping of this.#o.roles) mapped.set(mapping, add(await this.#mappedGroup(mapping.group), []));
    const { groupBase, groupFilter, userBase, userFilter, schema, attributes } = this.#o;
    const inGroups = {
      base: groupBase,
      filter: groupFilter,
      attributes: this.#groupAttributes(),
      byPrimaryGroup: false,
    };
    while (level.length > 0) {
      const asked = level;
      level = [];
      for await (const { entry, within } of membersOf(this.#connection, asked, inGroups)) add(entry, within);
    }
    const ofPeople = {
      base: userBase,
      filter: userFilter,
      attributes: attributesOf(schema, attributes),
      byPrimaryGroup: true,
    };
    const people = new Map<string, Member>();
    for await (const { entry, within } of membersOf(this.#connection, [...groups.values()], ofPeople)) {
      const person = personOf(entry, schema, attributes);
      if (person === undefined) continue;
      const known = people.get(person.id)?.groups ?? [];
      people.set(person.id, { ...person, groups: [...new Set([...known, ...within])] });
      if (people.size > LIMITS.people) throw tooMany(`${LIMITS.people} people`);
    }
    return { people, groups, mapped, mark };
  }

  /**
   * What is so now, by way of what has changed since `before`; undefined where that cannot be told and {@link full} has to read
   * all: another server, groups that matter have changed, somebody has become a member by the primary group.
   */
  async changes(before: Snapshot): Promise<Snapshot | undefined> {
    const mark = await this.#mark();
    if (mark === undefined || mark.server !== before.mark?.server) return undefined;
    if (mark.change === before.mark.change) return { ...before, mark };
    const since = `(uSNChanged>=${BigInt(before.mark.change) + 1n})`;
    for await (const entry of this.#groups(allOf(this.#o.groupFilter, since)))
      if (before.groups.has(idOf(entry, this.#o.attributes.id) ?? "")) return undefined;
    const primary = new Set([...before.groups.values()].map(({ number }) => number));
    const people = new Map<string, Member>();
    // Whoever was deleted or moved away does not show among what has changed.
    for (const person of await this.states([...before.people.keys()])) {
      const known = before.people.get(person.id);
      if (known === undefined || known.primaryGroup !== person.primaryGroup) return undefined;
      people.set(person.id, { ...person, groups: known.groups });
    }
    for await (const person of this.people(since))
      if (!before.people.has(person.id) && primary.has(person.primaryGroup)) return undefined;
    return { ...before, people, mark };
  }

  states(ids: readonly string[]): Promise<readonly Person[]> {
    return statesOf(this.#connection, this.#o, ids);
  }

  people(filter: string): AsyncGenerator<Person> {
    return peopleOf(this.#connection, this.#o, filter);
  }

  /** A group by DN or name. Fault `invalid` where it is not there. */
  async #mappedGroup(named: string): Promise<Entry> {
    if (isDn(named)) {
      const entry = await this.#connection.read(named, this.#groupAttributes(), this.#o.groupFilter);
      if (entry === undefined) throw noGroup(named);
      return entry;
    }
    const name = filterValue(named);
    const filter = allOf(this.#o.groupFilter, anyOf([`(sAMAccountName=${name})`, `(cn=${name})`]));
    const found: Entry[] = [];
    for await (const entry of this.#groups(filter)) found.push(entry);
    const [only] = found;
    if (only === undefined || found.length > 1) throw noGroup(named);
    return only;
  }

  /** Undefined where the server does not tell it. */
  async #mark(): Promise<Mark | undefined> {
    const root = await this.#connection.read("", ["dsServiceName", "highestCommittedUSN"]);
    const service = root && textOf(root, "dsServiceName");
    const change = root && textOf(root, "highestCommittedUSN");
    if (service === undefined || change === undefined || !/^\d{1,19}$/.test(change)) return undefined;
    const server = (await this.#connection.read(service, [INVOCATION]))?.values.get(INVOCATION.toLowerCase())?.[0];
    return server === undefined ? undefined : { server: server.toString("hex"), change };
  }

  #groups(filter: string): AsyncGenerator<Entry> {
    return this.#connection.search({ base: this.#o.groupBase, filter, attributes: this.#groupAttributes() });
  }

  #groupAttributes(): readonly string[] {
    return [this.#o.attributes.id, "sAMAccountName", "cn", "objectSid"];
  }

  #group(entry: Entry): Group {
    const id = idOf(entry, this.#o.attributes.id);
    if (id === undefined) throw noGroup(entry.dn);
    const name = textOf(entry, "sAMAccountName") ?? textOf(entry, "cn") ?? entry.dn;
    return { id, dn: entry.dn, name, number: ridOf(entry), parents: [] };
  }
}

function tooMany(what: string): Fault {
  const tell = `more than ${what} have to do with the roles of this directory: map smaller groups. Nothing was changed`;
  return new Fault("invalid", tell, { tell });
}
