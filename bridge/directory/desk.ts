import type { Account } from "../../auth/account.ts";
import type { Accounts } from "../../auth/accounts.ts";
import type { Asker, SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import { type PlainGrant, plainGrants } from "../../auth/grants.ts";
import { managerOf } from "../../auth/managed.ts";
import type { Finding } from "../../base/finding.ts";
import type { Secret } from "../../base/secret.ts";
import { isoOf } from "../../base/units.ts";
import type { Directories } from "./directories.ts";
import type { Directory, Explained } from "./directory.ts";
import type { Preview } from "./following.ts";
import type { DirectoryStore, SyncRecord } from "./store.ts";

/** A sync that was, in JSON. */
export interface PlainSync extends Omit<SyncRecord, "at" | "why"> {
  readonly at: string;
  readonly why: string | null;
}

/** How a directory stands, in JSON. */
export interface PlainDirectory {
  readonly name: string;
  readonly schema: string;
  readonly servers: readonly string[];
  readonly encryption: string;
  readonly account: string;
  readonly intervalMinutes: number;
  readonly running: boolean;
  /** Why it could not be asked the last time, and why the last sync holds. */
  readonly trouble: string | null;
  readonly held: string | null;
  /** Accounts that are in by it, and those that were. */
  readonly active: number;
  readonly out: number;
  readonly last: PlainSync | null;
}

/** One change of a {@link PlainPreview}. */
export interface PlainChange {
  readonly name: string;
  readonly was: string | null;
  readonly what: "comes" | "goes" | "changes";
  readonly why: string;
  readonly gains: readonly string[];
  readonly loses: readonly string[];
  /** How much of what runs would end. */
  readonly ends: number;
}

/** What a sync would change, in JSON. */
export interface PlainPreview {
  readonly directory: string;
  /** Confirms exactly this. */
  readonly id: string;
  readonly people: number;
  readonly active: number;
  readonly removals: number;
  readonly held: string | null;
  readonly changes: readonly PlainChange[];
  readonly conflicts: readonly { readonly name: string; readonly why: string }[];
}

/** How somebody comes by their roles, in JSON. */
export interface PlainExplanation {
  readonly directory: string;
  readonly name: string;
  readonly found: boolean;
  readonly dn: string | null;
  readonly displayName: string | null;
  readonly standing: string | null;
  readonly expires: string | null;
  /** Their own group first, the one that gives the role last. */
  readonly roles: readonly {
    readonly role: string;
    readonly path: readonly string[];
    readonly grants: readonly PlainGrant[];
  }[];
  readonly account: { readonly name: string; readonly enabled: boolean; readonly out: string | null } | null;
}

/** What an administrator does with directories, through the pages or at the command line, in plain words and JSON. */
export class DirectoryDesk {
  readonly #directories: Directories;
  readonly #accounts: Accounts;
  readonly #store: DirectoryStore;
  readonly #audit: Audit;
  readonly #approvals: SecondPerson;

  constructor(o: {
    readonly directories: Directories;
    readonly accounts: Accounts;
    readonly store: DirectoryStore;
    readonly audit: Audit;
    readonly approvals: SecondPerson;
  }) {
    this.#directories = o.directories;
    this.#accounts = o.accounts;
    this.#store = o.store;
    this.#audit = o.audit;
    this.#approvals = o.approvals;
  }

  list(): Promise<readonly PlainDirectory[]> {
    return Promise.all(this.#directories.list().map((directory) => this.#plain(directory)));
  }

  test(name: string): Promise<readonly Finding[]> {
    return Array.fromAsync(this.#directories.get(name).test());
  }

  async preview(name: string): Promise<PlainPreview> {
    return plainPreview(await this.#directories.get(name).preview());
  }

  async sync(
    name: string,
    by: Asker,
    o: { readonly full?: boolean | undefined; readonly confirm?: string | undefined },
  ): Promise<PlainSync> {
    const { full = true, confirm } = o;
    // The id is that of exactly these changes.
    if (confirm !== undefined)
      await this.#approvals.pass(by, "pass-brake", () => ({
        params: { directory: name, confirm },
        words: `make accounts follow ${name} although the brake holds it: preview ${confirm}`,
      }));
    return plainSync(
      await this.#directories.get(name).sync(managerOf(by), { full, ...(confirm === undefined ? {} : { confirm }) }),
    );
  }

  async explain(name: string, user: string): Promise<PlainExplanation> {
    return this.#plainExplanation(await this.#directories.get(name).explain(user));
  }

  async history(name: string): Promise<readonly PlainSync[]> {
    return (await this.#store.history(this.#directories.get(name).name)).map(plainSync);
  }

  /** Keeps the password of the account that reads, sealed. It is used from the next connection on. */
  async setPassword(name: string, password: Secret, by: Asker): Promise<void> {
    await this.#store.setPassword(this.#directories.get(name).name, password);
    this.#audit.record({ ...managerOf(by), action: "set-directory-password", subject: name, outcome: "allowed" });
  }

  async #plain(directory: Directory): Promise<PlainDirectory> {
    const { name, settings, running, trouble = null, held = null } = directory;
    const { schema, servers, domain, encryption, account, intervalMinutes } = settings;
    const accounts = this.#accounts.ofDirectory(name);
    const [last] = await this.#store.history(name);
    const active = accounts.filter((one) => one.directory?.out === undefined).length;
    return {
      name,
      schema,
      servers: servers.length > 0 ? servers : [`DNS of ${domain}`],
      encryption,
      account,
      intervalMinutes,
      running,
      trouble,
      held,
      active,
      out: accounts.length - active,
      last: last === undefined ? null : plainSync(last),
    };
  }

  #plainExplanation({ directory, name, person, paths, account }: Explained): PlainExplanation {
    return {
      directory,
      name,
      found: person !== undefined,
      dn: person?.dn ?? null,
      displayName: person?.displayName ?? null,
      standing: person?.standing ?? null,
      expires: person?.expires === undefined ? null : isoOf(person.expires),
      roles: paths.map(({ role, groups }) => ({
        role,
        path: groups.map((group) => group.name),
        grants: plainGrants(this.#accounts.policy.part("role", role)?.grants ?? []),
      })),
      account: account === undefined ? null : plainAccount(account),
    };
  }
}

function plainAccount({ name, enabled, directory }: Account): PlainExplanation["account"] {
  return { name, enabled, out: directory?.out ?? null };
}

function plainSync({ at, why, ...rest }: SyncRecord): PlainSync {
  return { ...rest, at: isoOf(at), why: why ?? null };
}

function plainPreview({
  directory,
  id,
  people,
  active,
  removals,
  held,
  changes,
  conflicts,
  ends,
}: Preview): PlainPreview {
  return {
    directory,
    id,
    people,
    active,
    removals,
    held: held ?? null,
    changes: changes.map(({ accountId, name, was, out, why, gains, loses }) => ({
      name,
      was: was ?? null,
      what: accountId === undefined ? "comes" : out === undefined ? "changes" : "goes",
      why,
      gains,
      loses,
      ends: ends.get(accountId ?? "") ?? 0,
    })),
    conflicts,
  };
}
