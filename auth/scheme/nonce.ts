import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { equalInConstantTime } from "../../base/secret.ts";
import { HOUR, MINUTE, type Millis } from "../../base/units.ts";

const LIMITS = {
  /** A nonce is good for this long after it was given out or last used rightly: keep-alives of a stream go on with it. */
  idleMs: 5 * MINUTE,
  /** However often it is used. */
  longestMs: 12 * HOUR,
  /** Nonces that were used rightly and are remembered. Guessing fills nothing: only right answers are entered. */
  remembered: 50_000,
  /** How far behind the highest count a request may arrive, for requests that overtake one another. */
  window: 64,
} as const;

const TIME_BYTES = 8;
const RANDOM_BYTES = 8;
const MAC_BYTES = 16;
const WINDOW_MASK = (1n << BigInt(LIMITS.window)) - 1n;

interface Used {
  lastUsed: Millis;
  highest: number;
  /** Bit n: the count `highest - n` was seen. */
  seen: bigint;
}

/**
 * Nonces that need no memory until somebody has answered one rightly: time, random bytes, and a keyed hash of both and of
 * the client's address. The key is of this process, so a restart makes every nonce stale, which costs a client one round trip.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #door: string;
  readonly #key = randomBytes(32);
  /** In the order of their last use. */
  readonly #used = new Map<string, Used>();
  /** Nonces given out before this instant and not remembered may have been used and forgotten, so they are stale. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY;

  /** A nonce of one `door` is worth nothing at another. */
  constructor(clock: Clock, door: string) {
    this.#clock = clock;
    this.#door = door;
  }

  /** For a client at `address`. */
  make(address: string): string {
    const head = Buffer.alloc(TIME_BYTES);
    head.writeBigUInt64BE(BigInt(Math.floor(this.#clock.monotonic())));
    const body = Buffer.concat([head, randomBytes(RANDOM_BYTES)]);
    return Buffer.concat([body, this.#mac(body, address)]).toString("base64url");
  }

  /**
   * Takes note of a right answer; false when the nonce is not ours, too old, or that count was seen: an answer that somebody
   * overheard, or one that needs a new nonce. Without a count (RFC 2069) only age and address bound the use of a nonce:
   * there are clients that answer each request of many connections with one.
   */
  use(nonce: string, address: string, count: number | undefined): boolean {
    const made = this.#timeOf(nonce, address);
    if (made === undefined) return false;
    const now = this.#clock.monotonic();
    const known = this.#used.get(nonce);
    const lastUsed = known?.lastUsed ?? made;
    if (now - lastUsed > LIMITS.idleMs || now - made > LIMITS.longestMs) return false;
    if (known === undefined && made <= this.#forgottenUpTo) return false;
    const entry = known ?? { lastUsed: now, highest: 0, seen: 0n };
    if (count !== undefined && !mark(entry, count)) return false;
    entry.lastUsed = now;
    this.#used.delete(nonce);
    this.#used.set(nonce, entry);
    this.#forget(now);
    return true;
  }

  #forget(now: Millis): void {
    for (const [nonce, { lastUsed }] of this.#used) {
      const expired = now - lastUsed > LIMITS.idleMs;
      if (!expired && this.#used.size <= LIMITS.remembered) break;
      this.#used.delete(nonce);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, timeIn(Buffer.from(nonce, "base64url")));
    }
  }

  #timeOf(nonce: string, address: string): Millis | undefined {
    const bytes = Buffer.from(nonce, "base64url");
    // Only the spelling that we gave out: another one of the same bytes would have a count of its own.
    if (bytes.length !== TIME_BYTES + RANDOM_BYTES + MAC_BYTES || bytes.toString("base64url") !== nonce)
      return undefined;
    const body = bytes.subarray(0, TIME_BYTES + RANDOM_BYTES);
    return equalInConstantTime(this.#mac(body, address), bytes.subarray(body.length)) ? timeIn(bytes) : undefined;
  }

  #mac(body: Buffer, address: string): Buffer {
    return createHmac("sha256", this.#key)
      .update(body)
      .update(`${this.#door}\n${address}`)
      .digest()
      .subarray(0, MAC_BYTES);
  }
}

function timeIn(nonce: Buffer): Millis {
  return Number(nonce.readBigUInt64BE(0));
}

/** Enters `count` (from 1) into the window; false when it was seen or is too far behind. */
function mark(entry: Used, count: number): boolean {
  if (count < 1) return false;
  if (count > entry.highest) {
    const ahead = count - entry.highest;
    entry.seen = ahead >= LIMITS.window ? 1n : ((entry.seen << BigInt(ahead)) & WINDOW_MASK) | 1n;
    entry.highest = count;
    return true;
  }
  const behind = entry.highest - count;
  const bit = 1n << BigInt(behind);
  if (behind >= LIMITS.window || (entry.seen & bit) !== 0n) return false;
  entry.seen |= bit;
  return true;
}
