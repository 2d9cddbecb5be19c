import { createHmac, randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { asFault, Fault } from "../base/fault.ts";
import { equalInConstantTime, Secret } from "../base/secret.ts";
import { HOUR, MINUTE, type Millis, type MonotonicMillis, SECOND } from "../base/units.ts";
import type { SentBy } from "./destination.ts";

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

/** So many codes are sent within a time, and no more. */
export interface CodeLimit {
  readonly count: number;
  readonly withinMs: Millis;
}

/** Sends one code. */
export interface CodeSender {
  /** Fault `unavailable`. What it throws never has the code in it. */
  send(to: string, code: Secret): Promise<void>;
  /** Where each costs money: to one account, and to all together, besides the limits for every sender. */
  readonly limits?: { readonly account: readonly CodeLimit[]; readonly all: readonly CodeLimit[] };
  /** Why nothing is sent there, for who wants it to be; undefined where it is. Absent: it is sent everywhere. */
  refusal?(to: string): string | undefined;
}

export type CodeSenders = Readonly<Partial<Record<SentBy, CodeSender>>>;

/** A limit of {@link CodeSender.limits} is reached: until some time has gone by, nothing more is sent. For whoever pays. */
export interface LimitReached extends CodeLimit {
  readonly by: SentBy;
  /** Of one account; undefined where it is that of all. */
  readonly accountId: string | undefined;
}

interface Counted extends CodeLimit {
  readonly key: string;
  readonly reached?: LimitReached;
}

interface Waiting {
  readonly mark: Buffer;
  readonly sentAt: MonotonicMillis;
  triesLeft: number;
}

/** One-time codes that are sent to people: each is good once, for a few minutes, for the account, the address that asked for it, and where it was sent. */
export class SentCodes {
  readonly #clock: Clock;
  readonly #senders: CodeSenders;
  readonly #reached: (limit: LimitReached) => void;
  readonly #key = randomBytes(32);
  /** By account, address and destination. */
  readonly #waiting = new Map<string, Waiting>();
  /** When some were sent, by what is counted. */
  readonly #sent = new Map<string, readonly MonotonicMillis[]>();

  /** `reached` is told when the last code goes out that a limit of a sender has room for. */
  constructor(clock: Clock, senders: CodeSenders, reached: (limit: LimitReached) => void = () => undefined) {
    this.#clock = clock;
    this.#senders = senders;
    this.#reached = reached;
  }

  /** Whether codes can be sent so. */
  can(by: SentBy): boolean {
    return this.#senders[by] !== undefined;
  }

  /** Why nothing is sent there, for who wants it to be. */
  refusal(by: SentBy, to: string): string | undefined {
    return this.#senders[by]?.refusal?.(to);
  }

  /**
   * Sends a code, unless one was sent a moment ago, which stays good. `to` in its plain form. Faults: `busy` (too many, of the account or
   * to the destination, or of all), `unavailable` (it could not be sent, or nothing is set up to send it there).
   */
  async send(accountId: string, address: string, by: SentBy, to: string): Promise<void> {
    const sender = this.#senders[by];
    if (sender === undefined)
      throw new Fault("unavailable", `no ${by} is set up`, {
        tell: "codes are not sent any more: use a recovery code, or ask whoever manages accounts to take the second factor away",
      });
    const refusal = sender.refusal?.(to);
    if (refusal !== undefined) throw new Fault("unavailable", `no ${by} is sent there`, { tell: refusal });
    const now = this.#clock.monotonic();
    const key = keyOf(accountId, address, to);
    const before = this.#waiting.get(key);
    if (before !== undefined && now - before.sentAt < LIMITS.againMs) return;
    this.#count(countedOf(sender, { accountId, by, to }), now);
    const code = String(randomInt(10 ** LIMITS.digits)).padStart(LIMITS.digits, "0");
    const waiting: Waiting = { mark: this.#mark(key, code), sentAt: now, triesLeft: LIMITS.tries };
    this.#waiting.delete(key);
    this.#waiting.set(key, waiting);
    forgetBeyond(this.#waiting);
    try {
      await sender.send(to, new Secret(code));
    } catch (cause) {
      // Another one may have been sent since.
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
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

  /** All are looked at before any is counted: a code that is not sent uses up nothing. */
  #count(all: readonly Counted[], now: MonotonicMillis): void {
    const counted = all.map((one) => {
      const lately = (this.#sent.get(one.key) ?? []).filter((at) => now - at < one.withinMs);
      if (lately.length >= one.count)
        throw new Fault("busy", `too many codes: ${one.key}`, {
          tell: `no more codes are sent for now: try again in ${waitWords((lately[0] ?? now) + one.withinMs - now)}, or use a recovery code`,
        });
      return { ...one, lately: [...lately, now] };
    });
    for (const { key, lately, count, reached } of counted) {
      this.#sent.delete(key);
      this.#sent.set(key, lately);
      if (lately.length === count && reached !== undefined) this.#reached(reached);
    }
    forgetBeyond(this.#sent);
  }

  #mark(key: string, code: string): Buffer {
    return createHmac("sha256", this.#key).update(`${key} ${code}`).digest();
  }
}

function keyOf(accountId: string, address: string, to: string): string {
  return `${accountId} ${address} ${to.toLowerCase()}`;
}

/** What one code counts under. */
function countedOf(
  { limits }: CodeSender,
  { accountId, by, to }: { readonly accountId: string; readonly by: SentBy; readonly to: string },
): readonly Counted[] {
  const spent = (limit: CodeLimit, of: string | undefined): Counted => ({
    ...limit,
    key: `${by} of ${of === undefined ? "all" : `account ${of}`} within ${limit.withinMs / MINUTE} minutes`,
    reached: { ...limit, by, accountId: of },
  });
  return [
    { ...LIMITS.perAccount, key: `account ${accountId}` },
    { ...LIMITS.perDestination, key: `${by} ${to.toLowerCase()}` },
    ...(limits?.account ?? []).map((limit) => spent(limit, accountId)),
    ...(limits?.all ?? []).map((limit) => spent(limit, undefined)),
  ];
}

function waitWords(ms: Millis): string {
  const minutes = Math.max(1, Math.ceil(ms / MINUTE));
  return minutes === 1 ? "a minute" : minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

function forgetBeyond(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= LIMITS.entries) return;
    map.delete(key);
  }
}
