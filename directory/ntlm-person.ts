import { anyOf, filterValue } from "./filter.ts";
import type { Person } from "./person.ts";
import type { Reader } from "./reader.ts";

/** Active Directory's number of its account for everybody who has none (MS-DTYP 2.4.2.4). */
const GUEST_RID = "501";

/**
 * The one person who has the name in Active Directory, by itself or as `name@domain`; undefined where there is none, or more than one, and
 * for the guest. Faults of {@link Reader}.
 */
export async function personNamed(reader: Reader, name: string): Promise<Person | undefined> {
  const value = filterValue(name);
  let found: Person | undefined;
  for await (const person of reader.people(anyOf([`(sAMAccountName=${value})`, `(userPrincipalName=${value})`]))) {
    if (found !== undefined && found.id !== person.id) return undefined;
    found = person;
  }
  return found?.rid === GUEST_RID ? undefined : found;
}
