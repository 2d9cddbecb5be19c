import { Accounts } from "../auth/accounts.ts";
import type { Grant } from "../auth/principal.ts";
import type { CameraRight } from "../auth/right.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { CameraStore } from "../bridge/camera-store.ts";
import { type DataOptions, withDatabase } from "./data.ts";

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
export type AddOptions = DataOptions & { readonly [K in (typeof CHOSEN)[number]]?: string[] };

async function withAccounts(
  options: DataOptions,
  work: (accounts: Accounts, cameras: CameraStore) => Promise<void>,
): Promise<void> {
  await withDatabase(options, async ({ folder: { sealer }, database: { query } }) => {
    const accounts = await Accounts.open({ query, sealer, clock: systemClock, log: silentLog() });
    await work(accounts, new CameraStore(query, sealer));
  });
}

export async function listAccounts(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withAccounts(options, async (accounts) => {
    const list = accounts.list().map(({ name, kind, enabled, grants }) => ({
      name,
      kind,
      enabled,
      grants: grants.map(({ right, cameras }) => ({ right, cameras: cameras === "any" ? cameras : [...cameras] })),
    }));
    if (options.json === true) process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write("There are no accounts.\n");
    else
      for (const { name, kind, enabled, grants } of list) {
        const rights = grants.map(({ right, cameras }) => `${right} ${cameras === "any" ? "any" : cameras.join(",")}`);
        process.stdout.write(`${name}  ${kind}${enabled ? "" : ", disabled"}  ${rights.join("; ")}\n`);
      }
  });
}

export async function addAccount(name: string, options: AddOptions): Promise<void> {
  await withAccounts(options, async (accounts, cameras) => {
    const known = new Set((await cameras.list()).map((camera) => camera.id));
    const grants = CHOSEN.flatMap((right) => grantsOf(right, options[right], known));
    if (grants.length === 0)
      throw new Fault("invalid", "say what the account may do: --live any, --playback front-door …");
    const { secret } = await accounts.createIntegration({ name, grants });
    process.stdout.write(`name:   ${name}\nsecret: ${secret.reveal()}\n`);
    process.stderr.write("The secret is shown this once; it cannot be shown again.\n");
  });
}

export async function removeAccount(name: string, options: DataOptions): Promise<void> {
  await withAccounts(options, async (accounts) => {
    const account = accounts.list().find((one) => one.name === name);
    if (account === undefined) throw new Fault("not-found", `there is no account "${name}"`);
    await accounts.remove(account.id);
    process.stdout.write(`${name} is removed.\n`);
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
