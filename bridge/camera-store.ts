import { type Kysely, type Migration, sql } from "kysely";
import type { Credentials } from "../auth/scheme/http.ts";
import { Fault } from "../base/fault.ts";
import type { Sealer } from "../base/seal.ts";
import { Secret } from "../base/secret.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import type { LowerTransport } from "../rtsp/wire/transport.ts";
import type { TransportSetting } from "./camera.ts";

/** A camera as it was adopted: all that is needed to pull its stream again after a restart. */
export interface CameraRecord {
  readonly id: string;
  /** The lowest that was free, from 1. */
  readonly number: number;
  readonly name: string;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** The only address that is dialed for this camera. */
  readonly ip: string;
  /** RTSP address without credentials. */
  readonly streamUrl: string;
  readonly deviceUrl: string | undefined;
  readonly credentials: Credentials | undefined;
  /** SHA-256 of the camera's public key, base64; remembered at adoption where the camera speaks TLS. */
  readonly tlsPin: string | undefined;
  readonly transport: TransportSetting;
  /** By what its packets came the last time. */
  readonly workedTransport: LowerTransport | undefined;
  readonly adoptedAt: UnixMillis;
}

interface CameraRow {
  id: string;
  number: number;
  name: string;
  manufacturer: string | null;
  model: string | null;
  serial: string | null;
  ip: string;
  stream_url: string;
  device_url: string | null;
  user_name: string | null;
  /** Sealed under the master key, bound to the camera's id. */
  password_sealed: string | null;
  tls_pin: string | null;
  /** `auto`, `tcp`, `udp`. */
  transport: string;
  /** `tcp`, `udp`, or null as long as nothing has come. */
  worked_transport: string | null;
  /** Milliseconds since 1970, UTC. */
  adopted_at_ms: number;
}

/** The part of the configuration database that holds cameras. */
export interface CameraSchema {
  camera: CameraRow;
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
};

/** Adopted cameras on disk. */
export class CameraStore {
  readonly #query: Kysely<CameraSchema>;
  readonly #sealer: Sealer;

  constructor(query: Kysely<CameraSchema>, sealer: Sealer) {
    this.#query = query;
    this.#sealer = sealer;
  }

  async list(): Promise<readonly CameraRecord[]> {
    const rows = await this.#query.selectFrom("camera").selectAll().orderBy("adopted_at_ms").orderBy("id").execute();
    return rows.map((row) => this.#recordOf(row));
  }

  /** Gives the camera's number. */
  async add(record: Omit<CameraRecord, "number">): Promise<number> {
    const { credentials } = record;
    const taken = new Set((await this.#query.selectFrom("camera").select("number").execute()).map((row) => row.number));
    let number = 1;
    while (taken.has(number)) number += 1;
    await this.#query
      .insertInto("camera")
      .values({
        id: record.id,
        number,
        name: record.name,
        manufacturer: record.manufacturer ?? null,
        model: record.model ?? null,
        serial: record.serial ?? null,
        ip: record.ip,
        stream_url: record.streamUrl,
        device_url: record.deviceUrl ?? null,
        user_name: credentials?.user ?? null,
        password_sealed: credentials === undefined ? null : this.#sealer.seal(credentials.password, ownerOf(record.id)),
        tls_pin: record.tlsPin ?? null,
        transport: record.transport,
        worked_transport: record.workedTransport ?? null,
        adopted_at_ms: Math.round(record.adoptedAt),
      })
      .execute();
    return number;
  }

  /** `not-found` when there is none. */
  async setTransport(id: string, transport: TransportSetting): Promise<void> {
    const { numUpdatedRows } = await this.#query
      .updateTable("camera")
      .set({ transport })
      .where("id", "=", id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault("not-found", `no camera ${id}`);
  }

  /** For the next session. Of a camera that was removed meanwhile, nothing is remembered. */
  async rememberTransport(id: string, worked: LowerTransport): Promise<void> {
    await this.#query.updateTable("camera").set({ worked_transport: worked }).where("id", "=", id).execute();
  }

  /** `not-found` when there is none. Its id is retired; recordings stay until their retention ends. */
  async remove(id: string): Promise<void> {
    await this.#query.transaction().execute(async (change) => {
      const { numDeletedRows } = await change.deleteFrom("camera").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) throw new Fault("not-found", `no camera ${id}`);
      await change.insertInto("retired_camera").values({ id }).execute();
    });
  }

  /** Ids that no camera gets again. */
  async retired(): Promise<ReadonlySet<string>> {
    const rows = await this.#query.selectFrom("retired_camera").select("id").execute();
    return new Set(rows.map((row) => row.id));
  }

  #recordOf(row: CameraRow): CameraRecord {
    return {
      id: row.id,
      number: row.number,
      name: row.name,
      manufacturer: row.manufacturer ?? undefined,
      model: row.model ?? undefined,
      serial: row.serial ?? undefined,
      ip: row.ip,
      streamUrl: row.stream_url,
      deviceUrl: row.device_url ?? undefined,
      credentials:
        row.user_name === null
          ? undefined
          : {
              user: row.user_name,
              password:
                row.password_sealed === null ? new Secret("") : this.#sealer.open(row.password_sealed, ownerOf(row.id)),
            },
      tlsPin: row.tls_pin ?? undefined,
      transport: transportIn(row.transport) ?? "auto",
      workedTransport: transportIn(row.worked_transport),
      adoptedAt: unixMillis(row.adopted_at_ms),
    };
  }
}

function transportIn(text: string | null): LowerTransport | undefined {
  return text === "tcp" || text === "udp" ? text : undefined;
}

function ownerOf(id: string): string {
  return `camera:${id}`;
}

/** A free camera id that a person can read in an address: `Front Door` becomes `front-door`, the next one `front-door-2`. */
export function cameraIdFor(name: string, taken: (id: string) => boolean): string {
  const slug = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 48)
    .replace(/^-+|-+$/g, "");
  const base = slug === "" ? "camera" : slug;
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken(id)) return id;
  }
}
