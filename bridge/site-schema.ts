import type { Migration } from "kysely";
import { type AuthSchema, authMigrations } from "../auth/auth-schema.ts";
import { type CameraSchema, cameraMigrations } from "./camera-schema.ts";
import { type DeviceScopeSchema, deviceScopeMigrations } from "./device-scopes.ts";
import { type DirectorySchema, directoryMigrations } from "./directory/store.ts";
import { type MadeProfileSchema, madeProfileMigrations } from "./made-profiles.ts";

/** All tables of the database in the data folder. */
export type SiteSchema = AuthSchema & CameraSchema & DeviceScopeSchema & DirectorySchema & MadeProfileSchema;

/** Whoever opens the database has all of them: one that is missing would be taken for a database of a newer version. */
export const siteMigrations: Readonly<Record<string, Migration>> = {
  ...authMigrations,
  ...cameraMigrations,
  ...directoryMigrations,
  ...madeProfileMigrations,
  ...deviceScopeMigrations,
};
