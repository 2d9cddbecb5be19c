import { Accounts } from "../auth/accounts.ts";
import { ApiTokens } from "../auth/api-tokens.ts";
import { nobodyElse } from "../auth/approval.ts";
import { ManagedAccounts } from "../auth/managed.ts";
import { ManagedArming } from "../auth/managed-arming.ts";
import { ManagedTokens } from "../auth/managed-tokens.ts";
import { SecondFactors } from "../auth/second-factors.ts";
import { Throttle } from "../auth/throttle.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { openAudit } from "../bridge/audit-log.ts";
import { CameraStore } from "../bridge/camera-store.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";

/** What commands work on that read or change accounts and rights. */
export interface AccountsWork {
  readonly accounts: Accounts;
  /** For what changes them: in the audit log, under the name of the user of this machine. */
  readonly managed: ManagedAccounts;
  readonly arming: ManagedArming;
  readonly tokens: ApiTokens;
  readonly managedTokens: ManagedTokens;
  readonly cameras: CameraStore;
}

/** Works on the accounts of a stopped bridge. */
export async function withAccounts(options: DataOptions, work: (parts: AccountsWork) => Promise<void>): Promise<void> {
  await withDatabase(options, async ({ settings, folder, database: { query } }) => {
    const { sealer } = folder;
    const shared = { clock: systemClock, log: silentLog() };
    const audit = openAudit(folder, settings, shared);
    try {
      const factors = await SecondFactors.open({ query, sealer, clock: systemClock });
      const { secondFactor: factorDemand } = settings.accounts;
      const accounts = await Accounts.open({ ...shared, query, sealer, factors, factorDemand });
      const by = { who: operator(), interface: "cli" } as const;
      const second = nobodyElse(settings.approval.acts);
      const managed = new ManagedAccounts(accounts, audit, second, by);
      const arming = new ManagedArming(accounts, audit, second, by);
      const tokens = await ApiTokens.open({ ...shared, query, accounts, audit, throttle: new Throttle(systemClock) });
      const managedTokens = new ManagedTokens(tokens, audit, by);
      await work({ accounts, managed, arming, tokens, managedTokens, cameras: new CameraStore(query, sealer) });
    } finally {
      audit.close();
    }
  });
}

/** The account of that name. Fault `not-found`. */
export function accountNamed(accounts: Accounts, name: string): ReturnType<Accounts["list"]>[number] {
  const account = accounts.list().find((one) => one.name === name);
  if (account === undefined) throw new Fault("not-found", `there is no account "${name}"`);
  return account;
}
