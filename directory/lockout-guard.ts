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
  remembered: 25,
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
  readonly #most: number;
  readonly #key = randomBytes(32);
  readonly #failures = new Map<string, Failures>();
  /** Passwords that the directory is being asked for, by person: each may be wrong. */
  readonly #asking = new Map<string, number>();
  #policy: LockoutPolicy = { threshold: undefined, windowMs: 30 * MINUTE };

  /**
   * `most`: people with failures who are remembered; the oldest is forgotten first. No fewer than there can be, or whoever makes all others fail
   * has more guesses at one who is forgotten.
   */
  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  follow(policy: LockoutPolicy): void {
    this.#policy = policy;
  }

  /** A name for the pair that tells nothing of the password. */
  keyOf(person: string, password: string): string {
    return createHmac("sha256", this.#key).update(`${person}\0${password}`).digest("base64");
  }

  /** Whether the directory may be asked. If so it counts as being asked until {@link done}. */
  admits(person: string, password: string): boolean {
    const { threshold } = this.#policy;
    const { count = 0, wrong } = this.#recent(person) ?? {};
    if (wrong?.has(this.keyOf(person, password)) === true) return false;
    const most = threshold === undefined ? LIMITS.unknown : Math.max(1, threshold - LIMITS.leave);
    const asking = this.#asking.get(person) ?? 0;
    if (threshold !== 0 && count + asking >= most) return false;
    this.#asking.set(person, asking + 1);
    return true;
  }

  /** It has answered, or cannot be asked. */
  done(person: string): void {
    const left = (this.#asking.get(person) ?? 1) - 1;
    if (left > 0) this.#asking.set(person, left);
    else this.#asking.delete(person);
  }

  /** It was asked, and the password was wrong. */
  failed(person: string, password: string): void {
    const { count = 0, wrong = [] } = this.#recent(person) ?? {};
    const failures = {
      count: count + 1,
      lastAt: this.#clock.monotonic(),
      wrong: new Set([...wrong, this.keyOf(person, password)].slice(-LIMITS.remembered)),
    };
    this.#failures.delete(person);
    this.#failures.set(person, failures);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= this.#most) break;
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
}
