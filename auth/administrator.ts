import type { Account } from "./account.ts";
import type { Policy } from "./policy.ts";
import type { EffectiveGrant } from "./principal.ts";

/** An enabled person of ours, for a directory may fail, who may manage accounts at the pages, always, and to whom nothing denies it at any time. */
export function isAdministrator(account: Account, policy: Policy): boolean {
  if (!account.enabled || account.kind !== "person" || account.directory !== undefined) return false;
  const lines = policy
    .effective(account)
    .filter(({ right, interfaces }) => right === "manage-accounts" && (interfaces === "any" || interfaces.has("web")));
  return lines.some(isLasting) && lines.every(({ deny }) => deny !== true);
}

function isLasting({ hours, from, until }: EffectiveGrant): boolean {
  return hours === undefined && from === undefined && until === undefined;
}

/** Why the last one stays. */
export const NOBODY_LEFT = "nobody would be left who may manage accounts";
