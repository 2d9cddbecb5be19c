import { createHash } from "node:crypto";
import type { UnixMillis } from "../base/units.ts";
import type { Person } from "./person.ts";
import { rolesOf, type Snapshot } from "./snapshot.ts";

/** What an account by this directory is now. */
export interface Known {
  readonly accountId: string;
  readonly name: string;
  /** The person has one account of their own; systems may have accounts under the same person. */
  readonly kind: "person" | "integration";
  /** The person's. */
  readonly id: string;
  readonly roles: readonly string[];
  readonly out?: "disabled" | "gone" | undefined;
  readonly expires?: UnixMillis | undefined;
}

/** What becomes of one account. */
export interface AccountChange {
  /** Absent: it is made. */
  readonly accountId?: string;
  readonly id: string;
  readonly name: string;
  /** Its name so far, where that becomes another one. */
  readonly was?: string;
  /** All roles by groups, then. */
  readonly roles: readonly string[];
  readonly gains: readonly string[];
  readonly loses: readonly string[];
  readonly out?: "disabled" | "gone";
  readonly expires?: UnixMillis;
  /** In a few words. */
  readonly why: string;
  /** It takes something away. */
  readonly removal: boolean;
}

/** Somebody who cannot have an account, and why. */
export interface Conflict {
  readonly name: string;
  readonly why: string;
}

/** What a sync would change. */
export interface Plan {
  /** Names exactly these changes: what was confirmed is what is done. */
  readonly id: string;
  readonly changes: readonly AccountChange[];
  readonly conflicts: readonly Conflict[];
  /** Accounts by this directory that are in, before. */
  readonly active: number;
  readonly removals: number;
}

/** How accounts may be called here. */
export interface Names {
  readonly isUsable: (name: string) => boolean;
  readonly folded: (name: string) => string;
  /** Folded names of accounts that are not by this directory. */
  readonly taken: ReadonlySet<string>;
}

/** The part of a person that an account follows. */
interface Wanted {
  readonly name: string;
  readonly roles: readonly string[];
  readonly out?: "disabled" | "gone";
  readonly expires?: UnixMillis | undefined;
}

/**
 * What has to change so that accounts are as the directory has it: who comes, goes, gains and loses roles, is called something else. Pure.
 * People are who they are by id: one who was made anew under an old name gets an account of their own, without what the old one had.
 */
export function differenceOf(known: readonly Known[], snapshot: Snapshot, names: Names): Plan {
  const roles = rolesOf(snapshot);
  const conflicts: Conflict[] = [];
  const used = new Map([...names.taken].map((name) => [name, "an account that is not by this directory"]));
  const people = new Map(known.filter(({ kind }) => kind === "person").map((account) => [account.id, account]));
  const changes: AccountChange[] = [];

  // Whoever keeps their name has the first right to it, and whoever is new the last.
  const claim = ({ id, name }: { readonly id: string; readonly name: string }): number => {
    const before = people.get(id);
    if (before === undefined) return 2;
    return names.folded(before.name) === names.folded(name) ? 0 : 1;
  };
  const named = [...snapshot.people.values()].filter(({ id }) => roles.has(id)).toSorted((a, b) => claim(a) - claim(b));
  const nameOf = new Map<string, string>();
  for (const { id, name } of named) {
    const before = people.get(id);
    const owner = used.get(names.folded(name));
    const why = !names.isUsable(name) ? "against the rules for names here" : owner && `taken by ${owner}`;
    if (why !== undefined) conflicts.push({ name, why: `${name} cannot be a name here: ${why}` });
    // Not under a new name, then, but still the same person.
    const old = before && (used.has(names.folded(before.name)) ? numbered(before) : before.name);
    const final = why === undefined ? name : old;
    if (final === undefined) continue;
    nameOf.set(id, final);
    used.set(names.folded(final), final);
  }

  for (const account of known) {
    const member = snapshot.people.get(account.id);
    const of = roles.get(account.id);
    const wanted: Wanted =
      member === undefined || of === undefined
        ? { name: account.name, roles: [], out: "gone" }
        : {
            name: nameOf.get(member.id) ?? account.name,
            roles: of,
            expires: member.expires,
            ...(member.standing === "disabled" ? { out: "disabled" } : {}),
          };
    // Somebody else has come to the name of one who is gone.
    const free = wanted.out !== "gone" || account.kind !== "person" || !used.has(names.folded(account.name));
    const name = account.kind === "integration" ? account.name : free ? wanted.name : numbered(account);
    const change = changeOf(account, { ...wanted, name });
    if (change !== undefined) changes.push(change);
  }
  for (const { id, standing, expires } of named) {
    const name = nameOf.get(id);
    if (people.has(id) || name === undefined || standing === "disabled") continue;
    const of = roles.get(id) ?? [];
    changes.push({
      id,
      name,
      roles: of,
      gains: of,
      loses: [],
      ...given("expires", expires),
      why: "new",
      removal: false,
    });
  }
  return planOf(changes, conflicts, known.filter(({ out }) => out === undefined).length);
}

/** Which of these accounts have to be out, by how their people stand now; nothing else about them changes. Pure. */
export function outOf(known: readonly Known[], people: readonly Person[], active: number): Plan {
  const standing = new Map(people.map((person) => [person.id, person.standing]));
  const changes = known.flatMap((account): readonly AccountChange[] => {
    const { id, name, roles, expires } = account;
    const now = standing.get(id);
    const same = { name, roles, expires };
    const change =
      now === undefined
        ? changeOf(account, { ...same, roles: [], out: "gone" })
        : now === "disabled"
          ? changeOf(account, { ...same, out: "disabled" })
          : undefined;
    return change === undefined ? [] : [change];
  });
  return planOf(changes, [], active);
}

function planOf(changes: readonly AccountChange[], conflicts: readonly Conflict[], active: number): Plan {
  const id = createHash("sha256").update(JSON.stringify(changes)).digest("hex").slice(0, 16);
  return { id, changes, conflicts, active, removals: changes.filter(({ removal }) => removal).length };
}

/** A name that nobody else has. */
function numbered({ name, id }: Known): string {
  return `${name.slice(0, 50)}.${id.slice(0, 8)}`;
}

function changeOf(account: Known, wanted: Wanted): AccountChange | undefined {
  const gains = wanted.roles.filter((role) => !account.roles.includes(role));
  const loses = account.roles.filter((role) => !wanted.roles.includes(role));
  const renamed = wanted.name !== account.name;
  const words = [
    ...(wanted.out !== account.out ? [outWords(wanted.out)] : []),
    ...(gains.length > 0 || (loses.length > 0 && wanted.out !== "gone") ? ["groups have changed"] : []),
    ...(renamed ? [`was ${account.name}`] : []),
    ...(wanted.expires !== account.expires && wanted.out !== "gone" ? ["another date of expiry"] : []),
  ];
  if (words.length === 0) return undefined;
  const { accountId, id, name, out } = account;
  return {
    accountId,
    id,
    name: wanted.name,
    ...(renamed ? { was: name } : {}),
    roles: wanted.roles,
    gains,
    loses,
    ...given("out", wanted.out),
    ...given("expires", wanted.expires),
    why: words.join(", "),
    removal: out === undefined && (wanted.out !== undefined || loses.length > 0),
  };
}

function outWords(out: Wanted["out"]): string {
  if (out === undefined) return "is in again";
  return out === "disabled" ? "is disabled" : "is gone, or in no group that gives a role";
}

/** How many may lose something in one sync before a person has to say that it is meant. */
export interface Brake {
  readonly count: number;
  readonly percent: number;
}

/** Why a plan must not be carried out unasked; undefined where it may. */
export function heldBy({ active, removals }: Plan, { count, percent }: Brake): string | undefined {
  if (removals <= Math.max(count, (active * percent) / 100)) return undefined;
  return `it would take rights from ${removals} of ${active} accounts, more than the brake lets pass (${count}, and ${percent} %): nothing was changed`;
}

function given<K extends string, V>(name: K, value: V | undefined): { readonly [name in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in K]?: V });
}
