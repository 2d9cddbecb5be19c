import type { Account } from "../../auth/account.ts";
import { foldedName } from "../../auth/account-name.ts";
import type { Manager } from "../../auth/managed.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, isFault } from "../../base/fault.ts";
import type { Finding } from "../../base/finding.ts";
import type { Log } from "../../base/log.ts";
import { Turns } from "../../base/turns.ts";
import { HOUR, type MonotonicMillis } from "../../base/units.ts";
import type { DirectoryAccess } from "../../directory/access.ts";
import { heldBy, outOf } from "../../directory/difference.ts";
import { filterValue } from "../../directory/filter.ts";
import { type KerberosPrincipal, personOfPrincipal } from "../../directory/kerberos-principal.ts";
import { personNamed } from "../../directory/ntlm-person.ts";
import type { Attributes } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import type { Reader } from "../../directory/reader.ts";
import { BindFault } from "../../directory/refusal.ts";
import { type Path, pathsOf, type Snapshot } from "../../directory/snapshot.ts";
import type { DirectorySettings } from "../directory-settings.ts";
import { Following, type FollowingParts, type Preview } from "./following.ts";
import { DirectoryLogIns } from "./log-ins.ts";
import type { DirectoryStore, SyncRecord } from "./store.ts";

/** What directories work with. */
export interface DirectoryParts extends FollowingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: DirectoryStore;
}

/** How somebody stands in the directory, and here. */
export interface Explained {
  readonly directory: string;
  readonly name: string;
  readonly person: Person | undefined;
  readonly paths: readonly Path[];
  readonly account: Account | undefined;
}

/** What became of a sync. */
type Followed = Omit<SyncRecord, "directory" | "at" | "by" | "tookMs">;

const NOTHING = { read: "full", people: 0, came: 0, went: 0, changed: 0 } as const;

/** One directory: reads it, makes accounts follow it, and asks it for log-ins. One reading at a time. */
export class Directory {
  readonly settings: DirectorySettings;
  readonly logIns: DirectoryLogIns;
  readonly #access: DirectoryAccess;
  readonly #attributes: Attributes;
  readonly #following: Following;
  readonly #o: DirectoryParts;
  #snapshot: Snapshot | undefined;
  #fullAt: MonotonicMillis | undefined;
  readonly #turns = new Turns();
  #running = false;
  /** Why it could not be asked the last time. */
  #trouble: string | undefined;
  #held: string | undefined;

  constructor(settings: DirectorySettings, attributes: Attributes, access: DirectoryAccess, parts: DirectoryParts) {
    this.settings = settings;
    this.#access = access;
    this.#attributes = attributes;
    this.#following = new Following(settings, parts);
    this.#o = parts;
    this.logIns = new DirectoryLogIns(access, parts.clock, parts.log.child({ directory: settings.name }));
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
    return this.#access.examine();
  }

  /** Reads everything and changes nothing. Faults: `unavailable`, `denied`, `unauthenticated`, `invalid`. */
  preview(): Promise<Preview> {
    return this.#inTurn(async () => this.#following.plan(await this.#read(true)));
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
      const result = await this.#followed(by, full, o.confirm).catch(
        (error: unknown): Followed => ({ ...NOTHING, outcome: "failed", why: wordsOf(error) }),
      );
      return this.#finished(by, { ...result, tookMs: Math.round(clock.monotonic() - begun) });
    });
  }

  /**
   * Looks at those who are in use, and puts out who is disabled or not there any more, whatever the time of the next sync is. The brake
   * holds this too. Fault as for {@link preview}.
   */
  look(isInUse: (account: Account) => boolean): Promise<void> {
    const inUse = this.#following.known((one) => one.directory?.out === undefined && isInUse(one));
    if (inUse.length === 0) return Promise.resolve();
    return this.#inTurn(async () => {
      const ids = [...new Set(inUse.map(({ id }) => id))];
      const people = await this.#reading((reader) => reader.states(ids));
      const plan = outOf(inUse, people, this.#following.known((one) => one.directory?.out === undefined).length);
      const held = heldBy(plan, this.settings.brake);
      if (held === undefined) await this.#following.apply(plan.changes, undefined);
      else this.#held = held;
    });
  }

  /**
   * Who a principal is whom Kerberos vouches for: their id, where the directory has exactly one such person and lets them in now, which a
   * ticket of this morning does not say. Does not wait for a sync. Faults as for {@link preview}.
   */
  idOf(principal: KerberosPrincipal): Promise<string | undefined> {
    const asked = { schema: this.settings.schema, attributes: this.#attributes };
    return this.#idOfOneIn((reader) => personOfPrincipal(reader, principal, asked));
  }

  /** The same of a name by which somebody logs in to a Windows domain. */
  idNamed(name: string): Promise<string | undefined> {
    return this.#idOfOneIn((reader) => personNamed(reader, name));
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

  async #idOfOneIn(find: (reader: Reader) => Promise<Person | undefined>): Promise<string | undefined> {
    const person = await this.#access.read(find);
    if (person === undefined || person.standing === "disabled") return undefined;
    return this.#o.clock.now() < (person.expires ?? Number.POSITIVE_INFINITY) ? person.id : undefined;
  }

  async #followed(by: Manager | undefined, full: boolean, confirm: string | undefined): Promise<Followed> {
    const before = this.#snapshot;
    const snapshot = await this.#read(full);
    const read = !full && before !== undefined && snapshot.groups === before.groups ? "changes" : "full";
    const { id, changes, held } = this.#following.plan(snapshot);
    const people = snapshot.people.size;
    this.#held = id === confirm ? undefined : held;
    if (this.#held !== undefined) return { ...NOTHING, read, people, outcome: "held", why: this.#held };
    await this.#following.apply(changes, by);
    const came = changes.filter(({ accountId }) => accountId === undefined).length;
    const went = changes.filter(({ out }) => out !== undefined).length;
    const outcome = changes.length === 0 ? "nothing" : "done";
    return { read, people, came, went, changed: changes.length - came - went, outcome, why: undefined };
  }

  /** All there is, or what has changed where that is enough. */
  async #read(full: boolean): Promise<Snapshot> {
    const { clock } = this.#o;
    const before = this.#snapshot;
    return this.#reading(async (reader) => {
      const changed = full || before === undefined ? undefined : await reader.changes(before);
      const snapshot = changed ?? (await reader.full());
      if (changed === undefined) {
        this.#fullAt = clock.monotonic();
        this.logIns.follow(await this.#access.lockoutPolicy());
      }
      this.#snapshot = snapshot;
      return snapshot;
    });
  }

  #find(name: string): Promise<Person | undefined> {
    const filter = `(${this.#attributes.name}=${filterValue(name)})`;
    return this.#reading(async (reader) => {
      for await (const person of reader.people(filter)) return person;
      return undefined;
    });
  }

  async #reading<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    try {
      const result = await this.#access.read(work);
      this.#trouble = undefined;
      return result;
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

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#running = true;
      try {
        return await work();
      } finally {
        this.#running = false;
      }
    });
  }
}

function wordsOf(error: unknown): string {
  const fault = asFault(error);
  // Of our own account's refusal the administrator is told why.
  return fault instanceof BindFault ? fault.message : (fault.tell ?? fault.message);
}
