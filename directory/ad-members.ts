import type { Connection, Entry } from "./connection.ts";
import { normalizedDn } from "./dn.ts";
import { allOf, anyOf, filterValue } from "./filter.ts";
import { textOf } from "./person.ts";
import type { Group } from "./snapshot.ts";

/** Groups of one question. A server may have to look at everybody for each. */
const BATCH = 40;

const MEMBER_OF = "memberOf";

/** What is looked for in groups. */
export interface MembersSearch {
  readonly base: string;
  /** What everything that is found is. */
  readonly filter: string;
  readonly attributes: readonly string[];
  /** The primary group counts, too, which lists nobody. */
  readonly byPrimaryGroup: boolean;
}

/**
 * What is directly in any of the groups, with the ids of those that it is in; what is in several may come several times. Many groups are asked
 * for in one question, and each answer says by back links which of them it is for.
 */
export async function* membersOf(
  connection: Pick<Connection, "search">,
  groups: readonly Group[],
  search: MembersSearch,
): AsyncGenerator<{ readonly entry: Entry; readonly within: readonly string[] }> {
  for (let at = 0; at < groups.length; at += BATCH) {
    const batch = groups.slice(at, at + BATCH);
    const byDn = new Map(batch.map(({ dn, id }) => [normalizedDn(dn), id]));
    const byNumber = new Map(search.byPrimaryGroup ? batch.map(({ number, id }) => [number, id]) : []);
    let isClear = true;
    for await (const entry of connection.search(searchIn(batch, search))) {
      const within = batch.length === 1 ? batch.map(({ id }) => id) : withinOf(entry, byDn, byNumber);
      if (within === undefined) isClear = false;
      else yield { entry, within };
    }
    // Each by itself, where somebody is in more groups than one answer tells of.
    if (!isClear) for (const group of batch) yield* membersOf(connection, [group], search);
  }
}

function searchIn(groups: readonly Group[], { base, filter, attributes, byPrimaryGroup }: MembersSearch) {
  const links = groups.map(({ dn }) => `(${MEMBER_OF}=${filterValue(dn)})`);
  const numbers = byPrimaryGroup ? groups.flatMap(({ number }) => number ?? []) : [];
  const primary = numbers.map((number) => `(primaryGroupID=${filterValue(number)})`);
  return { base, filter: allOf(filter, anyOf([...links, ...primary])), attributes: [...attributes, MEMBER_OF] };
}

/** Ids of the groups; undefined where the answer does not tell all of them (MS-ADTS 3.1.1.3.1.3.3: values in ranges). */
function withinOf(
  entry: Entry,
  byDn: ReadonlyMap<string, string>,
  byNumber: ReadonlyMap<string | undefined, string>,
): readonly string[] | undefined {
  if ([...entry.values.keys()].some((name) => name.startsWith(`${MEMBER_OF.toLowerCase()};`))) return undefined;
  const links = entry.values.get(MEMBER_OF.toLowerCase()) ?? [];
  const number = textOf(entry, "primaryGroupID");
  const primary = number === undefined ? undefined : byNumber.get(number);
  const within = links.flatMap((dn) => byDn.get(normalizedDn(dn.toString("utf8"))) ?? []);
  if (primary !== undefined) within.push(primary);
  return within.length === 0 ? undefined : within;
}
