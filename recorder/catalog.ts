import type { Kysely } from "kysely";
import { type Database, openDatabase } from "../base/database.ts";
import type { DatabaseThread } from "../base/database-thread.ts";
import { CatalogDoomed } from "./catalog-doomed.ts";
import { CatalogGaps } from "./catalog-gaps.ts";
import { count, removeRow } from "./catalog-held.ts";
import { CatalogMoves } from "./catalog-moves.ts";
import type { OpenedFile, SegmentRow, SegmentTime, StoredFile } from "./catalog-rows.ts";
import { type CatalogSchema, catalogMigrations } from "./catalog-schema.ts";
import { CatalogSegments } from "./catalog-segments.ts";
import { CatalogVolumes } from "./catalog-volumes.ts";

/**
 * What exists when: an index over the files, which could be made anew from them. A file's row is written after the file
 * is sealed, and removed before the file is; `opened` and `doomed` name the files in between, so that after a crash
 * nothing has to be searched for.
 */
export class Catalog {
  readonly segments: CatalogSegments;
  readonly gaps: CatalogGaps;
  readonly doomed: CatalogDoomed;
  readonly moves: CatalogMoves;
  readonly volumes: CatalogVolumes;
  /**
   * The same, for what is to be noted in any case: where its thread gives no answer, that waits until it does, where what others ask
   * is told so (Fault `unavailable`) and may be done all the same.
   */
  readonly patient: Catalog;
  readonly #database: Database<CatalogSchema>;
  readonly #query: Kysely<CatalogSchema>;

  private constructor(database: Database<CatalogSchema>, query = database.query) {
    this.#database = database;
    this.#query = query;
    this.patient = query === database.patient ? this : new Catalog(database, database.patient);
    this.segments = new CatalogSegments(query);
    this.gaps = new CatalogGaps(query);
    this.doomed = new CatalogDoomed(query);
    this.moves = new CatalogMoves(query);
    this.volumes = new CatalogVolumes(query, this.segments, this.gaps);
  }

  /** `file`: path of the SQLite file, or `:memory:`. `thread`: asked there; else the process waits for the disk with each question. */
  static async open(file: string, thread?: DatabaseThread): Promise<Catalog> {
    return new Catalog(await openDatabase<CatalogSchema>(file, catalogMigrations, { thread }));
  }

  /** As `work`, which asks patiently. Rejects where nothing is answered, and `work` goes on. */
  whileAnswering<T>(work: Promise<T>): Promise<T> {
    return this.#database.whileAnswering(work);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Says that `file` is about to be made. False, and nothing is entered, where one of this name is known on any volume. */
  async opening({ file, volume }: StoredFile): Promise<boolean> {
    return this.#query.transaction().execute(async (query) => {
      for (const table of ["segments", "opened", "doomed"] as const)
        if ((await query.selectFrom(table).select("file").where("file", "=", file).executeTakeFirst()) !== undefined)
          return false;
      await query.insertInto("opened").values({ file, volume }).execute();
      return true;
    });
  }

  /** Files that are being written, or were left so. */
  opened(): Promise<readonly OpenedFile[]> {
    return this.#query.selectFrom("opened").selectAll().execute();
  }

  /** A file that is being written goes on elsewhere: what is behind `keepBytes` is not to be taken for its own. */
  async left({ file, volume }: StoredFile, keepBytes: number): Promise<void> {
    await this.#query
      .updateTable("opened")
      .set({ keepBytes })
      .where("file", "=", file)
      .where("volume", "=", volume)
      .execute();
  }

  /** Nothing became of `file`. */
  async abandoned({ file, volume }: StoredFile): Promise<void> {
    await this.#query.deleteFrom("opened").where("file", "=", file).where("volume", "=", volume).execute();
  }

  /** Enters a sealed file. A row of the same file is replaced. */
  async sealed(row: SegmentRow & SegmentTime): Promise<void> {
    const { tracks, time, cameraAheadMs, fetchedUs, ...columns } = row;
    const known = { time: time ?? null, cameraAheadMs: cameraAheadMs ?? null, fetchedUs: fetchedUs ?? null };
    await this.#query.transaction().execute(async (query) => {
      await removeRow(query, row.file);
      await query
        .insertInto("descriptions")
        .values({ tracks })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const { id: description } = await query
        .selectFrom("descriptions")
        .select("id")
        .where("tracks", "=", tracks)
        .executeTakeFirstOrThrow();
      await query
        .insertInto("segments")
        .values({ ...columns, ...known, description })
        .execute();
      await count(query, row, 1);
      await query.deleteFrom("opened").where("file", "=", row.file).execute();
    });
  }

  /** What was entered so far survives a power cut. */
  sync(): Promise<void> {
    return this.#database.sync();
  }
}
