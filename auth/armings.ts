import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { type Millis, unixMillis } from "../base/units.ts";
import type { Account } from "./account.ts";
import type { AccountStore } from "./account-store.ts";
import { ARMED_FOR, type Arming, type ArmingWindow, isArmed, leftOf } from "./arming.ts";
import type { KnownAccount, KnownAccounts } from "./known-accounts.ts";

/**
 * The times at which external systems are armed: begins them and ends them. A window ends by the wall clock, which decides at each log-in and for all
 * that runs, and by the time that has passed since it was found here, which no setting of the clock prolongs. Its Faults stand at `Accounts`.
 */
export class Armings {
  readonly #o: ArmingsOptions;
  readonly #timers = new Map<string, Timer>();

  /** Of accounts that are known already. */
  constructor(o: ArmingsOptions) {
    this.#o = o;
    for (const { account } of o.known.all()) this.#watch(account);
  }

  /** Whether the system is let in only while it is armed. Where that is new, it is not armed. */
  demand(id: string, demanded: boolean): Promise<void> {
    return this.#o.store.inTurn(async () => {
      const known = this.#systemOf(id);
      if (demanded === (known.account.arming !== undefined)) return;
      await this.#set(known, demanded ? {} : undefined);
    });
  }

  arm(id: string, forMs: Millis): Promise<ArmingWindow> {
    return this.#o.store.inTurn(async () => {
      const known = this.#systemOf(id);
      const { account } = known;
      if (!(forMs >= ARMED_FOR.shortestMs && forMs <= ARMED_FOR.longestMs))
        throw new Fault("invalid", `${account.name} for ${forMs} ms`, {
          tell: "a system is armed for a minute at least, and for 24 hours at most",
        });
      if (account.arming === undefined)
        throw new Fault("wrong-state", `${account.name} needs not be armed`, {
          tell: "this system is let in at any time: set first that it is let in only while it is armed",
        });
      const from = this.#o.clock.now();
      const window = { from, until: unixMillis(from + forMs) };
      await this.#set(known, { window });
      return window;
    });
  }

  disarm(id: string): Promise<void> {
    const { known, clock, store } = this.#o;
    const { account } = known.get(id);
    if (account.arming?.window === undefined || !isArmed(account.arming, clock.now()))
      throw new Fault("not-found", `${account.name} is not armed`, {
        tell: "it is not armed: somebody has ended it, or its time is over",
      });
    // Before it is written: what somebody wants to end must not go on because of a full disk.
    this.#endNow(account);
    return store.inTurn(() => this.#writeEnd(id));
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #systemOf(id: string): KnownAccount {
    const known = this.#o.known.get(id);
    if (known.account.kind === "integration") return known;
    const tell = `${known.account.name} is a person: only external systems are armed`;
    throw new Fault("invalid", tell, { tell });
  }

  async #set(
    { account: { arming: _before, ...rest }, credential }: KnownAccount,
    arming: Arming | undefined,
  ): Promise<void> {
    const account: Account = arming === undefined ? rest : { ...rest, arming };
    await this.#o.store.update(account, credential);
    this.#watch(account);
  }

  #watch({ id, arming }: Account): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const window = arming?.window;
    if (window === undefined) return;
    const { clock } = this.#o;
    this.#timers.set(
      id,
      clock.after(leftOf(window, clock.now()), () => this.#timeIsOver(id)),
    );
  }

  #timeIsOver(id: string): void {
    const { known, store, log, ended } = this.#o;
    const account = known.find(id)?.account;
    if (account?.arming?.window === undefined) return;
    this.#endNow(account);
    ended(account);
    // At the next start the wall clock says the same, where it has not been set.
    store
      .inTurn(async () => {
        // Unless it was armed anew meanwhile.
        if (!this.#timers.has(id)) await this.#writeEnd(id);
      })
      .catch((err: unknown) =>
        log.error({ err, account: account.name }, "could not write down that a system is armed no more"),
      );
  }

  /** Whatever runs is decided anew at once, and ends. */
  #endNow(account: Account): void {
    this.#timers.get(account.id)?.cancel();
    this.#timers.delete(account.id);
    const { known } = this.#o;
    known.put({ ...account, arming: {} }, known.get(account.id).credential);
  }

  /** Unless it was removed or needs no arming meanwhile. */
  async #writeEnd(id: string): Promise<void> {
    const now = this.#o.known.find(id);
    if (now?.account.arming === undefined) return;
    // Another change that was under way has brought it back.
    if (now.account.arming.window !== undefined) this.#endNow(now.account);
    await this.#set(now, {});
  }
}

interface ArmingsOptions {
  readonly known: KnownAccounts;
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly log: Log;
  /** The time of a window was over. Not where somebody has ended it. */
  readonly ended: (account: Account) => void;
}
