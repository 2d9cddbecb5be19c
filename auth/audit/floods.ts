import { networkOf } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { isoOf, MINUTE, type UnixMillis } from "../../base/units.ts";
import type { AuditEntry } from "../audit.ts";

const LIMITS = {
  /** The same again within this time is counted, and told once it is over: a client in a loop must not fill the disk. */
  periodMs: 1 * MINUTE,
  /** Different refusals of one address, IPv6 by its /64, within the same time, before the rest is counted as one. */
  refusalsPerAddress: 60,
  /** Ends of what one account ran through one door, before the rest is told as one sum: a player that jumps begins anew each time. */
  endsPerPeriod: 10,
  /** What is remembered; of what is forgotten early the count is told early. */
  keys: 2000,
} as const;

interface Counted {
  entry: AuditEntry;
  readonly until: number;
  readonly first: UnixMillis;
  last: UnixMillis;
  /** Not written. */
  count: number;
}

/** An entry that stands for several which were not written. */
export type Summary = AuditEntry & {
  readonly repeated: number;
  /** When the first and the last of them were, ISO 8601. */
  readonly firstAt: string;
  readonly lastAt: string;
};

/** Keeps floods out of the log, and their first entry, their number, and the times of the first and the last in it. */
export class Floods {
  readonly #clock: Clock;
  readonly #write: (summary: Summary) => void;
  /** In the order in which they began. */
  readonly #counted = new Map<string, Counted>();
  /** What is held to a number, in the period that began with the first of them. */
  readonly #passed = new Map<string, { readonly until: number; count: number }>();
  #timer: Timer | undefined;

  constructor(clock: Clock, write: (summary: Summary) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Whether it is to be written now; it is counted otherwise. What was changed always is. */
  admit(entry: AuditEntry): boolean {
    if (entry.subject !== undefined) return true;
    this.#sweep();
    if (entry.seconds !== undefined) return this.#admitEnd(entry);
    const key = JSON.stringify(entry);
    if (this.#repeats(key)) return false;
    const address = entry.address === undefined ? undefined : networkOf(entry.address);
    if (entry.outcome === "allowed" || this.#mayPass(`refusal ${address ?? ""}`, LIMITS.refusalsPerAddress)) {
      this.#remember(key, entry, 0);
      return true;
    }
    const { action, outcome, interface: door } = entry;
    const many: AuditEntry = {
      who: "(several)",
      action,
      interface: door,
      outcome,
      why: "too many different ones to be written one by one",
      ...(address === undefined ? {} : { address }),
    };
    const shared = JSON.stringify(many);
    if (!this.#repeats(shared)) this.#remember(shared, many, 1);
    return false;
  }

  /** Tells of all that was counted. */
  close(): void {
    this.#timer?.cancel();
    for (const key of this.#counted.keys()) this.#forget(key);
  }

  #admitEnd(entry: AuditEntry): boolean {
    const { seconds: _s, bytes: _b, from: _f, to: _t, ...same } = entry;
    const key = JSON.stringify(same);
    const counted = this.#counted.get(key);
    if (counted !== undefined) {
      counted.entry = together(counted.entry, entry);
      return !this.#repeats(key);
    }
    if (this.#mayPass(`end ${key}`, LIMITS.endsPerPeriod)) return true;
    this.#remember(key, entry, 1);
    return false;
  }

  #repeats(key: string): boolean {
    const counted = this.#counted.get(key);
    if (counted === undefined) return false;
    counted.count += 1;
    counted.last = this.#clock.now();
    return true;
  }

  #remember(key: string, entry: AuditEntry, count: number): void {
    const now = this.#clock.now();
    this.#counted.set(key, { entry, until: this.#clock.monotonic() + LIMITS.periodMs, first: now, last: now, count });
    if (this.#counted.size > LIMITS.keys) this.#forget(this.#counted.keys().next().value ?? "");
    this.#timer ??= this.#clock.after(LIMITS.periodMs, () => {
      this.#timer = undefined;
      this.#sweep();
    });
  }

  /** The first ones of a period. */
  #mayPass(kind: string, most: number): boolean {
    const now = this.#clock.monotonic();
    const known = this.#passed.get(kind);
    if (known !== undefined && known.until > now) {
      known.count += 1;
      return known.count <= most;
    }
    this.#passed.delete(kind);
    this.#passed.set(kind, { until: now + LIMITS.periodMs, count: 1 });
    if (this.#passed.size > LIMITS.keys) this.#passed.delete(this.#passed.keys().next().value ?? "");
    return true;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, { until }] of this.#counted) {
      if (until > now) {
        this.#timer ??= this.#clock.after(until - now, () => {
          this.#timer = undefined;
          this.#sweep();
        });
        return;
      }
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const counted = this.#counted.get(key);
    this.#counted.delete(key);
    if (counted === undefined || counted.count === 0) return;
    const { entry, count, first, last } = counted;
    this.#write({ ...entry, repeated: count, firstAt: isoOf(first), lastAt: isoOf(last) });
  }
}

/** Two ends as one: sums, and the stretch that holds both. */
function together(a: AuditEntry, b: AuditEntry): AuditEntry {
  const from = [a.from, b.from].filter((one) => one !== undefined).toSorted()[0];
  const to = [a.to, b.to]
    .filter((one) => one !== undefined)
    .toSorted()
    .at(-1);
  return {
    ...a,
    seconds: (a.seconds ?? 0) + (b.seconds ?? 0),
    bytes: (a.bytes ?? 0) + (b.bytes ?? 0),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
