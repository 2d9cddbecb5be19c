import { Fault } from "../base/fault.ts";
import { BOX_HEADER_BYTES, boxesIn } from "./box.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readMoof, type StoredSample } from "./fmp4-read.ts";
import { readPrft, type TimeReference } from "./integrity.ts";

/** A sample with the instants that `prft` gives it, in microseconds since 1970. */
export interface TimedSample extends StoredSample {
  /** Position in the segment's tracks. */
  readonly track: number;
  readonly video: boolean;
  readonly decodeUs: number;
  readonly presentUs: number;
  /** A view into the fragment's bytes. */
  readonly data: Buffer;
}

/**
 * The samples of a fragment, all tracks together, in the order of their decoding times. `body`: all of it behind its `uuid` box.
 * Throws a Fault `invalid` when it is damaged.
 */
export function readSamples(body: Buffer, tracks: readonly Fmp4Track[]): readonly TimedSample[] {
  const boxes = boxesIn(body);
  const moof = boxes.find((one) => one.type === "moof");
  if (moof === undefined || boxes.at(-1)?.type !== "mdat") throw new Fault("invalid", "fragment without moof and mdat");
  const references = boxes.filter(({ type }) => type === "prft").map(({ body }) => readPrft(body));
  const media = body.subarray(moof.start);
  const least = BOX_HEADER_BYTES + moof.body.length;
  const samples: TimedSample[] = [];
  const runs = readMoof(moof.body);
  for (const run of runs) {
    const index = tracks.findIndex((track) => track.id === run.trackId);
    const track = tracks[index];
    const [first, last] = references.filter(({ trackId }) => trackId === run.trackId);
    if (track === undefined || first === undefined)
      throw new Fault("invalid", `fragment with unknown track ${run.trackId}`);
    const usOf = clockOf(track.timescale, first, last);
    const video = "width" in track.format;
    for (const sample of run.samples) {
      const data = media.subarray(sample.offset, sample.offset + sample.size);
      if (sample.offset < least || data.length < sample.size) throw new Fault("invalid", "sample beyond its fragment");
      samples.push({
        ...sample,
        track: index,
        video,
        decodeUs: usOf(sample.decodeTicks),
        presentUs: usOf(sample.presentTicks),
        data,
      });
    }
  }
  // The samples of one track are in order already.
  return runs.length > 1 ? samples.sort((a, b) => a.decodeUs - b.decodeUs) : samples;
}

/** Instants of presentation times: between two references on the line through them, else as the track's clock counts. */
function clockOf(
  timescale: number,
  first: TimeReference,
  last: TimeReference | undefined,
): (mediaTicks: number) => number {
  const usPerTick = 1_000_000 / timescale;
  if (last === undefined || last.mediaTicks <= first.mediaTicks || last.us <= first.us)
    return (ticks) => first.us + (ticks - first.mediaTicks) * usPerTick;
  const slope = (last.us - first.us) / (last.mediaTicks - first.mediaTicks);
  return (ticks) => {
    if (ticks <= first.mediaTicks) return first.us + (ticks - first.mediaTicks) * usPerTick;
    if (ticks >= last.mediaTicks) return last.us + (ticks - last.mediaTicks) * usPerTick;
    return first.us + (ticks - first.mediaTicks) * slope;
  };
}
