import { Accounts } from "../auth/accounts.ts";
import { type PlainGrant, plainGrants } from "../auth/grants.ts";
import { ManagedAccounts } from "../auth/managed.ts";
import type { Grant } from "../auth/principal.ts";
import { type CameraRight, isCameraRight } from "../auth/right.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { SECOND } from "../base/units.ts";
import { openAudit } from "../bridge/audit-log.ts";
import { CameraStore } from "../bridge/camera-store.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";

/** The rights that an external system may be given. */
const CHOSEN = [
  "live",
  "playback",
  "audio",
  "metadata",
  "talk",
  "snapshot",
  "ptz",
  "presets",
  "imaging",
  "relay",
] as const;

/** Cameras for each of the rights. */
export type AddOptions = DataOptions & { readonly person?: string } & {
  readonly [K in (typeof CHOSEN)[number]]?: string[];
};

interface Work {
  readonly accounts: Accounts;
  /** For what changes them: in the audit log, under the name of the user of this machine. */
  readonly managed: ManagedAccounts;
  readonly cameras: CameraStore;
}

async function withAccounts(options: DataOptions, work: (parts: Work) => Promise<void>): Promise<void> {
  await withDatabase(options, async ({ settings, folder, database: { query } }) => {
    const { sealer } = folder;
    const shared = { clock: systemClock, log: silentLog() };
    const audit = openAudit(folder, settings, shared);
    try {
      const accounts = await Accounts.open({ ...shared, query, sealer });
      const managed = new ManagedAccounts(accounts, audit, { who: operator(), interface: "cli" });
      await work({ accounts, managed, cameras: new CameraStore(query, sealer) });
    } finally {
      audit.close();
    }
  });
}

export async function listAccounts(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withAccounts(options, async ({ accounts }) => {
    const list = accounts.list().map(({ name, kind, enabled, roles, grants, directory = null }) => {
      return { name, kind, enabled, roles, grants: plainGrants(grants), directory };
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write("There are no accounts.\n");
    else
      for (const { name, kind, enabled, roles, grants, directory } of list) {
        const given = directory?.roles.map((role) => `role ${role} by directory ${directory.directory}`) ?? [];
        const rights = [...roles.map((role) => `role ${role}`), ...given, ...grants.map(wordsOf)];
        const out = enabled ? (directory?.out ? `, ${directory.out}` : "") : ", disabled";
        process.stdout.write(`${name}  ${kind}${out}  ${rights.join("; ") || "no rights"}\n`);
      }
  });
}

export async function addAccount(name: string, options: AddOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, managed, cameras }) => {
    const known = new Set((await cameras.list()).map((camera) => camera.id));
    const grants = CHOSEN.flatMap((right) => grantsOf(right, options[right], known));
    const person = options.person === undefined ? undefined : personOf(options.person, accounts);
    if (grants.length === 0 && person === undefined)
      throw new Fault("invalid", "say what the account may do: --live any, --playback front-door …");
    const { secret } = await managed.createIntegration({ name, grants, person });
    process.stdout.write(`name:   ${name}\nsecret: ${secret.reveal()}\n`);
    process.stderr.write("The secret is shown this once; it cannot be shown again.\n");
  });
}

export async function removeAccount(name: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, managed }) => {
    const account = accounts.list().find((one) => one.name === name);
    if (account === undefined) throw new Fault("not-found", `there is no account "${name}"`);
    await managed.remove(account.id);
    process.stdout.write(`${name} is removed.\n`);
  });
}

/** The account of a person of a directory, by name. */
function personOf(name: string, accounts: Accounts): string {
  const found = accounts
    .list()
    .find((one) => one.name === name && one.kind === "person" && one.directory !== undefined);
  if (found !== undefined) return found.id;
  throw new Fault("invalid", `there is no person "${name}" by a directory; \`viaduct directory sync\` makes them`);
}

function grantsOf(
  right: CameraRight,
  cameras: readonly string[] | undefined,
  known: ReadonlySet<string>,
): readonly Grant[] {
  if (cameras === undefined || cameras.length === 0) return [];
  if (cameras.includes("any")) return [{ right, cameras: "any", interfaces: "any" }];
  const unknown = cameras.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new Fault("invalid", `there is no camera ${unknown.join(", ")}`);
  return [{ right, cameras: new Set(cameras), interfaces: "any" }];
}

/** A grant with everything that narrows it, in one line. */
function wordsOf(grant: PlainGrant): string {
  const { right, deny, interfaces, hours, maxAgeMs, from, until } = grant;
  const left = [...(grant.except ?? []), ...groupsOf(grant.exceptGroups)];
  const cameras = grant.cameras === "any" ? ["any"] : [...grant.cameras, ...groupsOf(grant.groups)];
  return [
    deny === true ? `deny ${right}` : right,
    isCameraRight(right) ? cameras.join(",") || "no camera" : [],
    left.length > 0 ? `except ${left.join(",")}` : [],
    interfaces === "any" ? [] : `through ${interfaces.join(",") || "nothing"}`,
    hours === undefined ? [] : `at the hours ${hours}`,
    maxAgeMs === undefined ? [] : `up to ${maxAgeMs / SECOND} s old`,
    from === undefined ? [] : `from ${from}`,
    until === undefined ? [] : `until ${until}`,
  ]
    .flat()
    .join(" ");
}

function groupsOf(groups: readonly string[] = []): readonly string[] {
  return groups.map((group) => `group ${group}`);
}
