import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { MINUTE, type MonotonicMillis } from "../base/units.ts";
import type { LockoutPolicy } from "./lockout-policy.ts";

const LIMITS = {
  /** Of the wrong passwords that lock an account, so many are left to the person at other places. */
  leave: 2,
  /** Wrong passwords that are passed on where the directory does not say how many lock. */
  unknown: 3,
  /** Wrong passwords of an account that are remembered, where none lock it. */
  remembered: 50,
  /** Accounts with failures that are remembered; the oldest is forgotten first. */
  accounts: 10_000,
} as const;

interface Failures {
  /** Wrong passwords that were passed on. */
  count: number;
  lastAt: MonotonicMillis;
  /** The same, as keyed hashes: one that was wrong is not passed on again. */
  wrong: Set<string>;
}

/**
 * Keeps strangers from locking people out of their domain: only so many wrong passwords are passed on that the directory does not lock the
 * account, whoever sends them from wherever. What is not passed on is answered as wrong.
 */
export class LockoutGuard {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #failures = new Map<string, Failures>();
  #policy: LockoutPolicy = { threshold: undefined, windowMs: 30 * MINUTE };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  follow(policy: LockoutPolicy): void {
    this.#policy = policy;
  }

  /** Whether the directory may be asked. */
  admits(person: string, password: string): boolean {
    const { threshold } = this.#policy;
    const failures = this.#recent(person);
    if (failures === undefined) return true;
    if (failures.wrong.has(this.#hash(person, password))) return false;
    if (threshold === 0) return true;
    return failures.count < (threshold === undefined ? LIMITS.unknown : Math.max(1, threshold - LIMITS.leave));
  }

  /** It was asked, and the password was wrong. */
  failed(person: string, password: string): void {
    const { count = 0, wrong = [] } = this.#recent(person) ?? {};
    const failures = {
      count: count + 1,
      lastAt: this.#clock.monotonic(),
      wrong: new Set([...wrong, this.#hash(person, password)].slice(-LIMITS.remembered)),
    };
    this.#failures.delete(person);
    this.#failures.set(person, failures);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= LIMITS.accounts) break;
      this.#failures.delete(oldest);
    }
  }

  /** It was right, which makes the directory count anew. */
  succeeded(person: string): void {
    this.#failures.delete(person);
  }

  /** The directory counts on until there has been no failure for the whole window (MS-SAMR 3.1.1.7.2), and so do we. */
  #recent(person: string): Failures | undefined {
    const failures = this.#failures.get(person);
    if (failures === undefined || this.#clock.monotonic() - failures.lastAt < this.#policy.windowMs) return failures;
    this.#failures.delete(person);
    return undefined;
  }

  #hash(person: string, password: string): string {
    return createHmac("sha256", this.#key).update(`${person}\0${password}`).digest("base64");
  }
}
