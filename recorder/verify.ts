import type { X509Certificate } from "node:crypto";
import type { AnchoredSegment, AnchorName } from "./anchor.ts";
import { type CameraReport, CameraSignatures } from "./camera-signatures.ts";
import type { KeyFinder } from "./cipher.ts";
import { worstOf } from "./exit-code.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import { findSignature } from "./find-signature.ts";
import { readFragmentBox } from "./integrity.ts";
import { type Judgement, judge, type Stretch, type Verdict } from "./judge.ts";
import { merged } from "./merged.ts";
import { segmentPath } from "./naming.ts";
import { STATEMENTS_FOLDER } from "./removal-log.ts";
import { signedAt, type Trust, trustKeyOf } from "./trust.ts";
import { readUnfinished, type UnfinishedFile } from "./unfinished-read.ts";
import { missingOf, readAnchors } from "./verify-anchors.ts";
import { chainOf, type Examined } from "./verify-chain.ts";
import { type Found, readFound } from "./verify-file.ts";
import { VerifiedPlaces } from "./verify-places.ts";
import { type ArchiveScope, readRemoved } from "./verify-removed.ts";
import { judgeTimeStamps, readTimeStamps, type StampedAnchor } from "./verify-time-stamps.ts";

const LIMITS = {
  /** Hashes that are remembered to say where foreign footage comes from: a day of ten cameras. */
  hashes: 1_000_000,
};

/** `camera/date/hour/name` at the end of a path. */
const ARCHIVE_PATH = /(?:^|\/)([A-Za-z0-9_-]{1,64})\/(\d{4,6}-\d\d-\d\d\/\d\d\/\d\d-\d\d\.\d{3}Z)-(\d+)\.mp4$/;

/** A certificate, and how many files it signed. */
export interface SignerOfFiles {
  readonly certificate: X509Certificate;
  readonly files: number;
}

/** What a folder, or a file, comes to. */
export interface Report {
  readonly files: number;
  readonly stretches: readonly Stretch[];
  /** The certificates that signed, by their SHA-256. */
  readonly signers: ReadonlyMap<string, SignerOfFiles>;
  /** The anchors of the archive with their time stamps; absent: nobody asked for them. */
  readonly anchors?: readonly StampedAnchor[] | undefined;
  /** What cameras have signed themselves, of streams in which they did. */
  readonly cameras: readonly CameraReport[];
}

/** By which exit code each verdict is told: 0 as it was recorded, 1 tampered with, 3 cannot be said. */
const EXIT: Readonly<Record<Verdict, 0 | 1 | 3>> = {
  ok: 0,
  recovered: 0,
  removed: 0,
  changed: 1,
  missing: 1,
  inserted: 1,
  reordered: 1,
  "re-timed": 1,
  "from another camera": 1,
  unsigned: 3,
  locked: 3,
  unreadable: 3,
};

export function exitCodeOf({ stretches, files }: Report): number {
  return worstOf([...stretches.map(({ verdict }) => EXIT[verdict]), files === 0 ? 3 : 0]);
}

/**
 * Compares recordings with their signatures, without catalog or server. `trust`: who must have signed; without it, the key that signed
 * the most files under one certificate is taken, and the caller has to compare its certificates. Nothing is changed. What was never
 * signed cannot be judged; what a thief of the signing key signs is taken for good.
 */
export async function verify(o: {
  readonly files: Files;
  /** In the order of their paths. */
  readonly paths: readonly string[];
  readonly keys?: KeyFinder | undefined;
  readonly trust?: Trust | undefined;
  /** The archive that the files are in, and of which of its cameras they are all that there is; absent: nothing is known of what was removed. */
  readonly archive?: ArchiveScope | undefined;
  /** Files beside them that are being recorded, or were left so: these are told of where something follows them, which misses nothing then. */
  readonly unfinished?: readonly string[] | undefined;
  /** Anchors of the archive that were kept elsewhere. */
  readonly kept?: readonly AnchorName[] | undefined;
  /** To which certificates those who stamped its anchors must lead; absent: time stamps are not looked at. */
  readonly stampers?: readonly X509Certificate[] | undefined;
  /** Authorities of cameras that sign themselves, or these cameras; absent: whoever signed for a camera is taken. */
  readonly cameraMakers?: readonly X509Certificate[] | undefined;
}): Promise<Report> {
  const places = new VerifiedPlaces(o.files, o.paths, o.archive);
  const origins = new Map<string, string>();
  const signers = new Map<string, SignerOfFiles>();
  for (const path of o.paths) {
    const signature = await reading(o.files, path, async (file) => (await findSignature(file))?.signature);
    if (signature === undefined || "why" in signature) continue;
    countSigner(signers, signature.certificate);
    if (!signature.valid) continue;
    for (const head of signature.heads)
      if (origins.size < LIMITS.hashes) origins.set(hashIn(head), signature.statement.camera);
  }
  const most = [...signers.values()].toSorted((a, b) => b.files - a.files)[0];
  const trust = o.trust ?? (most && trustKeyOf(most.certificate));
  const cameras = new CameraSignatures(o.cameraMakers);
  const stretches: Stretch[] = [];
  const placed: Examined[] = [];
  /** Last links of segments that are here whole, without a signature that is trusted: what follows them misses nothing. */
  const unsigned = new Set<string>();
  /** By their names, last links of segments that are here on one volume, and perhaps still on another one. */
  const moved = new Map<string, string>();
  for (const listed of o.paths) {
    const path = await places.now(listed);
    if (path === undefined) continue;
    const found = await reading(o.files, path, (file) => readFound(file, o.keys, cameras.file()));
    if ("why" in found) {
      stretches.push({ file: path, camera: "", stream: "", fromUs: 0, toUs: 0, verdict: "unreadable", why: found.why });
      continue;
    }
    const { signature } = found;
    const { camera = "", stream = "" } = signature?.statement ?? found.scan.header ?? {};
    const about = { file: path, camera, stream };
    const isOurs =
      signature !== undefined && trust?.(signature.certificate, signedAt(signature.statement)) === undefined;
    if (!isOurs && isWhole(found)) unsigned.add(found.scan.link.toString("hex"));
    const misplaced = misplacement(path, found, trust);
    const judged = misplaced === undefined ? judge(found, (hash) => origins.get(hash)) : [misplaced];
    for (const one of merged(judged)) stretches.push({ ...about, ...one });
    if (misplaced !== undefined || signature?.valid !== true) continue;
    const name = places.nameOf(path) ?? path;
    if (moved.get(name) !== signature.statement.link) placed.push({ file: path, statement: signature.statement });
    moved.set(name, signature.statement.link);
  }
  for (const one of await unfinishedBefore(placed, o)) {
    for (const link of one.links) unsigned.add(link);
    const { links: _, ...about } = one;
    stretches.push({
      ...about,
      verdict: "unsigned",
      why: "it was left unfinished: the next start of the bridge finishes it",
    });
  }
  const about = { files: o.paths.length, signers, cameras: cameras.end() };
  if (o.archive === undefined) return { ...about, stretches: [...stretches, ...chainOf(placed, unsigned)] };
  const around = await surroundings({ ...o, archive: o.archive, places, trust, placed, unsigned, stretches });
  return { ...about, stretches: [...stretches, ...around.stretches], anchors: around.anchors };
}

/** Unfinished files that others follow. Where none is missing before a file, none is read. */
async function unfinishedBefore(
  placed: readonly Examined[],
  { files, unfinished = [], keys }: Pick<Parameters<typeof verify>[0], "files" | "unfinished" | "keys">,
): Promise<readonly UnfinishedFile[]> {
  const known = new Set(placed.map(({ statement }) => statement.link));
  const followed = new Set(placed.map(({ statement }) => statement.previous).filter((link) => !known.has(link)));
  const found: UnfinishedFile[] = [];
  if (followed.size === 0) return found;
  for (const path of unfinished) {
    const one = await readUnfinished(files, path, { verify: true, keys });
    if (one !== undefined && [...followed].some((link) => one.links.has(link))) found.push(one);
  }
  return found;
}

/** What is missing around files that are all that there is of cameras, by what is stated beside them. */
async function surroundings(o: {
  readonly files: Files;
  readonly archive: ArchiveScope;
  readonly kept?: readonly AnchorName[] | undefined;
  readonly stampers?: readonly X509Certificate[] | undefined;
  readonly trust: Trust | undefined;
  readonly places: VerifiedPlaces;
  readonly placed: readonly Examined[];
  readonly unsigned: ReadonlySet<string>;
  /** What is said already. */
  readonly stretches: readonly Stretch[];
}): Promise<Pick<Report, "stretches" | "anchors">> {
  const { files, archive, kept, trust, placed, unsigned, stampers } = o;
  // The statement of what was removed may be newer than the anchors that somebody has left.
  const before = await readRemoved(files, archive, trust);
  const known = [...(kept ?? []), ...(before?.anchor ? [before.anchor] : [])];
  const stampFiles = stampers && (await readTimeStamps(files, archive.folder));
  const anchors = await readAnchors(files, archive, { trust, kept: known });
  // Once more: meanwhile a running bridge may have removed something, and anchored that.
  const removed = await readRemoved(files, archive, trust);
  const found = [...chainOf(placed, unsigned, removed), ...(removed?.stretches ?? [])];
  const file = `${archive.folder}/${STATEMENTS_FOLDER}`;
  const stated = anchors.newest?.anchor.removals ?? 0;
  if (stated > (removed?.seq ?? 0) && removed?.stretches.some(({ toUs }) => toUs === 0) !== true) {
    const why = `the newest statement of what was removed is not here: there was number ${stated}`;
    found.push({ file, camera: "", stream: "", fromUs: 0, toUs: 0, verdict: "missing", why });
  }
  const accused = [...o.stretches, ...found].filter(({ verdict }) => EXIT[verdict] !== 0);
  const here = placed.map(({ statement }) => statement);
  const ranges = removed?.ranges ?? [];
  const segments = await notSince(o, anchors.segments.values());
  const missing = missingOf(segments, here, { file, unsigned, ranges, accused });
  const isWhole = anchors.stretches.length === 0;
  const stamped =
    stampFiles && stampers && judgeTimeStamps(stampFiles, { anchors: anchors.good, isWhole, trusted: stampers });
  const stretches = [...found, ...anchors.stretches, ...missing, ...(stamped?.stretches ?? [])];
  return { stretches, anchors: stamped?.anchors };
}

/** Anchored segments without those that a running bridge has recorded, or fetched, and anchored since the files were listed. */
async function notSince<T extends AnchoredSegment>(
  o: { readonly places: VerifiedPlaces; readonly placed: readonly Examined[] },
  segments: Iterable<T>,
): Promise<readonly T[]> {
  const here = new Set(o.placed.map(({ statement }) => statement.link));
  const found: T[] = [];
  for (const one of segments)
    if (here.has(one.link) || !(await o.places.isNew(segmentPath(one.camera, one.startUs, 0)))) found.push(one);
  return found;
}

/** Counts one more file. */
export function countSigner(signers: Map<string, SignerOfFiles>, certificate: X509Certificate): void {
  const { fingerprint256 } = certificate;
  signers.set(fingerprint256, { certificate, files: (signers.get(fingerprint256)?.files ?? 0) + 1 });
}

/** Whether all that is chained in a file stands there, as far as it opens. */
function isWhole({ pieces, scan, locked }: Found): boolean {
  return (
    pieces.length === scan.heads.length && pieces.every(({ hash, box }) => locked || hash === box.hash.toString("hex"))
  );
}

/** What `look` finds in a file, or why it cannot be read: one bad file does not keep the others from being judged. */
async function reading<T>(
  files: Files,
  path: string,
  look: (file: OpenFile) => Promise<T>,
): Promise<T | { readonly why: string }> {
  try {
    const file = await files.open(path, "read");
    try {
      return await look(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return { why: (error as Error).message };
  }
}

/** What is wrong with a file as a whole, before its fragments are looked at. */
function misplacement(path: string, found: Found, trust: Trust | undefined): Judgement | undefined {
  const { signature, scan, pieces } = found;
  if (signature === undefined)
    return pieces.length > 0
      ? undefined
      : { fromUs: 0, toUs: 0, verdict: "unsigned", why: "it is no segment, or nothing is left of it" };
  const { statement, certificate, valid } = signature;
  const all = { fromUs: statement.startUs, toUs: statement.endUs };
  const distrust = trust?.(certificate, signedAt(statement));
  if (distrust !== undefined) return { ...all, verdict: "unsigned", why: distrust };
  if (!valid) return undefined;
  const [, camera, time, counter] = ARCHIVE_PATH.exec(path) ?? [];
  if ((camera ?? scan.header?.camera ?? statement.camera) !== statement.camera)
    return { ...all, verdict: "from another camera", why: `it was recorded of ${statement.camera}` };
  const name = segmentPath(statement.camera, statement.startUs, Number(counter));
  return camera === undefined || name === `${camera}/${time}-${counter}.mp4`
    ? undefined
    : { ...all, verdict: "re-timed", why: "its name tells another time than its signature" };
}

function hashIn(head: Buffer): string {
  return readFragmentBox(head).hash.toString("hex");
}
