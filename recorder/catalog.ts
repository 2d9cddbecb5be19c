import type { Generated, Kysely, Migration } from "kysely";
import { type Database, openDatabase } from "../base/database.ts";
import type { TimeQuality } from "../media/group.ts";
import type { GapCause } from "./gap.ts";
import type { RemovalReason } from "./removals.ts";

/** Rows that one query brings at most, so that no single one holds up the loop for more than some milliseconds. */
const PAGE = 1000;

/** A sealed segment. Times in microseconds since 1970. */
export interface SegmentRow {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly bytes: number;
  /** Below the archive's folder. */
  readonly file: string;
  /** What its tracks are, as {@link describeTracks} prints it. */
  readonly tracks: string;
  /** The last link of its chain. */
  readonly seal: Uint8Array;
}

/** How a segment's times are known. */
export interface SegmentTime {
  /** How the worst of its times is known; undefined of segments that an older version entered. */
  readonly time: TimeQuality | undefined;
  /** How far the camera's clock was ahead of ours at its beginning, by the camera's reports; undefined where it sent none. */
  readonly cameraAheadMs: number | undefined;
}

/** How the times of a stream's segments are known. */
export interface TimeSummary {
  readonly time: TimeQuality | undefined;
  readonly segments: number;
  /** The least and the most that the camera's clock was ahead. */
  readonly leastAheadMs: number | undefined;
  readonly mostAheadMs: number | undefined;
}

/** A stretch without recording, and why. `toUs` is undefined while it lasts. */
export interface GapRow {
  readonly camera: string;
  readonly stream: string;
  readonly fromUs: number;
  readonly toUs: number | undefined;
  /** In words. */
  readonly reason: string;
  readonly cause: GapCause;
}

/** A file whose row is gone and that is to be removed. */
export interface DoomedRow {
  readonly file: string;
  /** What is to be stated of it; undefined where its removal is no loss, for it is gone already. */
  readonly facts:
    | (Omit<SegmentRow, "bytes" | "tracks"> & { readonly why: RemovalReason; readonly isStated: boolean })
    | undefined;
}

/** Place in the order of segments: by start, and by name where starts are equal. */
export type Cursor = Pick<SegmentRow, "startUs" | "file">;

interface Schema {
  segments: Omit<SegmentRow, "tracks"> & {
    description: number;
    time: TimeQuality | null;
    cameraAheadMs: number | null;
  };
  descriptions: { id: Generated<number>; tracks: string };
  totals: { camera: string; bytes: number; segments: number };
  gaps: Omit<GapRow, "toUs"> & { toUs: number | null };
  /** Files that are being written. */
  opened: { file: string };
  /** Files whose rows are gone and that are to be removed. */
  doomed: {
    file: string;
    why: RemovalReason | null;
    camera: string | null;
    stream: string | null;
    startUs: number | null;
    endUs: number | null;
    seal: Uint8Array | null;
    stated: Generated<number>;
  };
}

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
      for (const [name, type] of [
        ["camera", "text"],
        ["stream", "text"],
        ["startUs", "bigint"],
        ["endUs", "bigint"],
        ["seal", "blob"],
        ["why", "text"],
      ] as const)
        await db.schema.alterTable("doomed").addColumn(name, type).execute();
      await db.schema
        .alterTable("doomed")
        .addColumn("stated", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
};

/**
 * What exists when: an index over the files, which could be made anew from them. A file's row is written after the file
 * is sealed, and removed before the file is; `opened` and `doomed` name the files in between, so that after a crash
 * nothing has to be searched for.
 */
export class Catalog {
  readonly #database: Database<Schema>;

  private constructor(database: Database<Schema>) {
    this.#database = database;
  }

  /** `file`: path of the SQLite file, or `:memory:`. */
  static async open(file: string): Promise<Catalog> {
    return new Catalog(await openDatabase<Schema>(file, catalogMigrations));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Says that `file` is about to be made. */
  async opening(file: string): Promise<void> {
    const { query } = this.#database;
    await query
      .insertInto("opened")
      .values({ file })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async opened(): Promise<readonly string[]> {
    return (await this.#database.query.selectFrom("opened").select("file").execute()).map((row) => row.file);
  }

  /** Nothing became of `file`. */
  async abandoned(file: string): Promise<void> {
    await this.#database.query.deleteFrom("opened").where("file", "=", file).execute();
  }

  /** Enters a sealed file. A row of the same file is replaced. */
  async sealed(row: SegmentRow & SegmentTime): Promise<void> {
    const { tracks, time, cameraAheadMs, ...columns } = row;
    const known = { time: time ?? null, cameraAheadMs: cameraAheadMs ?? null };
    await this.#database.query.transaction().execute(async (query) => {
      await this.#remove(query, row.file);
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
      await query
        .insertInto("totals")
        .values({ camera: row.camera, bytes: row.bytes, segments: 1 })
        .onConflict((conflict) =>
          conflict.column("camera").doUpdateSet((eb) => ({
            bytes: eb("totals.bytes", "+", row.bytes),
            segments: eb("totals.segments", "+", 1),
          })),
        )
        .execute();
      await query.deleteFrom("opened").where("file", "=", row.file).execute();
    });
  }

  async #remove(query: Kysely<Schema>, file: string): Promise<void> {
    const row = await query
      .deleteFrom("segments")
      .where("file", "=", file)
      .returning(["camera", "bytes"])
      .executeTakeFirst();
    if (row === undefined) return;
    await query
      .updateTable("totals")
      .set((eb) => ({ bytes: eb("bytes", "-", row.bytes), segments: eb("segments", "-", 1) }))
      .where("camera", "=", row.camera)
      .execute();
  }

  /**
   * Takes files out of the catalog; they are to be removed from the disk next, and stay listed in {@link doomed} until {@link gone}.
   * `why` is absent where they are not there any more.
   */
  async doom(files: readonly string[], why?: RemovalReason): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      for (const file of files) {
        const row = await query
          .selectFrom("segments")
          .select(["camera", "stream", "startUs", "endUs", "seal"])
          .where("file", "=", file)
          .executeTakeFirst();
        const facts = why === undefined || row === undefined ? {} : { ...row, why };
        await this.#remove(query, file);
        await query
          .insertInto("doomed")
          .values({ file, ...facts })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    });
  }

  /** In the order in which their recordings began. */
  async doomed(): Promise<readonly DoomedRow[]> {
    const rows = await this.#database.query
      .selectFrom("doomed")
      .selectAll()
      .orderBy("startUs")
      .orderBy("file")
      .execute();
    return rows.map(({ file, camera, stream, startUs, endUs, seal, why, stated }) => {
      if (camera === null || stream === null || startUs === null || endUs === null || seal === null || why === null)
        return { file, facts: undefined };
      return { file, facts: { file, camera, stream, startUs, endUs, seal, why, isStated: stated !== 0 } };
    });
  }

  /** All that is doomed now is named by a signed statement. */
  async stated(): Promise<void> {
    await this.#database.query.updateTable("doomed").set({ stated: 1 }).execute();
  }

  /** The files of {@link doom} are off the disk. */
  async gone(files: readonly string[]): Promise<void> {
    await this.#database.query.deleteFrom("doomed").where("file", "in", files).execute();
  }

  /** Names in the folder of one hour that the catalog knows, as `camera/date/hour/…`. */
  async filesBelow(folder: string): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query
      .selectFrom("segments")
      .select("file")
      .where("file", ">=", `${folder}/`)
      .where("file", "<", `${folder}0`) // "0" is what follows "/"
      .execute();
    return new Set(rows.map((row) => row.file));
  }

  #rows() {
    return this.#database.query
      .selectFrom("segments")
      .innerJoin("descriptions", "descriptions.id", "segments.description")
      .select(["camera", "stream", "startUs", "endUs", "bytes", "file", "descriptions.tracks", "seal"]);
  }

  /** The newest segment that begins at or before `us`. */
  atOrBefore(camera: string, stream: string, us: number): Promise<SegmentRow | undefined> {
    return this.#rows()
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("startUs", "<=", us)
      .orderBy("startUs", "desc")
      .orderBy("file", "desc")
      .limit(1)
      .executeTakeFirst();
  }

  /** Where the newest segment of a camera begins, of whichever stream. */
  async newest(camera: string): Promise<number | undefined> {
    const row = await this.#database.query
      .selectFrom("segments")
      .select("startUs")
      .where("camera", "=", camera)
      .orderBy("startUs", "desc")
      .limit(1)
      .executeTakeFirst();
    return row?.startUs;
  }

  /** The next segments behind `cursor`, in order, at most a page of them. */
  after(camera: string, stream: string, cursor: Cursor, limit: number = PAGE): Promise<readonly SegmentRow[]> {
    return this.#rows()
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("startUs", ">=", cursor.startUs)
      .where((eb) => eb.or([eb("startUs", ">", cursor.startUs), eb("file", ">", cursor.file)]))
      .orderBy("startUs")
      .orderBy("file")
      .limit(limit)
      .execute();
  }

  /** All segments in the order of their files, a page at a time; `below` is what the files begin with. */
  async *all(below = ""): AsyncIterable<SegmentRow> {
    for (let last = below; ; ) {
      const page = await this.#rows()
        .where("file", ">", last)
        .where("file", "<", `${below}~`) // behind every letter that a path of ours has
        .orderBy("file")
        .limit(PAGE)
        .execute();
      yield* page;
      const next = page.at(-1)?.file;
      if (next === undefined) return;
      last = next;
    }
  }

  /** The oldest segments, of one camera or of all, behind `cursor`. */
  oldest(limit: number, camera?: string, cursor?: Cursor): Promise<readonly SegmentRow[]> {
    let rows = this.#rows().orderBy("startUs").orderBy("file").limit(limit);
    if (camera !== undefined) rows = rows.where("camera", "=", camera);
    if (cursor !== undefined)
      rows = rows
        .where("startUs", ">=", cursor.startUs)
        .where((eb) => eb.or([eb("startUs", ">", cursor.startUs), eb("file", ">", cursor.file)]));
    return rows.execute();
  }

  /** The days (`2026-11-24`) of which a camera has segments, by the folders that these are in. */
  async days(camera: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (let last = `${camera}/`; ; ) {
      // A step of the index a day.
      const row = await this.#database.query
        .selectFrom("segments")
        .select("file")
        .where("file", ">", last)
        .where("file", "<", `${camera}0`) // "0" is what follows "/"
        .orderBy("file")
        .limit(1)
        .executeTakeFirst();
      const day = row?.file.split("/")[1];
      if (day === undefined) return found;
      found.push(day);
      last = `${camera}/${day}~`; // behind every letter that a path of ours has
    }
  }

  /** How many segments of a stream have times of which kind. */
  async times(camera: string, stream: string): Promise<readonly TimeSummary[]> {
    const rows = await this.#database.query
      .selectFrom("segments")
      .select(({ fn }) => [
        "time",
        fn.countAll<number>().as("segments"),
        fn.min("cameraAheadMs").as("leastAheadMs"),
        fn.max("cameraAheadMs").as("mostAheadMs"),
      ])
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .groupBy("time")
      .orderBy("segments", "desc")
      .execute();
    return rows.map(({ time, segments, leastAheadMs, mostAheadMs }) => ({
      time: time ?? undefined,
      segments,
      leastAheadMs: leastAheadMs ?? undefined,
      mostAheadMs: mostAheadMs ?? undefined,
    }));
  }

  /** Bytes and segments by camera. Cameras that have none are left out. */
  totals(): Promise<readonly { readonly camera: string; readonly bytes: number; readonly segments: number }[]> {
    return this.#database.query.selectFrom("totals").selectAll().where("segments", ">", 0).orderBy("camera").execute();
  }

  /** The streams of a camera that have segments, in alphabetical order. */
  async streams(camera: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (let last = ""; ; ) {
      // A step of the index a stream, where `distinct` would read every row of the camera.
      const row = await this.#database.query
        .selectFrom("segments")
        .select("stream")
        .where("camera", "=", camera)
        .where("stream", ">", last)
        .orderBy("stream")
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return found;
      found.push(row.stream);
      last = row.stream;
    }
  }

  /** Begins a gap. Where one is open already, that one goes on with its own reason. */
  async beginGap(gap: Omit<GapRow, "toUs">): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
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
  async changeGap(gap: Omit<GapRow, "toUs">): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      const { camera, stream, fromUs } = gap;
      const open = await query
        .selectFrom("gaps")
        .select(["fromUs", "cause"])
        .where("camera", "=", camera)
        .where("stream", "=", stream)
        .where("toUs", "is", null)
        .executeTakeFirst();
      if (open?.cause === gap.cause) return;
      // One that would have no length gives way.
      if (open !== undefined && open.fromUs >= fromUs)
        await query
          .deleteFrom("gaps")
          .where("camera", "=", camera)
          .where("stream", "=", stream)
          .where("toUs", "is", null)
          .execute();
      await endOpenGap(query, camera, stream, fromUs);
      await query
        .insertInto("gaps")
        .values({ ...gap, toUs: null })
        .execute();
    });
  }

  /** Ends the open gap, if there is one. */
  async endGap(camera: string, stream: string, toUs: number): Promise<void> {
    await endOpenGap(this.#database.query, camera, stream, toUs);
  }

  /** Gaps that touch the stretch, oldest first, at most a page of them. */
  async gaps(camera: string, stream: string, fromUs: number, toUs: number): Promise<readonly GapRow[]> {
    const rows = await this.#database.query
      .selectFrom("gaps")
      .selectAll()
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("fromUs", "<", toUs)
      .where((eb) => eb.or([eb("toUs", ">", fromUs), eb("toUs", "is", null)]))
      .orderBy("fromUs")
      .limit(PAGE)
      .execute();
    return rows.map((row) => ({ ...row, toUs: row.toUs ?? undefined }));
  }

  /** The cameras that gaps are known of, whatever is left of their recordings. */
  async camerasWithGaps(): Promise<readonly string[]> {
    const rows = await this.#database.query.selectFrom("gaps").select("camera").distinct().execute();
    return rows.map(({ camera }) => camera);
  }

  /** Forgets the gaps of a camera that ended before everything that is left of it. */
  async forgetGaps(camera: string, beforeUs: number): Promise<void> {
    await this.#database.query.deleteFrom("gaps").where("camera", "=", camera).where("toUs", "<", beforeUs).execute();
  }
}

async function endOpenGap(query: Kysely<Schema>, camera: string, stream: string, toUs: number): Promise<void> {
  await query
    .updateTable("gaps")
    .set({ toUs })
    .where("camera", "=", camera)
    .where("stream", "=", stream)
    .where("toUs", "is", null)
    .execute();
}
