import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import { MINUTE, type MonotonicMillis } from "../base/units.ts";
import type { Accounts } from "./accounts.ts";
import { type Approval, ApprovalNeeded } from "./approval.ts";
import type { Approvals } from "./approvals.ts";
import type { Principal } from "./principal.ts";
import { changedMeanwhile, UnauthenticatedFault } from "./unauthenticated.ts";

const LIMITS = {
  /** More than anybody waits for; the request expires before. */
  waitMs: 2 * 1440 * MINUTE,
  /** The oldest goes. */
  waiting: 200,
  /** 45 characters of 5.8 bits, as ids of web sessions. */
  ticketLength: 45,
} as const;

interface Waiting {
  readonly accountId: string;
  readonly credential: string;
  readonly address: string;
  readonly approval: string;
  readonly until: MonotonicMillis;
}

/** A log-in that waits, with what shows who it was that has proved themselves already. */
export interface LogInWaits {
  readonly ticket: Secret;
  readonly approval: Approval;
}

/**
 * People who have proved who they are, and whose log-in waits for a second person. Each has a ticket, which is worth nothing until the
 * log-in is approved, and then one session. Kept in memory, under the hash of the ticket: a restart ends them, as it ends sessions.
 */
export class WaitingLogIns {
  readonly #o: {
    readonly accounts: Pick<Accounts, "principalOf" | "credentialOf">;
    readonly approvals: Approvals;
    readonly clock: Clock;
  };
  readonly #waiting = new Map<string, Waiting>();

  constructor(o: {
    readonly accounts: Pick<Accounts, "principalOf" | "credentialOf">;
    readonly approvals: Approvals;
    readonly clock: Clock;
  }) {
    this.#o = o;
  }

  /** Asks for a second person. Undefined where nobody is needed. Faults: `unauthenticated` (the account was changed since), `busy`, `unavailable`. */
  async begin(who: Principal, address: string): Promise<LogInWaits | undefined> {
    const { accounts, approvals, clock } = this.#o;
    if (who.revoked.aborted) throw changedMeanwhile(who.name);
    if (!approvals.logInWaits(who.accountId)) return undefined;
    // That which was shown: another one may be there once the request is written down.
    const credential = accounts.credentialOf(who.accountId) ?? "";
    const ticket = makeSecret(LIMITS.ticketLength);
    const key = keyOf(ticket.reveal());
    const approval = await this.#needed(who, address, key);
    if (approval === undefined) throw new Fault("internal", "a log-in was approved before it was asked for");
    const until = (clock.monotonic() + LIMITS.waitMs) as MonotonicMillis;
    this.#waiting.set(key, { accountId: who.accountId, credential, address, approval: approval.id, until });
    if (this.#waiting.size > LIMITS.waiting) this.#waiting.delete(this.#waiting.keys().next().value ?? "");
    return { ticket, approval };
  }

  /**
   * Who may begin a session now, by the ticket, which is used up then; or how the request stands, while it waits. Faults: `denied` where
   * it was refused or has expired; `unauthenticated` for a ticket that is not known, or not any more.
   */
  async proceed(ticket: string, address: string): Promise<Principal | Approval> {
    const { accounts, approvals, clock } = this.#o;
    const key = keyOf(ticket);
    const waiting = this.#waiting.get(key);
    const who = waiting && accounts.principalOf(waiting.accountId);
    if (
      waiting === undefined ||
      who === undefined ||
      waiting.until <= clock.monotonic() ||
      waiting.address !== address ||
      accounts.credentialOf(waiting.accountId) !== waiting.credential
    ) {
      this.#waiting.delete(key);
      throw new UnauthenticatedFault("an unknown ticket", { tell: "This log-in waits no longer: log in again." });
    }
    const approval = approvals.find(who, waiting.approval);
    if (approval.state === "waiting") return approval;
    this.#waiting.delete(key);
    if (approval.state !== "approved") {
      const why = approval.why === undefined ? "" : `: ${approval.why}`;
      throw new Fault("denied", `log-in ${approval.state}`, {
        tell: `This log-in was not approved (${approval.state})${why}`,
      });
    }
    if ((await this.#needed(who, address, key)) !== undefined)
      throw new Fault("denied", "the approval was gone", { tell: "This log-in waits no longer: log in again." });
    return who;
  }

  /** The request that has to be approved first. */
  async #needed(who: Principal, address: string, key: string): Promise<Approval | undefined> {
    try {
      await this.#o.approvals.pass({ principal: who, who: who.name, interface: "web", address }, "log-in", () => ({
        params: { ticket: key, address },
        words: `log in from ${address}`,
      }));
      return undefined;
    } catch (error) {
      if (error instanceof ApprovalNeeded) return error.approval;
      throw error;
    }
  }
}

function keyOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}
