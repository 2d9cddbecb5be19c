import type { EffectiveGrant } from "./principal.ts";
import type { Right } from "./right.ts";

/** Rights that make others: who has them gives rights to anybody, or is the second person for anything. */
const POWERS: ReadonlySet<Right> = new Set<Right>(["manage-accounts", "approve"]);

/** What of the grants gives or denies these powers, in words for an approval to be bound to: with the hours of this moment, and wherever it comes from. */
export function powersOf(grants: readonly EffectiveGrant[]): {
  readonly gives: readonly string[];
  readonly denies: readonly string[];
} {
  const { gives, denies } = textsOf(grants);
  return { gives: [...gives].toSorted(), denies: [...denies].toSorted() };
}

/** Whether somebody has more of these powers by the one list of grants than by the other: a line that gives came, or one that denies went. */
export function gainsPower(before: readonly EffectiveGrant[], after: readonly EffectiveGrant[]): boolean {
  const [had, has] = [textsOf(before), textsOf(after)];
  if (has.gives.size === 0) return false;
  return [...has.gives].some((line) => !had.gives.has(line)) || [...had.denies].some((line) => !has.denies.has(line));
}

function textsOf(grants: readonly EffectiveGrant[]): {
  readonly gives: ReadonlySet<string>;
  readonly denies: ReadonlySet<string>;
} {
  const powers = grants.filter(({ right }) => POWERS.has(right));
  return {
    gives: new Set(powers.filter(({ deny }) => deny !== true).map(textOf)),
    denies: new Set(powers.filter(({ deny }) => deny).map(textOf)),
  };
}

/** Of what it says, wherever it comes from. */
function textOf({ right, interfaces, hours, from, until }: EffectiveGrant): string {
  const doors = interfaces === "any" ? interfaces : [...interfaces].toSorted();
  return JSON.stringify([right, doors, hours?.hours, from, until]);
}
