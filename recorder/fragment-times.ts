import { SECOND } from "../base/units.ts";
import type { SampleBytes } from "../media/packed-bytes.ts";
import type { Sample } from "../media/sample.ts";
import type { Fmp4Sample } from "./fmp4.ts";

const LIMITS = {
  /** A sample lasts until the next one, if that comes so soon, and never longer, whatever is counted. */
  durationMs: 10 * SECOND,
  /** A clock that was corrected by more than this within a fragment is noted at both of its ends. */
  correctionUs: 1000,
};

/** What a file has room for, of one duration and of one offset, whatever the camera's clock does. */
const MOST_TICKS = 2 ** 31 - 1;

/** Which instant a presentation time of a track is. */
interface Reference {
  readonly mediaTicks: number;
  /** Microseconds since 1970. */
  readonly us: number;
}

/** Samples of one track in a fragment. */
export interface Run {
  readonly id: number;
  readonly baseTimeTicks: bigint;
  /** At the first sample, and at the last one too where the clock was corrected between them. */
  readonly references: readonly [first: Reference, last?: Reference];
  readonly samples: readonly Fmp4Sample<SampleBytes>[];
}

/** A sample that is not in a fragment yet. */
interface Pending {
  readonly sample: Sample<SampleBytes>;
  /** RTP time without wrapping. */
  readonly ticks: number;
}

/** One track, as far as its times need it. */
export interface TimedTrack {
  readonly id: number;
  readonly timescale: number;
  /** Between the newest two samples, in ticks. */
  step: number | undefined;
  pending: Pending[];
  /** Which RTP time of this segment is which media time. */
  anchor: { readonly ticks: number; readonly media: number } | undefined;
  /** Decoding times only rise. */
  lastDecode: number;
}

function earliest(track: TimedTrack): Pending | undefined {
  let found: Pending | undefined;
  for (const pending of track.pending) if (found === undefined || pending.ticks < found.ticks) found = pending;
  return found;
}

/** Of the first sample that waits, as it is shown; microseconds since 1970. */
export function earliestUs(track: TimedTrack): number {
  return usOf(earliest(track));
}

function latest(track: TimedTrack): Pending | undefined {
  let found: Pending | undefined;
  for (const pending of track.pending) if (found === undefined || pending.ticks > found.ticks) found = pending;
  return found;
}

function usOf(pending: Pending | undefined): number {
  return Math.round((pending?.sample.at ?? 0) * 1000);
}

/**
 * The samples of one track with their times. Decoding times are the presentation times put in order: with B-frames, that
 * is a valid clock for the decoder; without them, both are the same.
 */
export function runOf(track: TimedTrack, zeroUs: number, nextTicks: number | undefined): { run: Run; endUs: number } {
  const { pending, timescale } = track;
  const times = pending.map((one) => one.ticks);
  const reordered = times.some((ticks, index) => ticks < (times[index - 1] ?? ticks));
  const order = reordered ? [...times].sort((a, b) => a - b) : times;
  const firstTicks = order[0] ?? 0;
  const referenceUs = earliestUs(track);
  track.anchor ??= {
    ticks: firstTicks,
    media: Math.max(0, Math.round(((referenceUs - zeroUs) / 1_000_000) * timescale)),
  };
  const { anchor } = track;
  const mediaOf = (ticks: number): number => ticks - anchor.ticks + anchor.media;

  const decode: number[] = [];
  for (const ticks of order) {
    track.lastDecode = Math.max(mediaOf(ticks), track.lastDecode + 1);
    decode.push(track.lastDecode);
  }
  const toNext = nextTicks === undefined || reordered ? undefined : mediaOf(nextTicks) - track.lastDecode;
  const inRange = toNext !== undefined && toNext > 0 && toNext < (LIMITS.durationMs / SECOND) * timescale;
  const lastDuration = inRange ? toNext : usualDuration(track, pending.at(-1)?.sample);
  const samples = pending.map(({ sample, ticks }, index): Fmp4Sample<SampleBytes> => {
    const at = decode[index] ?? 0;
    return {
      data: sample.data,
      durationTicks: Math.min((decode[index + 1] ?? at + lastDuration) - at, MOST_TICKS),
      key: sample.key,
      compositionOffsetTicks: Math.max(-MOST_TICKS, Math.min(mediaOf(ticks) - at, MOST_TICKS)),
      discontinuity: sample.discontinuity,
    };
  });
  const base = decode[0] ?? 0;
  const references = referencesOf(track, mediaOf);
  const { mediaTicks, us } = references.at(-1) ?? { mediaTicks: base, us: referenceUs };
  const remainingTicks = track.lastDecode + lastDuration - mediaTicks;
  const endUs = us + Math.round((remainingTicks / timescale) * 1_000_000);
  const newestMs = pending.reduce((newest, { sample }) => Math.max(newest, sample.at), 0);
  return {
    run: { id: track.id, baseTimeTicks: BigInt(base), references, samples },
    endUs: Math.min(endUs, Math.round((newestMs + LIMITS.durationMs) * 1000)),
  };
}

/** Times between two references are drawn out or together, so that they do not overlap with those of the next fragment. */
function referencesOf(track: TimedTrack, mediaOf: (ticks: number) => number): Run["references"] {
  const [first, last] = [earliest(track), latest(track)].map((pending) => ({
    mediaTicks: Math.max(0, mediaOf(pending?.ticks ?? 0)),
    us: usOf(pending),
  })) as [Reference, Reference];
  const countedUs = ((last.mediaTicks - first.mediaTicks) / track.timescale) * 1_000_000;
  return Math.abs(last.us - first.us - countedUs) > LIMITS.correctionUs && last.us > first.us ? [first, last] : [first];
}

/** How long a sample lasts when the next one is not there to tell. */
function usualDuration(track: TimedTrack, sample: Sample<SampleBytes> | undefined): number {
  const format = sample?.format;
  const perSecond = track.timescale;
  if (sample !== undefined && (format?.codec === "PCMU" || format?.codec === "PCMA"))
    return Math.max(1, Math.round((sample.data.length / format.channels / format.sampleRateHz) * perSecond));
  if (format?.codec === "MPEG4-GENERIC") return Math.round((1024 / format.sampleRateHz) * perSecond);
  return track.step ?? Math.round(perSecond / 25);
}
