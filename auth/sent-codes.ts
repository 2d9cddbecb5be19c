import { createHmac, randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { asFault, Fault } from "../base/fault.ts";
import { equalInConstantTime, Secret } from "../base/secret.ts";
import { HOUR, MINUTE, type MonotonicMillis, SECOND } from "../base/units.ts";

const LIMITS = {
  digits: 6,
  validMs: 5 * MINUTE,
  /** Wrong ones, after which the right one is worth nothing either. */
  tries: 5,
  /** Another one is not sent sooner. */
  againMs: 60 * SECOND,
  /** Each costs somebody a message, and perhaps money. */
  perAccount: { count: 3, withinMs: 15 * MINUTE },
  perDestination: { count: 10, withinMs: 1 * HOUR },
  /** Codes that wait, and counters; the oldest goes. */
  entries: 10_000,
} as const;

/** By what codes are sent. */
export type SentBy = "mail";

/** Sends one code. Fault `unavailable`. What it throws never has the code in it. */
export interface CodeSender {
  send(to: string, code: Secret): Promise<void>;
}

export type CodeSenders = Readonly<Partial<Record<SentBy, CodeSender>>>;

interface Waiting {
  readonly mark: Buffer;
  readonly sentAt: MonotonicMillis;
  triesLeft: number;
}

/** One-time codes that are sent to people: each is good once, for a few minutes, for the account, the address that asked for it, and where it was sent. */
export class SentCodes {
  readonly #clock: Clock;
  readonly #senders: CodeSenders;
  readonly #key = randomBytes(32);
  /** By account, address and destination. */
  readonly #waiting = new Map<string, Waiting>();
  /** When some were sent, by account and by destination. */
  readonly #sent = new Map<string, readonly MonotonicMillis[]>();

  constructor(clock: Clock, senders: CodeSenders) {
    this.#clock = clock;
    this.#senders = senders;
  }

  /** Whether codes can be sent so. */
  can(by: SentBy): boolean {
    return this.#senders[by] !== undefined;
  }

  /**
   * Sends a code, unless one was sent a moment ago, which stays good. `to` in its plain form. Faults: `busy` (too many, of the account or
   * to the destination), `unavailable` (it could not be sent, or nothing is set up to send it).
   */
  async send(accountId: string, address: string, by: SentBy, to: string): Promise<void> {
    const sender = this.#senders[by];
    if (sender === undefined)
      throw new Fault("unavailable", `no ${by} is set up`, {
        tell: "codes are not sent any more: use a recovery code, or ask whoever manages accounts to take the second factor away",
      });
    const now = this.#clock.monotonic();
    const key = keyOf(accountId, address, to);
    const before = this.#waiting.get(key);
    if (before !== undefined && now - before.sentAt < LIMITS.againMs) return;
    this.#count(`account ${accountId}`, LIMITS.perAccount, now);
    this.#count(`${by} ${to.toLowerCase()}`, LIMITS.perDestination, now);
    const code = String(randomInt(10 ** LIMITS.digits)).padStart(LIMITS.digits, "0");
    this.#waiting.delete(key);
    this.#waiting.set(key, { mark: this.#mark(key, code), sentAt: now, triesLeft: LIMITS.tries });
    forgetBeyond(this.#waiting);
    try {
      await sender.send(to, new Secret(code));
    } catch (cause) {
      this.#waiting.delete(key);
      throw new Fault("unavailable", `a code could not be sent: ${asFault(cause).message}`, {
        cause,
        tell: "the code could not be sent: try again in a minute, or use a recovery code",
      });
    }
  }

  /** Whether it is the code that was sent to `to` last; used up then. */
  take(accountId: string, address: string, to: string, code: string): boolean {
    const key = keyOf(accountId, address, to);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || this.#clock.monotonic() - waiting.sentAt >= LIMITS.validMs) return false;
    const right = equalInConstantTime(waiting.mark, this.#mark(key, code));
    waiting.triesLeft -= 1;
    if (right || waiting.triesLeft <= 0) this.#waiting.delete(key);
    return right;
  }

  #count(
    key: string,
    { count, withinMs }: { readonly count: number; readonly withinMs: number },
    now: MonotonicMillis,
  ): void {
    const lately = (this.#sent.get(key) ?? []).filter((at) => now - at < withinMs);
    if (lately.length >= count)
      throw new Fault("busy", `too many codes: ${key}`, {
        tell: `no more codes are sent for now: try again in ${withinMs / MINUTE} minutes, or use a recovery code`,
      });
    this.#sent.delete(key);
    this.#sent.set(key, [...lately, now]);
    forgetBeyond(this.#sent);
  }

  #mark(key: string, code: string): Buffer {
    return createHmac("sha256", this.#key).update(`${key} ${code}`).digest();
  }
}

function keyOf(accountId: string, address: string, to: string): string {
  return `${accountId} ${address} ${to.toLowerCase()}`;
}

/** Enough to know one's own by: `a…@example.org`. */
export function masked(to: string): string {
  const at = to.lastIndexOf("@");
  return `${to.slice(0, 1)}…${to.slice(at)}`;
}

function forgetBeyond(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= LIMITS.entries) return;
    map.delete(key);
  }
}
