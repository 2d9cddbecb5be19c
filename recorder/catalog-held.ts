import type { Kysely } from "kysely";
import type { SegmentRow } from "./catalog-rows.ts";
import type { CatalogSchema } from "./catalog-schema.ts";

/** A segment comes to what a volume holds of its camera, or goes from it. */
export async function count(
  query: Kysely<CatalogSchema>,
  { camera, volume, bytes }: Pick<SegmentRow, "camera" | "volume" | "bytes">,
  sign: 1 | -1,
): Promise<void> {
  await query
    .insertInto("held")
    .values({ camera, volume, bytes: sign * bytes, segments: sign })
    .onConflict((conflict) =>
      conflict.columns(["camera", "volume"]).doUpdateSet((eb) => ({
        bytes: eb("held.bytes", "+", sign * bytes),
        segments: eb("held.segments", "+", sign),
      })),
    )
    .execute();
}

/** The volumes that have segments, whether they are there or not. */
export async function volumesInUse(query: Kysely<CatalogSchema>): Promise<readonly string[]> {
  const rows = await query.selectFrom("held").select("volume").distinct().where("segments", ">", 0).execute();
  return rows.map(({ volume }) => volume);
}

/** Takes a segment's row away. The volume that it named; undefined where there was none. */
export async function removeRow(query: Kysely<CatalogSchema>, file: string): Promise<string | undefined> {
  const row = await query
    .deleteFrom("segments")
    .where("file", "=", file)
    .returning(["camera", "volume", "bytes"])
    .executeTakeFirst();
  if (row !== undefined) await count(query, row, -1);
  return row?.volume;
}
