import { type Migration, sql } from "kysely";

interface CameraRow {
  id: string;
  name: string;
  manufacturer: string | null;
  model: string | null;
  serial: string | null;
  ip: string;
  device_url: string | null;
  user_name: string | null;
  /** Sealed under the master key, bound to the camera's id. */
  password_sealed: string | null;
  tls_pin: string | null;
  /** 1: it may be spoken to without TLS. */
  plain_text: number;
  /** A TransportSetting. */
  transport: string;
  /** A KeptFor, JSON. */
  retention: string;
  /** Milliseconds since 1970, UTC. */
  adopted_at_ms: number;
}

interface StreamRow {
  camera_id: string;
  /** `main`, `sub`, … */
  name: string;
  /** Counts the streams of all cameras from 1; the lowest that was free. */
  number: number;
  /** Order within the camera, from 0, which is the main one. */
  position: number;
  url: string;
  /** `always`, `on-demand`. */
  pulling: string;
  /** A RecordingPlan, JSON. */
  recording: string;
  /** An UpstreamTransport, or null as long as nothing has come. */
  worked_transport: string | null;
  /** The newest description: a JSON list of tracks, or null as long as there was none. */
  tracks: string | null;
}

/** The part of the configuration database that holds cameras. */
export interface CameraSchema {
  camera: CameraRow;
  camera_stream: StreamRow;
  /** Ids of cameras that were removed: grants may still name them, and must not come to mean another camera. */
  retired_camera: { id: string };
}

export const cameraMigrations: Readonly<Record<string, Migration>> = {
  "camera-0001-camera": {
    async up(db) {
      await db.schema
        .createTable("camera")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("manufacturer", "text")
        .addColumn("model", "text")
        .addColumn("serial", "text")
        .addColumn("ip", "text", (column) => column.notNull())
        .addColumn("stream_url", "text", (column) => column.notNull())
        .addColumn("device_url", "text")
        .addColumn("user_name", "text")
        .addColumn("password_sealed", "text")
        .addColumn("tls_pin", "text")
        .addColumn("adopted_at_ms", "integer", (column) => column.notNull())
        .execute();
    },
  },
  "camera-0002-retired": {
    async up(db) {
      await db.schema
        .createTable("retired_camera")
        .addColumn("id", "text", (column) => column.primaryKey())
        .execute();
    },
  },
  "camera-0003-transport": {
    async up(db) {
      // SQLite adds one column at a time.
      await db.schema
        .alterTable("camera")
        .addColumn("transport", "text", (column) => column.notNull().defaultTo("auto"))
        .execute();
      await db.schema.alterTable("camera").addColumn("worked_transport", "text").execute();
    },
  },
  "camera-0004-number": {
    async up(db) {
      await db.schema
        .alterTable("camera")
        .addColumn("number", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`update camera set number = (select count(*) from camera as earlier where earlier.rowid <= camera.rowid)`.execute(
        db,
      );
      await db.schema.createIndex("camera_number").on("camera").column("number").unique().execute();
    },
  },
  "camera-0005-streams": {
    async up(db) {
      await db.schema
        .createTable("camera_stream")
        .addColumn("camera_id", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("number", "integer", (column) => column.notNull().unique())
        .addColumn("position", "integer", (column) => column.notNull())
        .addColumn("url", "text", (column) => column.notNull())
        .addColumn("pulling", "text", (column) => column.notNull())
        .addColumn("worked_transport", "text")
        .addColumn("tracks", "text")
        .addPrimaryKeyConstraint("camera_stream_key", ["camera_id", "name"])
        .execute();
      await db
        .insertInto("camera_stream")
        .columns(["camera_id", "name", "number", "position", "url", "pulling", "worked_transport"])
        .expression((query) =>
          query
            .selectFrom("camera")
            .select((of) => [
              of.ref("id").as("camera_id"),
              of.val("main").as("name"),
              of.ref("number").as("number"),
              of.val(0).as("position"),
              of.ref("stream_url").as("url"),
              of.val("always").as("pulling"),
              of.ref("worked_transport").as("worked_transport"),
            ]),
        )
        .execute();
      await db.schema.dropIndex("camera_number").execute();
      for (const moved of ["number", "stream_url", "worked_transport"])
        await db.schema.alterTable("camera").dropColumn(moved).execute();
    },
  },
  "camera-0006-plain-text": {
    async up(db) {
      // Cameras that were adopted before somebody was asked go on as they were.
      await db.schema
        .alterTable("camera")
        .addColumn("plain_text", "integer", (column) => column.notNull().defaultTo(1))
        .execute();
    },
  },
  "camera-0007-recording": {
    async up(db) {
      await db.schema
        .alterTable("camera_stream")
        .addColumn("recording", "text", (column) => column.notNull().defaultTo('{"mode":"off"}'))
        .execute();
      // Until then, main streams were recorded that were pulled always.
      await db
        .updateTable("camera_stream")
        .set({ recording: '{"mode":"continuous"}' })
        .where("position", "=", 0)
        .where("pulling", "=", "always")
        .execute();
    },
  },
  "camera-0008-retention": {
    async up(db) {
      await db.schema
        .alterTable("camera")
        .addColumn("retention", "text", (column) => column.notNull().defaultTo("{}"))
        .execute();
    },
  },
};
