import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { MINUTE, type MonotonicMillis } from "../base/units.ts";
import type { SentBy } from "./destination.ts";

const LIMITS = {
  /** From the secret that is shown to the first code. */
  enrolmentMs: 10 * MINUTE,
  /** Enrolments that wait for their first code; the oldest goes. */
  enrolments: 100,
} as const;

/** What is set up until its first code: an authenticator with that key, or where codes are to be sent. */
export type Enrolment =
  | { readonly kind: "totp"; readonly key: Buffer }
  | { readonly kind: SentBy; readonly to: string };

/** Second factors that are set up and wait for their first code, one of each account, in memory alone. */
export class FactorEnrolments {
  readonly #clock: Clock;
  readonly #byAccount = new Map<string, { readonly enrolment: Enrolment; readonly until: MonotonicMillis }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the place of one that waits. */
  begin(accountId: string, enrolment: Enrolment): void {
    const until = (this.#clock.monotonic() + LIMITS.enrolmentMs) as MonotonicMillis;
    this.#byAccount.delete(accountId);
    this.#byAccount.set(accountId, { enrolment, until });
    if (this.#byAccount.size > LIMITS.enrolments) this.#byAccount.delete(this.#byAccount.keys().next().value ?? "");
  }

  /** Fault `wrong-state`: none was begun, or its time is over. */
  get(accountId: string): Enrolment {
    const waiting = this.#byAccount.get(accountId);
    if (waiting === undefined || waiting.until <= this.#clock.monotonic())
      throw new Fault("wrong-state", "no enrolment", { tell: "that took too long: begin again with a new secret" });
    return waiting.enrolment;
  }

  /** It has had its first code. */
  end(accountId: string): void {
    this.#byAccount.delete(accountId);
  }
}
