import { Fault } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import type { Account } from "./account.ts";
import { foldedName } from "./account-name.ts";
import { readArming } from "./arming.ts";
import type { AccountTable } from "./auth-schema.ts";
import { readLink } from "./directory-link.ts";
import { plainGrants, readGrants } from "./grants.ts";

/** An account as it is stored. */
export function rowOf(account: Account, credential: string): AccountTable {
  const { id, name, kind, enabled, grants, roles, created, directory, arming, temporaryPassword } = account;
  return {
    id,
    name,
    kind,
    created,
    credential,
    folded: foldedName(name),
    enabled: enabled ? 1 : 0,
    grants: JSON.stringify(plainGrants(grants)),
    roles: JSON.stringify(roles),
    directory: directory === undefined ? null : JSON.stringify(directory),
    temporary_password: temporaryPassword === true ? 1 : 0,
    arming: arming === undefined ? null : JSON.stringify(arming),
  };
}

/** Fault `invalid` when the row makes no sense. */
export function accountOf(row: AccountTable): Account {
  const { id, name, kind } = row;
  if (kind !== "person" && kind !== "integration") throw new Fault("invalid", `account ${id} is of the kind ${kind}`);
  const grants = readGrants(JSON.parse(row.grants));
  const roles = JSON.parse(row.roles) as readonly string[];
  const directory = readLink(row.directory);
  const arming = readArming(row.arming);
  return {
    id,
    name,
    kind,
    enabled: row.enabled !== 0,
    roles,
    grants,
    created: unixMillis(row.created),
    ...(directory === undefined ? {} : { directory }),
    ...(arming === undefined ? {} : { arming }),
    ...(row.temporary_password === 0 ? {} : { temporaryPassword: true }),
  };
}
