import type { Stretch } from "./judge.ts";
import { streamOf } from "./naming.ts";
import type { RemovedRange } from "./removals.ts";
import type { Statement } from "./signature.ts";
import type { Removed } from "./verify-removed.ts";

const NO_LINK = "00".repeat(32);

/** A file with a good signature. */
export interface Examined {
  readonly file: string;
  readonly statement: Statement;
}

/** A segment, or segments that were removed: what a chain is made of. */
interface Piece {
  readonly file: string;
  readonly startUs: number;
  readonly endUs: number;
  /** Null where it is not known. */
  readonly previous: string | null;
  /** When it began to be fetched from the camera's own recording; undefined where it was recorded live. */
  readonly fetchedUs?: number | undefined;
  readonly isRemoved: boolean;
}

/**
 * What is missing between the files of a stream, and what is there twice. `unsigned`: last links of segments that are here whole
 * without a signature. `removed`: what was removed of the cameras of which all files are here; of these, the first one must follow
 * from something too. What was fetched from a camera's own recording is chained in the order of the fetches, whatever times it is of: of
 * some of the files, the first of each fetch may follow anything.
 */
export function chainOf(
  examined: readonly Examined[],
  unsigned: ReadonlySet<string>,
  removed?: Pick<Removed, "file" | "ranges" | "isOf">,
): readonly Stretch[] {
  const segments = Map.groupBy(examined, ({ statement }) => streamOf(statement));
  const ranges = Map.groupBy(removed?.ranges ?? [], streamOf);
  const found: Stretch[] = [];
  for (const key of new Set([...segments.keys(), ...ranges.keys()])) {
    const [camera = "", stream = ""] = key.split("/");
    const ofStream = { camera, stream, segments: segments.get(key) ?? [], ranges: ranges.get(key) ?? [] };
    found.push(...chainOfStream(ofStream, unsigned, removed?.isOf(camera) === true ? removed.file : undefined));
  }
  return found;
}

/** `statement`: where it stands what was removed; undefined where that is not known. */
function chainOfStream(
  o: {
    readonly camera: string;
    readonly stream: string;
    readonly segments: readonly Examined[];
    readonly ranges: readonly RemovedRange[];
  },
  unsigned: ReadonlySet<string>,
  statement: string | undefined,
): readonly Stretch[] {
  const { camera, stream, ranges } = o;
  const segments = o.segments.toSorted((a, b) => a.statement.startUs - b.statement.startUs);
  const found: Stretch[] = [];
  const links = new Map<string, string>();
  for (const { file, statement: own } of segments) {
    const about = { file, camera, stream, fromUs: own.startUs, toUs: own.endUs };
    const twin = links.get(own.link);
    if (twin !== undefined) found.push({ ...about, verdict: "inserted", why: `the same recording as ${twin}` });
    links.set(own.link, file);
  }
  for (const { link } of ranges) links.set(link, statement ?? "");
  const pieces: Piece[] = [
    ...segments.map(({ file, statement: own }) => ({ file, ...own, isRemoved: false })),
    ...ranges.map(({ fromUs, toUs, previous, fetchedUs }) => ({
      file: statement ?? "",
      startUs: fromUs,
      endUs: toUs,
      previous,
      fetchedUs,
      isRemoved: true,
    })),
  ].toSorted((a, b) => a.startUs - b.startUs);
  // Which link a fetch followed is not known any more where it was stated that something is missing already.
  const isVague = ranges.some(({ holes, why }) => holes > 0 || why.includes("unknown"));
  for (const [fetchedUs, chain] of Map.groupBy(pieces, (piece) => piece.fetchedUs)) {
    let endUs: number | undefined;
    for (const [index, { file, previous, startUs, ...piece }] of chain.entries()) {
      const mayBegin = statement === undefined || (fetchedUs !== undefined && isVague);
      const follows = previous === null || previous === NO_LINK || links.has(previous) || unsigned.has(previous);
      // What was stated and then not removed, for a crash came between, may stand anywhere within.
      const isWithin = !piece.isRemoved && ranges.some(({ fromUs, toUs }) => fromUs <= startUs && piece.endUs <= toUs);
      if (!(index === 0 && mayBegin) && !follows && !isWithin)
        found.push({
          file,
          camera,
          stream,
          fromUs: Math.min(endUs ?? startUs, startUs),
          toUs: startUs,
          verdict: "missing",
          why: piece.isRemoved
            ? "the recording before those that were removed is not here"
            : "the recording before this one is not here",
        });
      endUs = Math.max(endUs ?? 0, piece.endUs);
    }
  }
  return found;
}
