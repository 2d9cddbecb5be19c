import { foldedName, isAccountName } from "../../auth/account-name.ts";
import type { Account, Accounts } from "../../auth/accounts.ts";
import type { Audit } from "../../auth/audit.ts";
import type { DirectoryAnswer, DirectoryLink } from "../../auth/directory-link.ts";
import type { Leases } from "../../auth/leases.ts";
import type { Manager } from "../../auth/managed.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault, isFault } from "../../base/fault.ts";
import type { Finding } from "../../base/finding.ts";
import type { Log } from "../../base/log.ts";
import type { Secret } from "../../base/secret.ts";
import { HOUR, type MonotonicMillis } from "../../base/units.ts";
import type { Connection } from "../../directory/connection.ts";
import { type AccountChange, differenceOf, heldBy, type Known, type Plan } from "../../directory/difference.ts";
import { examineDirectory } from "../../directory/examine.ts";
import { filterValue } from "../../directory/filter.ts";
import { LockoutGuard } from "../../directory/lockout-guard.ts";
import { lockoutOf } from "../../directory/lockout-policy.ts";
import { openConnection, openReading } from "../../directory/open.ts";
import type { DirectoryOptions } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import { type Reader, readerFor } from "../../directory/reader.ts";
import { BindFault } from "../../directory/refusal.ts";
import { type Path, pathsOf, type Snapshot } from "../../directory/snapshot.ts";
import type { DirectorySettings } from "../directory-settings.ts";
import type { DirectoryStore, Outcome, SyncRecord } from "./store.ts";

const LIMITS = {
  /** Log-ins that the directory is asked for at once; and those that wait. */
  logIns: 4,
  waiting: 20,
} as const;

export interface DirectoryParts {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: DirectoryStore;
}

/** What a sync would change, and what runs that it would end. */
export interface Preview extends Plan {
  readonly directory: string;
  readonly read: SyncRecord["read"];
  readonly people: number;
  /** By account: how much of what runs would end. */
  readonly ends: ReadonlyMap<string, number>;
  /** Why a sync would hold until somebody confirms it. */
  readonly held: string | undefined;
}

/** How somebody stands in the directory, and here. */
export interface Explained {
  readonly directory: string;
  readonly name: string;
  readonly person: Person | undefined;
  readonly paths: readonly Path[];
  readonly account: Account | undefined;
}

/** One directory: reads it, makes accounts follow it, and asks it for log-ins. One reading at a time. */
export class Directory {
  readonly settings: DirectorySettings;
  readonly #options: DirectoryOptions;
  readonly #o: DirectoryParts;
  readonly #guard: LockoutGuard;
  #snapshot: Snapshot | undefined;
  #fullAt: MonotonicMillis | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #running = false;
  #logIns = 0;
  /** Why it could not be asked the last time. */
  #trouble: string | undefined;
  #held: string | undefined;

  constructor(settings: DirectorySettings, options: DirectoryOptions, parts: DirectoryParts) {
    this.settings = settings;
    this.#options = options;
    this.#o = parts;
    this.#guard = new LockoutGuard(parts.clock);
  }

  get name(): string {
    return this.settings.name;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Why the last sync holds until somebody confirms it. */
  get held(): string | undefined {
    return this.#held;
  }

  get running(): boolean {
    return this.#running;
  }

  test(): AsyncGenerator<Finding> {
    return examineDirectory(this.#options, this.#o.clock);
  }

  /** Reads everything and changes nothing. Faults: `unavailable`, `denied`, `unauthenticated`, `invalid`. */
  preview(): Promise<Preview> {
    return this.#inTurn(async () => this.#previewOf(await this.#read(true), "full"));
  }

  /**
   * Makes accounts follow the directory. `confirm`: the id of the plan that a person has seen, which the brake lets pass then. What became
   * of it is remembered and audited; a sync that fails has changed nothing. Never throws.
   */
  sync(by: Manager | undefined, o: { readonly full?: boolean; readonly confirm?: string } = {}): Promise<SyncRecord> {
    return this.#inTurn(async () => {
      const { clock } = this.#o;
      const begun = clock.monotonic();
      const full = o.full === true || o.confirm !== undefined || this.#fullIsDue();
      const result: { -readonly [K in "people" | "came" | "went" | "changed"]: number } & {
        outcome: Outcome;
        why: string | undefined;
        read: SyncRecord["read"];
      } = { outcome: "failed", why: undefined, people: 0, came: 0, went: 0, changed: 0, read: "full" };
      try {
        const before = this.#snapshot;
        const snapshot = await this.#read(full);
        result.read = !full && before !== undefined && snapshot.groups === before.groups ? "changes" : "full";
        const plan = this.#previewOf(snapshot, result.read);
        result.people = snapshot.people.size;
        result.why = plan.id === o.confirm ? undefined : plan.held;
        this.#held = result.why;
        if (result.why !== undefined) result.outcome = "held";
        else {
          await this.#apply(plan.changes, by);
          result.outcome = plan.changes.length === 0 ? "nothing" : "done";
          result.came = plan.changes.filter(({ accountId }) => accountId === undefined).length;
          result.went = plan.changes.filter(({ out }) => out !== undefined).length;
          result.changed = plan.changes.length - result.came - result.went;
        }
      } catch (error) {
        result.why = wordsOf(error);
      }
      return this.#finished(by, { ...result, tookMs: Math.round(clock.monotonic() - begun) });
    });
  }

  /**
   * Looks at those who are in use, and puts out who is disabled or not there any more, whatever the time of the next sync is. The brake
   * holds this too. Fault as for {@link preview}.
   */
  look(isInUse: (account: Account) => boolean): Promise<void> {
    const inUse = this.#o.accounts
      .ofDirectory(this.name)
      .filter((one) => one.directory?.out === undefined && isInUse(one));
    if (inUse.length === 0) return Promise.resolve();
    return this.#inTurn(async () => {
      const ids = [...new Set(inUse.map(({ directory }) => directory?.id ?? ""))];
      const found = new Map((await this.#reading((reader) => reader.states(ids))).map((person) => [person.id, person]));
      const changes = inUse.flatMap((account): readonly AccountChange[] => {
        const person = found.get(account.directory?.id ?? "");
        const out = person === undefined ? "gone" : person.standing === "disabled" ? "disabled" : undefined;
        if (out === undefined || account.directory === undefined) return [];
        const { id, roles } = account.directory;
        const kept = out === "gone" ? [] : roles;
        const why = out === "gone" ? "is gone" : "is disabled";
        const loses = out === "gone" ? roles : [];
        return [
          { accountId: account.id, id, name: account.name, roles: kept, gains: [], loses, out, why, removal: true },
        ];
      });
      const active = this.#o.accounts
        .ofDirectory(this.name)
        .filter(({ directory }) => directory?.out === undefined).length;
      const plan = { id: "", changes, conflicts: [], active, removals: changes.length };
      this.#held = heldBy(plan, this.settings.brake) ?? this.#held;
      if (changes.length > 0 && heldBy(plan, this.settings.brake) === undefined) await this.#apply(changes, undefined);
    });
  }

  /** How somebody comes by their roles. Faults as for {@link preview}. */
  explain(name: string): Promise<Explained> {
    return this.#inTurn(async () => {
      const snapshot = await this.#read(true);
      const wanted = foldedName(name);
      const member = [...snapshot.people.values()].find((one) => foldedName(one.name) === wanted);
      const person = member ?? (await this.#find(name));
      const account = this.#o.accounts
        .ofDirectory(this.name)
        .find((one) => one.kind === "person" && one.directory?.id === person?.id);
      return {
        directory: this.name,
        name,
        person,
        paths: member === undefined ? [] : pathsOf(snapshot, member),
        account,
      };
    });
  }

  /** Whether the person may log in with the password now. Fault `busy`. */
  async logIn({ id }: DirectoryLink, password: Secret): Promise<DirectoryAnswer> {
    if (!this.#guard.admits(id, password.reveal())) {
      this.#o.log.warn(
        { directory: this.name, person: id },
        "a log-in was not passed on, so that the directory does not lock the account",
      );
      return "wrong";
    }
    if (this.#logIns >= LIMITS.logIns + LIMITS.waiting)
      throw new Fault("busy", "too many log-ins by the directory at once", { tell: "busy, try again" });
    this.#logIns += 1;
    try {
      return await this.#bind(id, password);
    } finally {
      this.#logIns -= 1;
    }
  }

  async #bind(id: string, password: Secret): Promise<DirectoryAnswer> {
    const { clock, log } = this.#o;
    let connection: Connection;
    let person: Person | undefined;
    try {
      // Where the person is now, and whether they are in: both may have changed since the last sync.
      [person] = await this.#reading((reader) => reader.states([id]));
      if (person === undefined || person.standing === "disabled") return "wrong";
      connection = await openConnection(this.#options, clock);
    } catch (error) {
      log.warn({ err: error, directory: this.name }, "the directory could not be asked for a log-in");
      return "unreachable";
    }
    try {
      await connection.bind(person.dn, password);
      this.#guard.succeeded(id);
      return "in";
    } catch (error) {
      log.info({ err: error, directory: this.name, person: person.name }, "the directory refused a log-in");
      if (!(error instanceof BindFault)) return "unreachable";
      if (error.refusal === "wrong") this.#guard.failed(id, password.reveal());
      return /^(?:password-expired|must-change-password)$/.test(error.refusal) ? "change-password" : "wrong";
    } finally {
      connection.close();
    }
  }

  #previewOf(snapshot: Snapshot, read: SyncRecord["read"]): Preview {
    const { accounts, leases } = this.#o;
    this.#assertRoles();
    const all = accounts.list();
    const known = all.flatMap((account): readonly Known[] => {
      const { directory } = account;
      if (directory?.directory !== this.name) return [];
      const { id, roles, out, expires } = directory;
      return [{ accountId: account.id, name: account.name, kind: account.kind, id, roles, out, expires }];
    });
    const taken = all.filter(({ kind, directory }) => directory?.directory !== this.name || kind === "integration");
    const plan = differenceOf(known, snapshot, {
      isUsable: isAccountName,
      folded: foldedName,
      taken: new Set(taken.map(({ name }) => foldedName(name))),
    });
    const ends = new Map<string, number>();
    for (const change of plan.changes) {
      if (change.accountId === undefined) continue;
      const count = leases.ending(change.accountId, accounts.grantsWith(change.accountId, this.#linkOf(change)));
      if (count > 0) ends.set(change.accountId, count);
    }
    return {
      ...plan,
      directory: this.name,
      read,
      people: snapshot.people.size,
      ends,
      held: heldBy(plan, this.settings.brake),
    };
  }

  async #apply(changes: readonly AccountChange[], by: Manager | undefined): Promise<void> {
    if (changes.length === 0) return;
    const { accounts, audit } = this.#o;
    await accounts.followDirectory(
      changes.map((change) => {
        const link = this.#linkOf(change);
        if (change.accountId === undefined) return { make: change.name, link };
        return { account: change.accountId, link, ...(change.was === undefined ? {} : { name: change.name }) };
      }),
    );
    for (const { name, was, gains, loses, out, why, accountId } of changes)
      audit.record({
        ...(by ?? { who: `directory ${this.name}`, interface: "bridge" }),
        action: accountId === undefined ? "make-account" : "change-account",
        subject: name,
        outcome: "allowed",
        why: `directory ${this.name}: ${why}`,
        before: JSON.stringify({ ...(was === undefined ? {} : { name: was }), loses }),
        after: JSON.stringify({ gains, ...(out === undefined ? {} : { out }) }),
      });
  }

  #linkOf({ id, roles, out, expires }: AccountChange): DirectoryLink {
    return {
      directory: this.name,
      id,
      roles,
      ...(out === undefined ? {} : { out }),
      ...(expires === undefined ? {} : { expires }),
    };
  }

  #assertRoles(): void {
    for (const { group, roles } of this.#options.roles)
      for (const role of roles)
        if (this.#o.accounts.policy.part("role", role) === undefined) {
          const tell = `there is no role ${role}, which the group ${group} gives: make it, or change directory.roles`;
          throw new Fault("invalid", tell, { tell });
        }
  }

  /** All there is, or what has changed where that is enough. */
  async #read(full: boolean): Promise<Snapshot> {
    const { clock } = this.#o;
    const before = this.#snapshot;
    return this.#reading(async (reader, connection) => {
      const changed = full || before === undefined ? undefined : await reader.changes(before);
      const snapshot = changed ?? (await reader.full());
      if (changed === undefined) {
        this.#fullAt = clock.monotonic();
        this.#guard.follow(await lockoutOf(connection, this.#options));
      }
      this.#snapshot = snapshot;
      return snapshot;
    });
  }

  #find(name: string): Promise<Person | undefined> {
    const filter = `(${this.#options.attributes.name}=${filterValue(name)})`;
    return this.#reading(async (reader) => {
      for await (const person of reader.people(filter)) return person;
      return undefined;
    });
  }

  async #reading<T>(work: (reader: Reader, connection: Connection) => Promise<T>): Promise<T> {
    try {
      const connection = await openReading(this.#options, this.#o.clock);
      try {
        const result = await work(readerFor(connection, this.#options), connection);
        this.#trouble = undefined;
        return result;
      } finally {
        connection.close();
      }
    } catch (error) {
      // What is wrong with a mapping does not keep anybody from logging in.
      if (!isFault(error, "invalid")) this.#trouble = wordsOf(error);
      throw error;
    }
  }

  #fullIsDue(): boolean {
    return this.#fullAt === undefined || this.#o.clock.monotonic() - this.#fullAt >= this.settings.fullHours * HOUR;
  }

  async #finished(by: Manager | undefined, result: Omit<SyncRecord, "directory" | "at" | "by">): Promise<SyncRecord> {
    const { clock, log, audit, store } = this.#o;
    const record: SyncRecord = {
      directory: this.name,
      at: clock.now(),
      by: by?.who ?? "bridge",
      ...result,
    };
    const { outcome, why } = record;
    if (this.settings.encryption === "none")
      log.warn({ directory: this.name }, "the directory is asked without encryption");
    if (outcome === "failed" || outcome === "held")
      log.warn({ directory: this.name, outcome, why }, "directory not followed");
    if (outcome !== "nothing" || by !== undefined || this.settings.encryption === "none")
      audit.record({
        ...(by ?? { who: `directory ${this.name}`, interface: "bridge" }),
        action: "sync-directory",
        subject: this.name,
        outcome: outcome === "failed" || outcome === "held" ? "failed" : "allowed",
        why: `${outcome}${why === undefined ? "" : `: ${why}`}${this.settings.encryption === "none" ? " (WITHOUT ENCRYPTION)" : ""}`,
      });
    await store.remember(record);
    return record;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const mine = (async () => {
      await before;
      this.#running = true;
      try {
        return await work();
      } finally {
        this.#running = false;
      }
    })();
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function wordsOf(error: unknown): string {
  const fault = asFault(error);
  // Of our own account's refusal the administrator is told why.
  return fault instanceof BindFault ? fault.message : (fault.tell ?? fault.message);
}
