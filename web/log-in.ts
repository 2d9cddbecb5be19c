import type { Accounts } from "../auth/accounts.ts";
import type { Audit } from "../auth/audit.ts";
import { FactorDemanded } from "../auth/factor-demand.ts";
import type { Peer, Principal } from "../auth/principal.ts";
import type { SecondFactors } from "../auth/second-factors.ts";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";

/** What somebody brings to a log-in at the pages. */
export interface LogInInput {
  readonly name: string;
  readonly password: string;
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
type Needs = { readonly needs: "code" } | { readonly needs: "factor"; readonly secret: string; readonly uri: string };

/** The password was right, and a step is still to come. */
export class StepMissing extends Fault {
  readonly needs: Needs;

  constructor(needs: Needs) {
    super("unauthenticated", `password right, ${needs.needs} missing`);
    this.needs = needs;
  }
}

interface Parts {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly audit: Audit;
}

/**
 * Password, and second factor where there is one. Whoever must have one and has none sets it up in the same way: the first answer has
 * the secret, the next log-in the code that the authenticator makes of it. Faults: {@link StepMissing}, `unauthenticated`, `busy`, and
 * `invalid` and `wrong-state` for the first code of a new authenticator.
 */
export async function prove(o: Parts, { name, password, code }: LogInInput, peer: Peer): Promise<Proved> {
  let who: Principal;
  try {
    who = await o.accounts.logIn(name, password, peer, "web");
  } catch (error) {
    if (error instanceof FactorDemanded) return setUpFactor(o, error.account, code, peer);
    throw error;
  }
  if (!o.factors.has(who.accountId)) return { who };
  if (code === undefined) throw new StepMissing({ needs: "code" });
  // Somebody has lost their telephone, or somebody else has found their paper.
  if ((await o.factors.check(who.accountId, code)) === "recovery code") record(o, "use-recovery-code", name, peer);
  return { who };
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
  const recoveryCodes = await o.factors.confirm(id, code);
  record(o, "set-second-factor", name, peer);
  o.accounts.endAll(id);
  const who = o.accounts.principalOf(id);
  if (who === undefined) throw new Fault("denied", `${name} was changed during the log-in`);
  return { who, recoveryCodes };
}

function record({ audit }: Parts, action: string, name: string, { address }: Peer): void {
  audit.record({ action, who: name, subject: name, interface: "web", address, outcome: "allowed" });
}
