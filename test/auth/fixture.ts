import { Accounts } from "../../auth/accounts.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import type { Grant, Peer } from "../../auth/principal.ts";
import { type Database, openDatabase } from "../../base/database.ts";
import { type FaultKind, isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

export const WATCH_ALL: readonly Grant[] = [{ right: "live", cameras: "any", interfaces: "any" }];
export const MANAGE: readonly Grant[] = [{ right: "manage-accounts", cameras: "any", interfaces: "any" }];
export const PASSWORD = "correct horse battery";

export const PLAIN: Peer = { address: "192.0.2.7", port: 5000, tls: false };
export const TLS: Peer = { ...PLAIN, tls: true };

export interface Site {
  readonly accounts: Accounts;
  readonly clock: VirtualClock;
  readonly database: Database<AuthSchema>;
  /** The accounts as another start of the bridge finds them. */
  again(): Promise<Accounts>;
}

/** Accounts in a database in memory, in virtual time. Close the database after use. */
export async function openSite(): Promise<Site> {
  const database = await openDatabase<AuthSchema>(":memory:", authMigrations);
  const clock = new VirtualClock();
  const sealer = new Sealer(Buffer.alloc(32, 7));
  const again = (): Promise<Accounts> => Accounts.open({ query: database.query, sealer, clock, log: silentLog() });
  return { accounts: await again(), clock, database, again };
}

/** The first administrator, named `admin`. */
export async function administrator(accounts: Accounts): Promise<string> {
  const token = accounts.setUpToken() ?? new Secret("");
  return (await accounts.setUp(token.reveal(), "admin", PASSWORD, TLS)).accountId;
}

/** The kind of Fault with which `work` ends, or `none`. */
export async function kindOf(work: () => unknown): Promise<FaultKind | "none"> {
  const kinds: readonly FaultKind[] = [
    "unauthenticated",
    "denied",
    "not-found",
    "invalid",
    "wrong-state",
    "busy",
    "unavailable",
  ];
  try {
    await work();
    return "none";
  } catch (error) {
    for (const kind of kinds) if (isFault(error, kind)) return kind;
    throw error;
  }
}
