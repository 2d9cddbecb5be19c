import type { Grant, Hours, Policy } from "./policy.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** How things are called on the page, by id. */
export interface Names {
  readonly policy: Policy;
  readonly cameras: ReadonlyMap<string, string>;
}

/** What a grant gives or takes, in a sentence: "May watch live: the group Outside, through rtsp, at the hours Office." */
export function grantWords(grant: Grant, names: Names): string {
  const right = names.policy.rights.find((one) => one.right === grant.right);
  const limits = [
    grant.interfaces === "any" ? [] : `through ${grant.interfaces.join(" and ") || "nothing"}`,
    grant.hours === undefined ? [] : `at the hours ${nameOf(names.policy.hours, grant.hours)}`,
    grant.maxAgeMs === undefined ? [] : `of the last ${ageWords(grant.maxAgeMs)}`,
    grant.from === undefined ? [] : `from ${new Date(grant.from).toLocaleString()}`,
    grant.until === undefined ? [] : `until ${new Date(grant.until).toLocaleString()}`,
  ].flat();
  const where = right?.ofCamera === true ? [camerasWords(grant, names)] : [];
  const all = [...where, ...limits].join(", ");
  return `${grant.deny === true ? "Must not" : "May"} ${right?.words ?? grant.right}${all === "" ? "" : `: ${all}`}.`;
}

/** `30 days`, `2 hours`. */
export function ageWords(ms: number): string {
  const [unit, name] = ms % DAY_MS === 0 ? [DAY_MS, "day"] : ms % HOUR_MS === 0 ? [HOUR_MS, "hour"] : [1000, "second"];
  return `${ms / unit} ${name}${ms === unit ? "" : "s"}`;
}

export function hoursWords({ weekly, exceptions, zone }: Hours): string {
  const week = weekly.map(({ days, from, to }) => `${days.map((day) => DAYS[day - 1]).join(" ")} ${from}–${to}`);
  const other =
    exceptions.length === 0 ? [] : [exceptions.length === 1 ? "1 other day" : `${exceptions.length} other days`];
  return [...(week.length === 0 ? ["never in the week"] : week), ...other, zone].join("; ");
}

export function nameOf(all: readonly { readonly id: string; readonly name: string }[], id: string): string {
  return all.find((one) => one.id === id)?.name ?? id;
}

function camerasWords(grant: Grant, names: Names): string {
  const list = (cameras: readonly string[] = [], groups: readonly string[] = []): string =>
    [
      ...cameras.map((id) => names.cameras.get(id) ?? id),
      ...groups.map((id) => `the group ${nameOf(names.policy.group, id)}`),
    ].join(", ");
  const on = grant.cameras === "any" ? "all cameras" : list(grant.cameras, grant.groups) || "no camera";
  const except = list(grant.except, grant.exceptGroups);
  return except === "" ? on : `${on} except ${except}`;
}
