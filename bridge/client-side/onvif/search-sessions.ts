import { randomBytes } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { HOUR, type Millis, type MonotonicMillis, SECOND } from "../../../base/units.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { EventSearch } from "./event-search.ts";
import type { Recording } from "./recorded.ts";

const LIMITS = {
  /** Searches of one account at one device at one time; a client needs one a window. */
  ofOwner: 10,
  /** Of all of them together: a search holds its results, or where it is. */
  all: 1000,
  /** Recording Search 5.5: at least 10 s shall be supported. Longer than an hour is nobody waiting. */
  keepAliveMs: { least: 10 * SECOND, most: HOUR },
  /** Results of one answer where the client sets no smaller bound: about half a megabyte. */
  results: 200,
} as const;

/** What is searched for. */
export interface Searches {
  /** All that was found when the search began, without what was fetched. */
  readonly recordings: Recording[];
  readonly events: EventSearch;
}

interface Session {
  readonly owner: string;
  readonly kind: keyof Searches;
  readonly search: Searches[keyof Searches];
  readonly keepAliveMs: Millis;
  expires: MonotonicMillis;
}

/** How many results an answer has at most, by the client's wish. */
export function resultsFor(most: number | undefined): number {
  return Math.min(Math.max(most ?? LIMITS.results, 0), LIMITS.results);
}

/**
 * Searches whose results are being fetched. A token belongs to the account that searched, at the device where it did: to any other
 * it does not exist.
 * A search ends with its last result, by EndSearch, or when nobody has asked for its keep-alive time; it holds no timer.
 */
export class SearchSessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the new search's token. Fault `busy` at too many searches. */
  open<K extends keyof Searches>(owner: string, kind: K, search: Searches[K], keepAliveMs: Millis): string {
    this.#expire();
    const own = [...this.#sessions.values()].filter((session) => session.owner === owner).length;
    if (own >= LIMITS.ofOwner || this.#sessions.size >= LIMITS.all)
      throw new SoapFault("busy", "Receiver", ["Action", "ResourceProblem"], "Too many searches; end some first");
    const { least, most } = LIMITS.keepAliveMs;
    const bounded = Math.min(Math.max(keepAliveMs, least), most);
    const token = randomBytes(16).toString("hex");
    this.#sessions.set(token, { owner, kind, search, keepAliveMs: bounded, expires: this.#in(bounded) });
    return token;
  }

  /** The search, which is kept alive by being asked for. */
  find<K extends keyof Searches>(owner: string, kind: K, token: string): Searches[K] {
    const session = this.#find(owner, token);
    if (session.kind !== kind) throw unknownToken();
    session.expires = this.#in(session.keepAliveMs);
    return session.search as Searches[K];
  }

  end(owner: string, token: string): void {
    this.#find(owner, token);
    this.#sessions.delete(token);
  }

  #find(owner: string, token: string): Session {
    this.#expire();
    const session = this.#sessions.get(token);
    if (session === undefined || session.owner !== owner) throw unknownToken();
    return session;
  }

  #in(ms: Millis): MonotonicMillis {
    return (this.#clock.monotonic() + ms) as MonotonicMillis;
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    for (const [token, { expires }] of this.#sessions) if (expires <= now) this.#sessions.delete(token);
  }
}

function unknownToken(): SoapFault {
  return new SoapFault("not-found", "Sender", ["InvalidArgVal", "InvalidToken"], "The search token is not known");
}
