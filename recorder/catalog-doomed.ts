import type { Kysely } from "kysely";
import { removeRow } from "./catalog-held.ts";
import type { DoomedRow, SegmentRow, StoredFile } from "./catalog-rows.ts";
import { type CatalogSchema, PAGE_ROWS } from "./catalog-schema.ts";
import type { RemovalReason } from "./removals.ts";

/** The files of the catalog that have lost their rows and are to be removed from their disks. */
export class CatalogDoomed {
  readonly #query: Kysely<CatalogSchema>;

  constructor(query: Kysely<CatalogSchema>) {
    this.#query = query;
  }

  /**
   * Takes files out of the catalog; they are to be removed from the disk next, and stay listed in {@link all} until {@link gone}.
   * `why` is absent where they are not there any more.
   */
  async add(files: readonly StoredFile[], why?: RemovalReason): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      for (const { file, volume } of files) {
        const row = await query
          .selectFrom("segments")
          .select(["camera", "stream", "startUs", "endUs", "seal"])
          .where("file", "=", file)
          .executeTakeFirst();
        const facts = why === undefined || row === undefined ? {} : { ...row, why };
        // It may have been moved since somebody read its row.
        const now = await removeRow(query, file);
        await enterDoomed(query, { file, volume: now ?? volume, ...facts });
      }
    });
  }

  /** A copy of a file that the catalog has elsewhere is to be removed: that is no loss. */
  async addCopy({ file, volume }: StoredFile): Promise<void> {
    await enterDoomed(this.#query, { file, volume });
  }

  /** In the order in which their recordings began. */
  async all(): Promise<readonly DoomedRow[]> {
    const rows = await this.#query.selectFrom("doomed").selectAll().orderBy("startUs").orderBy("file").execute();
    return rows.map(({ file, volume, camera, stream, startUs, endUs, seal, why, stated }) => {
      if (camera === null || stream === null || startUs === null || endUs === null || seal === null || why === null)
        return { file, volume, facts: undefined };
      return { file, volume, facts: { camera, stream, startUs, endUs, seal, why, isStated: stated !== 0 } };
    });
  }

  /** These files of a volume are named by a signed statement. */
  async stated(volume: string, files: readonly string[]): Promise<void> {
    for (const page of pagesOf(files))
      await this.#query
        .updateTable("doomed")
        .set({ stated: 1 })
        .where("volume", "=", volume)
        .where("file", "in", page)
        .execute();
  }

  /** Files of {@link add} are off the disk. */
  async gone(volume: string, files: readonly string[]): Promise<void> {
    for (const page of pagesOf(files))
      await this.#query.deleteFrom("doomed").where("volume", "=", volume).where("file", "in", page).execute();
  }
}

function* pagesOf(files: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < files.length; at += PAGE_ROWS) yield files.slice(at, at + PAGE_ROWS);
}

export async function enterDoomed(
  query: Kysely<CatalogSchema>,
  row: StoredFile &
    Partial<Pick<SegmentRow, "camera" | "stream" | "startUs" | "endUs" | "seal">> & { readonly why?: RemovalReason },
): Promise<void> {
  await query
    .insertInto("doomed")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
