import { type Database, openDatabase } from "../base/database.ts";
import { DATABASE_FILE, type DataFolder, openDataFolder } from "../bridge/data-folder.ts";
import type { Settings } from "../bridge/settings.ts";
import { type SiteSchema, siteMigrations } from "../bridge/site-schema.ts";
import { passphraseFrom } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

/** Where the data folder is, and how it is opened. */
export interface DataOptions {
  readonly config: string;
  readonly passphraseFd?: string;
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
  const folder = await openDataFolder(settings.dataFolder, { passphrase: passphraseFrom(passphraseFd) });
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
