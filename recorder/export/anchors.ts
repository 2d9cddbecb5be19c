import type { X509Certificate } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { Fault, ifValid } from "../../base/fault.ts";
import { DAY, unixMillis } from "../../base/units.ts";
import { type AnchoredSegment, isUnder, leafOf, readAnchor, readAnchorText } from "../anchor.ts";
import { anchorFileOf, anchorFilesIn, anchorLinesOf } from "../anchor-files.ts";
import type { Files } from "../files.ts";
import { treePaths } from "../hash-tree.ts";
import { streamOf } from "../naming.ts";
import { jsonOf } from "../signed-text.ts";
import type { ManifestFilm } from "./manifest.ts";

const LIMITS = {
  /** What that many anchors have, of as many streams as there may be. */
  bytes: 32 * 1024 * 1024,
  anchors: 10_000,
};

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const exported = z.object({
  /** What is signed, the signature and the certificate, as they stand in the archive; the segments of other streams are left out. */
  anchor: z.string().max(64 * 1024),
  /** The segment that it names, and its place in the hash tree with the path from there to the root. */
  camera: z.string().max(64),
  stream: z.string().max(64),
  startUs: z.int().nonnegative(),
  endUs: z.int().nonnegative(),
  link: hash,
  index: z.int().nonnegative(),
  path: z.array(hash).max(32),
});

/** An anchor in an export: by it, what was recorded of a stream up to a segment was there at a time. */
export type ExportedAnchor = z.output<typeof exported>;

/** What a film has of a stream, in microseconds since 1970. */
interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * The first anchor that names each segment of which a film has something. Lines that cannot be read are passed over: verifying the archive
 * tells. Rejects with the reason of `signal`.
 */
export async function anchorsOf(
  { folder, files }: { readonly folder: string; readonly files: Files },
  films: readonly ManifestFilm[],
  signal?: AbortSignal,
): Promise<readonly ExportedAnchor[]> {
  const spans = films
    .filter(({ asRecorded }) => asRecorded)
    .map(({ camera, stream, from, to }) => {
      return { camera, stream, fromUs: Date.parse(from) * 1000, toUs: Date.parse(to) * 1000 };
    });
  if (spans.length === 0) return [];
  const dayOf = (us: number): string => anchorFileOf(folder, unixMillis(us / 1000)).day;
  const first = dayOf(spans.reduce((least, { fromUs }) => Math.min(least, fromUs), Infinity));
  const last = dayOf(spans.reduce((most, { toUs }) => Math.max(most, toUs), 0) + DAY * 1000);
  const ofStream = Map.groupBy(spans, streamOf);
  const found = new Map<string, ExportedAnchor>();
  for (const file of await anchorFilesIn(files, folder)) {
    if (file.day < first || file.day > last) continue;
    for (const line of await anchorLinesOf(files, file)) {
      // Each is some milliseconds of work, and an export may have thousands.
      await setImmediate();
      signal?.throwIfAborted();
      for (const one of namedIn(line, ofStream)) {
        if (found.size >= LIMITS.anchors) return [...found.values()];
        if (!found.has(one.link)) found.set(one.link, one);
      }
    }
  }
  return [...found.values()];
}

/** What a line names of the films, which are told by their streams. */
function namedIn(line: string, films: ReadonlyMap<string, readonly Span[]>): readonly ExportedAnchor[] {
  const read = ifValid(() => readAnchor(line));
  if (read === undefined) return [];
  const isWanted = (one: AnchoredSegment): boolean =>
    films.get(streamOf(one))?.some(({ fromUs, toUs }) => one.startUs < toUs && fromUs < one.endUs) === true;
  const named = read.segments.flatMap((one, index) => (isWanted(one) ? [{ ...one, index }] : []));
  if (named.length === 0) return [];
  const pathOf = treePaths(read.segments.map(leafOf));
  const anchor = line.slice(0, line.lastIndexOf("\t"));
  return named.map((one) => ({ anchor, ...one, path: pathOf(one.index).map((each) => each.toString("hex")) }));
}

export function printAnchors(anchors: readonly ExportedAnchor[]): string {
  return `${JSON.stringify(anchors, undefined, 2)}\n`;
}

/** What an anchor of an export says. */
export interface CheckedAnchor extends ExportedAnchor {
  /** ISO 8601. */
  readonly time: string;
  readonly certificate: X509Certificate;
  /** It is as it was signed, and the segment is under it. */
  readonly valid: boolean;
}

/** Fault `invalid` where these are no anchors. */
export function readAnchors(bytes: Buffer): readonly CheckedAnchor[] {
  if (bytes.length > LIMITS.bytes) throw new Fault("invalid", `anchors of ${bytes.length} bytes`);
  const read = z
    .array(exported)
    .max(LIMITS.anchors)
    .safeParse(jsonOf(bytes.toString("utf8")));
  if (!read.success) throw new Fault("invalid", "the anchors cannot be read");
  return read.data.map((one) => {
    const { anchor, certificate, valid } = readAnchorText(one.anchor);
    const { camera, stream, startUs, endUs, link } = one;
    const isNamed = isUnder(anchor, { camera, stream, startUs, endUs, link }, one);
    return { ...one, time: anchor.time, certificate, valid: valid && isNamed };
  });
}
