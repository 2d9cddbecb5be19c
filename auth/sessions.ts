import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import { HOUR, MINUTE, type MonotonicMillis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import type { Principal } from "./principal.ts";

const LIMITS = {
  /** Without a request for this long the session is over. */
  idleMs: 30 * MINUTE,
  /** However busy it is. */
  longestMs: 12 * HOUR,
  /** The oldest of the account goes when one more begins. */
  perAccount: 10,
  /** 45 characters of 5.8 bits: more than 256 bits. */
  idLength: 45,
} as const;

interface Session {
  readonly accountId: string;
  readonly credential: string;
  readonly begun: MonotonicMillis;
  readonly end: AbortController;
  used: MonotonicMillis;
}

/**
 * Who is logged in at the pages. Sessions live in memory alone, under the hash of their id, so that neither a backup nor a
 * memory dump of the table opens one; a restart ends them all. They end with their account and with its password.
 */
export class WebSessions {
  readonly #accounts: Pick<Accounts, "principalOf" | "credentialOf">;
  readonly #clock: Clock;
  /** In the order in which they began. */
  readonly #sessions = new Map<string, Session>();

  constructor(o: { readonly accounts: Pick<Accounts, "principalOf" | "credentialOf">; readonly clock: Clock }) {
    this.#accounts = o.accounts;
    this.#clock = o.clock;
  }

  /** A new session after a log-in. Its id goes into the cookie and nowhere else. */
  begin(who: Principal): Secret {
    for (const [key, session] of this.#sessions) if (!this.#isAlive(session)) this.#drop(key);
    const mine = [...this.#sessions].filter(([, session]) => session.accountId === who.accountId);
    for (const [key] of mine.slice(0, Math.max(0, mine.length - LIMITS.perAccount + 1))) this.#drop(key);
    const id = makeSecret(LIMITS.idLength);
    const now = this.#clock.monotonic();
    const credential = this.#accounts.credentialOf(who.accountId) ?? "";
    const end = new AbortController();
    this.#sessions.set(keyOf(id.reveal()), { accountId: who.accountId, credential, begun: now, used: now, end });
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

  /** Aborted when the session is known to be over: whatever runs in it must end. Undefined for an unknown id. */
  endOf(id: string): AbortSignal | undefined {
    return this.#sessions.get(keyOf(id))?.end.signal;
  }

  /** Log-out. */
  end(id: string): void {
    this.#drop(keyOf(id));
  }

  #drop(key: string): void {
    this.#sessions.get(key)?.end.abort(new Fault("unauthenticated", "the web session is over"));
    this.#sessions.delete(key);
  }

  #isAlive({ accountId, credential, begun, used }: Session): boolean {
    const now = this.#clock.monotonic();
    return (
      now - used < LIMITS.idleMs &&
      now - begun < LIMITS.longestMs &&
      this.#accounts.credentialOf(accountId) === credential
    );
  }
}

function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
