import { parseGrant, printGrant } from "../auth/grant-words.ts";
import { type PlainGrant, plainGrants } from "../auth/grants.ts";
import { parseException, parseWeekly, printException, printWeekly } from "../auth/hours-words.ts";
import {
  type CameraGroup,
  type NamedHours,
  type PolicyKind,
  type PolicyParts,
  plainPart,
  type Role,
  readPart,
} from "../auth/policy.ts";
import { Fault } from "../base/fault.ts";
import type { DataOptions } from "./data.ts";
import { type AccountsWork, withAccounts } from "./with-accounts.ts";

type ListOptions = DataOptions & { readonly json?: boolean };

export interface RoleOptions extends DataOptions {
  readonly name?: string;
  /** Instead of all that there are. */
  readonly grant?: string[];
  /** Besides those that there are. */
  readonly addGrant?: string[];
  /** Whoever has it must have a second factor; false for not. */
  readonly secondFactor?: boolean;
}

export interface GroupOptions extends DataOptions {
  readonly name?: string;
  readonly camera?: string[] | false;
  readonly parent?: string | false;
}

export interface HoursOptions extends DataOptions {
  readonly name?: string;
  readonly zone?: string;
  readonly week?: string[] | false;
  readonly except?: string[] | false;
}

/** Whether the command makes a part, or changes one that is there. */
export type Purpose = "add" | "change";

const WORD: Readonly<Record<PolicyKind, string>> = { role: "role", group: "camera group", hours: "time profile" };

export async function listParts(kind: PolicyKind, options: ListOptions): Promise<void> {
  await withAccounts(options, async (work) => {
    const { policy } = work.accounts;
    const all = policy.ids(kind).toSorted();
    const list = all.map((id) => ({ id, part: policy.part(kind, id) as PolicyParts[PolicyKind] }));
    if (options.json === true) {
      const plain = list.map(({ id, part }) => {
        return { id, ...plainPart(kind, part as never), ...(kind === "role" ? { accounts: holdersOf(work, id) } : {}) };
      });
      process.stdout.write(`${JSON.stringify(plain, undefined, 2)}\n`);
    } else if (list.length === 0) process.stdout.write(`There are no ${WORD[kind]}s.\n`);
    else for (const { id, part } of list) process.stdout.write(textOf(kind, id, part, work));
  });
}

export async function removePart(kind: PolicyKind, id: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, managed }) => {
    if (accounts.policy.part(kind, id) === undefined)
      throw new Fault("not-found", `there is no ${WORD[kind]} ${id}`, { tell: `there is no ${WORD[kind]} ${id}` });
    await managed.removePart(kind, id);
    process.stdout.write(`${id} is removed.\n`);
  });
}

export async function setRole(purpose: Purpose, id: string, options: RoleOptions): Promise<void> {
  await setPart("role", purpose, id, options, async (before: Role | undefined, work) => {
    const kept = options.grant === undefined ? plainGrants(before?.grants ?? []) : options.grant.map(parseGrant);
    const added = (options.addGrant ?? []).map(parseGrant);
    await assertCameras(work, [...(options.grant === undefined ? [] : kept), ...added].flatMap(camerasOf));
    const demands = options.secondFactor ?? before?.secondFactor === true;
    const name = options.name ?? before?.name ?? id;
    return { name, ...(demands ? { secondFactor: true } : {}), grants: [...kept, ...added] };
  });
}

export async function setGroup(purpose: Purpose, id: string, options: GroupOptions): Promise<void> {
  await setPart("group", purpose, id, options, async (before: CameraGroup | undefined, work) => {
    const { camera, parent = before?.parent } = options;
    if (camera !== undefined && camera !== false) await assertCameras(work, camera);
    return {
      name: options.name ?? before?.name ?? id,
      cameras: camera === false ? [] : (camera ?? before?.cameras ?? []),
      ...(parent === undefined || parent === false ? {} : { parent }),
    };
  });
}

export async function setHours(purpose: Purpose, id: string, options: HoursOptions): Promise<void> {
  await setPart("hours", purpose, id, options, async (before: NamedHours | undefined) => {
    const { zone = before?.zone, week, except } = options;
    if (zone === undefined) throw new Fault("invalid", "say the time zone: --zone Europe/Copenhagen");
    return {
      name: options.name ?? before?.name ?? id,
      zone,
      weekly: week === false ? [] : (week?.map(parseWeekly) ?? before?.weekly ?? []),
      exceptions: except === false ? [] : (except?.map(parseException) ?? before?.exceptions ?? []),
    };
  });
}

async function setPart<K extends PolicyKind>(
  kind: K,
  purpose: Purpose,
  id: string,
  options: DataOptions,
  partOf: (before: PolicyParts[K] | undefined, work: AccountsWork) => Promise<object>,
): Promise<void> {
  await withAccounts(options, async (work) => {
    const before = work.accounts.policy.part(kind, id);
    const which = `${WORD[kind]} ${id}`;
    if (purpose === "add" && before !== undefined)
      throw new Fault("invalid", `there is a ${which} already: see \`viaduct ${kind} change\``);
    if (purpose === "change" && before === undefined)
      throw new Fault("not-found", `there is no ${which}: see \`viaduct ${kind} list\``);
    await work.managed.setPart(kind, id, readPart(kind, id, await partOf(before, work)));
    process.stdout.write(`${id} is ${purpose === "add" ? "made" : "changed"}.\n`);
  });
}

/** A camera that is not there is more often a slip than a camera of the future. Fault `invalid`. */
async function assertCameras({ cameras }: AccountsWork, ids: readonly string[]): Promise<void> {
  const known = new Set((await cameras.list()).map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new Fault("invalid", `there is no camera ${unknown.join(", ")}`);
}

function camerasOf({ cameras, except = [] }: PlainGrant): readonly string[] {
  return [...(cameras === "any" ? [] : cameras), ...except];
}

function textOf(kind: PolicyKind, id: string, part: PolicyParts[PolicyKind], work: AccountsWork): string {
  const lines =
    kind === "role"
      ? roleLines(id, part as Role, work)
      : kind === "group"
        ? groupLines(part as CameraGroup)
        : hoursLines(part as NamedHours);
  return [`${id}  ${part.name}`, ...lines.map((line) => `  ${line}`)].map((line) => `${line}\n`).join("");
}

function roleLines(id: string, { grants, secondFactor }: Role, work: AccountsWork): readonly string[] {
  const demands = secondFactor === true ? ["demands a second factor"] : [];
  return [...demands, ...plainGrants(grants).map(printGrant), `held by: ${holdersOf(work, id).join(", ") || "nobody"}`];
}

function groupLines({ cameras, parent }: CameraGroup): readonly string[] {
  return [`cameras: ${cameras.join(", ") || "none"}`, ...(parent === undefined ? [] : [`in: ${parent}`])];
}

function hoursLines({ zone, weekly, exceptions }: NamedHours): readonly string[] {
  const exception = exceptions.map((one) => `except ${printException(one)}`);
  return [`zone: ${zone}`, ...(weekly.length === 0 ? ["never in the week"] : weekly.map(printWeekly)), ...exception];
}

function holdersOf({ accounts }: AccountsWork, role: string): readonly string[] {
  return accounts
    .list()
    .filter(({ roles, directory }) => roles.includes(role) || directory?.roles.includes(role) === true)
    .map(({ name }) => name);
}
