import { type Database, openDatabase } from "../base/database.ts";
import { DATABASE_FILE, type DataFolder, type DataFolderOptions, openDataFolder } from "../bridge/data-folder.ts";
import type { Settings } from "../bridge/settings.ts";
import { type SiteSchema, siteMigrations } from "../bridge/site-schema.ts";
import { tokenPlaceOf } from "../bridge/token-settings.ts";
import { passphraseFrom } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

/** Where the data folder is, and how it is opened. */
export interface DataOptions {
  readonly config: string;
  readonly passphraseFd?: string;
}

/** Opens the data folder, with the master key from wherever it is. */
export function openFolder(
  settings: Settings,
  passphraseFd: string | undefined,
  more: Pick<DataFolderOptions, "lostMaster"> = {},
): Promise<DataFolder> {
  const token = tokenPlaceOf(settings);
  return openDataFolder(settings.dataFolder, { passphrase: passphraseFrom(passphraseFd), token, ...more });
}

/** Works on the database of a stopped bridge; the data folder's lock keeps a running one out. */
export async function withDatabase(
  { config, passphraseFd }: DataOptions,
  work: (parts: {
    readonly settings: Settings;
    readonly folder: DataFolder;
    readonly database: Database<SiteSchema>;
  }) => Promise<void>,
): Promise<void> {
  const settings = await readSettings(config);
  const folder = await openFolder(settings, passphraseFd);
  try {
    const database = await openDatabase<SiteSchema>(folder.file(DATABASE_FILE), siteMigrations);
    try {
      await work({ settings, folder, database });
    } finally {
      await database.close();
    }
  } finally {
    await folder.close();
  }
}
