import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { type AccessRequest, decide } from "./access.ts";
import type { Accounts } from "./accounts.ts";
import type { Audit } from "./audit.ts";
import { decideAt } from "./decision.ts";
import type { EffectiveGrant, Principal } from "./principal.ts";

/** How often the wall clock is looked at while anything is limited in time: it may be set, or the machine may have slept. */
const LOOK_MS = 1 * SECOND;

/** What runs under rights that may end while it runs. */
export interface Lease {
  /** Aborted, with a Fault `denied`, when one of its rights ends. */
  readonly ended: AbortSignal;
  /** Older footage may be neither found nor played now. Infinite where all of it may. */
  readonly maxAgeMs: Millis;
  /** The newest footage that was shown was captured then: it ends when that is too old. */
  readonly showed: (at: UnixMillis) => void;
  /** What ran is over. Must be called, and may be called more than once. */
  readonly close: () => void;
}

interface Running {
  readonly requests: readonly AccessRequest[];
  readonly end: AbortController;
  readonly credential: string | undefined;
  /** It was begun without an age limit, so that nothing holds it to one. */
  unlimited: boolean;
  who: Principal;
  until: number;
  maxAgeMs: Millis;
  shownAt: UnixMillis | undefined;
}

/**
 * All that runs under rights: streams, talks, feeds, moves. Each is decided anew when its account changes, and when the decision
 * may change by time; it ends when a right that it was begun with is gone, and goes on otherwise. One timer serves all.
 */
export class Leases implements Closable {
  readonly #accounts: Pick<Accounts, "principalOf" | "credentialOf">;
  readonly #audit: Audit;
  readonly #clock: Clock;
  /** By principal, so that a change of an account finds what it touches. */
  readonly #running = new Map<Principal, { readonly all: Set<Running>; readonly changed: () => void }>();
  #timer: Timer | undefined;
  /** When the timer is due, by the wall clock. */
  #due = Number.POSITIVE_INFINITY;
  #lastLook: UnixMillis;

  constructor(o: {
    readonly accounts: Pick<Accounts, "principalOf" | "credentialOf">;
    readonly audit: Audit;
    readonly clock: Clock;
  }) {
    this.#accounts = o.accounts;
    this.#audit = o.audit;
    this.#clock = o.clock;
    this.#lastLook = o.clock.now();
  }

  /** How many run now. */
  get size(): number {
    let count = 0;
    for (const { all } of this.#running.values()) count += all.size;
    return count;
  }

  /** How much of what runs under the account would end if its grants were these; all where there are none. */
  ending(accountId: string, grants: readonly EffectiveGrant[] | undefined): number {
    const at = this.#clock.now();
    let count = 0;
    for (const [who, { all }] of this.#running)
      if (who.accountId === accountId)
        for (const { requests } of all)
          if (grants === undefined || !requests.every((request) => decideAt(grants, { ...request, at }).allowed))
            count += 1;
    return count;
  }

  /** Ids of accounts under which anything runs. */
  holders(): ReadonlySet<string> {
    return new Set([...this.#running.keys()].map(({ accountId }) => accountId));
  }

  /** For what was just allowed by `requests`, all of which it needs as long as it runs. The first names it in the audit log. */
  open(who: Principal, requests: readonly AccessRequest[]): Lease {
    const running: Running = {
      requests,
      who,
      end: new AbortController(),
      credential: this.#credentialOf(who),
      unlimited: false,
      until: Number.POSITIVE_INFINITY,
      maxAgeMs: Number.POSITIVE_INFINITY,
      shownAt: undefined,
    };
    this.#join(who, running);
    this.#reconsider(running);
    running.unlimited = running.maxAgeMs === Number.POSITIVE_INFINITY;
    return {
      ended: running.end.signal,
      get maxAgeMs() {
        return running.maxAgeMs;
      },
      showed: (at) => {
        running.shownAt = at;
        this.#wake(changeOf(running));
      },
      close: () => this.#leave(running),
    };
  }

  /** Ends nothing by itself: whatever runs is closed by whoever runs it. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const [who, { changed }] of this.#running) who.revoked.removeEventListener("abort", changed);
    this.#running.clear();
  }

  /** Undefined, as of an account that is out, where nobody knows any more whether it is that by which somebody came. */
  #credentialOf(who: Principal): string | undefined {
    return who.revoked.aborted && who.renew === undefined ? undefined : this.#accounts.credentialOf(who.accountId);
  }

  #join(who: Principal, running: Running): void {
    const known = this.#running.get(who);
    if (known !== undefined) {
      known.all.add(running);
      return;
    }
    const all = new Set([running]);
    const changed = (): void => {
      for (const one of all) this.#reconsider(one);
    };
    this.#running.set(who, { all, changed });
    // What was revoked before it came here is found out by the first decision.
    who.revoked.addEventListener("abort", changed, { once: true });
  }

  #leave(running: Running): void {
    const of = this.#running.get(running.who);
    of?.all.delete(running);
    if (of?.all.size === 0) {
      this.#running.delete(running.who);
      running.who.revoked.removeEventListener("abort", of.changed);
    }
    if (this.#running.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** Ends it, or finds out until when it may go on. */
  #reconsider(running: Running): void {
    const who = running.who.revoked.aborted ? this.#renewed(running.who) : running.who;
    if (who === undefined || this.#accounts.credentialOf(who.accountId) !== running.credential) {
      this.#end(running, "the account was changed or ended");
      return;
    }
    if (who !== running.who) {
      this.#leave(running);
      running.who = who;
      this.#join(who, running);
    }
    running.until = Number.POSITIVE_INFINITY;
    running.maxAgeMs = Number.POSITIVE_INFINITY;
    for (const request of running.requests) {
      const { allowed, why, validUntil, maxAgeMs } = decide(who, request);
      if (!allowed) {
        this.#end(running, why);
        return;
      }
      running.until = Math.min(running.until, validUntil);
      running.maxAgeMs = Math.min(running.maxAgeMs, maxAgeMs);
    }
    if (running.unlimited && running.maxAgeMs !== Number.POSITIVE_INFINITY) this.#end(running, "an age limit was set");
    else if (isTooOld(running, this.#clock.now())) this.#end(running, "the footage became too old");
    else this.#wake(changeOf(running));
  }

  #renewed(who: Principal): Principal | undefined {
    return who.renew === undefined ? this.#accounts.principalOf(who.accountId) : who.renew();
  }

  #end(running: Running, why: string): void {
    const { who, requests, end } = running;
    this.#leave(running);
    const [first] = requests;
    if (first !== undefined)
      this.#audit.record({
        who: who.name,
        action: `end-${first.right}`,
        interface: first.interface,
        outcome: "denied",
        why,
        ...(first.camera === undefined ? {} : { camera: first.camera }),
        ...(first.address === undefined ? {} : { address: first.address }),
      });
    end.abort(new Fault("denied", `${who.name}: ${why}`, { tell: "the right to this has ended" }));
  }

  /** Looks at all of them at that instant, or in a second if that is sooner: the clock may be set meanwhile. */
  #wake(at: number): void {
    if (at >= this.#due || at === Number.POSITIVE_INFINITY) return;
    this.#due = at;
    this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    const delay = Math.max(0, Math.min(LOOK_MS, this.#due - this.#clock.now()));
    this.#timer = this.#clock.after(Math.ceil(delay), () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const wentBack = now < this.#lastLook;
    this.#lastLook = now;
    if (now < this.#due && !wentBack) {
      this.#arm();
      return;
    }
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    const all = [...this.#running.values()].flatMap((of) => [...of.all]);
    for (const running of all)
      if (wentBack || running.until <= now || isTooOld(running, now)) this.#reconsider(running);
      else this.#wake(changeOf(running));
  }
}

/** When it has to be decided anew. Footage of just the age that is allowed may still be shown. */
function changeOf({ until, shownAt = unixMillis(Number.POSITIVE_INFINITY), maxAgeMs }: Running): number {
  return Math.min(until, shownAt + maxAgeMs + 1);
}

function isTooOld({ shownAt, maxAgeMs }: Running, now: UnixMillis): boolean {
  return shownAt !== undefined && now - shownAt > maxAgeMs;
}
