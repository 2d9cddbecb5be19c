import { createHash } from "node:crypto";
import { ByteReader } from "../base/bytes.ts";
import { Fault } from "../base/fault.ts";
import { ntpOf, unixMillis, unixOfNtp } from "../base/units.ts";
import type { TimeQuality } from "../media/group.ts";
import { BOX_HEADER_BYTES, box, fullBox, u32 } from "./box.ts";

/** SHA-256 of the bytes that a link stands for. */
export type Link = Buffer;

export const LINK_BYTES = 32;

/** A segment that follows no other one carries this as its predecessor. */
export const NO_LINK: Link = Buffer.alloc(LINK_BYTES);

/** Types of our two boxes (ISO/IEC 14496-12 11.1), chosen at random once and for all. */
const SEGMENT_UUID = Buffer.from("a5be6ecf20a64b1e9f3e0c8d1d6a7e51", "hex");
export const FRAGMENT_UUID = Buffer.from("3d1f90b7c7584c0f8a642e70b1f9c2d4", "hex");

const VERSION = 1;
const FLAG = { arrivalTime: 1, key: 2, corrected: 4, jumped: 8, cameraAhead: 16, fetched: 32 };
/** A reader that knows only the first flag takes everything but the camera's own time for ours. */
const TIME_FLAGS: Readonly<Record<TimeQuality, number>> = {
  camera: 0,
  arrival: FLAG.arrivalTime,
  corrected: FLAG.arrivalTime | FLAG.corrected,
  jumped: FLAG.arrivalTime | FLAG.jumped,
};
/** Milliseconds that 32 bits hold: clocks that are further off are as good as none. */
const MOST_AHEAD_MS = 2 ** 31 - 1;

/** Length and letters of camera and stream ids: they are names of folders and stand in every file. */
const SAFE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What names of cameras and streams must look like here; a Fault `invalid` otherwise. */
export function assertSafeId(id: string): void {
  if (!SAFE_ID.test(id)) throw new Fault("invalid", `id ${JSON.stringify(id.slice(0, 80))} is not safe as a file name`);
}

/** What a segment says of itself behind its `moov`. */
export interface SegmentHeader {
  readonly camera: string;
  readonly stream: string;
  /** UTC of media time 0, in microseconds since 1970. */
  readonly zeroUs: number;
  /** How the zero is known. */
  readonly time: TimeQuality;
  /** How far the camera's clock was ahead of ours then, by its reports, in whole milliseconds of at most 31 bits. */
  readonly cameraAheadMs: number | undefined;
  /** When it began to be fetched from the camera's own recording, in microseconds since 1970; undefined where it was recorded live. */
  readonly fetchedUs: number | undefined;
  /** The last link of the segment that was recorded, or fetched, before this one. */
  readonly previous: Link;
}

export function segmentBox(header: SegmentHeader): Buffer {
  assertSafeId(header.camera);
  assertSafeId(header.stream);
  const names = [header.camera, header.stream].flatMap((name) => [Buffer.of(name.length), Buffer.from(name, "latin1")]);
  const { time, cameraAheadMs, fetchedUs } = header;
  const flags =
    TIME_FLAGS[time] |
    (cameraAheadMs === undefined ? 0 : FLAG.cameraAhead) |
    (fetchedUs === undefined ? 0 : FLAG.fetched);
  const ahead = Buffer.alloc(cameraAheadMs === undefined ? 0 : 4);
  if (cameraAheadMs !== undefined)
    ahead.writeInt32BE(Math.max(-MOST_AHEAD_MS, Math.min(MOST_AHEAD_MS, Math.round(cameraAheadMs))));
  const fetched = fetchedUs === undefined ? [] : [u64(fetchedUs)];
  const zero = u64(header.zeroUs);
  return box("uuid", SEGMENT_UUID, versionAndFlags(flags), zero, header.previous, ...names, ahead, ...fetched);
}

function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Throws a Fault `invalid` when `body` is no segment box of a version that we know. */
export function readSegmentBox(body: Buffer): SegmentHeader {
  const reader = new ByteReader(body);
  const flags = readVersionAndFlags(reader, SEGMENT_UUID);
  const zeroUs = reader.u64();
  const previous = reader.view(LINK_BYTES);
  const camera = reader.ascii(reader.u8());
  const stream = reader.ascii(reader.u8());
  assertSafeId(camera);
  assertSafeId(stream);
  // A number below zero as its two's complement.
  const cameraAheadMs = (flags & FLAG.cameraAhead) === 0 ? undefined : reader.u32() | 0;
  const fetchedUs = (flags & FLAG.fetched) === 0 ? undefined : reader.u64();
  return { camera, stream, zeroUs, time: timeOf(flags), cameraAheadMs, fetchedUs, previous: Buffer.from(previous) };
}

/** What stands in front of each fragment: enough to seek, to check, and to find the next one. */
export interface FragmentHeader {
  /** In the segment, from 1 on. */
  readonly sequence: number;
  /** A decoder can begin with its first video sample, or with any where the segment has no video. */
  readonly key: boolean;
  /** How its times are known: of its samples (of video, where there is any) the worst. */
  readonly time: TimeQuality;
  /** Capture of the first sample (of video, where there is any) and end of the last, in microseconds since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  /** Of what follows up to the next fragment: `prft`, `moof` and `mdat`. */
  readonly length: number;
  /** SHA-256 of these bytes. */
  readonly hash: Buffer;
  /** Link of the fragment before, or of the segment's header. */
  readonly previous: Link;
}

/** Size of every fragment box of this version. */
export const FRAGMENT_BOX_BYTES = BOX_HEADER_BYTES + 16 + 4 + 4 + 4 + 8 + 8 + 2 * LINK_BYTES;

export function fragmentBox(header: FragmentHeader): Buffer {
  const fields = Buffer.allocUnsafe(24);
  fields.writeUInt32BE(header.sequence, 0);
  fields.writeUInt32BE(header.length, 4);
  fields.writeBigUInt64BE(BigInt(header.startUs), 8);
  fields.writeBigUInt64BE(BigInt(header.endUs), 16);
  const flags = (header.key ? FLAG.key : 0) | TIME_FLAGS[header.time];
  return box("uuid", FRAGMENT_UUID, versionAndFlags(flags), fields, header.hash, header.previous);
}

/** Throws a Fault `invalid` when `bytes` do not begin with a fragment box of a version that we know. */
export function readFragmentBox(bytes: Buffer): FragmentHeader {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== FRAGMENT_BOX_BYTES || reader.ascii(4) !== "uuid") throw new Fault("invalid", "no fragment box");
  const flags = readVersionAndFlags(reader, FRAGMENT_UUID);
  const sequence = reader.u32();
  const length = reader.u32();
  const startUs = reader.u64();
  const endUs = reader.u64();
  return {
    sequence,
    key: (flags & FLAG.key) !== 0,
    time: timeOf(flags),
    startUs,
    endUs,
    length,
    hash: Buffer.from(reader.view(LINK_BYTES)),
    previous: Buffer.from(reader.view(LINK_BYTES)),
  };
}

/** Files of before there were the finer flags say `camera` or `arrival`. */
function timeOf(flags: number): TimeQuality {
  if ((flags & FLAG.jumped) !== 0) return "jumped";
  if ((flags & FLAG.corrected) !== 0) return "corrected";
  return (flags & FLAG.arrivalTime) === 0 ? "camera" : "arrival";
}

/** The link of a header or of a fragment box, given all its bytes. */
export function linkOf(bytes: Buffer): Link {
  return createHash("sha256").update(bytes).digest();
}

function versionAndFlags(flags: number): Buffer {
  return u32(((VERSION << 24) | flags) >>> 0);
}

function readVersionAndFlags(reader: ByteReader, uuid: Buffer): number {
  if (!reader.view(uuid.length).equals(uuid)) throw new Fault("invalid", "uuid box of another type");
  const version = reader.u8();
  if (version !== VERSION) throw new Fault("invalid", `box version ${version} is newer than this program`);
  return reader.u24();
}

/** Which instant a media time of a track is (ISO/IEC 14496-12 8.16.5). */
export interface TimeReference {
  readonly trackId: number;
  /** Presentation time, in ticks of the track. */
  readonly mediaTicks: number;
  /** Microseconds since 1970, exact to the microsecond through the 64-bit NTP form. */
  readonly us: number;
}

export const PRFT_BYTES = BOX_HEADER_BYTES + 4 + 4 + 8 + 8;

/** Flags 0: the time at which the frame was captured. */
export function prft(reference: TimeReference): Buffer {
  const ntp = ntpOf(unixMillis(reference.us / 1000));
  const media = Buffer.allocUnsafe(8);
  media.writeBigUInt64BE(BigInt(reference.mediaTicks));
  return fullBox("prft", 1, 0, u32(reference.trackId, ntp.seconds, ntp.fraction), media);
}

export function readPrft(body: Buffer): TimeReference {
  const reader = new ByteReader(body);
  reader.skip(4);
  const trackId = reader.u32();
  const us = Math.round(unixOfNtp({ seconds: reader.u32(), fraction: reader.u32() }) * 1000);
  return { trackId, us, mediaTicks: reader.u64() };
}
