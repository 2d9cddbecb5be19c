import { z } from "zod";
import { Fault, ifValid } from "../../base/fault.ts";
import { DAY, unixMillis } from "../../base/units.ts";
import { isUnder, leafOf, readAnchor, readAnchorText } from "../anchor.ts";
import { anchorFileOf, anchorFilesIn } from "../anchor-files.ts";
import type { Files } from "../files.ts";
import { treePath } from "../hash-tree.ts";
import { jsonOf } from "../signed-text.ts";
import { readText } from "../whole-text.ts";
import type { ManifestFilm } from "./manifest.ts";

const LIMITS = {
  bytes: 16 * 1024 * 1024,
  anchors: 10_000,
  /** Of the file of one day. */
  fileBytes: 512 * 1024 * 1024,
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

/** The first anchor that names each segment of which a film has something. Lines that cannot be read are passed over: verifying the archive tells. */
export async function anchorsOf(
  { folder, files }: { readonly folder: string; readonly files: Files },
  films: readonly ManifestFilm[],
): Promise<readonly ExportedAnchor[]> {
  const spans = films
    .filter(({ asRecorded }) => asRecorded)
    .map(({ camera, stream, from, to }) => ({ camera, stream, fromMs: Date.parse(from), toMs: Date.parse(to) }));
  if (spans.length === 0) return [];
  const [first, last] = [Math.min(...spans.map(({ fromMs }) => fromMs)), Math.max(...spans.map(({ toMs }) => toMs))];
  const days = [first, last + DAY].map((at) => anchorFileOf(folder, unixMillis(at)).day);
  const found = new Map<string, ExportedAnchor>();
  for (const { path, day } of await anchorFilesIn(files, folder)) {
    if (day < (days[0] ?? "") || day > (days[1] ?? "")) continue;
    const lines = (await readText(files, path, LIMITS.fileBytes))?.split("\n").slice(0, -1) ?? [];
    for (const line of lines) {
      const read = ifValid(() => readAnchor(line));
      if (read === undefined) continue;
      const leaves = read.segments.map(leafOf);
      for (const [index, one] of read.segments.entries()) {
        if (found.has(one.link) || found.size >= LIMITS.anchors) continue;
        const isHere = spans.some(
          ({ camera, stream, fromMs, toMs }) =>
            camera === one.camera && stream === one.stream && one.startUs < toMs * 1000 && fromMs * 1000 < one.endUs,
        );
        if (!isHere) continue;
        const anchor = line.slice(0, line.lastIndexOf("\t"));
        found.set(one.link, {
          anchor,
          ...one,
          index,
          path: treePath(leaves, index).map((each) => each.toString("hex")),
        });
      }
    }
  }
  return [...found.values()];
}

export function printAnchors(anchors: readonly ExportedAnchor[]): string {
  return `${JSON.stringify(anchors, undefined, 2)}\n`;
}

/** What an anchor of an export says. */
export interface CheckedAnchor extends ExportedAnchor {
  /** ISO 8601. */
  readonly time: string;
  /** SHA-256 of the certificate that signed. */
  readonly fingerprint: string;
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
    return { ...one, time: anchor.time, fingerprint: certificate.fingerprint256, valid: valid && isNamed };
  });
}
