import { type KeyObject, randomUUID } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { lockFolder } from "../base/lock.ts";
import { Sealer } from "../base/seal.ts";
import type { Secret } from "../base/secret.ts";
import { isThere, readIfThere, writeWhole } from "../base/whole-file.ts";
import { abandonMaster, type MasterOrigin, type MasterPlace, openMaster } from "../keys/master.ts";
import { KeyRing } from "../keys/ring.ts";
import { KeyStore } from "../keys/store.ts";
import type { TokenPlace } from "../keys/token/place.ts";

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
  /** Where the master key is encrypted for a token; absent where the configuration names none. */
  readonly token?: TokenPlace | undefined;
  /** The master key is lost: make a new one, put under it what this private key opens, and forget what only the old one opens. */
  readonly lostMaster?: KeyObject | undefined;
}

/** The keys, in the data folder; the configuration; and, for everybody to know, the certificate of the key that signs recordings. */
const KEYS_FILE = "keys.db";
export const DATABASE_FILE = "viaduct.db";

/** Where commands reach the running bridge. */
export const CONTROL_FILE = "control.sock";
export const CERTIFICATE_FILE = "evidence-cert.pem";

/**
 * Opens the folder, or makes it with a new master key, for one process alone. Everything in it is readable by its owner
 * only. `busy` while another process has it, `unavailable` when it cannot be used, the master key is missing or another one, or
 * `keys.db` is gone; with `lostMaster`, `invalid` where the private key opens nothing, `wrong-state` where the master key is not lost.
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
      if (options.lostMaster !== undefined) await startOver(path, store, options, options.lostMaster);
      const vault = await store.vault();
      if (vault.size === 0 && (await isThere(join(path, CERTIFICATE_FILE)))) throw keysLost(path);
      // Installations of before there was a vault have sealed their secrets under the master key itself.
      const older = vault.size === 0 && (await isThere(join(path, DATABASE_FILE)));
      const master = await openMaster({ ...placeOf(path, options), mayMake: !older }, KeyRing.fits(vault));
      const keys = await KeyRing.open(store, master.key, older ? master.key : undefined);
      const uuid = await readOrMake(join(path, "device.uuid"), () => `${randomUUID()}\n`);
      return {
        path,
        sealer: sealerOf(keys),
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

/** Seals camera passwords and the secrets of integrations. */
export function sealerOf(keys: KeyRing): Sealer {
  const secrets = keys.get("secrets");
  if (secrets === undefined) throw new Fault("internal", "no key for secrets in the vault");
  return new Sealer(secrets, keys.get("former-secrets"));
}

async function startOver(
  path: string,
  store: KeyStore,
  options: DataFolderOptions,
  privateKey: KeyObject,
): Promise<void> {
  if ((await KeyRing.openable(store, privateKey)) === 0) {
    const tell = "the private key opens none of the data keys; nothing was changed";
    throw new Fault("invalid", tell, { tell });
  }
  await abandonMaster(placeOf(path, options), KeyRing.fits(await store.vault()), (master) =>
    KeyRing.startOver(store, master, privateKey),
  );
}

/** The certificate is made after the keys, and never without them. */
function keysLost(folder: string): Fault {
  const tell = `${KEYS_FILE} of ${folder} is lost, without which no recording opens: put your copy back. If there is none, move ${CERTIFICATE_FILE} away to go on with new keys; what was recorded under the old ones stays closed. Nothing was changed`;
  return new Fault("unavailable", tell, { tell });
}

function placeOf(folder: string, { passphrase, token }: DataFolderOptions): MasterPlace {
  const ask = async (): Promise<Secret> => {
    const tell = `the master key of ${folder} is under a passphrase, and nobody can be asked: give --passphrase-fd, or run it at a terminal`;
    throw new Fault("unavailable", tell, { tell });
  };
  return { folder, passphrase: passphrase ?? ask, token, credentials: process.env["CREDENTIALS_DIRECTORY"] };
}

async function readOrMake(file: string, make: () => string): Promise<string> {
  const present = await readIfThere(file);
  if (present !== undefined) return present;
  const text = make();
  await writeWhole(file, text);
  return text;
}
