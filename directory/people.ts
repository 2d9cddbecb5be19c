import type { Connection } from "./connection.ts";
import { allOf, anyOf, filterValue } from "./filter.ts";
import type { DirectoryOptions } from "./options.ts";
import { attributesOf, idValue, type Person, personOf } from "./person.ts";

/** Ids in one search. */
const BATCH = 100;

/** People below the base, of the kind that the filter of people says, for whom `filter` holds. */
export async function* peopleOf(connection: Connection, o: DirectoryOptions, filter: string): AsyncGenerator<Person> {
  const { userBase: base, userFilter, schema, attributes } = o;
  const search = { base, filter: allOf(userFilter, filter), attributes: attributesOf(schema, attributes) };
  for await (const entry of connection.search(search)) {
    const person = personOf(entry, schema, attributes);
    if (person !== undefined) yield person;
  }
}

/** People by id, as they are now; whoever is not there, or not below the base any more, is missing. */
export async function statesOf(
  connection: Connection,
  o: DirectoryOptions,
  ids: readonly string[],
): Promise<readonly Person[]> {
  const { id: attribute } = o.attributes;
  const found: Person[] = [];
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH);
    const filter = anyOf(batch.map((id) => `(${attribute}=${filterValue(idValue(id, attribute))})`));
    for await (const person of peopleOf(connection, o, filter)) found.push(person);
  }
  return found;
}
