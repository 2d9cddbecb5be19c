import type { Accounts } from "../auth/accounts.ts";
import { type Arming, isArmed } from "../auth/arming.ts";
import { printGrant } from "../auth/grant-words.ts";
import { plainGrants } from "../auth/grants.ts";
import type { Grant } from "../auth/principal.ts";
import type { CameraRight } from "../auth/right.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { DAY, HOUR, isoOf, MINUTE } from "../base/units.ts";
import type { DataOptions } from "./data.ts";
import { newSecret } from "./passphrase.ts";
import { accountNamed, withAccounts } from "./with-accounts.ts";

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
  "encoding",
  "relay",
] as const;

/** Cameras for each of the rights. */
export type AddOptions = DataOptions & { readonly person?: string; readonly onlyWhileArmed?: boolean } & {
  readonly [K in (typeof CHOSEN)[number]]?: string[];
};

export interface ChangeOptions extends DataOptions {
  /** The roles that it has from now on; false for none. */
  readonly role?: string[] | false;
  readonly enable?: boolean;
  readonly disable?: boolean;
  /** Whether an external system is let in only while it is armed. */
  readonly onlyWhileArmed?: boolean;
}

export async function listAccounts(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withAccounts(options, async ({ accounts }) => {
    const list = accounts.list().map((account) => {
      const {
        name,
        kind,
        enabled,
        roles,
        grants,
        directory = null,
        arming = null,
        temporaryPassword = false,
      } = account;
      return { name, kind, enabled, roles, grants: plainGrants(grants), directory, arming, temporaryPassword };
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write("There are no accounts.\n");
    else
      for (const { name, kind, enabled, roles, grants, directory, arming, temporaryPassword } of list) {
        const given = directory?.roles.map((role) => `role ${role} by directory ${directory.directory}`) ?? [];
        const rights = [...roles.map((role) => `role ${role}`), ...given, ...grants.map(printGrant)];
        const out = enabled ? (directory?.out ? `, ${directory.out}` : "") : ", disabled";
        const armed = arming === null ? "" : armedWords(arming);
        const chooses = temporaryPassword ? ", temporary password" : "";
        process.stdout.write(`${name}  ${kind}${out}${armed}${chooses}  ${rights.join("; ") || "no rights"}\n`);
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
    const { onlyWhileArmed = false } = options;
    const { secret } = await managed.createIntegration({ name, grants, person, onlyWhileArmed });
    process.stdout.write(`name:   ${name}\nsecret: ${secret.reveal()}\n`);
    process.stderr.write("The secret is shown this once; it cannot be shown again.\n");
  });
}

const THEN_CHOOSES = ", at the pages, and has to choose another one there first";

/** An account for somebody who logs in at the pages, with a password that is asked for. */
export async function addPerson(
  name: string,
  options: DataOptions & { readonly role?: string[]; readonly lasting?: boolean; readonly passwordFd?: string },
): Promise<void> {
  const password = await newSecret(`Password of ${name}: `, options.passwordFd);
  const temporary = options.lasting !== true;
  await withAccounts(options, async ({ managed }) => {
    await managed.createPerson({ name, password, grants: [], roles: options.role ?? [], temporary });
    process.stdout.write(`${name} may log in${temporary ? THEN_CHOOSES : ""}.\n`);
  });
}

/** Another password for a person, that is asked for. What runs under the account ends. */
export async function setPassword(
  name: string,
  options: DataOptions & { readonly lasting?: boolean; readonly passwordFd?: string },
): Promise<void> {
  const password = await newSecret(`New password of ${name}: `, options.passwordFd);
  const temporary = options.lasting !== true;
  await withAccounts(options, async ({ accounts, managed }) => {
    await managed.setPassword(accountNamed(accounts, name).id, password, { temporary });
    process.stdout.write(`${name} logs in with the new password from now on${temporary ? THEN_CHOOSES : ""}.\n`);
  });
}

/** Another secret for an external system. */
export async function renewSecret(name: string, options: DataOptions & { readonly overlap?: string }): Promise<void> {
  const overlapMs = overlapOf(options.overlap);
  await withAccounts(options, async ({ accounts, managed }) => {
    const { id } = accountNamed(accounts, name);
    const secret = await managed.renewSecret(id, overlapMs);
    const until = accounts.secretsOf(id)?.former?.until;
    const before = until === undefined ? "does not open anything any more" : `holds beside it until ${isoOf(until)}`;
    process.stdout.write(`name:   ${name}\nsecret: ${secret.reveal()}\n`);
    process.stderr.write(`The secret is shown this once; the one before ${before}.\n`);
  });
}

/** The former secret of an external system holds no longer. */
export async function endSecret(name: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, managed }) => {
    await managed.endFormerSecret(accountNamed(accounts, name).id);
    process.stdout.write(`The former secret of ${name} does not open anything any more.\n`);
  });
}

/** Lets an external system in that is let in only while it is armed, for a time that begins now. */
export async function armAccount(name: string, options: DataOptions & { readonly for: string }): Promise<void> {
  const [, count = "", unit = ""] = /^(\d{1,4})([mh])$/.exec(options.for) ?? [];
  if (unit === "") throw new Fault("invalid", `--for is in minutes or hours, as 30m or 8h; not "${options.for}"`);
  await withAccounts(options, async ({ accounts, arming }) => {
    const { until } = await arming.arm(accountNamed(accounts, name).id, Number(count) * (unit === "h" ? HOUR : MINUTE));
    process.stdout.write(`${name} is armed until ${isoOf(until)}.\n`);
  });
}

/** Ends that early. */
export async function disarmAccount(name: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, arming }) => {
    await arming.disarm(accountNamed(accounts, name).id);
    process.stdout.write(`${name} is not armed any more.\n`);
  });
}

function armedWords(arming: Arming): string {
  const { window } = arming;
  return window !== undefined && isArmed(arming, systemClock.now())
    ? `, armed until ${isoOf(window.until)}`
    : ", not armed";
}

/** `24h` or `7d`, in milliseconds; 0 if absent. */
function overlapOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, count = "", unit = ""] = /^(\d{1,3})([hd])$/.exec(text) ?? [];
  if (unit === "") throw new Fault("invalid", `an overlap is in hours or days, as 24h or 7d; not "${text}"`);
  return Number(count) * (unit === "d" ? DAY : HOUR);
}

export async function removeAccount(name: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async ({ accounts, managed }) => {
    await managed.remove(accountNamed(accounts, name).id);
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

/** Gives an account other roles, or lets it in or keeps it out. */
export async function changeAccount(name: string, options: ChangeOptions): Promise<void> {
  const { role: roles, enable, disable, onlyWhileArmed } = options;
  if (enable === true && disable === true) throw new Fault("invalid", "say --enable or --disable, not both");
  const enabled = enable === true ? true : disable === true ? false : undefined;
  if (roles === undefined && enabled === undefined && onlyWhileArmed === undefined)
    throw new Fault("invalid", "say what to change: --role guards, --no-role, --enable, --disable, --only-while-armed");
  await withAccounts(options, async ({ accounts, managed, arming }) => {
    const { id } = accountNamed(accounts, name);
    if (onlyWhileArmed !== undefined) await arming.demand(id, onlyWhileArmed);
    if (roles !== undefined || enabled !== undefined)
      await managed.change(id, { roles: roles === false ? [] : roles, enabled });
    process.stdout.write(`${name} is changed.\n`);
  });
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
