import type { Generated, Kysely, Migration } from "kysely";
import { sql } from "kysely";
import type { TimeQuality } from "../media/group.ts";
import type { GapRow, SegmentRow } from "./catalog-rows.ts";
import type { RemovalReason } from "./removals.ts";
import { MAIN_VOLUME } from "./volume.ts";

/** Rows that one query brings at most, so that no single one holds up the loop for more than some milliseconds. */
export const PAGE_ROWS = 1000;

/** The tables of the catalog. */
export interface CatalogSchema {
  segments: Omit<SegmentRow, "tracks" | "fetchedUs"> & {
    fetchedUs: number | null;
    description: number;
    time: TimeQuality | null;
    cameraAheadMs: number | null;
  };
  descriptions: { id: Generated<number>; tracks: string };
  held: { camera: string; volume: string; bytes: number; segments: number };
  gaps: Omit<GapRow, "toUs"> & { toUs: number | null };
  /** Files that are being written. */
  /** `keepBytes`: what is behind them is no part of it; null: all is. */
  opened: { file: string; volume: string; keepBytes: number | null };
  /** Files whose rows are gone, or on another volume, and that are to be removed. */
  doomed: {
    file: string;
    volume: string;
    why: RemovalReason | null;
    camera: string | null;
    stream: string | null;
    startUs: number | null;
    endUs: number | null;
    seal: Uint8Array | null;
    stated: Generated<number>;
  };
  /** Files that are being brought from one volume to another. The row of a file says which of the two copies counts. */
  moves: { file: string; source: string; target: string };
  /** Volumes that were there once: without their mark they are away, and not new. */
  volumes: { name: string };
}

/** What is to be stated of a file that is to be removed. */
const OF_DOOMED = [
  ["camera", "text"],
  ["stream", "text"],
  ["startUs", "bigint"],
  ["endUs", "bigint"],
  ["seal", "blob"],
  ["why", "text"],
] as const;

/** How many digits the length of a gap has in microseconds: what the index `gaps_length` has them by. */
export const GAP_DIGITS = sql`length(cast(toUs - fromUs as integer))`;

export const catalogMigrations: Readonly<Record<string, Migration>> = {
  "0001-segments": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("descriptions")
        .addColumn("id", "integer", (column) => column.primaryKey())
        .addColumn("tracks", "text", (column) => column.notNull().unique())
        .execute();
      await db.schema
        .createTable("segments")
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("stream", "text", (column) => column.notNull())
        .addColumn("startUs", "bigint", (column) => column.notNull())
        .addColumn("endUs", "bigint", (column) => column.notNull())
        .addColumn("bytes", "bigint", (column) => column.notNull())
        .addColumn("file", "text", (column) => column.primaryKey())
        .addColumn("description", "integer", (column) => column.notNull().references("descriptions.id"))
        .addColumn("seal", "blob", (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex("segments_seek")
        .on("segments")
        .columns(["camera", "stream", "startUs", "file"])
        .execute();
      await db.schema.createIndex("segments_age").on("segments").columns(["startUs"]).execute();
      await db.schema.createIndex("segments_camera_age").on("segments").columns(["camera", "startUs"]).execute();
      await db.schema
        .createTable("totals")
        .addColumn("camera", "text", (column) => column.primaryKey())
        .addColumn("bytes", "bigint", (column) => column.notNull())
        .addColumn("segments", "integer", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("gaps")
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("stream", "text", (column) => column.notNull())
        .addColumn("fromUs", "bigint", (column) => column.notNull())
        .addColumn("toUs", "bigint")
        .addColumn("reason", "text", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("gaps_seek").on("gaps").columns(["camera", "stream", "fromUs"]).execute();
      for (const table of ["opened", "doomed"])
        await db.schema
          .createTable(table)
          .addColumn("file", "text", (column) => column.primaryKey())
          .execute();
    },
  },
  "0002-time": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("segments").addColumn("time", "text").execute();
      await db.schema.alterTable("segments").addColumn("cameraAheadMs", "integer").execute();
    },
  },
  "0003-gap-cause": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("gaps")
        .addColumn("cause", "text", (column) => column.notNull().defaultTo("unknown"))
        .execute();
    },
  },
  "0004-removal-statements": {
    async up(db: Kysely<unknown>) {
      for (const [name, type] of OF_DOOMED) await db.schema.alterTable("doomed").addColumn(name, type).execute();
      await db.schema
        .alterTable("doomed")
        .addColumn("stated", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  "0005-volumes": {
    async up(db: Kysely<unknown>) {
      for (const table of ["segments", "opened"])
        await db.schema
          .alterTable(table)
          .addColumn("volume", "text", (column) => column.notNull().defaultTo(MAIN_VOLUME))
          .execute();
      await db.schema.dropIndex("segments_age").execute();
      await db.schema.createIndex("segments_volume_age").on("segments").columns(["volume", "startUs"]).execute();
      await db.schema
        .createTable("held")
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("volume", "text", (column) => column.notNull())
        .addColumn("bytes", "bigint", (column) => column.notNull())
        .addColumn("segments", "integer", (column) => column.notNull())
        .addPrimaryKeyConstraint("held_key", ["camera", "volume"])
        .execute();
      await sql`insert into held select camera, ${sql.lit(MAIN_VOLUME)}, bytes, segments from totals`.execute(db);
      await db.schema.dropTable("totals").execute();
      let leaving = db.schema
        .createTable("leaving")
        .addColumn("file", "text", (column) => column.notNull())
        .addColumn("volume", "text", (column) => column.notNull());
      for (const [name, type] of OF_DOOMED) leaving = leaving.addColumn(name, type);
      await leaving
        .addColumn("stated", "integer", (column) => column.notNull().defaultTo(0))
        .addPrimaryKeyConstraint("leaving_key", ["file", "volume"])
        .execute();
      const names = sql.join([...OF_DOOMED.map(([name]) => name), "stated"].map((name) => sql.ref(name)));
      await sql`insert into leaving (file, volume, ${names}) select file, ${sql.lit(MAIN_VOLUME)}, ${names} from doomed`.execute(
        db,
      );
      await db.schema.dropTable("doomed").execute();
      await db.schema.alterTable("leaving").renameTo("doomed").execute();
      await db.schema
        .createTable("moves")
        .addColumn("file", "text", (column) => column.primaryKey())
        .addColumn("source", "text", (column) => column.notNull())
        .addColumn("target", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("volumes")
        .addColumn("name", "text", (column) => column.primaryKey())
        .execute();
    },
  },
  "0006-fetched": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("segments").addColumn("fetchedUs", "bigint").execute();
      await sql`create index segments_fetched on segments (camera, stream, fetchedUs, startUs) where fetchedUs is not null`.execute(
        db,
      );
    },
  },
  "0007-left": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("opened").addColumn("keepBytes", "bigint").execute();
    },
  },
  // With all that a timeline asks for in the indexes: the rows of a day lie as far apart as there are cameras.
  "0008-timelines": {
    async up(db: Kysely<unknown>) {
      await db.schema.dropIndex("segments_seek").execute();
      await db.schema
        .createIndex("segments_seek")
        .on("segments")
        .columns(["camera", "stream", "startUs", "file", "endUs", "volume"])
        .execute();
      await sql`create index segments_fetched_seek on segments (camera, stream, startUs, endUs) where fetchedUs is not null`.execute(
        db,
      );
      await db.schema.dropIndex("gaps_seek").execute();
      await db.schema.createIndex("gaps_seek").on("gaps").columns(["camera", "stream", "fromUs", "toUs"]).execute();
    },
  },
  // A camera that is lost every minute leaves half a million gaps in a year: no question may look at all that are older.
  "0009-many-gaps": {
    async up(db: Kysely<unknown>) {
      await db.schema.createIndex("gaps_end").on("gaps").columns(["camera", "toUs", "stream", "fromUs"]).execute();
      await sql`create index gaps_length on gaps (camera, stream, ${GAP_DIGITS}, fromUs, toUs)`.execute(db);
    },
  },
};
