import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { streamOf } from "./naming.ts";
import type { Signer } from "./signature.ts";
import { hashOfText, jsonOf, readSignedLine, type SignedText, signedLine } from "./signed-text.ts";

const DOMAIN = "viaduct removal statement v1";

/** Why segments were removed. */
export const REMOVAL_REASONS = [
  "age", // older than is kept of the camera
  "camera-bytes", // the camera had more bytes than are kept of it
  "room", // the archive or the disk was full
  "unknown", // before there were statements
] as const;

export type RemovalReason = (typeof REMOVAL_REASONS)[number];

const LIMITS = {
  /** Of one stream; beyond, the two oldest become one with a hole in it. */
  ranges: 64,
  bytes: 128 * 1024 * 1024,
};

/** A segment that is about to be removed. Times in microseconds since 1970, links in hexadecimal. */
export interface RemovedSegment {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  /** The last link of the segment that was recorded before it; null where its file could not be read. */
  readonly previous: string | null;
  readonly link: string;
  /** When it began to be fetched from the camera's own recording; undefined where it was recorded live. */
  readonly fetchedUs?: number | undefined;
  readonly why: RemovalReason;
}

const link = z.string().regex(/^[0-9a-f]{64}$/);
const us = z.int().nonnegative();

const range = z.object({
  camera: z.string().max(64),
  stream: z.string().max(64),
  /** From the beginning of the first segment to the end of the last one, in microseconds since 1970. */
  fromUs: us,
  toUs: us,
  segments: z.int().nonnegative(),
  /** How often the chain is broken within it: something was missing already. */
  holes: z.int().nonnegative(),
  /** The last link before the first segment, zeros where there is none; null where it is not known. */
  previous: link.nullable(),
  /** Of the last segment. */
  link,
  /** Of what was fetched from the camera's own recording: when the last of it was. */
  fetchedUs: us.optional(),
  why: z.array(z.enum(REMOVAL_REASONS)).min(1).max(REMOVAL_REASONS.length).readonly(),
  /** When the first and the last of them were removed. */
  removedFrom: z.iso.datetime(),
  removedTo: z.iso.datetime(),
});

const schema = z.object({
  /** Counts statements, from 1. */
  seq: z.int().positive(),
  time: z.iso.datetime(),
  /** SHA-256 of the statement before; zeros for the first one. */
  prev: link,
  /** Who removes: `retention`, by the settings. */
  by: z.literal("retention"),
  /** The newest anchor; null where there was none. */
  anchor: z.object({ seq: z.int().positive(), hash: link }).nullable(),
  ranges: z.array(range).readonly(),
});

/** Segments that followed each other and were removed. */
export type RemovedRange = z.output<typeof range>;

/** All that was removed of an archive, in one statement that takes the place of the one before. */
export type Removals = z.output<typeof schema>;

/** What stands in a statement's file. */
export interface SignedRemovals extends Omit<SignedText, "text"> {
  readonly removals: Removals;
  /** SHA-256 of its text. */
  readonly hash: string;
}

/** The line that says it. */
export function printRemovals(removals: Removals, signer: Signer): string {
  return signedLine(DOMAIN, JSON.stringify(removals), signer);
}

/** Fault `invalid` where it is no such line. */
export function readRemovals(line: string): SignedRemovals {
  if (line.length > LIMITS.bytes) throw new Fault("invalid", `a statement of ${line.length} bytes`);
  const { text, certificate, valid } = readSignedLine(DOMAIN, line);
  const read = schema.safeParse(jsonOf(text));
  if (!read.success) throw new Fault("invalid", "a statement of what was removed lacks something");
  return { removals: read.data, hash: hashOfText(text), certificate, valid };
}

/**
 * Takes segments into what is stated: a segment that follows a range or comes before it makes that longer, ranges that meet become
 * one, what is stated already is not stated again. `time`: when they are removed, ISO 8601.
 */
export function withRemoved(
  ranges: readonly RemovedRange[],
  segments: readonly RemovedSegment[],
  time: string,
): readonly RemovedRange[] {
  const chains = Map.groupBy(ranges, chainKey);
  for (const [key, removed] of Map.groupBy(segments, chainKey)) {
    let found = chains.get(key) ?? [];
    for (const segment of removed) found = joined(found, rangeOf(segment, time));
    chains.set(key, bounded(found));
  }
  return [...chains.values()].flat();
}

/** What was fetched from a camera's own recording is chained by itself. */
function chainKey(one: Pick<RemovedSegment, "camera" | "stream" | "fetchedUs">): string {
  return `${streamOf(one)}${one.fetchedUs === undefined ? "" : " fetched"}`;
}

function rangeOf(segment: RemovedSegment, time: string): RemovedRange {
  const { camera, stream, startUs: fromUs, endUs: toUs, previous, link: last, fetchedUs, why } = segment;
  const removed = { removedFrom: time, removedTo: time };
  const segments = why === "unknown" ? 0 : 1;
  const chain = { previous, link: last, ...(fetchedUs === undefined ? {} : { fetchedUs }) };
  return { camera, stream, fromUs, toUs, segments, holes: 0, ...chain, why: [why], ...removed };
}

function joined(ranges: RemovedRange[], added: RemovedRange): RemovedRange[] {
  const before = ranges.find((one) => one.link === added.previous);
  const after = ranges.find((one) => one.previous === added.link);
  const both = before === undefined ? added : across(before, added);
  const all = after === undefined || after === before ? both : across(both, after);
  const rest = ranges.filter((one) => one !== before && one !== after);
  // Of one that was stated and, after a power cut, removed once more.
  const twin = rest.find((one) => one.link === all.link);
  if (twin === undefined) return [...rest, all];
  return twin.fromUs <= all.fromUs ? rest : [...rest.filter((one) => one !== twin), all];
}

/** Two ranges as one; `second` follows `first`. */
function across(first: RemovedRange, second: RemovedRange): RemovedRange {
  const [removedFrom = ""] = [first.removedFrom, second.removedFrom].toSorted();
  const [, removedTo = ""] = [first.removedTo, second.removedTo].toSorted();
  return {
    ...second,
    fromUs: Math.min(first.fromUs, second.fromUs),
    toUs: Math.max(first.toUs, second.toUs),
    segments: first.segments + second.segments,
    holes: first.holes + second.holes,
    previous: first.previous,
    why: REMOVAL_REASONS.filter((why) => first.why.includes(why) || second.why.includes(why)),
    removedFrom,
    removedTo,
  };
}

/** Where a broken disk has cut the chain again and again, the statement does not grow without end. */
function bounded(ranges: RemovedRange[]): RemovedRange[] {
  const [first, second, ...rest] = ranges.toSorted((a, b) => a.fromUs - b.fromUs);
  if (first === undefined || second === undefined || ranges.length <= LIMITS.ranges) return ranges;
  const one = across(first, second);
  return [{ ...one, holes: one.holes + 1 }, ...rest];
}
