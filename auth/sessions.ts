import { createHash } from "node:crypto";
import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import { HOUR, MINUTE, type MonotonicMillis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import type { Principal } from "./principal.ts";
import { changedMeanwhile } from "./unauthenticated.ts";

const LIMITS = {
  /** Without a request, and with nothing that runs in it, for this long the session is over. */
  idleMs: 30 * MINUTE,
  /** However busy it is. */
  longestMs: 12 * HOUR,
  /** The oldest of the account goes when one more begins. */
  perAccount: 10,
  /** 45 characters of 5.8 bits: more than 256 bits. */
  idLength: 45,
  /** How often those that are over are looked for: what runs in them goes on for no longer. */
  sweepMs: 1 * MINUTE,
} as const;

interface Session {
  readonly accountId: string;
  readonly credential: string;
  readonly begun: MonotonicMillis;
  readonly end: AbortController;
  used: MonotonicMillis;
  /** How much runs in it. */
  running: number;
}

/**
 * Who is logged in at the pages. Sessions live in memory alone, under the hash of their id, so that neither a backup nor a
 * memory dump of the table opens one; a restart ends them all. They end with their account and with its password. Who watches a
 * live picture uses the session without a request: it does not end under the eyes of a guard before its twelve hours are over.
 */
export class WebSessions implements Closable {
  readonly #accounts: Pick<Accounts, "principalOf" | "credentialOf">;
  readonly #clock: Clock;
  /** In the order in which they began. */
  readonly #sessions = new Map<string, Session>();
  /** While there are any. */
  #sweeping: Timer | undefined;

  constructor(o: { readonly accounts: Pick<Accounts, "principalOf" | "credentialOf">; readonly clock: Clock }) {
    this.#accounts = o.accounts;
    this.#clock = o.clock;
  }

  /**
   * A new session after a log-in. Its id goes into the cookie and nowhere else. Fault `unauthenticated` where the account was changed since: the
   * session would be good for a credential that nobody has shown.
   */
  begin(who: Principal): Secret {
    if (who.revoked.aborted) throw changedMeanwhile(who.name);
    this.#sweep();
    const mine = [...this.#sessions].filter(([, session]) => session.accountId === who.accountId);
    for (const [key] of mine.slice(0, Math.max(0, mine.length - LIMITS.perAccount + 1))) this.#drop(key);
    const id = makeSecret(LIMITS.idLength);
    const now = this.#clock.monotonic();
    const credential = this.#accounts.credentialOf(who.accountId) ?? "";
    const end = new AbortController();
    const session = { accountId: who.accountId, credential, begun: now, used: now, running: 0, end };
    this.#sessions.set(keyOf(id.reveal()), session);
    this.#sweeping ??= this.#clock.every(LIMITS.sweepMs, () => this.#sweep());
    return id;
  }

  /** Who that is, with the rights of this moment; undefined for an unknown id and for a session that is over. */
  find(id: string): Principal | undefined {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (!this.#isAlive(session)) {
      this.#drop(key);
      return undefined;
    }
    session.used = this.#clock.monotonic();
    return this.#accounts.principalOf(session.accountId);
  }

  /**
   * For what begins to run in the session, which counts as use until it is closed; that may be done more than once. `ended` is
   * aborted within a minute of the end of the session, at once where it ends by log-out. Undefined for an unknown id.
   */
  run(id: string): { readonly ended: AbortSignal; readonly close: () => void } | undefined {
    const session = this.#sessions.get(keyOf(id));
    if (session === undefined) return undefined;
    session.running += 1;
    let open = true;
    return {
      ended: session.end.signal,
      close: () => {
        if (!open) return;
        open = false;
        session.running -= 1;
        session.used = this.#clock.monotonic();
      },
    };
  }

  /** Log-out. */
  end(id: string): void {
    this.#drop(keyOf(id));
  }

  /** Ends them all. */
  close(): void {
    for (const key of this.#sessions.keys()) this.#drop(key);
  }

  #sweep(): void {
    for (const [key, session] of this.#sessions) if (!this.#isAlive(session)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#sessions.get(key)?.end.abort(new Fault("unauthenticated", "the web session is over"));
    this.#sessions.delete(key);
    if (this.#sessions.size > 0) return;
    this.#sweeping?.cancel();
    this.#sweeping = undefined;
  }

  #isAlive({ accountId, credential, begun, used, running }: Session): boolean {
    const now = this.#clock.monotonic();
    return (
      (running > 0 || now - used < LIMITS.idleMs) &&
      now - begun < LIMITS.longestMs &&
      this.#accounts.credentialOf(accountId) === credential
    );
  }
}

function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
