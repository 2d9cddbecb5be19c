import type { Clock, Timer } from "../../base/clock.ts";
import { isoOf, MINUTE, type UnixMillis } from "../../base/units.ts";
import type { AuditEntry } from "../audit.ts";

const LIMITS = {
  /** The same again within this time is counted, and told once it is over: a client in a loop must not fill the disk. */
  periodMs: 1 * MINUTE,
  /** Different refusals of one address within the same time, before the rest is counted as one. */
  refusalsPerAddress: 60,
  /** What is remembered; of what is forgotten early the count is told early. */
  keys: 2000,
} as const;

interface Counted {
  readonly entry: AuditEntry;
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
  /** Different refusals, by address, in the period that began with the first of them. */
  readonly #refusals = new Map<string, { readonly until: number; count: number }>();
  #timer: Timer | undefined;

  constructor(clock: Clock, write: (summary: Summary) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Whether it is to be written now; it is counted otherwise. What was changed, and what ran and is over, always is. */
  admit(entry: AuditEntry): boolean {
    if (entry.subject !== undefined || entry.seconds !== undefined) return true;
    this.#sweep();
    const key = JSON.stringify(entry);
    if (this.#repeats(key)) return false;
    if (entry.outcome === "allowed" || this.#mayRefuse(entry.address ?? "")) {
      this.#remember(key, entry, 0);
      return true;
    }
    const { action, outcome, address, interface: door } = entry;
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

  #mayRefuse(address: string): boolean {
    const now = this.#clock.monotonic();
    const known = this.#refusals.get(address);
    if (known !== undefined && known.until > now) {
      known.count += 1;
      return known.count <= LIMITS.refusalsPerAddress;
    }
    this.#refusals.delete(address);
    this.#refusals.set(address, { until: now + LIMITS.periodMs, count: 1 });
    if (this.#refusals.size > LIMITS.keys) this.#refusals.delete(this.#refusals.keys().next().value ?? "");
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
