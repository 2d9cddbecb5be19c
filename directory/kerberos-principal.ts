import { anyOf, filterValue } from "./filter.ts";
import type { Attributes, Schema } from "./options.ts";
import type { Person } from "./person.ts";
import type { Reader } from "./reader.ts";

/** Who a Kerberos ticket is of. */
export interface KerberosPrincipal {
  readonly name: string;
  readonly realm: string;
  /** Active Directory's number of the client within its domain, from the ticket; undefined where the ticket has none. */
  readonly rid: string | undefined;
}

/** KERB_VALIDATION_INFO as it is sent (MS-PAC 2.5, MS-RPCE 2.2.6): two headers and a pointer, then fields of fixed sizes up to UserId. */
const LOGON_INFO = { version: 1, littleEndian: 0x10, userIdOffset: 20 + 6 * 8 + 6 * 8 + 2 * 2 } as const;

/** Without a `\`, which stands before signs that would mean something else, and without `/`, which machines and services have. */
const PRINCIPAL = /^([^\\/@\p{Cc}]{1,64})@([A-Za-z0-9.-]{1,253})$/u;

/** Undefined for what cannot be a person's. `client`, `logonInfo`: as the library gives them. */
export function kerberosPrincipal(client: Buffer, logonInfo: Buffer): KerberosPrincipal | undefined {
  const [, name, realm] = PRINCIPAL.exec(client.toString("utf8")) ?? [];
  return name === undefined || realm === undefined ? undefined : { name, realm, rid: ridIn(logonInfo) };
}

/**
 * The one person who the principal is; undefined where there is none, or more than one: a name alone is not enough. In AD a ticket has
 * the name that was asked for, which may be a userPrincipalName that somebody was given; so the number in the ticket, which AD puts there
 * by itself, has to be the person's, too. Faults of {@link Reader}.
 */
export async function personOfPrincipal(
  reader: Reader,
  { name, realm, rid }: KerberosPrincipal,
  { schema, attributes }: { readonly schema: Schema; readonly attributes: Attributes },
): Promise<Person | undefined> {
  if (schema === "ad" && rid === undefined) return undefined;
  const full = filterValue(`${name}@${realm}`);
  const plain = filterValue(name);
  const others =
    schema === "ad"
      ? [`(userPrincipalName=${plain})`, `(userPrincipalName=${full})`]
      : [`(krbPrincipalName=${full})`, `(krbCanonicalName=${full})`];
  let found: Person | undefined;
  for await (const person of reader.people(anyOf([`(${attributes.name}=${plain})`, ...others]))) {
    if (found !== undefined && found.id !== person.id) return undefined;
    found = person;
  }
  return schema !== "ad" || found?.rid === rid ? found : undefined;
}

function ridIn(info: Buffer): string | undefined {
  const { version, littleEndian, userIdOffset } = LOGON_INFO;
  if (info.length < userIdOffset + 4 || info[0] !== version || info[1] !== littleEndian) return undefined;
  return String(info.readUInt32LE(userIdOffset));
}
