import { Fault } from "../base/fault.ts";
import type { Connection, Entry } from "./connection.ts";
import { isDn, normalizedDn } from "./dn.ts";
import type { DirectoryOptions, RoleOfGroup } from "./options.ts";
import { peopleOf, statesOf } from "./people.ts";
import { idOf, type Person, textOf } from "./person.ts";
import type { Reader } from "./reader.ts";
import { type Group, type Mark, type Member, noGroup, type Snapshot } from "./snapshot.ts";

const LIMITS = {
  groups: 10_000,
  people: 50_000,
  /** Members of all groups together. */
  memberships: 1_000_000,
} as const;

/** Where groups list who is in them: by DN, or by the name to log in with (RFC 2307). */
const MEMBER_DNS = ["member", "uniqueMember"];
const MEMBER_NAMES = "memberUid";

/** A group, and the lists in it. */
interface Listed {
  readonly group: Group;
  readonly names: readonly string[];
  readonly dns: readonly string[];
}

/**
 * Reads directories whose groups list their members (RFC 2307, groupOfNames; OpenLDAP, 389, FreeIPA): all groups and all people
 * below the bases, put together here. Groups may be in groups.
 */
export class ListReader implements Reader {
  readonly #connection: Connection;
  readonly #o: DirectoryOptions;

  constructor(connection: Connection, options: DirectoryOptions) {
    this.#connection = connection;
    this.#o = options;
  }

  async full(): Promise<Snapshot> {
    const mark = await this.#mark();
    const listed = await this.#listed();
    const mapped = new Map(this.#o.roles.map((mapping) => [mapping, this.#mappedGroup(mapping, listed)]));
    const groups = closureOf(listed, [...mapped.values()]);
    const byDn = new Map<string, string[]>();
    const byName = new Map<string, string[]>();
    const byNumber = new Map<string, string[]>();
    for (const { group, names, dns } of listed.values()) {
      if (!groups.has(group.id)) continue;
      for (const name of names) push(byName, name.toLowerCase(), group.id);
      for (const dn of dns) push(byDn, normalizedDn(dn), group.id);
      if (group.number !== undefined) push(byNumber, group.number, group.id);
    }
    const people = new Map<string, Member>();
    for await (const person of this.people("(objectClass=*)")) {
      const of = new Set([
        ...(byDn.get(normalizedDn(person.dn)) ?? []),
        ...(byName.get(person.name.toLowerCase()) ?? []),
        ...(byNumber.get(person.primaryGroup ?? "") ?? []),
      ]);
      if (of.size === 0) continue;
      people.set(person.id, { ...person, groups: [...of] });
      if (people.size > LIMITS.people) throw tooMany(`${LIMITS.people} people`);
    }
    return { people, groups, mapped, mark };
  }

  /** The server says whether anything has changed, not what. */
  async changes(before: Snapshot): Promise<Snapshot | undefined> {
    const mark = await this.#mark();
    return mark !== undefined && mark.change === before.mark?.change && mark.server === before.mark.server
      ? before
      : undefined;
  }

  states(ids: readonly string[]): Promise<readonly Person[]> {
    return statesOf(this.#connection, this.#o, ids);
  }

  people(filter: string): AsyncGenerator<Person> {
    return peopleOf(this.#connection, this.#o, filter);
  }

  async #listed(): Promise<ReadonlyMap<string, Listed>> {
    const { groupBase: base, groupFilter: filter, attributes } = this.#o;
    const names = [attributes.id, "cn", "gidNumber", MEMBER_NAMES, ...MEMBER_DNS];
    const listed = new Map<string, Listed>();
    let memberships = 0;
    for await (const entry of this.#connection.search({ base, filter, attributes: names })) {
      const group = groupOf(entry, attributes.id);
      if (group === undefined) continue;
      const one = {
        group,
        names: textsOf(entry, MEMBER_NAMES),
        dns: MEMBER_DNS.flatMap((name) => textsOf(entry, name)),
      };
      listed.set(group.id, one);
      memberships += one.names.length + one.dns.length;
      if (listed.size > LIMITS.groups) throw tooMany(`${LIMITS.groups} groups`);
      if (memberships > LIMITS.memberships) throw tooMany(`${LIMITS.memberships} members of groups`);
    }
    return listed;
  }

  #mappedGroup({ group: named }: RoleOfGroup, listed: ReadonlyMap<string, Listed>): string {
    const wanted = isDn(named) ? normalizedDn(named) : named.toLowerCase();
    const found = [...listed.values()].filter(({ group }) =>
      isDn(named) ? normalizedDn(group.dn) === wanted : group.name.toLowerCase() === wanted,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) throw noGroup(named);
    return only.group.id;
  }

  /** `contextCSN` changes with every change below it, where the server keeps one (OpenLDAP's syncprov). */
  async #mark(): Promise<Mark | undefined> {
    const root = await this.#connection.read("", ["namingContexts"]);
    const base = normalizedDn(this.#o.userBase);
    const context = root && textsOf(root, "namingContexts").find((name) => base.endsWith(normalizedDn(name)));
    const entry = context === undefined ? undefined : await this.#connection.read(context, ["contextCSN"]);
    const change = entry && textsOf(entry, "contextCSN").join(" ");
    // One for each server that takes changes, and the same at all of them.
    return context === undefined || change === undefined || change === "" ? undefined : { server: context, change };
  }
}

/** The groups that are mapped, and those in them. */
function closureOf(listed: ReadonlyMap<string, Listed>, mapped: readonly string[]): ReadonlyMap<string, Group> {
  const ids = new Map([...listed.values()].map(({ group }) => [normalizedDn(group.dn), group.id]));
  const parents = new Map<string, string[]>();
  const queue = [...new Set(mapped)];
  const reached = new Set(queue);
  for (let id = queue.shift(); id !== undefined; id = queue.shift())
    for (const dn of listed.get(id)?.dns ?? []) {
      const child = ids.get(normalizedDn(dn));
      if (child === undefined) continue;
      push(parents, child, id);
      if (reached.has(child)) continue;
      reached.add(child);
      queue.push(child);
    }
  const groups = new Map<string, Group>();
  for (const id of reached) {
    const group = listed.get(id)?.group;
    if (group !== undefined) groups.set(id, { ...group, parents: [...new Set(parents.get(id) ?? [])] });
  }
  return groups;
}

function groupOf(entry: Entry, idAttribute: string): Group | undefined {
  const id = idOf(entry, idAttribute);
  if (id === undefined) return undefined;
  return { id, dn: entry.dn, name: textOf(entry, "cn") ?? entry.dn, number: textOf(entry, "gidNumber"), parents: [] };
}

function textsOf({ values }: Entry, attribute: string): readonly string[] {
  return (values.get(attribute.toLowerCase()) ?? []).map((value) => value.toString("utf8"));
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function tooMany(what: string): Fault {
  const tell = `there are more than ${what} below the bases of this directory: narrow them. Nothing was changed`;
  return new Fault("invalid", tell, { tell });
}
