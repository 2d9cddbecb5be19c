import type { Secret } from "../base/secret.ts";

/** Which attributes of entries say what. Names are compared without regard to case. */
export interface Attributes {
  /** Never changes, also when a person is renamed or moved. */
  readonly id: string;
  /** What people log in with. */
  readonly name: string;
  readonly displayName: string;
}

/** How entries are read: the way of Active Directory, or that of RFC 2307 and groupOfNames (OpenLDAP, 389, FreeIPA). */
export type Schema = "ad" | "rfc2307";

/** How the connection is encrypted; `none` for a laboratory, where somebody chose so. */
export type Encryption = "ldaps" | "starttls" | "none";

/** Whom we trust to be the directory. */
export interface Trust {
  /** PEM certificates of the authority. With neither, the authorities that Node.js brings. */
  readonly ca?: string | undefined;
  /** SHA-256 of the server's key (SubjectPublicKeyInfo), base64. Instead of any authority. */
  readonly pin?: string | undefined;
}

/** One directory, as a person has set it up. */
export interface DirectoryOptions {
  readonly name: string;
  readonly schema: Schema;
  /** Host names or addresses, asked in this order. Empty: those that DNS names for `domain`. */
  readonly servers: readonly string[];
  readonly domain?: string | undefined;
  /** DNS servers, where those of this machine do not know the directory's names. */
  readonly nameServers: readonly string[];
  readonly encryption: Encryption;
  readonly port: number;
  readonly trust: Trust;
  /** DN, or in AD also `name@domain`, of the account that reads. */
  readonly account: string;
  /** Asked at each connection, so that a changed one is used at once. */
  readonly password: () => Promise<Secret>;
  readonly userBase: string;
  readonly groupBase: string;
  /** RFC 4515; which entries below the base are people. */
  readonly userFilter: string;
  readonly groupFilter: string;
  readonly attributes: Attributes;
  readonly roles: readonly RoleOfGroup[];
}

/** Who is in the group, directly or through other groups, has the roles. */
export interface RoleOfGroup {
  /** A DN, or the group's name. */
  readonly group: string;
  readonly roles: readonly string[];
}

/** What the schemas bring, where nothing else is said. */
export const PRESETS: Readonly<Record<Schema, Pick<DirectoryOptions, "userFilter" | "groupFilter" | "attributes">>> = {
  ad: {
    userFilter: "(&(objectCategory=person)(objectClass=user))",
    groupFilter: "(objectCategory=group)",
    attributes: { id: "objectGUID", name: "sAMAccountName", displayName: "displayName" },
  },
  rfc2307: {
    userFilter: "(|(objectClass=inetOrgPerson)(objectClass=posixAccount))",
    groupFilter: "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
    attributes: { id: "entryUUID", name: "uid", displayName: "cn" },
  },
};
