import type { Accounts } from "../auth/accounts.ts";
import type { Audit, AuditEntry } from "../auth/audit.ts";
import { FactorDemanded } from "../auth/factor-demand.ts";
import type { Peer, Principal } from "../auth/principal.ts";
import type { SecondFactors, SentTo } from "../auth/second-factors.ts";
import { PasswordIsTemporary } from "../auth/temporary-password.ts";
import { asFault, Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { sendCode } from "./send-code.ts";

/** What somebody brings to a log-in at the pages. */
export interface LogInInput {
  /** For the audit log. */
  readonly name: string;
  /** The first step: who it is, by a password or otherwise. Faults: `unauthenticated`, `busy`, {@link PasswordIsTemporary}, {@link FactorDemanded}. */
  readonly first: () => Promise<Principal>;
  /** Of the second factor, or the first one of a new authenticator. */
  readonly code?: string | undefined;
  /** What is chosen in the place of a temporary password. */
  readonly next?: Secret | undefined;
}

/** Who has logged in. */
export interface Proved {
  readonly who: Principal;
  /** Of a second factor that was set up with it; they cannot be read again. */
  readonly recoveryCodes?: readonly Secret[];
}

/**
 * What pages are told that the log-in still needs. `factor`: one has to be set up, with this secret. `password`, and `newPassword` beside
 * another step: one has to be chosen in the place of the temporary one.
 */
type Needs = (
  | {
      readonly needs: "code";
      /** Where one was sent. */
      readonly sent?: SentTo;
      /** Why none was, where one should have been: a recovery code opens the account, too. */
      readonly trouble?: string;
    }
  | { readonly needs: "factor"; readonly secret: string; readonly uri: string }
  | { readonly needs: "password" }
) & { readonly newPassword?: true };

/** The first step was right, and another is still to come. */
export class StepMissing extends Fault {
  readonly needs: Needs;

  constructor(needs: Needs) {
    super("unauthenticated", `first step right, ${needs.needs} missing`);
    this.needs = needs;
  }
}

type Named = FactorDemanded["account"];

interface Parts {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly audit: Audit;
}

/**
 * The first step, and second factor where there is one; another password behind both, where that one is temporary. Whoever must have a
 * second factor and has none sets it up in the same way: the first answer has the secret, the next log-in the code that the authenticator
 * makes of it. Faults: {@link StepMissing}, `unauthenticated`, `busy`; `invalid` for a password that may not be chosen; `invalid` and
 * `wrong-state` for the first code of a new authenticator.
 */
export async function prove(o: Parts, input: LogInInput, peer: Peer): Promise<Proved> {
  const { first, code } = input;
  let who: Principal;
  try {
    who = await first();
  } catch (error) {
    if (error instanceof PasswordIsTemporary) return choosePassword(o, error, input, peer);
    if (error instanceof FactorDemanded) return setUpFactor(o, error.account, code, peer);
    throw error;
  }
  await provePossession(o, { id: who.accountId, name: who.name }, code, peer);
  return { who };
}

/**
 * Behind the second factor: with a temporary password alone, which others have seen, nobody makes such an account their own. The choice is
 * looked at before the code, which is good once.
 */
async function choosePassword(
  o: Parts,
  temporary: PasswordIsTemporary,
  { code, next }: LogInInput,
  peer: Peer,
): Promise<Proved> {
  const { account } = temporary;
  const { id, name } = account;
  if (next !== undefined) await o.accounts.assertChoice(temporary, next);
  if (code === undefined && o.accounts.lacksFactor(id)) throw newFactor(o, account, { newPassword: true });
  if (code === undefined) await provePossession(o, account, code, peer, { newPassword: true });
  if (next === undefined) throw new StepMissing({ needs: "password" });
  const recoveryCodes = o.accounts.lacksFactor(id)
    ? await confirmFactor(o, account, code ?? "", peer)
    : await provePossession(o, account, code, peer);
  await o.accounts.choosePassword(temporary, next);
  o.audit.record({ ...entryOf(name, peer), action: "change-password", outcome: "allowed", why: "it was temporary" });
  return { who: principalOf(o, account), ...(recoveryCodes === undefined ? {} : { recoveryCodes }) };
}

/** Nothing where there is no second factor. */
async function provePossession(
  o: Parts,
  { id, name }: Named,
  code: string | undefined,
  peer: Peer,
  besides: { readonly newPassword?: true } = {},
): Promise<undefined> {
  if (!o.factors.has(id)) return;
  if (code === undefined) throw new StepMissing({ needs: "code", ...(await sent(o, { id, name }, peer)), ...besides });
  // Somebody has lost their telephone, or somebody else has found their paper.
  if ((await o.factors.check(id, code, peer.address)) === "recovery code") record(o, "use-recovery-code", name, peer);
}

/** Where a code was sent, or why it was not, which ends no log-in; neither to whom none are sent. */
async function sent(
  o: Parts,
  { id, name }: Named,
  peer: Peer,
): Promise<{ readonly sent?: SentTo; readonly trouble?: string }> {
  const entry = entryOf(name, peer);
  try {
    const to = await sendCode(o.audit, entry, () => o.factors.sendCode(id, peer.address), wordsOf);
    return to === undefined ? {} : { sent: to };
  } catch (error) {
    const { kind, tell } = asFault(error);
    if (kind !== "busy" && kind !== "unavailable") throw error;
    // Whoever asks for more codes than are sent knows the password.
    if (kind === "busy") o.audit.record({ ...entry, action: "send-code", outcome: "failed", why: wordsOf(error) });
    return { trouble: tell ?? "the code could not be sent" };
  }
}

async function setUpFactor(o: Parts, account: Named, code: string | undefined, peer: Peer): Promise<Proved> {
  if (code === undefined) throw newFactor(o, account);
  const recoveryCodes = await confirmFactor(o, account, code, peer);
  o.accounts.endAll(account.id);
  return { who: principalOf(o, account), recoveryCodes };
}

function newFactor(
  { factors }: Parts,
  { id, name }: Named,
  besides: { readonly newPassword?: true } = {},
): StepMissing {
  const { secret, uri } = factors.begin(id, name);
  return new StepMissing({ needs: "factor", secret: secret.reveal(), uri: uri.reveal(), ...besides });
}

async function confirmFactor(o: Parts, { id, name }: Named, code: string, peer: Peer): Promise<readonly Secret[]> {
  const recoveryCodes = await o.factors.confirm(id, code, peer.address);
  record(o, "set-second-factor", name, peer);
  return recoveryCodes;
}

function principalOf({ accounts }: Parts, { id, name }: Named): Principal {
  const who = accounts.principalOf(id);
  if (who === undefined) throw new Fault("denied", `${name} was changed during the log-in`);
  return who;
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
