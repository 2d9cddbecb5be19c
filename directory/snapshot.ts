import { Fault } from "../base/fault.ts";
import type { RoleOfGroup } from "./options.ts";
import type { Person } from "./person.ts";

const LIMITS = {
  /** Groups in groups; a path longer than that is of no use to anybody. */
  depth: 32,
} as const;

/** A group that gives a role, or is in one that does. */
export interface Group {
  readonly id: string;
  readonly dn: string;
  readonly name: string;
  /** By which people name it as their primary group. */
  readonly number?: string | undefined;
  /** Ids of the groups that it is in, as far as they matter here. May lead in circles. */
  readonly parents: readonly string[];
}

/** A person, and the groups that they are in directly, as far as these matter. */
export interface Member extends Person {
  readonly groups: readonly string[];
}

/** All that was read of a directory at one time. */
export interface Snapshot {
  readonly people: ReadonlyMap<string, Member>;
  readonly groups: ReadonlyMap<string, Group>;
  /** The id of the group that each mapping names. */
  readonly mapped: ReadonlyMap<RoleOfGroup, string>;
  /** What the server had when it was read, to ask it later what has changed since. Undefined where it cannot say. */
  readonly mark?: Mark | undefined;
}

/** A server, and how many changes it had seen. Numbers of one server mean nothing at another. */
export interface Mark {
  readonly server: string;
  readonly change: string;
}

/** How somebody comes by a role: through these groups, their own first, the one that gives it last. */
export interface Path {
  readonly role: string;
  readonly groups: readonly Group[];
}

/** Every role of a person with the shortest way to it, by role. Circles of groups do no harm. */
export function pathsOf(snapshot: Snapshot, member: Pick<Member, "groups">): readonly Path[] {
  const ways = new Map<string, readonly Group[]>();
  let edge: (readonly Group[])[] = groupsOf(snapshot, member.groups).map((group) => [group]);
  for (let depth = 0; depth < LIMITS.depth && edge.length > 0; depth += 1) {
    const next: (readonly Group[])[] = [];
    for (const way of edge) {
      const last = way.at(-1);
      if (last === undefined || ways.has(last.id)) continue;
      ways.set(last.id, way);
      for (const parent of groupsOf(snapshot, last.parents)) next.push([...way, parent]);
    }
    edge = next;
  }
  const paths = new Map<string, Path>();
  for (const [{ roles }, id] of snapshot.mapped) {
    const groups = ways.get(id);
    if (groups === undefined) continue;
    for (const role of roles)
      if ((paths.get(role)?.groups.length ?? Number.POSITIVE_INFINITY) > groups.length)
        paths.set(role, { role, groups });
  }
  return [...paths.values()].toSorted((a, b) => a.role.localeCompare(b.role, "en"));
}

/** Roles of everybody who has any, by person. */
export function rolesOf(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
  // Most people are in the same few groups.
  const known = new Map<string, readonly string[]>();
  const roles = new Map<string, readonly string[]>();
  for (const member of snapshot.people.values()) {
    const key = member.groups.toSorted().join(" ");
    const of = known.get(key) ?? pathsOf(snapshot, member).map(({ role }) => role);
    known.set(key, of);
    if (of.length > 0) roles.set(member.id, of);
  }
  return roles;
}

/** Fault `invalid`: what a mapping names is not there. Never taken for an empty group. */
export function noGroup(group: string): Fault {
  const tell = `there is no group ${group} in the directory, or more than one: it may have been renamed or moved. Nothing was changed`;
  return new Fault("invalid", tell, { tell });
}

function groupsOf({ groups }: Snapshot, ids: readonly string[]): readonly Group[] {
  return ids.flatMap((id) => groups.get(id) ?? []);
}
