import type { Clock, Timer } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import { HOUR, MINUTE, type MonotonicMillis } from "../../base/units.ts";
import type { JwtAlgorithm } from "./algorithms.ts";
import { type IssuerKey, readKeySet } from "./key-set.ts";

const LIMITS = {
  /** A key that its issuer has taken back is good here for so long, and what runs by it. */
  refreshMs: 15 * MINUTE,
  /** From one time to the next: whoever sends tokens with invented key ids has the issuer asked no more often. */
  restMs: 1 * MINUTE,
  /** Keys are good for so long after they were last read: an issuer that is down must not put everybody out at once. */
  keepMs: 24 * HOUR,
  /** Requests that wait for keys. */
  waiting: 64,
} as const;

/** What is told while there are no keys. */
const NO_KEYS = "the keys of the token's issuer are not at hand: try again in a minute";

/** A key of an issuer, as long as it is one. */
export interface HeldKey extends IssuerKey {
  /** Aborted when the issuer has it no longer. */
  readonly gone: AbortSignal;
}

interface Held {
  readonly key: HeldKey;
  readonly drop: AbortController;
}

/** The public keys of one issuer, read again from time to time from where the settings say, and from nowhere that a token names. */
export class IssuerKeys implements Closable {
  readonly #load: (signal: AbortSignal) => Promise<string>;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #held: readonly Held[] = [];
  #loading: Promise<void> | undefined;
  #waiting = 0;
  #begunAt = Number.NEGATIVE_INFINITY as MonotonicMillis;
  #readAt: MonotonicMillis | undefined;
  readonly #timer: Timer;

  /** `load` gives the text of a JWKS; `issuer` names it in the log. */
  constructor(o: {
    readonly issuer: string;
    readonly load: (signal: AbortSignal) => Promise<string>;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#load = o.load;
    this.#issuer = o.issuer;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#timer = o.clock.every(LIMITS.restMs, () => this.#look());
  }

  /** Reads them once more. Fault, as `load` and {@link readKeySet} have it, which the old keys outlive. */
  async refresh(): Promise<void> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /**
   * The one key that can have signed, looked for at the issuer once where none is known. Undefined where there is none, or where several
   * could have and the token names none. Faults: `unavailable` (there are no keys at the moment), `busy`.
   */
  async find(kid: string | undefined, algorithm: JwtAlgorithm): Promise<HeldKey | undefined> {
    const found = this.#fitting(kid, algorithm);
    if (found.length > 0) return found.length === 1 ? found[0] : undefined;
    if (this.#loading !== undefined || this.#isRested()) {
      if (this.#waiting >= LIMITS.waiting)
        throw new Fault("busy", `too many wait for the keys of ${this.#issuer}`, { tell: "busy, try again" });
      this.#waiting += 1;
      await this.refresh()
        .catch((thrown: unknown) => this.#failed(thrown))
        .finally(() => {
          this.#waiting -= 1;
        });
    }
    if (this.#held.length === 0) throw new Fault("unavailable", `no keys of ${this.#issuer}`, { tell: NO_KEYS });
    const now = this.#fitting(kid, algorithm);
    return now.length === 1 ? now[0] : undefined;
  }

  close(): void {
    this.#timer.cancel();
    this.#closing.abort();
  }

  #fitting(kid: string | undefined, algorithm: JwtAlgorithm): readonly HeldKey[] {
    return this.#held
      .map(({ key }) => key)
      .filter((key) => key.algorithms.has(algorithm) && (kid === undefined || key.kid === kid));
  }

  #isRested(): boolean {
    return this.#clock.monotonic() - this.#begunAt >= LIMITS.restMs;
  }

  /** Every minute: keys are read anew when they are old, more often while that fails, and given up when they are too old. */
  #look(): void {
    const age = this.#clock.monotonic() - (this.#readAt ?? Number.NEGATIVE_INFINITY);
    if (age >= LIMITS.keepMs && this.#held.length > 0) {
      this.#log.error({ issuer: this.#issuer }, "its keys are too old: nobody is let in by its tokens");
      this.#replace([]);
    }
    if (age >= LIMITS.refreshMs) this.refresh().catch((thrown: unknown) => this.#failed(thrown));
  }

  async #read(): Promise<void> {
    this.#begunAt = this.#clock.monotonic();
    const keys = readKeySet(await this.#load(this.#closing.signal));
    this.#readAt = this.#clock.monotonic();
    this.#replace(keys);
  }

  #replace(keys: readonly IssuerKey[]): void {
    const before = new Map(this.#held.map((held) => [nameOf(held.key), held]));
    this.#held = keys.map((key) => before.get(nameOf(key)) ?? heldOf(key));
    const kept = new Set(this.#held);
    for (const old of before.values())
      if (!kept.has(old)) old.drop.abort(new Fault("denied", `a key of ${this.#issuer} is not its key any more`));
  }

  #failed(thrown: unknown): void {
    if (!this.#closing.signal.aborted)
      this.#log.warn(
        { err: asFault(thrown), issuer: this.#issuer },
        "cannot read its keys; those that are known stay for a day",
      );
  }
}

function heldOf(key: IssuerKey): Held {
  const drop = new AbortController();
  return { key: { ...key, gone: drop.signal }, drop };
}

function nameOf({ id, kid = "", algorithms }: IssuerKey): string {
  return JSON.stringify([id, kid, ...algorithms]);
}
