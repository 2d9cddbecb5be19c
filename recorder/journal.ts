import { randomUUID } from "node:crypto";
import { type Generated, type Kysely, type Migration, sql } from "kysely";
import { type Database, openDatabase } from "../base/database.ts";
import type { DatabaseThread } from "../base/database-thread.ts";
import { Fault } from "../base/fault.ts";
import { HOUR, type UnixMillis, unixMillis } from "../base/units.ts";

const LIMITS = {
  /** Events that are kept of one camera and hour; what it says more is told to who listens, and not kept. */
  eventsOfHour: 1000,
  /** Rows that one query brings, or enters. */
  page: 500,
  /** Things of one camera of which is told how they stood; real ones have some dozen. */
  things: 256,
  /** Marks of one kind and camera. */
  marks: 1000,
} as const;

/** An event that was kept. */
export interface KeptEvent {
  readonly camera: string;
  readonly at: UnixMillis;
  /** A word of ours, where there is one. */
  readonly kind: string | undefined;
  /** What it is about: the same for all that is said of one thing. */
  readonly about: string;
  /** It lasts until something else is said of the same. */
  readonly property: boolean;
  /** The event itself, as whoever keeps it prints it. */
  readonly content: string;
}

/** Place in the order of events. */
export interface EventCursor {
  readonly at: UnixMillis;
  readonly id: number;
}

/** Something that a person said of a stretch of a camera's footage: what is to be found in it, or that nothing may remove it. */
export interface Mark {
  readonly id: string;
  readonly kind: "bookmark" | "lock";
  readonly camera: string;
  readonly from: UnixMillis;
  /** Not before `from`. */
  readonly to: UnixMillis;
  /** A name, or a reason. */
  readonly text: string;
  /** Who made it, by the name of then, and when. */
  readonly who: string;
  readonly madeAt: UnixMillis;
}

interface Schema {
  events: {
    id: Generated<number>;
    camera: string;
    at: number;
    kind: string | null;
    about: string;
    property: number;
    content: string;
  };
  marks: Omit<Mark, "from" | "to"> & { fromMs: number; toMs: number };
}

const journalMigrations: Readonly<Record<string, Migration>> = {
  "0001-journal": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("events")
        .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("at", "real", (column) => column.notNull())
        .addColumn("kind", "text")
        .addColumn("about", "text", (column) => column.notNull())
        .addColumn("property", "integer", (column) => column.notNull())
        .addColumn("content", "text", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("events_camera").on("events").columns(["camera", "at"]).execute();
      await db.schema.createIndex("events_time").on("events").columns(["at", "id"]).execute();
      await db.schema.createIndex("events_about").on("events").columns(["camera", "about", "at"]).execute();
      await db.schema
        .createTable("marks")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("camera", "text", (column) => column.notNull())
        .addColumn("fromMs", "real", (column) => column.notNull())
        .addColumn("toMs", "real", (column) => column.notNull())
        .addColumn("text", "text", (column) => column.notNull())
        .addColumn("who", "text", (column) => column.notNull())
        .addColumn("madeAt", "real", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("marks_camera").on("marks").columns(["camera", "kind", "fromMs"]).execute();
    },
  },
};

/**
 * What is known of footage and cannot be read from it: events, bookmarks, locks. A file beside the catalog, and not in it, for the
 * catalog may be thrown away and made anew.
 */
export class Journal {
  readonly #database: Database<Schema>;

  private constructor(database: Database<Schema>) {
    this.#database = database;
  }

  /** `file`: path of the SQLite file, or `:memory:`. What was entered survives a power cut. `thread`: as of the catalog. */
  static async open(file: string, thread?: DatabaseThread): Promise<Journal> {
    return new Journal(await openDatabase<Schema>(file, journalMigrations, { durable: true, thread }));
  }

  /** As `work`, which waits for {@link enter}. Rejects where nothing is answered, and `work` goes on. */
  whileAnswering<T>(work: Promise<T>): Promise<T> {
    return this.#database.whileAnswering(work);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Enters events in one go, patiently; returns how many of them were too many for their camera and hour. */
  async enter(events: readonly KeptEvent[]): Promise<number> {
    const kept: Omit<Schema["events"], "id">[] = [];
    await this.#database.patient.transaction().execute(async (query) => {
      const counts = new Map<string, number>();
      for (const { property, kind, ...event } of events) {
        const hour = Math.floor(event.at / HOUR) * HOUR;
        const name = `${event.camera} ${hour}`;
        const count = counts.get(name) ?? (await countOf(query, event.camera, hour));
        counts.set(name, count + 1);
        if (count < LIMITS.eventsOfHour) kept.push({ ...event, kind: kind ?? null, property: Number(property) });
      }
      // A statement for each would hold up the loop many times as long.
      for (let at = 0; at < kept.length; at += LIMITS.page)
        await query
          .insertInto("events")
          .values(kept.slice(at, at + LIMITS.page))
          .execute();
    });
    return events.length - kept.length;
  }

  /**
   * The next page of events of these cameras, from `from` (inclusive) to `to` (exclusive) or, `backward`, from `to` to `from`.
   * `after`: the last one of the page before. `upTo`: none that was entered after the event of this id.
   */
  async events(
    cameras: readonly string[],
    range: {
      readonly from: UnixMillis;
      readonly to: UnixMillis;
      readonly backward?: boolean;
      readonly upTo?: number;
    },
    after?: EventCursor,
    limit: number = LIMITS.page,
  ): Promise<readonly (KeptEvent & EventCursor)[]> {
    if (cameras.length === 0) return [];
    const isBackward = range.backward === true;
    const [order, beyond] = isBackward ? (["desc", "<"] as const) : (["asc", ">"] as const);
    // The index is entered where the page before ended: from the end of the range, each page would go over all that were before it.
    const from = isBackward ? range.from : (after?.at ?? range.from);
    const [below, to] = isBackward && after ? (["<=", after.at] as const) : (["<", range.to] as const);
    let rows = this.#database.query
      .selectFrom("events")
      .selectAll()
      .where("camera", "in", cameras)
      .where("at", ">=", from)
      .where("at", below, to);
    if (range.upTo !== undefined) rows = rows.where("id", "<=", range.upTo);
    if (after !== undefined) rows = rows.where((eb) => eb.or([eb("at", "!=", after.at), eb("id", beyond, after.id)]));
    const found = await rows.orderBy("at", order).orderBy("id", order).limit(limit).execute();
    return found.map(({ at, kind, property, ...row }) => ({
      ...row,
      at: unixMillis(at),
      kind: kind ?? undefined,
      property: property !== 0,
    }));
  }

  /** When the oldest event was, of any camera. */
  async earliest(): Promise<UnixMillis | undefined> {
    const row = await this.#database.query
      .selectFrom("events")
      .select(({ fn }) => fn.min<number | null>("at").as("at"))
      .executeTakeFirst();
    return row?.at === null || row?.at === undefined ? undefined : unixMillis(row.at);
  }

  /** When the oldest event of each of these cameras was; those without any are left out. */
  async beginnings(cameras: readonly string[]): Promise<ReadonlyMap<string, UnixMillis>> {
    // A step of the index a camera, all of them in one query.
    const { rows } = await sql<{ readonly camera: string; readonly at: number | null }>`
      SELECT value AS camera, (SELECT min(at) FROM events WHERE camera = value) AS at
      FROM json_each(${JSON.stringify(cameras)})`.execute(this.#database.query);
    return new Map(rows.flatMap(({ camera, at }) => (at === null ? [] : [[camera, unixMillis(at)]])));
  }

  /** The id of the event that was entered last; 0 where there is none. */
  async newest(): Promise<number> {
    const row = await this.#database.query
      .selectFrom("events")
      .select(({ fn }) => fn.max<number | null>("id").as("id"))
      .executeTakeFirst();
    return row?.id ?? 0;
  }

  /** What was said last, before an instant, of each thing that lasts; of a camera that tells of too many things, of the first by name. */
  async standing(camera: string, before: UnixMillis): Promise<readonly KeptEvent[]> {
    // A step of the index a thing, all of them in one query: it holds up the loop for some milliseconds at most.
    const { rows } = await sql<Omit<Schema["events"], "id" | "property">>`
      WITH RECURSIVE things(about) AS (
        SELECT min(about) FROM events WHERE camera = ${camera}
        UNION ALL
        SELECT (SELECT min(about) FROM events WHERE camera = ${camera} AND about > things.about)
        FROM things WHERE things.about IS NOT NULL LIMIT ${LIMITS.things}
      )
      SELECT events.camera, events.at, events.kind, events.about, events.content FROM things JOIN events ON events.id = (
        SELECT id FROM events WHERE camera = ${camera} AND about = things.about AND at < ${before} ORDER BY at DESC LIMIT 1
      ) WHERE events.property <> 0 ORDER BY things.about`.execute(this.#database.query);
    return rows.map(({ kind, at, ...event }) => ({
      ...event,
      at: unixMillis(at),
      kind: kind ?? undefined,
      property: true,
    }));
  }

  /** How many events of each kind begin in each of `buckets` equal parts of the range. */
  async counts(
    camera: string,
    range: { readonly from: UnixMillis; readonly to: UnixMillis },
    buckets: number,
  ): Promise<readonly { readonly kind: string; readonly bucket: number; readonly count: number }[]> {
    const widthMs = (range.to - range.from) / buckets;
    return this.#database.query
      .selectFrom("events")
      .select((eb) => [
        sql<string>`coalesce(${eb.ref("kind")}, 'other')`.as("kind"),
        sql<number>`cast((${eb.ref("at")} - ${range.from}) / ${widthMs} as integer)`.as("bucket"),
        eb.fn.countAll<number>().as("count"),
      ])
      .where("camera", "=", camera)
      .where("at", ">=", range.from)
      .where("at", "<", range.to)
      .groupBy(["kind", "bucket"])
      .orderBy("kind")
      .orderBy("bucket")
      .execute();
  }

  /** The cameras that anything is known of. */
  async cameras(): Promise<readonly string[]> {
    const events = await this.#database.query.selectFrom("events").select("camera").distinct().execute();
    const marks = await this.#database.query.selectFrom("marks").select("camera").distinct().execute();
    return [...new Set([...events, ...marks].map(({ camera }) => camera))].sort();
  }

  /** Forgets events and bookmarks of a camera that were over before. Locks stay until somebody takes them away. */
  async forget(camera: string, before: UnixMillis): Promise<void> {
    await this.#database.query.deleteFrom("events").where("camera", "=", camera).where("at", "<", before).execute();
    await this.#database.query
      .deleteFrom("marks")
      .where("camera", "=", camera)
      .where("kind", "=", "bookmark")
      .where("toMs", "<", before)
      .execute();
  }

  /** Fault `busy` where the camera has too many. */
  async mark(mark: Omit<Mark, "id">): Promise<Mark> {
    const { from, to, ...rest } = mark;
    const { count } = await this.#database.query
      .selectFrom("marks")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("camera", "=", mark.camera)
      .where("kind", "=", mark.kind)
      .executeTakeFirstOrThrow();
    if (count >= LIMITS.marks)
      throw new Fault("busy", `more than ${LIMITS.marks} of ${mark.camera}`, {
        tell: `a camera has ${LIMITS.marks} of these at most: remove some first`,
      });
    const id = randomUUID();
    await this.#database.query
      .insertInto("marks")
      .values({ ...rest, id, fromMs: from, toMs: to })
      .execute();
    return { ...mark, id };
  }

  /** Those that touch the range, in order; of one kind where that is named. */
  async marks(
    camera: string,
    range: { readonly from: UnixMillis; readonly to: UnixMillis },
    kind?: Mark["kind"],
  ): Promise<readonly Mark[]> {
    let rows = this.#database.query
      .selectFrom("marks")
      .selectAll()
      .where("camera", "=", camera)
      .where("fromMs", "<", range.to)
      .where("toMs", ">=", range.from);
    if (kind !== undefined) rows = rows.where("kind", "=", kind);
    const found = await rows.orderBy("fromMs").orderBy("id").execute();
    return found.map(markOf);
  }

  /** Returns what was removed; `not-found` where there is none of this kind with this id, or it is over before `since`. */
  async unmark(camera: string, kind: Mark["kind"], id: string, since = unixMillis(0)): Promise<Mark> {
    const row = await this.#database.query
      .deleteFrom("marks")
      .where("camera", "=", camera)
      .where("kind", "=", kind)
      .where("id", "=", id)
      .where("toMs", ">=", since)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new Fault("not-found", `no ${kind} ${id} of ${camera}`);
    return markOf(row);
  }
}

async function countOf(query: Kysely<Schema>, camera: string, hour: number): Promise<number> {
  const { count } = await query
    .selectFrom("events")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("camera", "=", camera)
    .where("at", ">=", hour)
    .where("at", "<", hour + HOUR)
    .executeTakeFirstOrThrow();
  return count;
}

function markOf({ fromMs, toMs, ...row }: Schema["marks"]): Mark {
  return { ...row, from: unixMillis(fromMs), to: unixMillis(toMs) };
}
