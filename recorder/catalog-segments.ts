import type { Kysely } from "kysely";
import { volumesInUse } from "./catalog-held.ts";
import type { Cursor, SegmentRow, TimeSummary } from "./catalog-rows.ts";
import { type CatalogSchema, PAGE_ROWS } from "./catalog-schema.ts";
import { LEAST_GAP_US } from "./gap.ts";

/** A stretch of time, in microseconds since 1970. */
export interface UsRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** When and where a segment was recorded. */
export type SegmentExtent = Pick<SegmentRow, "startUs" | "endUs" | "file" | "volume">;

/** The sealed segments of the catalog, to be found by camera, stream, time, file and volume. */
export class CatalogSegments {
  readonly #query: Kysely<CatalogSchema>;

  constructor(query: Kysely<CatalogSchema>) {
    this.#query = query;
  }

  find(file: string): Promise<SegmentRow | undefined> {
    return this.#rows().where("file", "=", file).executeTakeFirst();
  }

  /** Names in the folder of one hour of a volume that the catalog knows, as `camera/date/hour/…`. */
  async filesBelow(folder: string, volume: string): Promise<ReadonlySet<string>> {
    const rows = await this.#query
      .selectFrom("segments")
      .select("file")
      .where("file", ">=", `${folder}/`)
      .where("file", "<", `${folder}0`) // "0" is what follows "/"
      .where("volume", "=", volume)
      .execute();
    return new Set(rows.map((row) => row.file));
  }

  #rows() {
    return this.#query
      .selectFrom("segments")
      .innerJoin("descriptions", "descriptions.id", "segments.description")
      .select([
        "camera",
        "stream",
        "startUs",
        "endUs",
        "bytes",
        "file",
        "volume",
        "descriptions.tracks",
        "seal",
        "fetchedUs",
      ]);
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

  /** The segment of a stream that was recorded last, by its times, or the one that was fetched last. */
  newestOf(camera: string, stream: string, how: "live" | "fetched"): Promise<SegmentRow | undefined> {
    const rows = this.#rows().where("camera", "=", camera).where("stream", "=", stream);
    const ordered =
      how === "live"
        ? rows.where("fetchedUs", "is", null)
        : rows.where("fetchedUs", "is not", null).orderBy("fetchedUs", "desc");
    return ordered.orderBy("startUs", "desc").orderBy("file", "desc").limit(1).executeTakeFirst();
  }

  /** What of a stretch was fetched from the camera's own recording, in order, joined; the first page of it. */
  async fetched(camera: string, stream: string, range: UsRange): Promise<readonly UsRange[]> {
    const rows = await this.#query
      .selectFrom("segments")
      .select(["startUs as fromUs", "endUs as toUs"])
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("fetchedUs", "is not", null)
      .where("startUs", "<", range.toUs)
      .where("endUs", ">", range.fromUs)
      .orderBy("startUs")
      .limit(PAGE_ROWS)
      .execute();
    const found: { fromUs: number; toUs: number }[] = [];
    for (const { fromUs, toUs } of rows) {
      const last = found.at(-1);
      if (last !== undefined && fromUs - last.toUs <= LEAST_GAP_US) last.toUs = Math.max(last.toUs, toUs);
      else found.push({ fromUs, toUs });
    }
    return found;
  }

  /** Where the newest segment of a camera begins on a volume, of whichever stream. */
  async newest(camera: string, volume: string): Promise<number | undefined> {
    const held = await this.#query
      .selectFrom("held")
      .select("segments")
      .where("camera", "=", camera)
      .where("volume", "=", volume)
      .where("segments", ">", 0)
      .executeTakeFirst();
    // Else all of the camera's rows would be read to find none.
    if (held === undefined) return undefined;
    const row = await this.#query
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
    limit: number = PAGE_ROWS,
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

  /** When the next segments behind `cursor` begin and end that begin before `toUs`, in order, at most a page of them. Read from the index alone. */
  extents(
    camera: string,
    stream: string,
    cursor: Cursor,
    toUs: number,
    volumes: readonly string[],
  ): Promise<readonly SegmentExtent[]> {
    return this.#query
      .selectFrom("segments")
      .select(["startUs", "endUs", "file", "volume"])
      .where("volume", "in", volumes)
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .where("startUs", ">=", cursor.startUs)
      .where("startUs", "<", toUs)
      .where((eb) => eb.or([eb("startUs", ">", cursor.startUs), eb("file", ">", cursor.file)]))
      .orderBy("startUs")
      .orderBy("file")
      .limit(PAGE_ROWS)
      .execute();
  }

  /** Stretches of a stream that were recorded to other volumes than these, joined, in order; the first page of them. */
  async elsewhere(
    camera: string,
    stream: string,
    { fromUs, toUs }: UsRange,
    here: readonly string[],
  ): Promise<readonly Pick<SegmentRow, "startUs" | "endUs" | "volume">[]> {
    const away = (await volumesInUse(this.#query)).filter((volume) => !here.includes(volume));
    if (away.length === 0) return [];
    const found: { startUs: number; endUs: number; readonly volume: string }[] = [];
    const before = await this.atOrBefore(camera, stream, fromUs, away);
    let page: readonly SegmentExtent[] =
      before === undefined || before.startUs >= toUs || before.endUs <= fromUs ? [] : [before];
    for (let cursor: Cursor = before ?? { startUs: 0, file: "" }; ; ) {
      for (const { startUs, endUs, volume } of page) {
        const last = found.at(-1);
        if (found.length >= PAGE_ROWS) return found;
        if (last?.volume === volume && startUs - last.endUs <= LEAST_GAP_US) last.endUs = Math.max(last.endUs, endUs);
        else found.push({ startUs, endUs, volume });
      }
      page = await this.extents(camera, stream, cursor, toUs, away);
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
        .limit(PAGE_ROWS)
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
      (volumes ?? (await volumesInUse(this.#query))).map((volume) =>
        this.#oldest(limit, cursor, { volumes: [volume] }),
      ),
    );
    return pages.flat().toSorted(inOrder).slice(0, limit);
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
      const row = await this.#query
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
    const rows = await this.#query
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

  async hasStream(camera: string, stream: string): Promise<boolean> {
    const row = await this.#query
      .selectFrom("segments")
      .select("startUs")
      .where("camera", "=", camera)
      .where("stream", "=", stream)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** The streams of a camera that have segments, in alphabetical order. */
  async streams(camera: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (let last = ""; ; ) {
      // A step of the index a stream, where `distinct` would read every row of the camera.
      const row = await this.#query
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
}

function inOrder(a: Cursor, b: Cursor): number {
  if (a.startUs !== b.startUs) return a.startUs - b.startUs;
  return a.file < b.file ? -1 : 1;
}
