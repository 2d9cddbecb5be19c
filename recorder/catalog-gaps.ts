import { type Kysely, type RawBuilder, type SqlBool, sql } from "kysely";
import type { GapRow } from "./catalog-rows.ts";
import { type CatalogSchema, GAP_DIGITS, PAGE_ROWS } from "./catalog-schema.ts";
import { LEAST_GAP_US } from "./gap.ts";

/** What a length in microseconds is less than, by how many digits it has: all that there are up to the largest whole number. */
const LENGTHS_BELOW = JSON.stringify(Array.from({ length: 17 }, (_, digits) => 10 ** digits));

/** The stretches of the catalog that were not recorded, or are lost, and why; of each stream one at most is open. */
export class CatalogGaps {
  readonly #query: Kysely<CatalogSchema>;

  constructor(query: Kysely<CatalogSchema>) {
    this.#query = query;
  }

  /** Begins a gap. Where one is open already, that one goes on with its own reason. */
  async begin(gap: Omit<GapRow, "toUs">): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      const open = await query
        .selectFrom("gaps")
        .select("fromUs")
        .where("camera", "=", gap.camera)
        .where("stream", "=", gap.stream)
        .where("toUs", "is", null)
        .executeTakeFirst();
      if (open === undefined)
        await query
          .insertInto("gaps")
          .values({ ...gap, toUs: null })
          .execute();
    });
  }

  /** Begins a gap. Where one with another cause is open, that one ends there. */
  async change(gap: Omit<GapRow, "toUs">): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      const { camera, stream, fromUs } = gap;
      const open = await query
        .selectFrom("gaps")
        .select("cause")
        .where("camera", "=", camera)
        .where("stream", "=", stream)
        .where("toUs", "is", null)
        .executeTakeFirst();
      if (open?.cause === gap.cause) return;
      await endOpenGap(query, camera, stream, fromUs);
      await query
        .insertInto("gaps")
        .values({ ...gap, toUs: null })
        .execute();
    });
  }

  /** Ends the open gap, if there is one. */
  async end(camera: string, stream: string, toUs: number): Promise<void> {
    await this.#query.transaction().execute((query) => endOpenGap(query, camera, stream, toUs));
  }

  /** Something was lost between two stretches that were recorded. */
  async missed(gap: GapRow): Promise<void> {
    await this.#query
      .insertInto("gaps")
      .values({ ...gap, toUs: gap.toUs ?? null })
      .execute();
  }

  /** Of what was a gap, this stretch is there now. A gap that goes on is left alone. */
  async filled(camera: string, stream: string, fromUs: number, toUs: number): Promise<void> {
    await this.#query.transaction().execute(async (query) => {
      const reaching = await query
        .deleteFrom("gaps")
        .where(reachOver(camera, stream, fromUs))
        .returningAll()
        .execute();
      const begun = await query
        .deleteFrom("gaps")
        .where("camera", "=", camera)
        .where("stream", "=", stream)
        .where("fromUs", ">=", fromUs)
        .where("fromUs", "<", toUs)
        .where("toUs", ">", fromUs)
        .returningAll()
        .execute();
      for (const gap of [...reaching, ...begun])
        for (const rest of [
          { ...gap, toUs: fromUs },
          { ...gap, fromUs: toUs },
        ])
          if ((rest.toUs ?? 0) - rest.fromUs > LEAST_GAP_US) await query.insertInto("gaps").values(rest).execute();
    });
  }

  /** Gaps that touch the stretch, oldest first, at most a page of them. */
  async touching(camera: string, stream: string, fromUs: number, toUs: number): Promise<readonly GapRow[]> {
    const ofStream = () =>
      this.#query.selectFrom("gaps").selectAll().where("camera", "=", camera).where("stream", "=", stream);
    const begun = ofStream()
      .where("fromUs", ">=", fromUs)
      .where("fromUs", "<", toUs)
      .where((eb) => eb.or([eb("toUs", ">", fromUs), eb("toUs", "is", null)]));
    const open = ofStream().where("toUs", "is", null).where("fromUs", "<", fromUs);
    const reaching = this.#query
      .selectFrom("gaps")
      .selectAll()
      .where(reachOver(camera, stream, fromUs));
    // In one statement: one that ends meanwhile is open or reaches over.
    const rows = await begun.unionAll(open).unionAll(reaching).orderBy("fromUs").limit(PAGE_ROWS).execute();
    return rows.map((row) => ({ ...row, toUs: row.toUs ?? undefined }));
  }

  /** The cameras that gaps are known of, whatever is left of their recordings. */
  async cameras(): Promise<readonly string[]> {
    const found: string[] = [];
    for (let last = ""; ; ) {
      // A step of the index a camera, where `distinct` would read every row.
      const row = await this.#query
        .selectFrom("gaps")
        .select("camera")
        .where("camera", ">", last)
        .orderBy("camera")
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return found;
      found.push(row.camera);
      last = row.camera;
    }
  }

  /** Forgets the gaps of a camera that ended before everything that is left of it. */
  async forget(camera: string, beforeUs: number): Promise<void> {
    await this.#query.deleteFrom("gaps").where("camera", "=", camera).where("toUs", "<", beforeUs).execute();
  }
}

/**
 * Gaps that begin before an instant and end after it. Looked for among as long ones, of the time before it that they can have begun in: so it
 * is some for each length, however many older ones there are.
 */
function reachOver(camera: string, stream: string, atUs: number): RawBuilder<SqlBool> {
  return sql`rowid in (
    select gaps.rowid from json_each(${LENGTHS_BELOW}) as below cross join gaps
    where camera = ${camera} and stream = ${stream} and ${GAP_DIGITS} = below.key
      and fromUs > ${atUs} - below.value and fromUs < ${atUs} and toUs > ${atUs})`;
}

/** One that would have no length, or less where the clock was set back, gives way. */
async function endOpenGap(query: Kysely<CatalogSchema>, camera: string, stream: string, toUs: number): Promise<void> {
  await query
    .deleteFrom("gaps")
    .where("camera", "=", camera)
    .where("stream", "=", stream)
    .where("toUs", "is", null)
    .where("fromUs", ">=", toUs)
    .execute();
  await query
    .updateTable("gaps")
    .set({ toUs })
    .where("camera", "=", camera)
    .where("stream", "=", stream)
    .where("toUs", "is", null)
    .execute();
}
