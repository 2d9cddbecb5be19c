import { Fault } from "../base/fault.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import type { ApiTokenTable } from "./auth-schema.ts";
import { type LastUse, lastUseOf } from "./last-use.ts";
import type { Interface } from "./right.ts";

/** The doors that know tokens (RFC 6750), inside TLS alone. */
export const TOKEN_INTERFACES = ["api", "onvif", "rtsp"] as const satisfies readonly Interface[];

/** What every token begins with, so that programs that look for leaked secrets find it. */
export const TOKEN_PREFIX = "vdt_";

/** What is known of a token of an account. What opens with it is known to its owner alone. */
export interface ApiToken {
  readonly id: string;
  /** The id of the account in whose place it comes. */
  readonly account: string;
  readonly name: string;
  readonly interfaces: readonly (typeof TOKEN_INTERFACES)[number][];
  /** It is a certificate of the client: SHA-256, in hexadecimal pairs with colons. Undefined: what opens with it is a secret. */
  readonly certificate: string | undefined;
  /** Addresses and networks from which alone it is taken; from everywhere if empty. */
  readonly networks: readonly string[];
  readonly created: UnixMillis;
  /** From then on it is not taken; undefined: never. */
  readonly expires: UnixMillis | undefined;
  /** To about a minute. */
  readonly lastUse: LastUse | undefined;
}

const CERTIFICATE = "certificate ";

/** What a certificate of a client is found by, in the place of a secret's hash: no hash begins so. */
export function certificateHash(fingerprint: string): string {
  return CERTIFICATE + fingerprint;
}

/** A token as it is stored. */
export function rowOfToken(token: ApiToken, hash: string): ApiTokenTable {
  return {
    id: token.id,
    account: token.account,
    name: token.name,
    hash,
    interfaces: JSON.stringify(token.interfaces),
    networks: JSON.stringify(token.networks),
    created: token.created,
    expires: token.expires ?? null,
    used_at: token.lastUse?.at ?? null,
    used_from: token.lastUse?.address ?? null,
  };
}

/** Fault `invalid` where the row makes no sense. */
export function tokenOf(row: ApiTokenTable): ApiToken {
  const interfaces = JSON.parse(row.interfaces) as readonly string[];
  const unknown = interfaces.find((one) => !TOKEN_INTERFACES.some((door) => door === one));
  if (unknown !== undefined) throw new Fault("invalid", `token ${row.id} is for ${unknown}`);
  return {
    id: row.id,
    account: row.account,
    name: row.name,
    interfaces: interfaces as ApiToken["interfaces"],
    certificate: row.hash.startsWith(CERTIFICATE) ? row.hash.slice(CERTIFICATE.length) : undefined,
    networks: JSON.parse(row.networks) as readonly string[],
    created: unixMillis(row.created),
    expires: row.expires === null ? undefined : unixMillis(row.expires),
    lastUse: lastUseOf(row.used_at, row.used_from),
  };
}
