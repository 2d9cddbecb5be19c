import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { moveWhole, putAside, readIfThere, writeWhole } from "../base/whole-file.ts";
import { isUnderToken, openUnderToken } from "./token/form.ts";
import type { TokenPlace } from "./token/place.ts";
import { isUnderPassphrase, openUnderPassphrase } from "./under-passphrase.ts";
import { KEY_BYTES } from "./wrap.ts";

const MASTER_FILE = "master.key";
const NEXT_FILE = "master.key.next";
/** The name of systemd's credential: `LoadCredential=viaduct-master-key:/path`. */
const CREDENTIAL = "viaduct-master-key";

/** Where the master key comes from. */
export type MasterOrigin = "file" | "passphrase" | "credential" | "token";

export interface Master {
  readonly origin: MasterOrigin;
  readonly key: Buffer;
  /** It was made just now. */
  readonly made?: true;
}

export interface MasterPlace {
  /** The data folder. */
  readonly folder: string;
  /** Asks for the passphrase; called once, and only where the key is under one. */
  readonly passphrase: () => Promise<Secret>;
  /** Opens the key where it is encrypted for a token; absent where the configuration names none. */
  readonly token?: TokenPlace | undefined;
  /** Of systemd; `CREDENTIALS_DIRECTORY`. */
  readonly credentials: string | undefined;
  /** False: something is under the key although nothing tells which one fits, so that none may be made. */
  readonly mayMake?: boolean;
}

/**
 * The master key: systemd's credential where there is one, else `master.key` of the data folder, which holds the key itself
 * or the key encrypted, under a passphrase or for a token. A new one is made where there is none. `fits` says whether a key is the right
 * one; where a rotation broke off, the next key is taken if it is. Fault `unavailable` when none fits: nothing is made or changed then.
 */
export async function openMaster(place: MasterPlace, fits: (key: Buffer) => boolean): Promise<Master> {
  const given = await readCredential(place);
  if (given !== undefined) {
    const key = keyOf(given, `systemd's credential ${CREDENTIAL}`);
    if (fits(key)) return { origin: "credential", key };
    throw wrong(`systemd's credential ${CREDENTIAL}`);
  }
  const [file, next] = [join(place.folder, MASTER_FILE), join(place.folder, NEXT_FILE)];
  const [text, nextText] = [await readIfThere(file), await readIfThere(next)];
  let asked: Promise<Secret> | undefined;
  // One may be under the old passphrase, the other one under the new.
  const by = { ask: (): Promise<Secret> => (asked ??= place.passphrase()), token: place.token };
  const found = text === undefined ? undefined : await readMaster(text, file, by);
  if (found !== undefined && fits(found.key)) return found;
  const other = nextText === undefined ? undefined : await readMaster(nextText, next, by);
  if (other !== undefined && fits(other.key)) {
    await moveWhole(next, file);
    return other;
  }
  if (text !== undefined) throw found === undefined ? notOpened(file) : wrong(file);
  const key = randomBytes(KEY_BYTES);
  // Whatever is there already was made under another key, which must not be hidden by a new one.
  if (place.mayMake === false || !fits(key)) throw missing(file);
  await writeWhole(file, printInFile(key));
  return { origin: "file", key, made: true };
}

/** How a master key stands in its file. */
export type PrintMaster = (key: Buffer) => string | Promise<string>;

/** The key itself. */
export function printInFile(key: Buffer): string {
  return `${key.toString("base64")}\n`;
}

/**
 * Puts a new master key in the place of the old one: written beside it first, then `rewrap` changes what is under it, then
 * it takes its place. After a crash in between, {@link openMaster} finds out which one is right.
 */
export async function replaceMaster(
  folder: string,
  key: Buffer,
  print: PrintMaster,
  rewrap: () => Promise<void>,
): Promise<void> {
  const next = join(folder, NEXT_FILE);
  await writeWhole(next, await print(key));
  await rewrap();
  await moveWhole(next, join(folder, MASTER_FILE));
}

/**
 * Makes a new master key where the old one is lost: as {@link replaceMaster}, and `startOver` puts under it what can be saved. The old
 * file is put aside, for it may open copies of what was under it. Fault `wrong-state` where the key that is there fits, or systemd gives one.
 */
export async function abandonMaster(
  place: MasterPlace,
  fits: (key: Buffer) => boolean,
  startOver: (key: Buffer) => Promise<void>,
): Promise<void> {
  if ((await readCredential(place)) !== undefined)
    throw refusal(
      `systemd gives a credential ${CREDENTIAL}, which goes before any new key: take it out of the unit first`,
    );
  const present = await openMaster({ ...place, mayMake: false }, fits).catch((error: unknown) => {
    if (error instanceof Fault) return undefined;
    throw error;
  });
  if (present !== undefined)
    throw refusal(`the master key of ${place.folder} is there and fits: restore without --lost-master`);
  const key = randomBytes(KEY_BYTES);
  await replaceMaster(place.folder, key, printInFile, async () => {
    await startOver(key);
    const nameOf = (count: number): string => `${MASTER_FILE}.old${count === 1 ? "" : `-${count}`}`;
    await putAside(join(place.folder, MASTER_FILE), nameOf);
  });
}

async function readCredential({ credentials }: MasterPlace): Promise<string | undefined> {
  const text = credentials && (await readIfThere(join(credentials, CREDENTIAL)));
  return text === "" ? undefined : text;
}

/** Undefined where the passphrase is another one. */
async function readMaster(
  text: string,
  file: string,
  { ask, token }: { readonly ask: () => Promise<Secret>; readonly token: TokenPlace | undefined },
): Promise<Master | undefined> {
  if (isUnderToken(text)) return { origin: "token", key: await openUnderToken(text, file, token) };
  if (!isUnderPassphrase(text)) return { origin: "file", key: keyOf(text, file) };
  const key = await openUnderPassphrase(text, file, ask);
  return key && { origin: "passphrase", key };
}

function keyOf(text: string, origin: string): Buffer {
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === KEY_BYTES) return key;
  const tell = `${origin} does not hold a master key: ${KEY_BYTES} bytes in base64`;
  throw new Fault("invalid", tell, { tell });
}

function notOpened(file: string): Fault {
  const tell = `the passphrase is not the one that ${file} was made with; nothing was changed`;
  return new Fault("unavailable", tell, { tell });
}

function refusal(why: string): Fault {
  const tell = `${why}. Nothing was changed`;
  return new Fault("wrong-state", tell, { tell });
}

function wrong(origin: string): Fault {
  const tell = `${origin} is not the master key of this data folder: put the right one there. Nothing was changed`;
  return new Fault("unavailable", tell, { tell });
}

function missing(file: string): Fault {
  const tell = `${file} is missing. If systemd keeps the master key, run this with its credential (guide: Encrypted recordings and their keys); else put your copy back, or use the recovery key (viaduct keys restore --lost-master). Nothing was changed`;
  return new Fault("unavailable", tell, { tell });
}
