import type { Kysely, Selectable } from "kysely";
import type { Credentials } from "../auth/scheme/http.ts";
import { Fault, isFault } from "../base/fault.ts";
import type { Sealer } from "../base/seal.ts";
import { Secret } from "../base/secret.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import type { Track } from "../media/track.ts";
import { UPSTREAM_TRANSPORTS, type UpstreamTransport } from "../rtsp/wire/transport.ts";
import type { Pulling, TransportSetting } from "./camera.ts";
import type { CameraSchema } from "./camera-schema.ts";
import type { KeptFor } from "./kept-for.ts";
import type { RecordingPlan } from "./recording-plan.ts";

/** A stream of a camera, as far as it is needed to pull it again after a restart. */
export interface StreamRecord {
  /** `main`, `sub`, … */
  readonly name: string;
  /** The lowest that no other stream of any camera had, from 1. */
  readonly number: number;
  /** RTSP address at the camera, without credentials. */
  readonly url: string;
  readonly pulling: Pulling;
  readonly recording: RecordingPlan;
  /** By what its packets came the last time. */
  readonly workedTransport: UpstreamTransport | undefined;
  /** As it was described the last time; empty where it never was. */
  readonly tracks: readonly Track[];
}

/** A camera as it was adopted: all that is needed to pull its streams again after a restart. */
export interface CameraRecord {
  readonly id: string;
  readonly name: string;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** The only address that is dialed for this camera. */
  readonly ip: string;
  readonly deviceUrl: string | undefined;
  readonly credentials: Credentials | undefined;
  /** It has credentials, and their password does not open: it is under a master key that was lost. */
  readonly passwordLost?: true;
  /** SHA-256 of the camera's public key, base64; remembered at adoption where the camera speaks TLS. */
  readonly tlsPin: string | undefined;
  /** Whoever adopted it allowed it to be spoken to without TLS. */
  readonly plainText: boolean;
  readonly transport: TransportSetting;
  readonly retention: KeptFor;
  /** The main one first. */
  readonly streams: readonly [StreamRecord, ...StreamRecord[]];
  readonly adoptedAt: UnixMillis;
}

/** A stream that has no number yet. */
export type NewStream = Omit<StreamRecord, "number">;

/** A camera that is not saved yet. */
export interface NewCamera extends Omit<CameraRecord, "streams"> {
  readonly streams: readonly [NewStream, ...NewStream[]];
}

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
    const streams = await this.#query.selectFrom("camera_stream").selectAll().orderBy("position").execute();
    const of = Map.groupBy(streams, (row) => row.camera_id);
    return rows.map((row) => this.#recordOf(row, of.get(row.id) ?? []));
  }

  /** Gives each stream its number. */
  async add(camera: NewCamera): Promise<CameraRecord> {
    return this.#query.transaction().execute(async (change) => {
      const numbers = await freeNumbers(change);
      const numbered = (stream: NewStream): StreamRecord => ({ ...stream, number: numbers.next().value });
      const [main, ...others] = camera.streams;
      const record: CameraRecord = { ...camera, streams: [numbered(main), ...others.map(numbered)] };
      const { credentials } = record;
      await change
        .insertInto("camera")
        .values({
          id: record.id,
          name: record.name,
          manufacturer: record.manufacturer ?? null,
          model: record.model ?? null,
          serial: record.serial ?? null,
          ip: record.ip,
          device_url: record.deviceUrl ?? null,
          user_name: credentials?.user ?? null,
          password_sealed:
            credentials === undefined ? null : this.#sealer.seal(credentials.password, cameraOwner(record.id)),
          tls_pin: record.tlsPin ?? null,
          plain_text: record.plainText ? 1 : 0,
          transport: record.transport,
          retention: JSON.stringify(record.retention),
          adopted_at_ms: Math.round(record.adoptedAt),
        })
        .execute();
      await change
        .insertInto("camera_stream")
        .values(
          record.streams.map((stream, position) => ({
            camera_id: record.id,
            name: stream.name,
            number: stream.number,
            position,
            url: stream.url,
            pulling: stream.pulling,
            recording: JSON.stringify(stream.recording),
            worked_transport: stream.workedTransport ?? null,
            tracks: stream.tracks.length === 0 ? null : JSON.stringify(stream.tracks),
          })),
        )
        .execute();
      return record;
    });
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

  /** `not-found` when there is none. */
  async setRetention(id: string, retention: KeptFor): Promise<void> {
    const { numUpdatedRows } = await this.#query
      .updateTable("camera")
      .set({ retention: JSON.stringify(retention) })
      .where("id", "=", id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault("not-found", `no camera ${id}`);
  }

  /** `not-found` when there is no such stream. */
  async setPulling(id: string, stream: string, pulling: Pulling): Promise<void> {
    const { numUpdatedRows } = await this.#stream(id, stream).set({ pulling }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault("not-found", `no stream ${stream} of camera ${id}`);
  }

  /** `not-found` when there is no such stream. */
  async setRecording(id: string, stream: string, plan: RecordingPlan): Promise<void> {
    const recording = JSON.stringify(plan);
    const { numUpdatedRows } = await this.#stream(id, stream).set({ recording }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Fault("not-found", `no stream ${stream} of camera ${id}`);
  }

  /** For the next session. Of a camera that was removed meanwhile, nothing is remembered. */
  async rememberTransport(id: string, stream: string, worked: UpstreamTransport): Promise<void> {
    await this.#stream(id, stream).set({ worked_transport: worked }).execute();
  }

  /** What clients are told as long as it is not pulled. Of a camera that was removed meanwhile, nothing is remembered. */
  async rememberTracks(id: string, stream: string, tracks: readonly Track[]): Promise<void> {
    await this.#stream(id, stream)
      .set({ tracks: JSON.stringify(tracks) })
      .execute();
  }

  /** `not-found` when there is none. Its id is retired; recordings stay until their retention ends. */
  async remove(id: string): Promise<void> {
    await this.#query.transaction().execute(async (change) => {
      const { numDeletedRows } = await change.deleteFrom("camera").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) throw new Fault("not-found", `no camera ${id}`);
      await change.deleteFrom("camera_stream").where("camera_id", "=", id).execute();
      await change.insertInto("retired_camera").values({ id }).execute();
    });
  }

  /** Ids that no camera gets again. */
  async retired(): Promise<ReadonlySet<string>> {
    const rows = await this.#query.selectFrom("retired_camera").select("id").execute();
    return new Set(rows.map((row) => row.id));
  }

  #stream(id: string, name: string) {
    return this.#query.updateTable("camera_stream").where("camera_id", "=", id).where("name", "=", name);
  }

  #loginOf({
    id,
    user_name: user,
    password_sealed: sealed,
  }: Selectable<CameraSchema["camera"]>): Pick<CameraRecord, "credentials" | "passwordLost"> {
    if (user === null) return { credentials: undefined };
    try {
      return {
        credentials: { user, password: sealed === null ? new Secret("") : this.#sealer.open(sealed, cameraOwner(id)) },
      };
    } catch (error) {
      if (isFault(error, "unavailable")) return { credentials: undefined, passwordLost: true };
      throw error;
    }
  }

  #recordOf(
    row: Selectable<CameraSchema["camera"]>,
    streams: readonly Selectable<CameraSchema["camera_stream"]>[],
  ): CameraRecord {
    const [main, ...others] = streams.map(streamOf);
    if (main === undefined) throw new Fault("internal", `camera ${row.id} has no stream in the database`);
    return {
      id: row.id,
      name: row.name,
      manufacturer: row.manufacturer ?? undefined,
      model: row.model ?? undefined,
      serial: row.serial ?? undefined,
      ip: row.ip,
      deviceUrl: row.device_url ?? undefined,
      ...this.#loginOf(row),
      tlsPin: row.tls_pin ?? undefined,
      plainText: row.plain_text !== 0,
      transport: transportIn(row.transport) ?? "auto",
      // Ours, written by `setRetention`.
      retention: JSON.parse(row.retention) as KeptFor,
      streams: [main, ...others],
      adoptedAt: unixMillis(row.adopted_at_ms),
    };
  }
}

function streamOf(row: Selectable<CameraSchema["camera_stream"]>): StreamRecord {
  return {
    name: row.name,
    number: row.number,
    url: row.url,
    pulling: row.pulling === "on-demand" ? "on-demand" : "always",
    // Ours, as are the tracks.
    recording: JSON.parse(row.recording) as RecordingPlan,
    workedTransport: transportIn(row.worked_transport),
    tracks: row.tracks === null ? [] : (JSON.parse(row.tracks) as Track[]),
  };
}

async function freeNumbers(query: Kysely<CameraSchema>): Promise<Generator<number, never>> {
  const rows = await query.selectFrom("camera_stream").select("number").execute();
  return numbersWithout(new Set(rows.map((row) => row.number)));
}

function* numbersWithout(taken: ReadonlySet<number>): Generator<number, never> {
  for (let number = 1; ; number += 1) if (!taken.has(number)) yield number;
}

function transportIn(text: string | null): UpstreamTransport | undefined {
  return UPSTREAM_TRANSPORTS.find((transport) => transport === text);
}

/** Whom a secret in the database is sealed for. */
export function cameraOwner(id: string): string {
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
