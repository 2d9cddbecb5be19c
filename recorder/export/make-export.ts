import { createHash, X509Certificate } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import { isoOf, type UnixMillis } from "../../base/units.ts";
import { signCms } from "../cms/detached.ts";
import { handlerOf } from "../fmp4.ts";
import type { ExportSigner } from "../signature.ts";
import { Ahead } from "./ahead.ts";
import { anchorsOf, printAnchors } from "./anchors.ts";
import type { Bundle, Content } from "./bundle.ts";
import { type CutFragment, type CutPlace, type CutRange, cut, type Missing } from "./cut.ts";
import { Film, type FilmFacts, keptTracks, type LeftOut } from "./film.ts";
import { addMissing, gapsOf, noteOf, timeOf } from "./gaps.ts";
import {
  EXPORT_FILES,
  type Manifest,
  type ManifestCamera,
  type ManifestFilm,
  printManifest,
  printSums,
} from "./manifest.ts";
import { readmeOf } from "./readme.ts";
import { type Stamping, stampExport } from "./stamp.ts";
import { viewerOf } from "./viewer.ts";

/** One camera of an export. */
export interface OrderedCamera {
  readonly id: string;
  readonly name: string;
  readonly stream: string;
  readonly leftOut: ReadonlySet<LeftOut>;
  /** What was captured before may not be had; asked again and again. Microseconds since 1970. */
  readonly notBeforeUs: () => number;
}

/** What is asked for, and by whom. */
export interface ExportOrder {
  readonly id: string;
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  readonly cameras: readonly OrderedCamera[];
  readonly askedBy: string;
  readonly askedThrough: string;
  readonly reason: string;
}

/** What an export is made with. */
export interface ExportMaking {
  readonly place: CutPlace;
  readonly bundle: Bundle;
  readonly protectedBy: "password" | "nothing";
  readonly signer: ExportSigner;
  /** DER: of the key that signs recordings; absent where nobody does. */
  readonly recorder?: Buffer | undefined;
  /** Has the time stamped by somebody else; absent where nobody is named. */
  readonly stamp?: Stamping | undefined;
  readonly software: string;
  readonly installation: string;
  readonly now: UnixMillis;
  readonly signal?: AbortSignal;
  /** Told how many bytes of films were written since. */
  readonly progress?: (bytes: number) => void;
  /** Shown each fragment as it was recorded, before anything is left out of it. */
  readonly look?: (camera: Pick<OrderedCamera, "id" | "stream">, fragment: CutFragment) => Promise<void>;
}

/**
 * Makes an export: films, manifest, checksums and their signatures, certificates, words, viewer. Fault `not-found` where nothing of what
 * was asked for is recorded; rejects with the reason of `signal` when it is aborted. The bundle is finished, or is the caller's to abandon.
 */
export async function makeExport(order: ExportOrder, making: ExportMaking): Promise<Manifest> {
  const sums = new Map<string, string>();
  const films: ManifestFilm[] = [];
  const cameras: ManifestCamera[] = [];
  for (const camera of order.cameras) {
    const made = await exportCamera(order, camera, making, sums);
    films.push(...made.films);
    cameras.push(made.camera);
  }
  if (films.length === 0) {
    const why = [...new Set(cameras.flatMap(({ gaps }) => gaps.map(({ reason }) => reason)))].join("; ");
    const tell = `there is nothing to export: ${why}`;
    throw new Fault("not-found", tell, { tell });
  }
  const manifest: Manifest = {
    format: "viaduct-export",
    version: 1,
    id: order.id,
    madeAt: isoOf(making.now),
    software: making.software,
    installation: making.installation,
    askedBy: order.askedBy,
    askedThrough: order.askedThrough,
    reason: order.reason,
    asked: { from: isoOf(order.from), to: isoOf(order.to) },
    cameras,
    films,
    certificates: {
      export: new X509Certificate(making.signer.certificate).fingerprint256,
      ...(making.recorder && { recordings: new X509Certificate(making.recorder).fingerprint256 }),
    },
  };
  await addPapers(manifest, making, sums);
  await making.bundle.finish();
  return manifest;
}

async function exportCamera(
  order: ExportOrder,
  { id, name, stream, leftOut, notBeforeUs }: OrderedCamera,
  making: ExportMaking,
  sums: Map<string, string>,
): Promise<{ readonly camera: ManifestCamera; readonly films: readonly ManifestFilm[] }> {
  const { place, bundle, signer, signal, progress } = making;
  const unwanted: CutRange["unwanted"] = (tracks) =>
    keptTracks(tracks, leftOut).length > 0
      ? undefined
      : `there is only ${[...leftOut].join(" and ")}, which is left out`;
  const asked = { fromUs: order.from * 1000, toUs: order.to * 1000 };
  const range: CutRange = { camera: id, stream, ...asked, notBeforeUs, unwanted };
  const missing: Missing[] = [];
  const films: ManifestFilm[] = [];
  const stretches: FilmFacts[] = [];
  // Of one camera there may be as much that cannot be taken as a month has fragments.
  const miss = (one: Missing): void => {
    signal?.throwIfAborted();
    addMissing(missing, one);
  };
  const taken = looked(cut(place, range, miss), (one) => making.look?.({ id, stream }, one));
  const fragments = new Ahead(taken);
  const exporter = { unit: `Viaduct ${making.installation}`, operator: order.askedBy, at: making.now };
  try {
    for (let first = await fragments.peek(); first !== undefined; first = await fragments.peek()) {
      const film = new Film(first, { exporter, camera: { id, name, stream }, leftOut, signer });
      const path = freePath(`media/${id}/${timeOf(first.box.startUs).replaceAll(":", "-")}`, sums);
      await bundle.add(path, watched(film.bytes(fragments), signal, progress));
      const facts = film.facts();
      sums.set(path, facts.sha256);
      stretches.push(facts);
      missing.push(...facts.still);
      films.push(filmOf(path, { id, stream }, facts));
    }
  } finally {
    await fragments.close();
  }
  const known = await place.catalog.gaps.touching(id, stream, range.fromUs, range.toUs);
  const gaps = gapsOf(range, stretches, missing, known).map(({ fromUs, toUs, reason }) => ({
    from: timeOf(fromUs),
    to: timeOf(toUs),
    reason,
  }));
  return { camera: { id, name, stream, leftOut: [...leftOut], note: noteOf(range, stretches), gaps }, films };
}

async function* looked(
  fragments: AsyncIterable<CutFragment>,
  look: (fragment: CutFragment) => Promise<void> | undefined,
): AsyncGenerator<CutFragment> {
  for await (const fragment of fragments) {
    await look(fragment);
    yield fragment;
  }
}

/** Two films may begin in the same millisecond, where a clock was set back. */
function freePath(stem: string, taken: ReadonlyMap<string, string>): string {
  for (let count = 1; ; count += 1) {
    const path = count === 1 ? `${stem}.mp4` : `${stem}_${count}.mp4`;
    if (!taken.has(path)) return path;
  }
}

async function* watched(
  content: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
  progress: ExportMaking["progress"],
): AsyncGenerator<Buffer> {
  for await (const bytes of content) {
    signal?.throwIfAborted();
    yield bytes;
    progress?.(bytes.length);
  }
}

function filmOf(
  path: string,
  camera: { readonly id: string; readonly stream: string },
  facts: FilmFacts,
): ManifestFilm {
  const { tracks, fromUs, toUs, bytes, sha256, time, cameraAheadMs, fetchedUs, asRecorded, cameraSchemes, segments } =
    facts;
  const kinds = { vide: "video", soun: "audio", meta: "metadata" } as const;
  return {
    path,
    bytes,
    sha256,
    camera: camera.id,
    stream: camera.stream,
    from: timeOf(fromUs),
    to: timeOf(toUs),
    tracks: tracks.map(({ format }) => ({
      kind: kinds[handlerOf(format)],
      codec: format.codec,
      ...("width" in format ? { width: format.width, height: format.height } : {}),
    })),
    time,
    ...(cameraAheadMs === undefined ? {} : { cameraAheadMs }),
    ...(fetchedUs === undefined ? {} : { fetchedAt: timeOf(fetchedUs) }),
    asRecorded,
    ...(cameraSchemes.length === 0 ? {} : { signedByCamera: [...cameraSchemes] }),
    segments: [...segments],
  };
}

/** Everything but the films. The list of all files comes last, so that its signature is over each of them. */
async function addPapers(manifest: Manifest, making: ExportMaking, sums: Map<string, string>): Promise<void> {
  const { bundle, signer, recorder, now, signal } = making;
  const add = async (name: string, content: string | Buffer): Promise<void> => {
    const bytes = Buffer.from(content);
    sums.set(name, createHash("sha256").update(bytes).digest("hex"));
    await bundle.add(name, [bytes] satisfies Content);
  };
  const printed = printManifest(manifest);
  await add(EXPORT_FILES.manifest, printed);
  const signature = signCms(printed, signer, now);
  await add(EXPORT_FILES.manifestSignature, signature);
  const stamped = await stampExport(signature, making.stamp, signal);
  if (stamped.token !== undefined) await add(EXPORT_FILES.timeStamp, stamped.token);
  await add(EXPORT_FILES.readme, readmeOf(manifest, { protectedBy: making.protectedBy, stamped, signer }));
  await add(EXPORT_FILES.viewer, await viewerOf(manifest));
  await add(EXPORT_FILES.exporter, pemOf(signer.certificate));
  if (recorder !== undefined) await add(EXPORT_FILES.recorder, pemOf(recorder));
  const { authorities = [], vouched } = signer;
  if (authorities.length > 0) await add(EXPORT_FILES.authorities, authorities.map(pemOf).join(""));
  if (vouched !== undefined) await add(EXPORT_FILES.vouched, pemOf(vouched));
  const { volumes, files } = making.place;
  const anchors = await anchorsOf({ folder: volumes.main.folder, files }, manifest.films, signal);
  if (anchors.length > 0) await add(EXPORT_FILES.anchors, printAnchors(anchors));
  const list = printSums(sums);
  await bundle.add(EXPORT_FILES.sums, [list]);
  await bundle.add(EXPORT_FILES.sumsSignature, [signCms(list, signer, now)]);
}

function pemOf(der: Buffer): string {
  return new X509Certificate(der).toString();
}
