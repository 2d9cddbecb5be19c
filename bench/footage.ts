import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { openDatabase } from "../base/database.ts";
import { MINUTE, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { PacketGroup } from "../media/group.ts";
import { createPacketizer } from "../media/packetizer.ts";
import type { SampleFormat } from "../media/sample.ts";
import type { Archive } from "../recorder/archive.ts";
import { catalogMigrations } from "../recorder/catalog-schema.ts";
import { BYTES, FRAMES_PER_GROUP, FRAMES_PER_SECOND, PPS, SPS } from "./picture.ts";
import type { SigningCamera } from "./signing-camera.ts";

const CLOCK_RATE_HZ = 90_000;
const FORMAT: SampleFormat = {
  codec: "H264",
  width: 1280,
  height: 720,
  config: Buffer.concat([
    Buffer.of(1),
    SPS.subarray(1, 4),
    Buffer.of(0xff, 0xe1),
    prefixed(SPS, 2),
    Buffer.of(1),
    prefixed(PPS, 2),
  ]),
};

/** Records `seconds` of a camera of 4 Mbit/s, from an instant in the past on, as fast as the disk takes it. `signs`: it signs its stream. */
export async function record(
  archive: Archive,
  camera: string,
  from: UnixMillis,
  seconds: number,
  signs?: SigningCamera,
): Promise<void> {
  const noise = Buffer.from(randomBytes(BYTES.key).map((byte) => byte | 1));
  const packetizer = createPacketizer(FORMAT, { payloadType: 96, ssrc: 1, sequence: 0, clockRateHz: CLOCK_RATE_HZ });
  const recorder = archive.recorder(camera, "main");
  recorder.describe([packetizer.track]);
  for (let frame = 0; frame < seconds * FRAMES_PER_SECOND; frame += 1) {
    const key = frame % FRAMES_PER_GROUP === 0;
    const slice = Buffer.concat([Buffer.of(key ? 0x65 : 0x41, 0x88), noise.subarray(0, key ? BYTES.key : BYTES.other)]);
    const messages: Buffer[] = [];
    if (signs !== undefined) {
      // No camera takes the same picture twice.
      slice.writeUInt32BE((frame | 0x01_00_00_00) >>> 0, 2);
      if (key && frame > 0) messages.push(signs.message());
      signs.slice(slice, key);
    }
    const rtpTime = frame * (CLOCK_RATE_HZ / FRAMES_PER_SECOND);
    const at = unixMillis(from + (frame * SECOND) / FRAMES_PER_SECOND);
    const marks = { track: 0, rtpTime, at, quality: "camera", key, discontinuity: false } as const;
    const sample = {
      ...marks,
      data: Buffer.concat([...messages, slice].map((nal) => prefixed(nal, 4))),
      format: FORMAT,
    };
    recorder.push(new PacketGroup(marks, packetizer.packets(sample, rtpTime)));
    if (key) await recorder.idle();
  }
  await recorder.close();
}

/**
 * Enters `count` segments of a minute, of that many other cameras and of times long ago, into a catalog that nobody has open: rows alone. In
 * the order in which they would have been recorded; the indexes that can be are made afterwards, which takes a quarter of the time.
 */
export async function enterOthers(catalog: string, count: number, before: UnixMillis, cameras = 100): Promise<void> {
  const database = await openDatabase<unknown>(catalog, catalogMigrations);
  const { query } = database;
  const minuteUs = MINUTE * 1000;
  // Nobody mends it where this breaks off, and a gigabyte of pages is kept: else every row would be written many times.
  for (const setting of ["journal_mode = delete", "journal_mode = off", "synchronous = off", "cache_size = -1000000"])
    await sql.raw(`pragma ${setting}`).execute(query);
  const { rows: indexes } = await sql<{ readonly name: string; readonly sql: string }>`
    select name, sql from sqlite_schema where type = 'index' and tbl_name = 'segments' and sql is not null`.execute(
    query,
  );
  for (const { name } of indexes) await sql`drop index ${sql.ref(name)}`.execute(query);
  await sql`
    with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < ${count})
    insert into segments (camera, stream, startUs, endUs, bytes, file, description, seal)
    select camera, 'main', at, at + ${minuteUs}, 30000000,
      camera || strftime('/%Y-%m-%d/%H/%M%S-', at / 1000000, 'unixepoch') || n || '.mp4',
      (select min(id) from descriptions), zeroblob(32)
    from (
      select n, 'other' || (n % ${sql.lit(cameras)}) as camera,
        ${Math.round(before * 1000)} - (${Math.ceil(count / cameras)} - n / ${sql.lit(cameras)}) * ${minuteUs} as at
      from numbers
    )`.execute(query);
  for (const index of indexes) await sql.raw(index.sql).execute(query);
  await sql`insert or replace into held select camera, volume, sum(bytes), count(*) from segments group by camera, volume`.execute(
    query,
  );
  await database.close();
}

function prefixed(bytes: Buffer, size: number): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}
