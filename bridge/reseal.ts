import type { Kysely } from "kysely";
import { integrationOwner } from "../auth/integration-secrets.ts";
import { factorOwner } from "../auth/second-factors.ts";
import { openDatabase } from "../base/database.ts";
import { isFault } from "../base/fault.ts";
import type { Sealer } from "../base/seal.ts";
import { cameraOwner } from "./camera-store.ts";
import { DATABASE_FILE, type DataFolder, sealerOf } from "./data-folder.ts";
import { directoryOwner } from "./directory/store.ts";
import { type SiteSchema, siteMigrations } from "./site-schema.ts";

/**
 * Seals camera passwords, the secrets of integrations and of second factors, and the passwords of directories under the present key for secrets, all or none, and destroys the one of
 * before the rotation. Does nothing where that was done; may be repeated after a crash at any point. What does not open stays as it is.
 */
export async function resealSecrets(folder: DataFolder): Promise<void> {
  const { keys } = folder;
  if (keys.get("former-secrets") === undefined) return;
  const sealer = sealerOf(keys);
  const database = await openDatabase<SiteSchema>(folder.file(DATABASE_FILE), siteMigrations, { durable: true });
  try {
    await database.query.transaction().execute(async (query) => {
      await resealIntegrations(query, sealer);
      await resealCameras(query, sealer);
      await resealDirectories(query, sealer);
      await resealFactors(query, sealer);
    });
    await database.forget();
  } finally {
    await database.close();
  }
  await keys.drop("former-secrets");
}

async function resealIntegrations(query: Kysely<SiteSchema>, sealer: Sealer): Promise<void> {
  const rows = query.selectFrom("account").select(["id", "credential"]).where("kind", "=", "integration");
  for (const { id, credential } of await rows.execute())
    await query
      .updateTable("account")
      .set({ credential: resealed(sealer, credential, integrationOwner(id)) })
      .where("id", "=", id)
      .execute();
  for (const { account, former } of await query
    .selectFrom("integration_secret")
    .select(["account", "former"])
    .execute())
    if (former !== null)
      await query
        .updateTable("integration_secret")
        .set({ former: resealed(sealer, former, integrationOwner(account)) })
        .where("account", "=", account)
        .execute();
}

async function resealCameras(query: Kysely<SiteSchema>, sealer: Sealer): Promise<void> {
  const rows = query.selectFrom("camera").select(["id", "password_sealed as sealed"]);
  for (const { id, sealed } of await rows.execute())
    if (sealed !== null)
      await query
        .updateTable("camera")
        .set({ password_sealed: resealed(sealer, sealed, cameraOwner(id)) })
        .where("id", "=", id)
        .execute();
}

async function resealDirectories(query: Kysely<SiteSchema>, sealer: Sealer): Promise<void> {
  for (const { directory, sealed } of await query.selectFrom("directory_password").selectAll().execute())
    await query
      .updateTable("directory_password")
      .set({ sealed: resealed(sealer, sealed, directoryOwner(directory)) })
      .where("directory", "=", directory)
      .execute();
}

async function resealFactors(query: Kysely<SiteSchema>, sealer: Sealer): Promise<void> {
  for (const { account, sealed } of await query.selectFrom("second_factor").select(["account", "sealed"]).execute())
    await query
      .updateTable("second_factor")
      .set({ sealed: resealed(sealer, sealed, factorOwner(account)) })
      .where("account", "=", account)
      .execute();
}

function resealed(sealer: Sealer, sealed: string, owner: string): string {
  try {
    return sealer.seal(sealer.open(sealed, owner), owner);
  } catch (error) {
    if (isFault(error, "unavailable")) return sealed;
    throw error;
  }
}
