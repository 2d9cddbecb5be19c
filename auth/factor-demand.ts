import { Fault } from "../base/fault.ts";
import type { Account } from "./account.ts";
import { ADMINISTRATOR, type Policy } from "./policy.ts";

/** Of whom a second factor is demanded, besides those with a role that does. */
export const FACTOR_DEMANDS = ["by-role", "administrators", "everybody"] as const;

export type FactorDemand = (typeof FACTOR_DEMANDS)[number];

/** Whether a person must have a second factor, by their roles, those that a directory gives too, or by the configuration. */
export function demandsFactor(
  { kind, roles, directory }: Pick<Account, "kind" | "roles" | "directory">,
  policy: Policy,
  demand: FactorDemand,
): boolean {
  // Where systems log in nobody can be asked for a code.
  if (kind !== "person") return false;
  const all = [...roles, ...(directory?.roles ?? [])];
  if (demand === "everybody" || (demand === "administrators" && all.includes(ADMINISTRATOR))) return true;
  return all.some((id) => policy.part("role", id)?.secondFactor === true);
}

/** The password was right, and nothing is let in before the person has set up a second factor. */
export class FactorDemanded extends Fault {
  readonly account: Pick<Account, "id" | "name">;

  constructor(account: Pick<Account, "id" | "name">) {
    super("denied", `${account.name} has to set up a second factor first`, {
      tell: "you have to set up a second factor first: log in at the pages",
    });
    this.account = account;
  }
}
