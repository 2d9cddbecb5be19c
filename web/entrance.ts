import type { Accounts } from "../auth/accounts.ts";
import type { Approvals } from "../auth/approvals.ts";
import type { Audit } from "../auth/audit.ts";
import type { Peer, Principal } from "../auth/principal.ts";
import type { WebSessions } from "../auth/sessions.ts";
import { WaitingLogIns } from "../auth/waiting-log-ins.ts";
import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import { attempt } from "./attempt.ts";
import { type Proved, StepMissing } from "./log-in.ts";
import { plainApproval } from "./plain-approval.ts";
import { SESSION_COOKIE } from "./visitor.ts";

export interface EntranceParts {
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly sessions: WebSessions;
  readonly approvals: Approvals;
  readonly clock: Clock;
}

/** What of an answer a session needs. */
export interface WithCookies {
  readonly cookies: { set(name: string, value: string, options: object): unknown };
}

/** Where log-ins of every kind end: in the audit log, and in a session, or in what they still need. */
export class Entrance {
  readonly logIns: WaitingLogIns;
  readonly #o: EntranceParts;

  constructor(parts: EntranceParts) {
    this.#o = parts;
    this.logIns = new WaitingLogIns(parts);
  }

  /** Does a part of a log-in; where it fails, the audit log has it, except while attempts are throttled. */
  audited<T>(
    action: string,
    who: string,
    { address }: Peer,
    act: () => Promise<T>,
    whyOf: (error: unknown) => string = kindOf,
  ): Promise<T> {
    return attempt(this.#o.audit, { action, who, interface: "web", address }, act, (error) =>
      error instanceof StepMissing ? error.message : whyOf(error),
    );
  }

  /** A session, entered in the audit log with how it was come by. Fault `unauthenticated` as {@link WebSessions.begin}. */
  async enter(ctx: WithCookies, who: Principal, peer: Peer, why?: string): Promise<void> {
    const { audit, sessions } = this.#o;
    await this.audited("log-in", who.name, peer, async () => begin(ctx, sessions, who));
    const how = why === undefined ? {} : { why };
    const { address } = peer;
    audit.record({ action: "log-in", who: who.name, interface: "web", address, outcome: "allowed", ...how });
  }

  /** Answers a log-in: a session, or what it still needs. */
  async answer(
    ctx: WithCookies & { status: number; body: unknown },
    peer: Peer,
    proving: () => Promise<Proved>,
    why?: string,
  ): Promise<void> {
    try {
      const { who, recoveryCodes } = await proving();
      const told = recoveryCodes && { recoveryCodes: recoveryCodes.map((one) => one.reveal()) };
      const waits = await this.logIns.begin(who, peer.address);
      if (waits === undefined) {
        await this.enter(ctx, who, peer, why);
        ctx.status = told === undefined ? 204 : 200;
        if (told !== undefined) ctx.body = told;
        return;
      }
      ctx.status = 202;
      const { ticket, approval } = waits;
      ctx.body = { needs: "approval", ticket: ticket.reveal(), approval: plainApproval(approval), ...told };
    } catch (error) {
      if (!(error instanceof StepMissing)) throw error;
      ctx.status = 202;
      ctx.body = error.needs;
    }
  }
}

/** A new session, whose cookie the answer brings. */
export function begin(ctx: WithCookies, sessions: WebSessions, who: Principal): void {
  ctx.cookies.set(SESSION_COOKIE, sessions.begin(who).reveal(), {
    httpOnly: true,
    secure: true,
    sameSite: "strict",
    path: "/",
    overwrite: true,
  });
}

const kindOf = (error: unknown): string => asFault(error).kind;
