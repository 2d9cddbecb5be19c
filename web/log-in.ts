import type { Accounts } from "../auth/accounts.ts";
import type { Audit, AuditEntry } from "../auth/audit.ts";
import { FactorDemanded } from "../auth/factor-demand.ts";
import type { Peer, Principal } from "../auth/principal.ts";
import type { SecondFactors, SentTo } from "../auth/second-factors.ts";
import { asFault, Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { sendCode } from "./send-code.ts";

/** What somebody brings to a log-in at the pages. */
export interface LogInInput {
  /** For the audit log. */
  readonly name: string;
  /** The first step: who it is, by a password or otherwise. Faults: `unauthenticated`, `busy`, {@link FactorDemanded}. */
  readonly first: () => Promise<Principal>;
  /** Of the second factor, or the first one of a new authenticator. */
  readonly code?: string | undefined;
}

/** Who has logged in. */
export interface Proved {
  readonly who: Principal;
  /** Of a second factor that was set up with it; they cannot be read again. */
  readonly recoveryCodes?: readonly Secret[];
}

/** What pages are told that the log-in still needs. `factor`: one has to be set up, with this secret. */
type Needs =
  | {
      readonly needs: "code";
      /** Where one was sent. */
      readonly sent?: SentTo;
      /** Why none was, where one should have been: a recovery code opens the account, too. */
      readonly trouble?: string;
    }
  | { readonly needs: "factor"; readonly secret: string; readonly uri: string };

/** The first step was right, and another is still to come. */
export class StepMissing extends Fault {
  readonly needs: Needs;

  constructor(needs: Needs) {
    super("unauthenticated", `first step right, ${needs.needs} missing`);
    this.needs = needs;
  }
}

interface Parts {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly audit: Audit;
}

/**
 * The first step, and second factor where there is one. Whoever must have one and has none sets it up in the same way: the first answer has
 * the secret, the next log-in the code that the authenticator makes of it. Faults: {@link StepMissing}, `unauthenticated`, `busy`, and
 * `invalid` and `wrong-state` for the first code of a new authenticator.
 */
export async function prove(o: Parts, { name, first, code }: LogInInput, peer: Peer): Promise<Proved> {
  let who: Principal;
  try {
    who = await first();
  } catch (error) {
    if (error instanceof FactorDemanded) return setUpFactor(o, error.account, code, peer);
    throw error;
  }
  if (!o.factors.has(who.accountId)) return { who };
  if (code === undefined) throw new StepMissing({ needs: "code", ...(await sent(o, who, peer)) });
  // Somebody has lost their telephone, or somebody else has found their paper.
  if ((await o.factors.check(who.accountId, code, peer.address)) === "recovery code")
    record(o, "use-recovery-code", name, peer);
  return { who };
}

/** Where a code was sent, or why it was not, which ends no log-in; neither to whom none are sent. */
async function sent(
  o: Parts,
  { accountId, name }: Principal,
  peer: Peer,
): Promise<{ readonly sent?: SentTo; readonly trouble?: string }> {
  const entry = entryOf(name, peer);
  try {
    const to = await sendCode(o.audit, entry, () => o.factors.sendCode(accountId, peer.address), wordsOf);
    return to === undefined ? {} : { sent: to };
  } catch (error) {
    const { kind, tell } = asFault(error);
    if (kind !== "busy" && kind !== "unavailable") throw error;
    // Whoever asks for more codes than are sent knows the password.
    if (kind === "busy") o.audit.record({ ...entry, action: "send-code", outcome: "failed", why: wordsOf(error) });
    return { trouble: tell ?? "the code could not be sent" };
  }
}

async function setUpFactor(
  o: Parts,
  { id, name }: FactorDemanded["account"],
  code: string | undefined,
  peer: Peer,
): Promise<Proved> {
  if (code === undefined) {
    const { secret, uri } = o.factors.begin(id, name);
    throw new StepMissing({ needs: "factor", secret: secret.reveal(), uri: uri.reveal() });
  }
  const recoveryCodes = await o.factors.confirm(id, code, peer.address);
  record(o, "set-second-factor", name, peer);
  o.accounts.endAll(id);
  const who = o.accounts.principalOf(id);
  if (who === undefined) throw new Fault("denied", `${name} was changed during the log-in`);
  return { who, recoveryCodes };
}

function record({ audit }: Parts, action: string, name: string, peer: Peer): void {
  audit.record({ ...entryOf(name, peer), action, outcome: "allowed" });
}

function entryOf(name: string, { address }: Peer): Omit<AuditEntry, "action" | "outcome"> {
  return { who: name, subject: name, interface: "web", address };
}

function wordsOf(error: unknown): string {
  return asFault(error).message;
}
