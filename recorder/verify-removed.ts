import { isFault } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import type { AnchorName } from "./anchor.ts";
import { errorCode, type Files } from "./files.ts";
import type { Stretch } from "./judge.ts";
import { REMOVALS_FILE, removalsIn, STATEMENTS_FOLDER } from "./removal-log.ts";
import type { RemovalReason, RemovedRange, SignedRemovals } from "./removals.ts";
import type { Trust } from "./trust.ts";

/** Recordings of which all files are verified, so that what is not there can be told. */
export interface ArchiveScope {
  readonly folder: string;
  /** All cameras, or one. */
  readonly camera: string | undefined;
  /** The folders of its further volumes that are verified with it. */
  readonly volumes?: readonly string[] | undefined;
}

/** What is stated of what was removed. */
export interface Removed {
  /** Where. */
  readonly file: string;
  /** The number of the statement; 0 where it is not known. */
  readonly seq: number;
  /** The newest anchor when it was made: it must be there. */
  readonly anchor: AnchorName | null;
  /** Of the cameras that are verified. */
  readonly ranges: readonly RemovedRange[];
  /** Whether all files of a camera are verified. */
  readonly isOf: (camera: string) => boolean;
  /** What was removed, or what is wrong with the statement. */
  readonly stretches: readonly Stretch[];
}

const WORDS: Readonly<Record<RemovalReason, string>> = {
  age: "it was older than is kept",
  "camera-bytes": "the camera had more than is kept of it",
  room: "room was needed",
  unknown: "some of it before there were statements",
};

/** Undefined where there is no statement: older versions made none, and nothing is said of what is missing at the beginning. */
export async function readRemoved(
  files: Files,
  { folder, camera }: ArchiveScope,
  trust: Trust | undefined,
): Promise<Removed | undefined> {
  const file = `${folder}/${STATEMENTS_FOLDER}/${REMOVALS_FILE}`;
  const isOf = (one: string): boolean => camera === undefined || camera === one;
  const wrong = (verdict: Stretch["verdict"], why: string): Removed => ({
    file,
    seq: 0,
    anchor: null,
    ranges: [],
    isOf: () => false,
    stretches: [{ file, camera: "", stream: "", fromUs: 0, toUs: 0, verdict, why }],
  });
  let found: SignedRemovals | undefined;
  try {
    found = await removalsIn(files, folder);
  } catch (error) {
    if (isFault(error, "invalid")) return wrong("changed", "it is no statement of what was removed");
    if (errorCode(error) === undefined) throw error;
    return wrong("unreadable", (error as Error).message);
  }
  if (found === undefined) return undefined;
  if (!found.valid) return wrong("changed", "the statement of what was removed is not as it was signed");
  // Where everything was removed, nothing else is there that tells who signs here.
  const distrust = trust?.(found.certificate, unixMillis(Date.parse(found.removals.time)));
  if (distrust !== undefined) return wrong("unsigned", distrust);
  const ranges = found.removals.ranges.filter((range) => isOf(range.camera));
  return {
    file,
    seq: found.removals.seq,
    anchor: found.removals.anchor,
    ranges,
    isOf,
    stretches: ranges.filter(({ segments }) => segments > 0).map((one) => stretchOf(one, file)),
  };
}

function stretchOf(range: RemovedRange, file: string): Stretch {
  const { camera, stream, fromUs, toUs, segments, holes, why, removedFrom, removedTo } = range;
  const when = removedFrom === removedTo ? removedFrom : `${removedFrom} to ${removedTo}`;
  const reasons = why.map((one) => WORDS[one]).join(", ");
  const broken = holes === 0 ? "" : `; ${holes} times something within was missing already`;
  const words = `${segments} ${segments === 1 ? "file" : "files"} by retention, ${when}: ${reasons}${broken}`;
  return { file, camera, stream, fromUs, toUs, verdict: "removed", why: words };
}
