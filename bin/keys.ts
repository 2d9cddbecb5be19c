import { type KeyObject, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { writeNew } from "../base/whole-file.ts";
import type { DataFolder } from "../bridge/data-folder.ts";
import { resealSecrets } from "../bridge/reseal.ts";
import type { Settings } from "../bridge/settings.ts";
import { certificateInUse } from "../bridge/signing-certificate.ts";
import { tokenPlaceOf } from "../bridge/token-settings.ts";
import { type PrintMaster, printInFile, replaceMaster } from "../keys/master.ts";
import { printUnderToken } from "../keys/token/form.ts";
import { printUnderPassphrase } from "../keys/under-passphrase.ts";
import { KEY_BYTES, makePair, readKey } from "../keys/wrap.ts";
import { type DataOptions, openFolder } from "./data.ts";
import { newPassphrase } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

/** Works on the keys of a stopped bridge; the data folder's lock keeps a running one out. */
export async function withFolder(
  { config, passphraseFd }: DataOptions,
  work: (folder: DataFolder, settings: Settings) => Promise<void>,
  lostMaster?: KeyObject,
): Promise<void> {
  const settings = await readSettings(config);
  const folder = await openFolder(settings, passphraseFd, { lostMaster });
  try {
    await work(folder, settings);
  } finally {
    await folder.close();
  }
}

const ORIGINS: Readonly<Record<DataFolder["masterOrigin"], string>> = {
  file: "in master.key, readable by its owner",
  passphrase: "in master.key, under a passphrase",
  credential: "systemd's credential",
  token: "in master.key, which a key in the token opens",
};

export async function keysStatus(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withFolder(options, async (folder) => {
    const { keys, masterOrigin } = folder;
    const certificate = await certificateInUse(folder, "recordings");
    const exports = await certificateInUse(folder, "exports");
    const status = {
      master: masterOrigin,
      ...(await keys.status()),
      certificate: certificate ?? null,
      exportCertificate: exports ?? null,
    };
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(status, undefined, 2)}\n`);
      return;
    }
    const { dataKeys, cameras, oldestDay = "", newestDay = "" } = status;
    const lines = [
      `master key:    ${ORIGINS[masterOrigin]}`,
      `data keys:     ${dataKeys === 0 ? "none yet" : `${dataKeys} of ${cameras} cameras, ${oldestDay} to ${newestDay}`}`,
      `recovery key:  ${status.recovery ? "set" : "none: who loses the master key loses the recordings (viaduct keys recovery)"}`,
      `this machine:  ${status.writeOnly ? "only records; playing needs the private key" : "records and plays"}`,
    ];
    for (const [what, one] of [
      ["signed as:    ", certificate],
      ["exports as:   ", exports],
    ] as const)
      if (one !== undefined)
        lines.push(`${what} ${printed(`${one.name}, issued by ${one.issuer}`)}, until ${one.until}`);
    if (status.closed > 0) lines.push(`${status.closed} data keys cannot be opened on this machine`);
    if (status.recovery && status.withoutRecovery > 0)
      lines.push(`${status.withoutRecovery} data keys are not covered by the recovery key`);
    process.stdout.write(`${lines.join("\n")}\n`);
  });
}

export interface RotateOptions extends DataOptions {
  readonly toPassphrase?: boolean;
  readonly toFile?: boolean;
  readonly toToken?: boolean;
  readonly newPassphraseFd?: string;
}

/** A new master key, and secrets sealed anew; recordings are not touched. */
export async function rotateKeys(options: RotateOptions): Promise<void> {
  await withFolder(options, async (folder, settings) => {
    const { keys, masterOrigin, path } = folder;
    if (masterOrigin === "credential")
      throw new Fault("invalid", "the master key is systemd's credential, which only systemd's own tools can replace");
    const to = destinationOf(options, masterOrigin);
    const print = await printerOf(to, options, settings);
    const master = randomBytes(KEY_BYTES);
    // Of a rotation that broke off.
    await resealSecrets(folder);
    await replaceMaster(path, master, print, () => keys.rotate(master));
    await resealSecrets(folder);
    process.stdout.write(`There is a new master key, ${DESTINATIONS[to]}.\n`);
  });
}

type Destination = "file" | "passphrase" | "token";

const DESTINATIONS: Readonly<Record<Destination, string>> = {
  file: "in master.key: keep a copy of it elsewhere",
  passphrase: "under the new passphrase",
  token: "which only the token opens: where that breaks or is lost, only a recovery key helps (viaduct keys recovery)",
};

/** Where it stays unless something else was said. */
function destinationOf({ toFile, toPassphrase, toToken }: RotateOptions, present: Destination): Destination {
  const said: readonly Destination[] = [
    ...(toFile === true ? ["file" as const] : []),
    ...(toPassphrase === true ? ["passphrase" as const] : []),
    ...(toToken === true ? ["token" as const] : []),
  ];
  if (said.length > 1) throw new Fault("invalid", "the master key goes to one place: say one of --to-…");
  return said[0] ?? present;
}

async function printerOf(
  to: Destination,
  { newPassphraseFd }: RotateOptions,
  settings: Settings,
): Promise<PrintMaster> {
  if (to === "file") return printInFile;
  if (to === "passphrase") {
    const passphrase = await newPassphrase(newPassphraseFd);
    return (key) => printUnderPassphrase(passphrase, key);
  }
  const place = tokenPlaceOf(settings);
  if (place !== undefined) return (key) => printUnderToken(place, key);
  throw new Fault(
    "invalid",
    "the configuration names no token: set keys.token, then look at it by `viaduct keys token`",
  );
}

/** Makes the recovery key and writes its private half. */
export async function makeRecoveryKey(options: DataOptions & { readonly out: string }): Promise<void> {
  await withFolder(options, async ({ keys }) => {
    const { publicKey, privateKey } = makePair();
    await writeNew(options.out, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const earlier = await keys.setRecovery(publicKey);
    const { withoutRecovery } = await keys.status();
    const opens =
      earlier + withoutRecovery === 0
        ? "every recording"
        : "recordings from now on, and those that this machine can open";
    process.stdout.write(`The recovery key is in ${options.out}. Take it off this machine: it opens ${opens}.\n`);
    if (earlier > 0)
      process.stdout.write(`${earlier} data keys are covered by the earlier recovery key only: keep that one too.\n`);
    if (withoutRecovery > 0)
      process.stdout.write(`${withoutRecovery} data keys cannot be opened here and are covered by no recovery key.\n`);
  });
}

/** From now on the machine records what only the private key opens. */
export async function writeOnly(
  options: DataOptions & { readonly out?: string; readonly off?: boolean },
): Promise<void> {
  await withFolder(options, async ({ keys }) => {
    if (options.off === true) {
      await keys.setReader(undefined);
      process.stdout.write(
        "The machine plays again what it records from now on; `viaduct keys restore` opens the rest.\n",
      );
      return;
    }
    if (options.out === undefined) throw new Fault("invalid", "say where the private key goes: --out FILE");
    const { publicKey, privateKey } = makePair();
    await writeNew(options.out, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    await keys.setReader(publicKey);
    process.stdout.write(
      `This machine only records from now on, and plays nothing. The private key is in ${options.out}: take it off this machine.\n`,
    );
  });
}

/** Opens with a private key what it opens, and puts that under the master key of this machine. */
export async function restoreKeys(
  options: DataOptions & { readonly privateKey: string; readonly lostMaster?: boolean },
): Promise<void> {
  const key = readKey(await readPem(options.privateKey), "private");
  await withFolder(
    options,
    async ({ keys }) => {
      const opened = await keys.restore(key);
      if (opened === 0)
        throw new Fault("invalid", `${options.privateKey} opens none of the data keys; nothing was changed`);
      process.stdout.write(`${opened} data keys are under the master key of this machine again.\n`);
      if (options.lostMaster === true)
        process.stdout.write(
          "Camera passwords, account secrets and the signing key are lost: adopt the cameras anew, and renew the secrets. Recordings are signed with a new key from the next start on; give its certificate to whoever will judge them.\n",
        );
    },
    options.lostMaster === true ? key : undefined,
  );
}

export async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const tell = `cannot read ${file}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}
