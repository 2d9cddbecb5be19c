import { createHash } from "node:crypto";
import { Fault } from "../base/fault.ts";
import type { UnixMillis } from "../base/units.ts";
import type { Act } from "./acts.ts";
import type { Principal } from "./principal.ts";
import type { Interface } from "./right.ts";

/**
 * How a request for a second person stands. It waits; is approved, refused, withdrawn by who asked, or expired; what is approved is used
 * once. `void`: it was approved, and who approved it may no longer.
 */
export type ApprovalState = "waiting" | "approved" | "used" | "refused" | "withdrawn" | "expired" | "void";

/** One request. Never changes: another state is another one. */
export interface Approval {
  readonly id: string;
  readonly act: Act;
  /** Who asks: id and name of the account. */
  readonly account: string;
  readonly who: string;
  readonly interface: Interface;
  readonly address: string;
  /** What is asked for, for people. */
  readonly words: string;
  /** Of the act, the account, the interface, and all that was asked for: nothing else is approved. */
  readonly hash: string;
  readonly askedAt: UnixMillis;
  /** It expires then, waiting or approved. */
  readonly until: UnixMillis;
  readonly state: ApprovalState;
  /** Who has answered, through which door and when. */
  readonly by?: {
    readonly account: string;
    readonly who: string;
    readonly interface: Interface;
    readonly at: UnixMillis;
  };
  /** What they said, or why it is void. */
  readonly why?: string;
}

/** Who wants to do something, through which door, from where. */
export interface Asker {
  /** Absent: whoever works at the command line of the machine, who has no account. */
  readonly principal?: Principal | undefined;
  readonly who: string;
  readonly interface: Interface;
  readonly address?: string | undefined;
}

/** What is asked for. */
export interface Asked {
  /** All that the act depends on, as JSON can have it. */
  readonly params: unknown;
  /** The same for the one who is to approve it. */
  readonly words: string;
}

/** The one door in front of acts that can wait for a second person. */
export interface SecondPerson {
  /** Whether the act is set to wait. */
  waits(act: Act): boolean;
  /**
   * Returns where the act needs no second person, and where one has approved exactly this: that is used up then. Faults:
   * {@link ApprovalNeeded} where somebody has to approve it first, `denied` where nobody can, `busy`, `unavailable`.
   */
  pass(asker: Asker, act: Act, asked: () => Asked): Promise<void>;
}

/** Somebody else has to approve it; then the same is to be asked for again. */
export class ApprovalNeeded extends Fault {
  readonly approval: Approval;

  constructor(approval: Approval) {
    super("wrong-state", `${approval.who} needs approval ${approval.id} to ${approval.act}`, {
      tell: "this waits for a second person: ask for the same again once it is approved",
    });
    this.approval = approval;
  }
}

/** Where nobody else can be asked: the command line. What needs a second person is refused. */
export function nobodyElse(acts: readonly Act[]): SecondPerson {
  return {
    waits: (act) => acts.includes(act),
    pass: async (_asker, act) => assertAlone(acts, act),
  };
}

/** Fault `denied` where the act is one of those that need a second person. */
export function assertAlone(acts: readonly Act[], act: Act): void {
  if (acts.includes(act)) throw nobodyToAsk(act);
}

export function nobodyToAsk(act: Act): Fault {
  return new Fault("denied", `${act} at the command line`, {
    tell: `this waits for a second person (approval.acts: ${act}), whom nobody can ask from here: do it at the pages`,
  });
}

/** What an approval is bound to. */
export function hashOfAsked(asker: Pick<Approval, "account" | "interface">, act: Act, params: unknown): string {
  const { account, interface: door } = asker;
  return createHash("sha256")
    .update(canonical([act, account, door, params]))
    .digest("hex");
}

/** The same text for the same value, whatever the order of its keys (as RFC 8785, of what JSON can have). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, of]) => of !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, of]) => `${JSON.stringify(key)}:${canonical(of)}`).join(",")}}`;
}
