import { Fault } from "../base/fault.ts";
import type { SampleFormat } from "../media/sample.ts";
import { BOX_HEADER_BYTES, box, fullBox, u16, u32 } from "./box.ts";
import { sampleEntry } from "./sample-entry.ts";

/** One track of an MP4 file. */
export interface Fmp4Track {
  /** From 1 on; stands for the track in every fragment. */
  readonly id: number;
  /** Ticks in a second: the track's RTP clock, so that times stay exact. */
  readonly timescale: number;
  readonly format: SampleFormat;
}

/** One access unit on its way into a fragment. */
export interface Fmp4Sample<Data = Buffer> {
  /** Not copied. */
  readonly data: Data;
  /** To the next sample in decoding order. */
  readonly durationTicks: number;
  /** A decoder can begin here. */
  readonly key: boolean;
  /** Presentation time less decoding time; may be negative. Absent: 0. */
  readonly compositionOffsetTicks?: number;
  /** Something is missing before it. Kept in the sample's degradation priority, which players ignore. */
  readonly discontinuity?: boolean;
}

/** Sample flags (ISO/IEC 14496-12 8.8.3.1): depends on no other; depends on others and is no sync sample. */
export const SAMPLE_FLAGS = { key: 0x02000000, other: 0x01010000, notSync: 0x00010000, discontinuity: 0x00000001 };

/** Optional fields of `tfhd` and `trun` (8.8.7, 8.8.8). */
export const FIELDS = {
  baseIsMoof: 0x020000,
  dataOffset: 0x000001,
  duration: 0x000100,
  size: 0x000200,
  flags: 0x000400,
  compositionOffset: 0x000800,
};

const MATRIX = u32(0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000);

/** What a box of 32-bit size can hold. */
const MAX_MDAT_BYTES = 0xffffffff - BOX_HEADER_BYTES;

/** `ftyp` and `moov` without samples: what stands before the first fragment (ISO/IEC 14496-12 8.8). Media time begins at 0. */
export function initSegment(tracks: readonly Fmp4Track[]): Buffer {
  const nextId = Math.max(0, ...tracks.map((track) => track.id)) + 1;
  const header = fullBox(
    "mvhd",
    0,
    0,
    u32(0, 0, 1000, 0, 0x00010000),
    u16(0x0100, 0),
    u32(0, 0),
    MATRIX,
    u32(0, 0, 0, 0, 0, 0, nextId),
  );
  const brands = Buffer.from("iso6\0\0\0\x01iso6isommp41", "latin1");
  return Buffer.concat([
    box("ftyp", brands),
    box("moov", header, ...tracks.map(trak), box("mvex", ...tracks.map(trex))),
  ]);
}

type Handler = "vide" | "soun" | "meta";

/** What kind of media a format is, as `hdlr` says it. */
export function handlerOf(format: SampleFormat): Handler {
  if ("width" in format) return "vide";
  return "sampleRateHz" in format ? "soun" : "meta";
}

function trak(track: Fmp4Track): Buffer {
  const handler = handlerOf(track.format);
  const { format } = track;
  const [width, height] = "width" in format ? [format.width, format.height] : [0, 0];
  const enabledInMovie = 0x3;
  const header = fullBox(
    "tkhd",
    0,
    enabledInMovie,
    u32(0, 0, track.id, 0, 0, 0, 0),
    u16(0, 0, handler === "soun" ? 0x0100 : 0, 0),
    MATRIX,
    u32((width << 16) >>> 0, (height << 16) >>> 0),
  );
  const undetermined = 0x55c4;
  const media = box(
    "mdia",
    fullBox("mdhd", 0, 0, u32(0, 0, track.timescale, 0), u16(undetermined, 0)),
    fullBox("hdlr", 0, 0, u32(0), Buffer.from(handler), u32(0, 0, 0), Buffer.of(0)),
    box(
      "minf",
      mediaHeader(handler),
      box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1))),
      box(
        "stbl",
        fullBox("stsd", 0, 0, u32(1), sampleEntry(format)),
        fullBox("stts", 0, 0, u32(0)),
        fullBox("stsc", 0, 0, u32(0)),
        fullBox("stsz", 0, 0, u32(0, 0)),
        fullBox("stco", 0, 0, u32(0)),
      ),
    ),
  );
  return box("trak", header, media);
}

function mediaHeader(handler: Handler): Buffer {
  switch (handler) {
    case "vide":
      return fullBox("vmhd", 0, 1, u16(0, 0, 0, 0));
    case "soun":
      return fullBox("smhd", 0, 0, u16(0, 0));
    case "meta":
      return fullBox("nmhd", 0, 0);
  }
}

function trex(track: Fmp4Track): Buffer {
  const flags = handlerOf(track.format) === "vide" ? SAMPLE_FLAGS.other : SAMPLE_FLAGS.key;
  return fullBox("trex", 0, 0, u32(track.id, 1, 0, 0, flags));
}

/** Bytes of `traf` without its rows: box, `tfhd` (16), `tfdt` with 64 bits (20), and the head of `trun` (20). */
const TRAF_BYTES = BOX_HEADER_BYTES + 16 + 20 + 20;
const MOOF_BYTES = BOX_HEADER_BYTES + 16;
const ROW_BYTES = 16;

/** What a fragment is made of. */
export interface FragmentContent<Data> {
  /** Of the fragment in its file, from 1 on. */
  readonly sequence: number;
  readonly tracks: readonly {
    readonly id: number;
    /** Decoding time of the first sample. */
    readonly baseTimeTicks: bigint;
    readonly samples: readonly Fmp4Sample<Data>[];
  }[];
}

/**
 * `moof` and `mdat` (ISO/IEC 14496-12 8.8.4): the buffers to write in order, the first of which is the only new one.
 * Tracks without samples are left out. Within `mdat` the samples of a track stand together, tracks in the given order.
 * Throws a Fault `invalid` beyond 4 GiB.
 */
export function fragment(o: FragmentContent<Buffer>): Buffer[] {
  return [fragmentHead(o), ...o.tracks.flatMap(({ samples }) => samples.map(({ data }) => data))];
}

/** What stands in a fragment before its samples: `moof`, and how `mdat` begins. Fault `invalid` as above. */
export function fragmentHead(o: FragmentContent<{ readonly length: number }>): Buffer {
  const tracks = o.tracks.filter((track) => track.samples.length > 0);
  let moofBytes = MOOF_BYTES;
  let mediaBytes = 0;
  for (const track of tracks) {
    moofBytes += TRAF_BYTES + track.samples.length * ROW_BYTES;
    for (const sample of track.samples) mediaBytes += sample.data.length;
  }
  if (mediaBytes > MAX_MDAT_BYTES) throw new Fault("invalid", `fragment of ${mediaBytes} bytes`);

  const head = Buffer.allocUnsafe(moofBytes + BOX_HEADER_BYTES);
  let at = 0;
  const put = (value: number): void => {
    at = head.writeUInt32BE(value, at);
  };
  const open = (size: number, type: string): void => {
    put(size);
    at += head.write(type, at, 4, "latin1");
  };
  open(moofBytes, "moof");
  open(16, "mfhd");
  put(0);
  put(o.sequence);
  let dataOffset = moofBytes + BOX_HEADER_BYTES;
  for (const track of tracks) {
    const rows = track.samples.length * ROW_BYTES;
    open(TRAF_BYTES + rows, "traf");
    open(16, "tfhd");
    put(FIELDS.baseIsMoof);
    put(track.id);
    open(20, "tfdt");
    put(0x01000000);
    at = head.writeBigUInt64BE(track.baseTimeTicks, at);
    open(20 + rows, "trun");
    // Version 1: composition offsets have a sign.
    put(0x01000000 | FIELDS.dataOffset | FIELDS.duration | FIELDS.size | FIELDS.flags | FIELDS.compositionOffset);
    put(track.samples.length);
    put(dataOffset);
    for (const sample of track.samples) {
      put(sample.durationTicks);
      put(sample.data.length);
      const discontinuity = sample.discontinuity === true ? SAMPLE_FLAGS.discontinuity : 0;
      put((sample.key ? SAMPLE_FLAGS.key : SAMPLE_FLAGS.other) | discontinuity);
      at = head.writeInt32BE(sample.compositionOffsetTicks ?? 0, at);
      dataOffset += sample.data.length;
    }
  }
  open(BOX_HEADER_BYTES + mediaBytes, "mdat");
  return head;
}
