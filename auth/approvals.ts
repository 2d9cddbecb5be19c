import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock, Timer } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { Turns } from "../base/turns.ts";
import { DAY, MINUTE, unixMillis } from "../base/units.ts";
import { decide } from "./access.ts";
import type { Accounts } from "./accounts.ts";
import type { Act, ApprovalSettings } from "./acts.ts";
import {
  type Approval,
  ApprovalNeeded,
  type ApprovalState,
  type Asked,
  type Asker,
  hashOfAsked,
  nobodyToAsk,
  type SecondPerson,
} from "./approval.ts";
import { approvalOf, approvalRow } from "./approval-row.ts";
import type { Audit } from "./audit.ts";
import type { AuthSchema } from "./auth-schema.ts";
import type { Principal } from "./principal.ts";
import type { Interface } from "./right.ts";

const LIMITS = {
  /** That wait, of one account and of all. */
  waitingOfAccount: 5,
  waiting: 200,
  /** Those that are over are kept for so long, and so many of them, to be looked at. */
  keptMs: 30 * DAY,
  kept: 1000,
  /** More is more than somebody reads, and nobody approves what they cannot see: it is refused. */
  wordsLength: 8000,
  whyLength: 500,
  /** How often those that have expired are looked for, for the audit log: none is used after its time. */
  sweepMs: MINUTE,
} as const;

export interface ApprovalsOptions<Schema extends AuthSchema> {
  /** A database with the migrations of {@link AuthSchema} applied. Stays the caller's. */
  readonly query: Kysely<Schema>;
  readonly accounts: Pick<Accounts, "principalOf" | "find">;
  readonly audit: Audit;
  readonly settings: ApprovalSettings;
  readonly clock: Clock;
}

/**
 * Requests for a second person: asked for by the door in front of an act, answered by somebody else with the right `approve`, used
 * once. They are kept in the database, so that a restart loses none. Whatever is not clear is not approved.
 */
export class Approvals implements SecondPerson, Closable {
  readonly #o: Omit<ApprovalsOptions<AuthSchema>, "query">;
  readonly #query: Kysely<AuthSchema>;
  readonly #byId: Map<string, Approval>;
  readonly #sweep: Timer;
  /** Of changes: none is approved and expired, or used twice, at once. */
  readonly #turns = new Turns();

  /** Fault `unavailable` when the database cannot be read. */
  static async open<Schema extends AuthSchema>(o: ApprovalsOptions<Schema>): Promise<Approvals> {
    // Kysely is invariant in its schema; the tables of others are never touched here.
    const query = o.query as unknown as Kysely<AuthSchema>;
    try {
      const rows = await query.selectFrom("approval").selectAll().orderBy("asked_at").execute();
      return new Approvals({ ...o, query }, rows.map(approvalOf));
    } catch (cause) {
      throw new Fault("unavailable", "cannot read the requests for approval", { cause });
    }
  }

  private constructor(o: ApprovalsOptions<AuthSchema>, kept: readonly Approval[]) {
    this.#o = o;
    this.#query = o.query;
    this.#byId = new Map(kept.map((one) => [one.id, one]));
    this.#sweep = o.clock.every(
      LIMITS.sweepMs,
      () => void this.#turns.take(() => this.#expire()).catch(() => undefined),
    );
  }

  /** Something waits for a second person in this installation. */
  get inUse(): boolean {
    const { acts, logInOf } = this.#o.settings;
    return acts.length > 0 || logInOf.length > 0;
  }

  /** Whether the person's log-in waits. Whoever may approve needs nobody, so that somebody can be the first. */
  logInWaits(accountId: string): boolean {
    const { accounts, settings } = this.#o;
    if (settings.logInOf.length === 0) return false;
    const account = accounts.find(accountId);
    const who = accounts.principalOf(accountId);
    if (account === undefined || who === undefined) return true;
    if (who.kind !== "person") return false;
    const roles = [...account.roles, ...(account.directory?.roles ?? [])];
    return roles.some((role) => settings.logInOf.includes(role)) && !mayApprove(who);
  }

  waits(act: Act): boolean {
    return act === "log-in" ? this.#o.settings.logInOf.length > 0 : this.#o.settings.acts.includes(act);
  }

  async pass(asker: Asker, act: Act, asked: () => Asked): Promise<void> {
    const { audit } = this.#o;
    if (!this.waits(act)) return;
    const { principal } = asker;
    if (principal === undefined) throw nobodyToAsk(act);
    if (audit.failing === true)
      throw new Fault("unavailable", `${act} while the audit log cannot be written`, {
        tell: "the audit log cannot be written, so that this is refused: look after the disk of the bridge",
      });
    const { params, words } = asked();
    const by = {
      account: principal.accountId,
      who: asker.who,
      interface: asker.interface,
      address: asker.address ?? "",
    };
    const hash = hashOfAsked(by, act, params);
    await this.#turns.take(async () => {
      await this.#expire();
      const known = [...this.#byId.values()].find((one) => one.hash === hash && isOpen(one));
      if (known?.state !== "approved")
        throw new ApprovalNeeded(known ?? (await this.#ask({ ...by, act, hash, words })));
      const gone = this.#whyNot(known);
      await this.#set(known, gone === undefined ? { state: "used" } : { state: "void", why: gone });
      if (gone === undefined) return;
      throw new Fault("denied", `${known.id}: ${gone}`, { tell: `the approval does not hold any more: ${gone}` });
    });
  }

  /** Those of the account, and, for who may approve, those of everybody; the newest first. */
  list(who: Principal): readonly Approval[] {
    const now = this.#o.clock.now();
    const all = [...this.#byId.values()].filter((one) => one.account === who.accountId || mayApprove(who));
    return all.toReversed().map((one) => (isOpen(one) && one.until <= now ? { ...one, state: "expired" } : one));
  }

  /** One of {@link list}. Fault `not-found`. */
  find(who: Principal, id: string): Approval {
    const found = this.list(who).find((one) => one.id === id);
    if (found === undefined) throw new Fault("not-found", `no request ${id} for ${who.name}`);
    return found;
  }

  /**
   * Approves or refuses what somebody else asks for. The right was demanded. Faults: `not-found`; `denied` for who asked themselves and
   * for external systems; `wrong-state` where it waits no longer.
   */
  answer(
    by: Asker & { readonly principal: Principal },
    id: string,
    says: "approved" | "refused",
    why = "",
  ): Promise<void> {
    return this.#turns.take(async () => {
      await this.#expire();
      const { principal, interface: door } = by;
      const one = this.find(principal, id);
      const wrong = this.#whyNotBy(one, principal, door);
      if (wrong !== undefined) {
        this.#record("approval-refused", one, { who: by, outcome: "denied", why: wrong });
        throw new Fault("denied", `${principal.name}: ${wrong}`, { tell: wrong });
      }
      if (one.state !== "waiting")
        throw new Fault("wrong-state", `${id} is ${one.state}`, {
          tell: `this request is ${one.state}: it waits no longer`,
        });
      const at = this.#o.clock.now();
      await this.#set(
        one,
        {
          state: says,
          by: { account: principal.accountId, who: principal.name, interface: door, at },
          until: says === "approved" ? unixMillis(at + this.#o.settings.minutes * MINUTE) : one.until,
          ...(why === "" ? {} : { why: why.slice(0, LIMITS.whyLength) }),
        },
        by,
      );
    });
  }

  /** Takes back what the account has asked for. Faults: `not-found`, `wrong-state`. */
  withdraw(by: Asker & { readonly principal: Principal }, id: string): Promise<void> {
    return this.#turns.take(async () => {
      await this.#expire();
      const one = this.#byId.get(id);
      if (one === undefined || one.account !== by.principal.accountId) throw new Fault("not-found", `no request ${id}`);
      if (!isOpen(one))
        throw new Fault("wrong-state", `${id} is ${one.state}`, { tell: `this request is ${one.state}` });
      await this.#set(one, { state: "withdrawn" }, by);
    });
  }

  close(): void {
    this.#sweep.cancel();
  }

  async #ask(
    asked: Pick<Approval, "account" | "who" | "interface" | "address" | "act" | "hash" | "words">,
  ): Promise<Approval> {
    const { clock, settings } = this.#o;
    if (asked.words.length > LIMITS.wordsLength)
      throw new Fault("invalid", `${asked.words.length} characters to approve`, {
        tell: "this is more than a second person can look at: ask for less at once",
      });
    const waiting = [...this.#byId.values()].filter(isOpen);
    if (
      waiting.length >= LIMITS.waiting ||
      waiting.filter(({ account }) => account === asked.account).length >= LIMITS.waitingOfAccount
    )
      throw new Fault("busy", `too many requests of ${asked.who} wait`, {
        tell: "too many requests wait for a second person already: have them answered, or withdraw some",
      });
    const askedAt = clock.now();
    const request: Approval = {
      ...asked,
      id: randomBytes(9).toString("base64url"),
      askedAt,
      until: unixMillis(askedAt + settings.minutes * MINUTE),
      state: "waiting",
    };
    await this.#query.insertInto("approval").values(approvalRow(request)).execute();
    this.#byId.set(request.id, request);
    this.#record("approval-asked", request);
    return request;
  }

  /** Written down first: what is used up stays so, whatever becomes of the act. */
  async #set(one: Approval, change: Partial<Approval> & { readonly state: ApprovalState }, by?: Asker): Promise<void> {
    const next: Approval = { ...one, ...change };
    try {
      await this.#query.updateTable("approval").set(approvalRow(next)).where("id", "=", one.id).execute();
    } catch (cause) {
      throw new Fault("unavailable", `cannot write down that ${one.id} is ${next.state}`, { cause });
    }
    this.#byId.set(one.id, next);
    this.#record(`approval-${next.state}`, next, by === undefined ? {} : { who: by });
  }

  /** Why an approval no longer holds, by its approver. */
  #whyNot(one: Approval): string | undefined {
    const approver = one.by && this.#o.accounts.principalOf(one.by.account);
    if (one.by === undefined || approver === undefined)
      return `${one.by?.who ?? "who approved it"} has no account any more`;
    if (!decide(approver, { right: "approve", interface: one.by.interface }).allowed)
      return `${one.by.who} may not approve at this moment`;
    return this.#whyNotBy(one, approver, one.by.interface);
  }

  /** Why somebody cannot be the second person for it. */
  #whyNotBy(one: Approval, approver: Principal, door: Interface): string | undefined {
    if (door !== "web" && door !== "cli") return "requests are answered at the pages or at the command line";
    if (approver.kind !== "person") return "an external system approves nothing";
    if (approver.accountId === one.account) return "nobody approves their own request";
    const [asker, other] = [one.account, approver.accountId].map(
      (account) => this.#o.accounts.find(account)?.directory,
    );
    // A system under a person of a directory is that person.
    return asker !== undefined && asker.id === other?.id && asker.directory === other.directory
      ? "nobody approves the request of their own external system"
      : undefined;
  }

  /** Tells of those whose time is over, and forgets those that were over long ago. */
  async #expire(): Promise<void> {
    const now = this.#o.clock.now();
    for (const one of this.#byId.values())
      if (isOpen(one) && one.until <= now) await this.#set(one, { state: "expired" });
    const over = [...this.#byId.values()].filter((one) => !isOpen(one));
    const old = over.filter(({ until }, index) => now - until > LIMITS.keptMs || index < over.length - LIMITS.kept);
    for (const { id } of old) {
      await this.#query.deleteFrom("approval").where("id", "=", id).execute();
      this.#byId.delete(id);
    }
  }

  #record(
    action: string,
    { id, act, who, interface: door, address, words, by, why }: Approval,
    more: { readonly who?: Asker; readonly outcome?: "denied"; readonly why?: string } = {},
  ): void {
    const doer = more.who ?? { who, interface: door, address };
    const of = more.who === undefined ? "" : `, asked by ${who}`;
    const answered = by === undefined ? "" : `, answered by ${by.who}`;
    const reason = more.why ?? why;
    this.#o.audit.record({
      who: doer.who,
      interface: doer.interface,
      action,
      subject: id,
      outcome: more.outcome ?? "allowed",
      why: `${act}: ${words}${of}${answered}${reason === undefined ? "" : `: ${reason}`}`,
      ...(doer.address === undefined || doer.address === "" ? {} : { address: doer.address }),
    });
  }
}

function isOpen({ state }: Approval): boolean {
  return state === "waiting" || state === "approved";
}

/** At the pages or at the command line, where requests are answered. */
function mayApprove(who: Principal): boolean {
  return (
    who.kind === "person" &&
    (["web", "cli"] as const).some((door) => decide(who, { right: "approve", interface: door }).allowed)
  );
}
