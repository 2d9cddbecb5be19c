import { ByteReader } from "../base/bytes.ts";
import { Fault } from "../base/fault.ts";
import { bodyAt, boxesIn } from "./box.ts";
import { FIELDS, type Fmp4Track, SAMPLE_FLAGS } from "./fmp4.ts";
import { readSampleEntry } from "./sample-entry.ts";

/** Bounds of what is read back: a damaged or foreign file must not make us build tables without end. */
const LIMITS = {
  tracks: 16,
  /** In one fragment, all tracks together; the writer stays far below. */
  samples: 65_536,
};

/** The tracks of an init segment (the body of `moov`). Throws a Fault `invalid` for files that are not of our kind. */
export function readMovie(moov: Buffer): readonly Fmp4Track[] {
  const traks = boxesIn(moov).filter((one) => one.type === "trak");
  if (traks.length > LIMITS.tracks) throw new Fault("invalid", `${traks.length} tracks`);
  return traks.map(({ body }) => {
    const header = new ByteReader(bodyAt(body, "tkhd"));
    header.skip(12);
    const media = new ByteReader(bodyAt(body, "mdia", "mdhd"));
    media.skip(12);
    const timescale = media.u32();
    if (timescale === 0) throw new Fault("invalid", "track with a timescale of 0");
    return { id: header.u32(), timescale, format: readSampleEntry(bodyAt(body, "mdia", "minf", "stbl", "stsd")) };
  });
}

/** One sample as a fragment's tables describe it. */
export interface StoredSample {
  /** From the first byte of `moof`. */
  readonly offset: number;
  readonly size: number;
  /** In ticks of the track from the beginning of the file. */
  readonly decodeTicks: number;
  readonly presentTicks: number;
  readonly durationTicks: number;
  readonly key: boolean;
  readonly discontinuity: boolean;
}

export interface StoredRun {
  readonly trackId: number;
  readonly samples: readonly StoredSample[];
}

/** The samples that the body of a `moof` of ours describes. Throws a Fault `invalid` for anything else. */
export function readMoof(moof: Buffer): readonly StoredRun[] {
  let left = LIMITS.samples;
  return boxesIn(moof)
    .filter((one) => one.type === "traf")
    .map(({ body }) => {
      const header = new ByteReader(bodyAt(body, "tfhd"));
      header.skip(4);
      const trackId = header.u32();
      const base = new ByteReader(bodyAt(body, "tfdt"));
      base.skip(4);
      let ticks = base.u64();
      const run = new ByteReader(bodyAt(body, "trun"));
      const fields = run.u32() & 0xffffff;
      const wanted = FIELDS.dataOffset | FIELDS.duration | FIELDS.size | FIELDS.flags | FIELDS.compositionOffset;
      if (fields !== wanted) throw new Fault("invalid", `trun with fields ${fields.toString(16)}`);
      const count = run.u32();
      left -= count;
      if (left < 0) throw new Fault("invalid", `more than ${LIMITS.samples} samples in a fragment`);
      let offset = run.i32();
      const samples: StoredSample[] = [];
      for (let index = 0; index < count; index += 1) {
        const durationTicks = run.u32();
        const size = run.u32();
        const flags = run.u32();
        const presentTicks = ticks + run.i32();
        samples.push({
          offset,
          size,
          decodeTicks: ticks,
          presentTicks,
          durationTicks,
          key: (flags & SAMPLE_FLAGS.notSync) === 0,
          discontinuity: (flags & SAMPLE_FLAGS.discontinuity) !== 0,
        });
        ticks += durationTicks;
        offset += size;
      }
      return { trackId, samples };
    });
}
