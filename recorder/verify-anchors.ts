import { isFault } from "../base/fault.ts";
import { unixMillis } from "../base/units.ts";
import type { AnchorName } from "./anchor.ts";
import { type AnchoredSegment, readAnchor, type SignedAnchor } from "./anchor.ts";
import { type AnchorFile, anchorFilesIn, anchorLinesOf } from "./anchor-files.ts";
import { errorCode, type Files } from "./files.ts";
import type { Stretch } from "./judge.ts";
import { streamOf } from "./naming.ts";
import { STATEMENTS_FOLDER } from "./removal-log.ts";
import type { RemovedRange } from "./removals.ts";
import type { Statement } from "./signature.ts";
import type { Trust } from "./trust.ts";
import type { ArchiveScope } from "./verify-removed.ts";
import type { KnownAnchor } from "./verify-time-stamps.ts";

/** Anchors of an archive, and what is wrong with them. */
export interface Anchors {
  readonly newest: SignedAnchor | undefined;
  /** Those that are as they were signed, in order. */
  readonly good: readonly KnownAnchor[];
  /** What must be there, or was removed: segments of the cameras that are verified, by their links, and when it was said. */
  readonly segments: ReadonlyMap<string, AnchoredSegment & { readonly time: string }>;
  readonly stretches: readonly Stretch[];
}

/**
 * Follows the chain of the anchors. `trust`: who must have signed. `kept`: anchors that are known from
 * elsewhere, which must be among them.
 */
export async function readAnchors(
  files: Files,
  { folder, camera }: ArchiveScope,
  { trust, kept = [] }: { readonly trust: Trust | undefined; readonly kept?: readonly AnchorName[] | undefined },
): Promise<Anchors> {
  const segments = new Map<string, AnchoredSegment & { readonly time: string }>();
  const stretches: Stretch[] = [];
  const good: KnownAnchor[] = [];
  // Two of one number: the first one was taken away, and the bridge has made another since.
  const wanted = Map.groupBy(kept, ({ seq }) => seq);
  const say = (file: string, verdict: Stretch["verdict"], why: string): void =>
    void stretches.push({ file, camera: "", stream: "", fromUs: 0, toUs: 0, verdict, why });
  let newest: SignedAnchor | undefined;
  // Of those by others too: what a trusted one follows from is there, whoever signed it.
  let oldest: SignedAnchor | undefined;
  let last: SignedAnchor | undefined;
  const strangers = new Set<string>();
  for (const file of await anchorFilesIn(files, folder)) {
    const { path } = file;
    for (const line of await linesOf(files, file, (why) => say(path, "unreadable", why))) {
      const found = readOrSay(line, (why) => say(path, "changed", why));
      if (found === undefined) break;
      const { anchor, certificate, valid, hash } = found;
      if (!valid) {
        say(path, "changed", `anchor ${anchor.seq} is not as it was signed`);
        continue;
      }
      const distrust = trust?.(certificate, unixMillis(Date.parse(anchor.time)));
      if (last !== undefined && (anchor.seq !== last.anchor.seq + 1 || anchor.prev !== last.hash))
        say(path, "missing", `anchor ${anchor.seq} does not follow from the one before, ${last.anchor.seq}`);
      oldest ??= found;
      last = found;
      if (distrust !== undefined) {
        const { fingerprint256 } = certificate;
        if (!strangers.has(fingerprint256))
          say(path, "unsigned", `anchor ${anchor.seq}, and perhaps others, is ${distrust}`);
        strangers.add(fingerprint256);
        if (wanted.get(anchor.seq)?.every((one) => one.hash === hash) === true) wanted.delete(anchor.seq);
        continue;
      }
      newest = found;
      good.push({ seq: anchor.seq, hash, time: anchor.time });
      const expected = wanted.get(anchor.seq) ?? [];
      wanted.delete(anchor.seq);
      if (expected.some((one) => one.hash !== hash))
        say(path, "changed", `anchor ${anchor.seq} is another one than was made at that time`);
      for (const one of found.segments)
        if (camera === undefined || one.camera === camera) segments.set(one.link, { ...one, time: anchor.time });
    }
  }
  const place = `${folder}/${STATEMENTS_FOLDER}`;
  if (newest !== undefined && oldest !== undefined && oldest.anchor.seq > newest.anchor.first)
    say(place, "missing", `anchors ${newest.anchor.first} to ${oldest.anchor.seq - 1} are not here`);
  for (const seq of wanted.keys())
    if (seq >= (newest?.anchor.first ?? 0))
      say(place, "missing", `anchor ${seq} is not here, which was made, nor is what it says of the recordings`);
  return { newest, good, segments, stretches };
}

function readOrSay(line: string, say: (why: string) => void): ReturnType<typeof readAnchor> | undefined {
  try {
    return readAnchor(line);
  } catch (error) {
    if (!isFault(error, "invalid")) throw error;
    say(error.message);
    return undefined;
  }
}

async function linesOf(files: Files, file: AnchorFile, say: (why: string) => void): Promise<readonly string[]> {
  try {
    return await anchorLinesOf(files, file);
  } catch (error) {
    if (errorCode(error) === undefined && !isFault(error, "invalid")) throw error;
    say((error as Error).message);
    return [];
  }
}

/** Segments that an anchor names and that are neither here nor removed. What is accused already is not accused once more. */
export function missingOf(
  segments: Iterable<AnchoredSegment & { readonly time: string }>,
  here: readonly Pick<Statement, "camera" | "stream" | "startUs" | "endUs" | "link">[],
  o: {
    /** Where the anchors are. */
    readonly file: string;
    readonly unsigned: ReadonlySet<string>;
    readonly ranges: readonly RemovedRange[];
    readonly accused: readonly Stretch[];
  },
): readonly Stretch[] {
  const links = new Set([...here, ...o.ranges].map(({ link }) => link));
  const ranges = Map.groupBy(o.ranges, streamOf);
  const accused = Map.groupBy(o.accused, streamOf);
  const pieces = Map.groupBy(here, streamOf);
  const found: Stretch[] = [];
  for (const [key, anchored] of Map.groupBy(segments, streamOf)) {
    const removed = ranges.get(key) ?? [];
    const gone = anchored.filter(
      ({ link, startUs, endUs }) =>
        !links.has(link) &&
        !o.unsigned.has(link) &&
        !removed.some(({ fromUs, toUs }) => fromUs <= startUs && endUs <= toUs) &&
        accused.get(key)?.some(({ fromUs, toUs }) => fromUs < endUs && startUs < toUs) !== true,
    );
    if (gone.length === 0) continue;
    const ends = [...(pieces.get(key) ?? []).map(({ endUs }) => endUs), ...removed.map(({ toUs }) => toUs)];
    const missing: Stretch[] = [];
    for (const { camera, stream, startUs, endUs, time } of gone.toSorted((one, other) => one.startUs - other.startUs)) {
      const beginUs = ends.reduce((latest, end) => (end <= startUs ? Math.max(latest, end) : latest), -1);
      const why = `the anchor of ${time} names a recording that is not here`;
      const last = missing.at(-1);
      // Nothing is here between this one and the one before.
      if (last !== undefined && beginUs <= last.fromUs) missing[missing.length - 1] = { ...last, toUs: endUs, why };
      else {
        const fromUs = beginUs < 0 ? startUs : beginUs;
        missing.push({ file: o.file, camera, stream, fromUs, toUs: endUs, verdict: "missing", why });
      }
    }
    found.push(...missing);
  }
  return found;
}
