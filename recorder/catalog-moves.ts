import type { Kysely } from "kysely";
import { enterDoomed } from "./catalog-doomed.ts";
import { count } from "./catalog-held.ts";
import type { Move } from "./catalog-rows.ts";
import type { CatalogSchema } from "./catalog-schema.ts";

/** The files of the catalog that are on their way from one volume to another. */
export class CatalogMoves {
  readonly #query: Kysely<CatalogSchema>;

  constructor(query: Kysely<CatalogSchema>) {
    this.#query = query;
  }

  /** Says that `file` is about to be brought to another volume. */
  async begin(move: Move): Promise<void> {
    await this.#query
      .insertInto("moves")
      .values(move)
      .onConflict((conflict) => conflict.column("file").doUpdateSet(move))
      .execute();
  }

  /** Those that were begun and not ended. */
  all(): Promise<readonly Move[]> {
    return this.#query.selectFrom("moves").selectAll().execute();
  }

  /** From now on the copy on the target counts. False where the file has lost its row meanwhile. */
  arrived({ file, source, target }: Move): Promise<boolean> {
    return this.#query.transaction().execute(async (query) => {
      const row = await query
        .updateTable("segments")
        .set({ volume: target })
        .where("file", "=", file)
        .where("volume", "=", source)
        .returning(["camera", "bytes"])
        .executeTakeFirst();
      if (row === undefined) return false;
      await count(query, { ...row, volume: source }, -1);
      await count(query, { ...row, volume: target }, 1);
      return true;
    });
  }

  /** A move is over: the copies on these volumes are to be removed. */
  async end(file: string, leftOn: readonly string[]): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      for (const volume of leftOn) await enterDoomed(query, { file, volume });
      await query.deleteFrom("moves").where("file", "=", file).execute();
    });
  }
}
