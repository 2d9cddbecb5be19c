import { DAY, type UnixMillis, unixMillis } from "../base/units.ts";
import type { Entry } from "./connection.ts";
import type { Attributes, Schema } from "./options.ts";

/**
 * What the directory says of a person's account. `locked` (too many wrong passwords) and `password-expired` keep from logging in
 * with the password, and end nothing: else whoever knows a name could end what runs under it.
 */
export type Standing = "active" | "disabled" | "locked" | "password-expired";

/** A person, or a system's account, in a directory. */
export interface Person {
  /** Theirs for ever, in lower case: of somebody made anew under the same name it is another one. */
  readonly id: string;
  readonly dn: string;
  readonly name: string;
  readonly displayName: string;
  readonly standing: Standing;
  /** From then on the account has expired; never if absent. */
  readonly expires?: UnixMillis;
  /** AD's RID, or the gidNumber, of the group that does not list them. */
  readonly primaryGroup?: string;
  /** Their own RID, in AD. */
  readonly rid?: string;
}

/** Bits of userAccountControl and msDS-User-Account-Control-Computed (MS-ADTS 2.2.16). */
const ACCOUNT_DISABLE = 0x2;
const LOCKOUT = 0x10;
const PASSWORD_EXPIRED = 0x800000;

/** Between 1601 and 1970, in 100 ns: the epoch of Windows' file times. */
const FILETIME_EPOCH = 116_444_736_000_000_000n;
const NEVER = 0x7fff_ffff_ffff_ffffn;

/** `pwdAccountLockedTime` of an account that was locked by an administrator (draft-behera-ldap-password-policy-10 5.3.3). */
const LOCKED_FOR_EVER = "000001010000Z";

const STATE: Readonly<Record<Schema, readonly string[]>> = {
  ad: ["userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires", "primaryGroupID", "objectSid"],
  rfc2307: ["pwdAccountLockedTime", "nsAccountLock", "shadowExpire", "gidNumber"],
};

/** What has to be read to make a {@link Person}. */
export function attributesOf(schema: Schema, { id, name, displayName }: Attributes): readonly string[] {
  return [id, name, displayName, ...STATE[schema]];
}

/** Undefined for an entry without an id or a name: nobody can log in with it. */
export function personOf(entry: Entry, schema: Schema, attributes: Attributes): Person | undefined {
  const id = idOf(entry, attributes.id);
  const name = textOf(entry, attributes.name);
  if (id === undefined || name === undefined) return undefined;
  const displayName = textOf(entry, attributes.displayName) ?? name;
  const expires = schema === "ad" ? fileTime(textOf(entry, "accountExpires")) : dayOf(textOf(entry, "shadowExpire"));
  const primaryGroup = textOf(entry, schema === "ad" ? "primaryGroupID" : "gidNumber");
  const rid = schema === "ad" ? ridOf(entry) : undefined;
  return {
    id,
    dn: entry.dn,
    name,
    displayName,
    standing: schema === "ad" ? standingInAd(entry) : standingElsewhere(entry),
    ...(expires === undefined ? {} : { expires }),
    ...(primaryGroup === undefined ? {} : { primaryGroup }),
    ...(rid === undefined ? {} : { rid }),
  };
}

/** The first value as text; undefined where there is none. */
export function textOf({ values }: Entry, attribute: string): string | undefined {
  const text = values.get(attribute.toLowerCase())?.[0]?.toString("utf8");
  return text === "" ? undefined : text;
}

/** entryUUID and the like are text already; AD's objectGUID is 16 bytes, whose first three numbers are little-endian (MS-DTYP 2.3.4.2). */
export function idOf({ values }: Entry, attribute: string): string | undefined {
  const bytes = values.get(attribute.toLowerCase())?.[0];
  if (bytes === undefined || bytes.length === 0) return undefined;
  if (attribute.toLowerCase() !== "objectguid") return bytes.toString("utf8").toLowerCase();
  if (bytes.length !== 16) return undefined;
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const hex = order.map((at) => (bytes[at] ?? 0).toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The last number of objectSid, by which AD names whom and what it knows within the domain (MS-DTYP 2.4.2.2). */
export function ridOf({ values }: Entry): string | undefined {
  const sid = values.get("objectsid")?.[0];
  return sid === undefined || sid.length < 12 ? undefined : String(sid.readUInt32LE(sid.length - 4));
}

/** The bytes to search an id by. */
export function idValue(id: string, attribute: string): string | Uint8Array {
  if (attribute.toLowerCase() !== "objectguid") return id;
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function standingInAd(entry: Entry): Standing {
  const control = Number(textOf(entry, "userAccountControl") ?? 0);
  // A bit of it that depends on time and policy is computed when it is read.
  const computed = Number(textOf(entry, "msDS-User-Account-Control-Computed") ?? 0);
  if ((control & ACCOUNT_DISABLE) !== 0) return "disabled";
  if ((computed & LOCKOUT) !== 0) return "locked";
  return (computed & PASSWORD_EXPIRED) === 0 ? "active" : "password-expired";
}

function standingElsewhere(entry: Entry): Standing {
  const lockedAt = textOf(entry, "pwdAccountLockedTime");
  if (lockedAt === LOCKED_FOR_EVER || /^true$/i.test(textOf(entry, "nsAccountLock") ?? "")) return "disabled";
  return lockedAt === undefined ? "active" : "locked";
}

/** `accountExpires`: nobody writes to the account when it passes. */
function fileTime(text: string | undefined): UnixMillis | undefined {
  if (text === undefined || !/^\d{1,19}$/.test(text)) return undefined;
  const ticks = BigInt(text);
  return ticks === 0n || ticks >= NEVER ? undefined : unixMillis(Number((ticks - FILETIME_EPOCH) / 10_000n));
}

/** `shadowExpire` (RFC 2307): days since 1970; -1 or none is never. */
function dayOf(text: string | undefined): UnixMillis | undefined {
  return text === undefined || !/^\d{1,7}$/.test(text) || text === "0" ? undefined : unixMillis(Number(text) * DAY);
}
