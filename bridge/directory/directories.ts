import type { Account } from "../../auth/account.ts";
import type { DirectoryAnswer, DirectoryLink, DirectoryLogIn } from "../../auth/directory-link.ts";
import type { Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Secret } from "../../base/secret.ts";
import { MINUTE, type MonotonicMillis, SECOND } from "../../base/units.ts";
import { ldapAccess } from "../../directory/access.ts";
import { type DirectorySettings, directoryOptions } from "../directory-settings.ts";
import { Directory, type DirectoryParts } from "./directory.ts";

/** How often those in use are looked at: a disabled account is out within a minute. */
const LOOK_MS = 30 * SECOND;

/** Who has come within this time is in use. */
const IN_USE_MS = 5 * MINUTE;

/** All directories of the configuration, with their schedule. */
export class Directories implements DirectoryLogIn, Closable {
  readonly #all: ReadonlyMap<string, Directory>;
  readonly #o: DirectoryParts;
  readonly #timers: Timer[] = [];
  #work: Promise<unknown> = Promise.resolve();

  private constructor(all: ReadonlyMap<string, Directory>, parts: DirectoryParts) {
    this.#all = all;
    this.#o = parts;
  }

  /** `scheduled`: syncs begin by themselves, the first at once. Fault `invalid` (the file of an authority). */
  static async open(
    settings: readonly DirectorySettings[],
    parts: DirectoryParts,
    { scheduled, access = ldapAccess }: { readonly scheduled: boolean; readonly access?: typeof ldapAccess },
  ): Promise<Directories> {
    const all = new Map<string, Directory>();
    for (const one of settings) {
      const options = await directoryOptions(one, () => parts.store.password(one.name));
      all.set(one.name, new Directory(one, options.attributes, access(options, parts.clock), parts));
    }
    const directories = new Directories(all, parts);
    if (all.size > 0) parts.accounts.useDirectories(directories);
    if (scheduled) directories.#schedule();
    return directories;
  }

  list(): readonly Directory[] {
    return [...this.#all.values()];
  }

  /** Fault `not-found`. */
  get(name: string): Directory {
    const found = this.#all.get(name);
    if (found !== undefined) return found;
    const names = [...this.#all.keys()];
    const tell =
      names.length === 0 ? "no directory is set up" : `there is no directory ${name}; there are ${names.join(", ")}`;
    throw new Fault("not-found", tell, { tell });
  }

  get down(): boolean {
    return this.list().some(({ trouble }) => trouble !== undefined);
  }

  /** A directory that is set up no more lets nobody in. */
  async logIn(link: DirectoryLink, password: Secret): Promise<DirectoryAnswer> {
    return (await this.#all.get(link.directory)?.logIns.logIn(link.id, password)) ?? "wrong";
  }

  /** Waits for what is being read. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#work;
  }

  #schedule(): void {
    const { clock } = this.#o;
    for (const directory of this.list()) {
      const sync = (): void => this.#run(directory, () => directory.sync(undefined));
      sync();
      this.#timers.push(clock.every(directory.settings.intervalMinutes * MINUTE, sync));
      this.#timers.push(clock.every(LOOK_MS, () => this.#run(directory, () => directory.look(this.#inUse()))));
    }
  }

  /** What is late is left out, not made up for. */
  #run(directory: Directory, work: () => Promise<unknown>): void {
    if (directory.running) return;
    const done = work().catch((error: unknown) => {
      this.#o.log.warn({ err: asFault(error), directory: directory.name }, "cannot look at the directory");
    });
    this.#work = Promise.all([this.#work, done]);
  }

  #inUse(): (account: Account) => boolean {
    const { accounts, leases, clock } = this.#o;
    const since = (clock.monotonic() - IN_USE_MS) as MonotonicMillis;
    const holders = leases.holders();
    return ({ id, kind }) => kind === "integration" || accounts.usedSince(id, since) || holders.has(id);
  }
}
