import { Fault } from "../../base/fault.ts";
import { type Box, boxesIn } from "../box.ts";
import { fragment } from "../fmp4.ts";
import { readMoof, type StoredRun } from "../fmp4-read.ts";
import { prft, readPrft, type TimeReference } from "../integrity.ts";
import { type Shift, shiftFragment } from "./shift.ts";

/** What stands in a fragment, by track. */
export interface FragmentParts {
  readonly moof: Box;
  readonly references: readonly TimeReference[];
  readonly runs: readonly StoredRun[];
}

/** Buffers in order, and where among their bytes `moof` begins. */
export interface Shaped {
  readonly buffers: readonly Buffer[];
  readonly moofAt: number;
}

/** Reads the boxes behind a fragment's head. Fault `invalid` where they are damaged. */
export function partsOf(body: Buffer): FragmentParts {
  const boxes = boxesIn(body);
  const moof = boxes.find(({ type }) => type === "moof");
  if (moof === undefined) throw new Fault("invalid", "fragment without moof");
  const references = boxes.filter(({ type }) => type === "prft").map((one) => readPrft(one.body));
  return { moof, references, runs: readMoof(moof.body) };
}

/** The fragment as it was recorded, at its place in the film. Changes `body`. */
export function asRecorded(head: Buffer, body: Buffer, { moof }: FragmentParts, shift: Shift): Shaped {
  shiftFragment(body, shift);
  return { buffers: [head, body], moofAt: head.length + moof.start };
}

/**
 * The fragment with the tracks of `shift` alone: new boxes around the same samples, which the recorder's signature is not over.
 * Undefined where none of them has a sample here.
 */
export function withFewerTracks(
  body: Buffer,
  { moof, references, runs }: FragmentParts,
  { ticks, sequence }: Shift,
): Shaped | undefined {
  const kept = runs.filter(({ trackId, samples }) => ticks.has(trackId) && samples.length > 0);
  if (kept.length === 0) return undefined;
  const by = (trackId: number): number => ticks.get(trackId) ?? 0;
  const media = body.subarray(moof.start);
  const times = references
    .filter(({ trackId }) => ticks.has(trackId))
    .map((one) => prft({ ...one, mediaTicks: one.mediaTicks + by(one.trackId) }));
  const tracks = kept.map(({ trackId, samples }) => ({
    id: trackId,
    baseTimeTicks: BigInt((samples[0]?.decodeTicks ?? 0) + by(trackId)),
    samples: samples.map(({ offset, size, durationTicks, key, discontinuity, presentTicks, decodeTicks }) => ({
      data: media.subarray(offset, offset + size),
      durationTicks,
      key,
      discontinuity,
      compositionOffsetTicks: presentTicks - decodeTicks,
    })),
  }));
  const moofAt = times.reduce((sum, { length }) => sum + length, 0);
  return { buffers: [...times, ...fragment({ sequence, tracks })], moofAt };
}
