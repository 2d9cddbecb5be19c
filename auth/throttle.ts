import { networkOf } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { MINUTE, type Millis, SECOND } from "../base/units.ts";

const LIMITS = {
  /** Failures that cost nothing; one is forgiven each `forgiveMs`, five in five minutes. */
  freePerAccount: 5,
  /** For all accounts from one address together: more, for many people may stand behind one. */
  freePerAddress: 20,
  forgiveMs: 1 * MINUTE,
  firstDelayMs: 1 * SECOND,
  /** Long enough to make guessing hopeless, short enough that nobody can lock out a neighbor behind the same address. */
  longestDelayMs: 1 * MINUTE,
  /** Pairs and addresses that are remembered; the oldest is forgotten first. */
  entries: 10_000,
} as const;

/** What a client is told while it has to wait. */
export const THROTTLED = "too many failed attempts";

interface Failures {
  count: number;
  at: Millis;
  blockedUntil: Millis;
}

/**
 * Slows down guessing of passwords: failures count per account and address, and per address. After the free ones each
 * failure doubles the time in which every attempt is refused unread. Loopback is an address like others. IPv6 addresses
 * count by their /64, which one machine can fill at will.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #blocked: (address: string, account: string) => void;
  readonly #failures = new Map<string, Failures>();

  /** `blocked` is told when somebody has to wait from now on, at each further failure once more. */
  constructor(clock: Clock, blocked: (address: string, account: string) => void = () => undefined) {
    this.#clock = clock;
    this.#blocked = blocked;
  }

  /** Throws `busy` while attempts from the address, or for the account from there, are refused. Ask before looking at the password. */
  admit(address: string, account: string): void {
    if (this.#failures.size === 0) return;
    const now = this.#clock.monotonic();
    for (const { key } of keysOf(address, account)) {
      const entry = this.#failures.get(key);
      if (entry !== undefined && entry.blockedUntil > now)
        throw new Fault("busy", `too many failed log-ins as ${account} from ${address}`, {
          tell: THROTTLED,
        });
    }
  }

  /** Wrong credentials. `account` as the client wrote it: unknown names count like known ones. */
  failed(address: string, account: string): void {
    const now = this.#clock.monotonic();
    let blocks = false;
    for (const { key, free } of keysOf(address, account)) {
      const entry = this.#failures.get(key) ?? { count: 0, at: now, blockedUntil: 0 };
      this.#failures.delete(key);
      this.#failures.set(key, entry);
      entry.count = Math.max(0, entry.count - (now - entry.at) / LIMITS.forgiveMs) + 1;
      entry.at = now;
      if (entry.count > free) {
        const delay = LIMITS.firstDelayMs * 2 ** Math.min(Math.ceil(entry.count - free) - 1, 16);
        blocks = true;
        entry.blockedUntil = now + Math.min(delay, LIMITS.longestDelayMs);
      }
    }
    if (blocks) this.#blocked(address, account);
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= LIMITS.entries) break;
      this.#failures.delete(key);
    }
  }

  /** Right credentials. The address keeps its count: whoever owns one account shall not try out the others with it. */
  succeeded(address: string, account: string): void {
    if (this.#failures.size === 0) return;
    this.#failures.delete(pairKey(address, account));
  }
}

function keysOf(address: string, account: string): readonly { readonly key: string; readonly free: number }[] {
  return [
    { key: pairKey(address, account), free: LIMITS.freePerAccount },
    { key: networkOf(address), free: LIMITS.freePerAddress },
  ];
}

function pairKey(address: string, account: string): string {
  return `${networkOf(address)} ${account.slice(0, 64).toLowerCase()}`;
}
