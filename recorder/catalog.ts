import type { Kysely } from "kysely";
import { type Database, openDatabase } from "../base/database.ts";
import type { TimeQuality } from "../media/group.ts";
import { type CatalogSchema, catalogMigrations } from "./catalog-schema.ts";
import type { GapCause } from "./gap.ts";
import type { RemovalReason } from "./removals.ts";

/** Rows that one query brings at most, so that no single one holds up the loop for more than some milliseconds. */
const PAGE = 1000;

/** Less between two recordings is the step from one frame to the next. */
const LEAST_GAP_US = 1_500_000;

/** A file on a volume. */
export interface StoredFile {
  /** As {@link SegmentRow.file}. */
  readonly file: string;
  readonly volume: string;
}

/** A file on its way from one volume to another. */
export interface Move {
  readonly file: string;
  readonly source: string;
  readonly target: string;
}

/** What a volume holds of a camera. */
export interface Held {
  readonly camera: string;
  readonly volume: string;
  readonly bytes: number;
  readonly segments: number;
}

/** A sealed segment. Times in microseconds since 1970. */
export interface SegmentRow {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly bytes: number;
  /** Below the folder of its volume; no two volumes have one of the same name, but while it is moved. */
  readonly file: string;
  /** The volume that the file is on. */
  readonly volume: string;
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
export interface DoomedRow extends StoredFile {
  /** What is to be stated of it; undefined where its removal is no loss, for it is gone already, or was copied elsewhere. */
  readonly facts:
    | (Omit<SegmentRow, "bytes" | "tracks" | "file" | "volume"> & {
        readonly why: RemovalReason;
        readonly isStated: boolean;
      })
    | undefined;
}

/** Place in the order of segments: by start, and by name where starts are equal. */
export type Cursor = Pick<SegmentRow, "startUs" | "file">;

/**
 * What exists when: an index over the files, which could be made anew from them. A file's row is written after the file
 * is sealed, and removed before the file is; `opened` and `doomed` name the files in between, so that after a crash
 * nothing has to be searched for.
 */
export class Catalog {
  readonly #database: Database<CatalogSchema>;

  private constructor(database: Database<CatalogSchema>) {
    this.#database = database;
  }

  /** `file`: path of the SQLite file, or `:memory:`. */
  static async open(file: string): Promise<Catalog> {
    return new Catalog(await openDatabase<CatalogSchema>(file, catalogMigrations));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Says that `file` is about to be made. False, and nothing is entered, where one of this name is known on any volume. */
  async opening({ file, volume }: StoredFile): Promise<boolean> {
    return this.#database.query.transaction().execute(async (query) => {
      for (const table of ["segments", "opened", "doomed"] as const)
        if ((await query.selectFrom(table).select("file").where("file", "=", file).executeTakeFirst()) !== undefined)
          return false;
      await query.insertInto("opened").values({ file, volume }).execute();
      return true;
    });
  }

  opened(): Promise<readonly StoredFile[]> {
    return this.#database.query.selectFrom("opened").selectAll().execute();
  }

  /** Nothing became of `file`. */
  async abandoned({ file, volume }: StoredFile): Promise<void> {
    await this.#database.query.deleteFrom("opened").where("file", "=", file).where("volume", "=", volume).execute();
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
      await count(query, row, 1);
      await query.deleteFrom("opened").where("file", "=", row.file).execute();
    });
  }

  /** The volume that its row named; undefined where there was none. */
  async #remove(query: Kysely<CatalogSchema>, file: string): Promise<string | undefined> {
    const row = await query
      .deleteFrom("segments")
      .where("file", "=", file)
      .returning(["camera", "volume", "bytes"])
      .executeTakeFirst();
    if (row !== undefined) await count(query, row, -1);
    return row?.volume;
  }

  /**
   * Takes files out of the catalog; they are to be removed from the disk next, and stay listed in {@link doomed} until {@link gone}.
   * `why` is absent where they are not there any more.
   */
  async doom(files: readonly StoredFile[], why?: RemovalReason): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      for (const { file, volume } of files) {
        const row = await query
          .selectFrom("segments")
          .select(["camera", "stream", "startUs", "endUs", "seal"])
          .where("file", "=", file)
          .executeTakeFirst();
        const facts = why === undefined || row === undefined ? {} : { ...row, why };
        // It may have been moved since somebody read its row.
        const now = await this.#remove(query, file);
        await enterDoomed(query, { file, volume: now ?? volume, ...facts });
      }
    });
  }

  /** A copy of a file that the catalog has elsewhere is to be removed: that is no loss. */
  async doomCopy({ file, volume }: StoredFile): Promise<void> {
    await enterDoomed(this.#database.query, { file, volume });
  }

  /** In the order in which their recordings began. */
  async doomed(): Promise<readonly DoomedRow[]> {
    const rows = await this.#database.query
      .selectFrom("doomed")
      .selectAll()
      .orderBy("startUs")
      .orderBy("file")
      .execute();
    return rows.map(({ file, volume, camera, stream, startUs, endUs, seal, why, stated }) => {
      if (camera === null || stream === null || startUs === null || endUs === null || seal === null || why === null)
        return { file, volume, facts: undefined };
      return { file, volume, facts: { camera, stream, startUs, endUs, seal, why, isStated: stated !== 0 } };
    });
  }

  /** All that is doomed on a volume now is named by a signed statement. */
  async stated(volume: string): Promise<void> {
    await this.#database.query.updateTable("doomed").set({ stated: 1 }).where("volume", "=", volume).execute();
  }

  /** Files of {@link doom} are off the disk. */
  async gone(volume: string, files: readonly string[]): Promise<void> {
    for (let at = 0; at < files.length; at += PAGE)
      await this.#database.query
        .deleteFrom("doomed")
        .where("volume", "=", volume)
        .where("file", "in", files.slice(at, at + PAGE))
        .execute();
  }

  /** Says that `file` is about to be brought to another volume. */
  async moving(move: Move): Promise<void> {
    await this.#database.query
      .insertInto("moves")
      .values(move)
      .onConflict((conflict) => conflict.column("file").doUpdateSet(move))
      .execute();
  }

  moves(): Promise<readonly Move[]> {
    return this.#database.query.selectFrom("moves").selectAll().execute();
  }

  /** From now on the copy on the target counts. False where the file has lost its row meanwhile. */
  moved({ file, source, target }: Move): Promise<boolean> {
    return this.#database.query.transaction().execute(async (query) => {
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
  async moveEnded(file: string, leftOn: readonly string[]): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      for (const volume of leftOn) await enterDoomed(query, { file, volume });
      await query.deleteFrom("moves").where("file", "=", file).execute();
    });
  }

  /** What was entered so far survives a power cut. */
  sync(): Promise<void> {
    return this.#database.forget();
  }

  /** The volumes that were there once. */
  async volumes(): Promise<ReadonlySet<string>> {
    return new Set((await this.#database.query.selectFrom("volumes").select("name").execute()).map(({ name }) => name));
  }

  async knowVolume(name: string): Promise<void> {
    await this.#database.query
      .insertInto("volumes")
      .values({ name })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /** Takes all that a volume has out of the catalog: a gap with this reason is in its place. How many segments there were. */
  async forgetVolume(name: string, reason: string): Promise<number> {
    const everything = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
    const others = (await this.#volumesInUse()).filter((volume) => volume !== name);
    const held = (await this.held()).filter(({ volume }) => volume === name);
    for (const { camera } of held)
      for (const stream of await this.streams(camera))
        for (let stretches = await this.elsewhere(camera, stream, everything, others); stretches.length > 0; ) {
          for (const { startUs: fromUs, endUs: toUs } of stretches)
            await this.missed({ camera, stream, fromUs, toUs, reason, cause: "disk" });
          const last = stretches.at(-1)?.endUs ?? 0;
          await this.#database.query
            .deleteFrom("segments")
            .where("camera", "=", camera)
            .where("stream", "=", stream)
            .where("volume", "=", name)
            .where("startUs", "<", last)
            .execute();
          stretches = await this.elsewhere(camera, stream, everything, others);
        }
    await this.#database.query.transaction().execute(async (query) => {
      for (const table of ["segments", "held", "opened", "doomed"] as const)
        await query.deleteFrom(table).where("volume", "=", name).execute();
      await query
        .deleteFrom("moves")
        .where((eb) => eb.or([eb("source", "=", name), eb("target", "=", name)]))
        .execute();
      await query.deleteFrom("volumes").where("name", "=", name).execute();
    });
    return held.reduce((sum, { segments }) => sum + segments, 0);
  }

  find(file: string): Promise<SegmentRow | undefined> {
    return this.#rows().where("file", "=", file).executeTakeFirst();
  }

  /** Names in the folder of one hour of a volume that the catalog knows, as `camera/date/hour/…`. */
  async filesBelow(folder: string, volume: string): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query
      .selectFrom("segments")
      .select("file")
      .where("file", ">=", `${folder}/`)
      .where("file", "<", `${folder}0`) // "0" is what follows "/"
      .where("volume", "=", volume)
      .execute();
    return new Set(rows.map((row) => row.file));
  }

  #rows() {
    return this.#database.query
      .selectFrom("segments")
      .innerJoin("descriptions", "descriptions.id", "segments.description")
      .select(["camera", "stream", "startUs", "endUs", "bytes", "file", "volume", "descriptions.tracks", "seal"]);
  }

  #rowsOn(volumes: readonly string[] | undefined) {
    return volumes === undefined ? this.#rows() : this.#rows().where("volume", "in", volumes);
  }

  /** The newest segment that begins at or before `us`, on these volumes or on any. */
  atOrBefore(camera: string, stream: string, us: number, volumes?: readonly string[]): Promise<SegmentRow | undefined> {
    return this.#rowsOn(volumes)
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("startUs", "<=", us)
      .orderBy("startUs", "desc")
      .orderBy("file", "desc")
      .limit(1)
      .executeTakeFirst();
  }

  /** Where the newest segment of a camera begins on a volume, of whichever stream. */
  async newest(camera: string, volume: string): Promise<number | undefined> {
    const { query } = this.#database;
    const held = await query
      .selectFrom("held")
      .select("segments")
      .where("camera", "=", camera)
      .where("volume", "=", volume)
      .where("segments", ">", 0)
      .executeTakeFirst();
    // Else all of the camera's rows would be read to find none.
    if (held === undefined) return undefined;
    const row = await query
      .selectFrom("segments")
      .select("startUs")
      .where("camera", "=", camera)
      .where("volume", "=", volume)
      .orderBy("startUs", "desc")
      .limit(1)
      .executeTakeFirst();
    return row?.startUs;
  }

  /** The next segments behind `cursor`, in order, at most a page of them, on these volumes or on any. */
  after(
    camera: string,
    stream: string,
    cursor: Cursor,
    limit: number = PAGE,
    volumes?: readonly string[],
  ): Promise<readonly SegmentRow[]> {
    return this.#rowsOn(volumes)
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("startUs", ">=", cursor.startUs)
      .where((eb) => eb.or([eb("startUs", ">", cursor.startUs), eb("file", ">", cursor.file)]))
      .orderBy("startUs")
      .orderBy("file")
      .limit(limit)
      .execute();
  }

  /** Stretches of a stream that were recorded to other volumes than these, joined, in order; the first page of them. */
  async elsewhere(
    camera: string,
    stream: string,
    { fromUs, toUs }: { readonly fromUs: number; readonly toUs: number },
    here: readonly string[],
  ): Promise<readonly Pick<SegmentRow, "startUs" | "endUs" | "volume">[]> {
    const away = (await this.#volumesInUse()).filter((volume) => !here.includes(volume));
    if (away.length === 0) return [];
    const found: { startUs: number; endUs: number; readonly volume: string }[] = [];
    const before = await this.atOrBefore(camera, stream, fromUs, away);
    let page: readonly SegmentRow[] = before === undefined || before.endUs <= fromUs ? [] : [before];
    for (let cursor: Cursor = before ?? { startUs: 0, file: "" }; ; ) {
      for (const { startUs, endUs, volume } of page) {
        const last = found.at(-1);
        if (startUs >= toUs || found.length >= PAGE) return found;
        if (last?.volume === volume && startUs - last.endUs <= LEAST_GAP_US) last.endUs = Math.max(last.endUs, endUs);
        else found.push({ startUs, endUs, volume });
      }
      page = await this.after(camera, stream, cursor, PAGE, away);
      const next = page.at(-1);
      if (next === undefined) return found;
      cursor = next;
    }
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

  /** The oldest segments behind `cursor`, of one camera or of all, on these volumes or on all. */
  async oldest(
    limit: number,
    camera?: string,
    cursor?: Cursor,
    volumes?: readonly string[],
  ): Promise<readonly SegmentRow[]> {
    if (camera !== undefined) return this.#oldest(limit, cursor, { camera, volumes });
    const pages = await Promise.all(
      // In the order of each volume's index, where one query over all would sort every row.
      (volumes ?? (await this.#volumesInUse())).map((volume) => this.#oldest(limit, cursor, { volumes: [volume] })),
    );
    return pages.flat().toSorted(inOrder).slice(0, limit);
  }

  async #volumesInUse(): Promise<readonly string[]> {
    const rows = await this.#database.query
      .selectFrom("held")
      .select("volume")
      .distinct()
      .where("segments", ">", 0)
      .execute();
    return rows.map(({ volume }) => volume);
  }

  #oldest(
    limit: number,
    cursor: Cursor | undefined,
    { camera, volumes }: { readonly camera?: string; readonly volumes?: readonly string[] | undefined },
  ): Promise<readonly SegmentRow[]> {
    let rows = this.#rowsOn(volumes).orderBy("startUs").orderBy("file").limit(limit);
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
  async totals(): Promise<readonly Omit<Held, "volume">[]> {
    const sums = new Map<string, Omit<Held, "volume">>();
    for (const { camera, bytes, segments } of await this.held()) {
      const before = sums.get(camera) ?? { bytes: 0, segments: 0 };
      sums.set(camera, { camera, bytes: before.bytes + bytes, segments: before.segments + segments });
    }
    return [...sums.values()];
  }

  /** Bytes and segments by camera and volume. Where there are none, it is left out. */
  held(): Promise<readonly Held[]> {
    return this.#database.query
      .selectFrom("held")
      .selectAll()
      .where("segments", ">", 0)
      .orderBy("camera")
      .orderBy("volume")
      .execute();
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

  /** Something was lost between two stretches that were recorded. */
  async missed(gap: GapRow): Promise<void> {
    await this.#database.query
      .insertInto("gaps")
      .values({ ...gap, toUs: gap.toUs ?? null })
      .execute();
  }

  /** Of what was a gap, this stretch is there now. A gap that goes on is left alone. */
  async filled(camera: string, stream: string, fromUs: number, toUs: number): Promise<void> {
    await this.#database.query.transaction().execute(async (query) => {
      const touched = await query
        .deleteFrom("gaps")
        .where("camera", "=", camera)
        .where("stream", "=", stream)
        .where("fromUs", "<", toUs)
        .where("toUs", ">", fromUs)
        .returningAll()
        .execute();
      for (const gap of touched)
        for (const rest of [
          { ...gap, toUs: fromUs },
          { ...gap, fromUs: toUs },
        ])
          if ((rest.toUs ?? 0) - rest.fromUs > LEAST_GAP_US) await query.insertInto("gaps").values(rest).execute();
    });
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

async function endOpenGap(query: Kysely<CatalogSchema>, camera: string, stream: string, toUs: number): Promise<void> {
  await query
    .updateTable("gaps")
    .set({ toUs })
    .where("camera", "=", camera)
    .where("stream", "=", stream)
    .where("toUs", "is", null)
    .execute();
}

async function enterDoomed(
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

/** A segment comes to what a volume holds of its camera, or goes from it. */
async function count(
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

function inOrder(a: Cursor, b: Cursor): number {
  if (a.startUs !== b.startUs) return a.startUs - b.startUs;
  return a.file < b.file ? -1 : 1;
}
