import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { lockFolder } from "../base/lock.ts";
import { Sealer } from "../base/seal.ts";
import type { Secret } from "../base/secret.ts";
import { type Master, type MasterOrigin, openMaster } from "../keys/master.ts";
import { KeyRing } from "../keys/ring.ts";
import { KeyStore } from "../keys/store.ts";

/** What a bridge keeps in its data folder besides databases, recordings and the audit log. */
export interface DataFolder extends Closable {
  readonly path: string;
  readonly sealer: Sealer;
  readonly keys: KeyRing;
  readonly masterOrigin: MasterOrigin;
  /** Names this installation to ONVIF clients for ever. */
  readonly uuid: string;
  file(name: string): string;
}

export interface DataFolderOptions {
  /** Asks for the passphrase of the master key; absent where nobody can be asked. */
  readonly passphrase?: (() => Promise<Secret>) | undefined;
  /** The master key is lost: make a new one, and forget what only the old one opens. */
  readonly lostMaster?: boolean | undefined;
}

/** The keys, in the data folder. */
const KEYS_FILE = "keys.db";

/**
 * Opens the folder, or makes it with a new master key, for one process alone. Everything in it is readable by its owner
 * only. `busy` while another process has it, `unavailable` when it cannot be used, or the master key is missing or another one.
 */
export async function openDataFolder(path: string, options: DataFolderOptions = {}): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (cause) {
    const tell = `cannot use ${path} as data folder: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  const lock = lockFolder(path);
  try {
    const store = await KeyStore.open(join(path, KEYS_FILE));
    try {
      await chmod(join(path, KEYS_FILE), 0o600);
      if (options.lostMaster === true) await abandonMaster(path, store);
      const vault = await store.vault();
      const master = await masterOf(path, options, KeyRing.fits(vault));
      // Installations of before there was a vault have sealed their secrets under the master key itself.
      const older = master.origin === "file" && master.made !== true && vault.size === 0;
      const keys = await KeyRing.open(store, master.key, older ? master.key : undefined);
      const secrets = keys.get("secrets");
      if (secrets === undefined) throw new Fault("internal", "no key for secrets in the vault");
      const uuid = await readOrMake(join(path, "device.uuid"), () => `${randomUUID()}\n`);
      return {
        path,
        sealer: new Sealer(secrets),
        keys,
        masterOrigin: master.origin,
        uuid: uuid.trim(),
        file: (name) => join(path, name),
        async close() {
          await store.close();
          await lock.close();
        },
      };
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** The old master key is put aside, should it turn out to be the right one after all. */
async function abandonMaster(folder: string, store: KeyStore): Promise<void> {
  const file = join(folder, "master.key");
  await rename(file, `${file}.old`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await store.forgetVault();
}

function masterOf(folder: string, { passphrase }: DataFolderOptions, fits: (key: Buffer) => boolean): Promise<Master> {
  const ask =
    passphrase ??
    (async () => {
      const tell = `the master key of ${folder} is under a passphrase, and nobody can be asked: give --passphrase-fd, or run it at a terminal`;
      throw new Fault("unavailable", tell, { tell });
    });
  return openMaster({ folder, passphrase: ask, credentials: process.env["CREDENTIALS_DIRECTORY"] }, fits);
}

/** Writes to a temporary name first: a crash leaves either nothing or the whole file. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT")
      throw new Fault("unavailable", `cannot read ${file}`, { cause });
  }
  const text = make();
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  return text;
}
