import type { X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import { CameraSignatures } from "../camera-signatures.ts";
import { type CmsCheck, checkCms } from "../cms/detached.ts";
import { errorCode } from "../files.ts";
import { linkOf } from "../integrity.ts";
import type { Stretch } from "../judge.ts";
import { type Judgement, judge } from "../judge.ts";
import { merged } from "../merged.ts";
import type { SegmentSignature, Statement } from "../signature.ts";
import type { Trust } from "../trust.ts";
import { countSigner, type Report, type SignerOfFiles } from "../verify.ts";
import { chainOf } from "../verify-chain.ts";
import { readAnchors } from "./anchors.ts";
import { checkSeal } from "./check-seal.ts";
import { enclosedIn } from "./enclosed.ts";
import { type ExportFiles, readSmall } from "./export-files.ts";
import { type FilmSegment, readFilm } from "./film-read.ts";
import { timeOf } from "./gaps.ts";
import {
  EXPORT_FILES,
  type Manifest,
  type ManifestCamera,
  type ManifestFilm,
  readManifest,
  readSums,
} from "./manifest.ts";
import { judgeStampIn } from "./stamp.ts";
import { trustInExport } from "./trust-in-export.ts";
import type { Readable } from "./zip-reader.ts";

/** Rounding of times in the manifest, to milliseconds. */
const ROUNDED_US = 1000;

/** What verifying an export says: of its films by stretches of time, of its other files as wholes (`toUs` is 0). */
export interface ExportReport extends Report {
  /** SHA-256 of the certificate that signed the export. */
  readonly exporter: string | undefined;
  /** It has a time stamp, whether a good one or not. */
  readonly isStamped: boolean;
  /** Undefined where there is none that can be read. What it says to be missing is no finding. */
  readonly manifest: Manifest | undefined;
}

/** Where findings of files without a time go. */
type Say = (file: string, verdict: Judgement["verdict"], why: string) => void;

/**
 * Compares an export with its signatures, and its films, second by second, with those of the recorder. `trust`: the recorder, or who
 * signed the export. Without it, both must be of one place, and the caller has to compare them with what the people there say.
 */
export async function verifyExport(
  files: ExportFiles,
  trust: Trust | undefined,
  o: {
    /** To which certificates whoever stamped its time must lead; absent: a time stamp is not looked at. */
    readonly stampers?: readonly X509Certificate[] | undefined;
    /** Authorities of cameras that sign themselves, or these cameras; absent: whoever signed for a camera is taken. */
    readonly cameraMakers?: readonly X509Certificate[] | undefined;
  } = {},
): Promise<ExportReport> {
  const signatures = new CameraSignatures(o.cameraMakers);
  const stretches: Stretch[] = [];
  const say: Say = (file, verdict, why) =>
    void stretches.push({ file, camera: "", stream: "", fromUs: 0, toUs: 0, verdict, why });
  const manifestBytes = await readSmall(files, EXPORT_FILES.manifest);
  const manifest = manifestBytes && ifValid(() => readManifest(manifestBytes));
  if (manifestBytes !== undefined && manifest === undefined) say(EXPORT_FILES.manifest, "changed", "it is no manifest");
  const exporter = await papersSigned(files, say);
  const { isStamped, judged } = await judgeStampIn(files, o.stampers);
  if (judged !== undefined) say(EXPORT_FILES.timeStamp, judged.verdict, judged.why);
  const sums = readSums((await readSmall(files, EXPORT_FILES.sums)) ?? Buffer.alloc(0));
  const films = new Map(manifest?.films.map((film) => [film.path, film]));
  const cameras = new Map(manifest?.cameras.map((camera) => [camera.id, camera]));
  const segments = await examineAll({ files, films, cameras, sums, stretches, say, signatures });
  for (const name of new Set([...sums.keys(), ...films.keys()])) {
    if (files.names.includes(name)) continue;
    const film = films.get(name);
    if (film === undefined) say(name, "missing", "the file is not there");
    else stretches.push({ ...aboutOf(film), ...spanOf(film), verdict: "missing", why: "the file is not there" });
  }
  const statements = new Map<string, { readonly file: string; readonly statement: Statement }>();
  const signers = new Map<string, SignerOfFiles>();
  for (const { file, signature } of segments) {
    countSigner(signers, signature.certificate);
    // A segment of which two films have something is one.
    if (signature.valid) statements.set(signature.statement.link, { file, statement: signature.statement });
  }
  const chain = chainOf([...statements.values()], new Set());
  stretches.push(...chain.filter((one) => !isDeclared(one, cameras.get(one.camera))));
  const trustworthy = trustInExport({
    exporter,
    enclosed: await enclosedIn(files),
    segments: segments.map(({ signature }) => signature),
    manifest,
    trust,
  });
  await examineAnchors({ files, trust: trustworthy.recorder, statements, say });
  for (const why of trustworthy.distrust) say(EXPORT_FILES.exporter, "unsigned", why);
  return {
    files: files.names.length,
    stretches,
    signers,
    cameras: signatures.end(),
    exporter: exporter?.fingerprint256,
    isStamped,
    manifest,
  };
}

/** What is missing and is said to be. */
function isDeclared({ verdict, fromUs, toUs }: Judgement, camera: ManifestCamera | undefined): boolean {
  const gaps = camera?.gaps.map(spanOf) ?? [];
  return (
    verdict === "missing" && gaps.some((gap) => gap.fromUs - ROUNDED_US <= fromUs && toUs <= gap.toUs + ROUNDED_US)
  );
}

/** Who signed manifest and list; undefined where nobody did. */
async function papersSigned(files: ExportFiles, say: Say): Promise<X509Certificate | undefined> {
  let signer: X509Certificate | undefined;
  for (const [name, by] of [
    [EXPORT_FILES.manifest, EXPORT_FILES.manifestSignature],
    [EXPORT_FILES.sums, EXPORT_FILES.sumsSignature],
  ] as const) {
    const [content, signature] = [await readSmall(files, name), await readSmall(files, by)];
    if (content === undefined) say(name, "missing", "the file is not there");
    else if (signature === undefined) say(name, "unsigned", `${by} is not there`);
    else {
      const check: CmsCheck | undefined = ifValid(() => checkCms(content, signature));
      if (check === undefined) say(name, "unsigned", `${by} is no signature`);
      else if (!check.valid) say(name, "changed", "it is not as it was signed");
      else if (signer !== undefined && signer.fingerprint256 !== check.certificate.fingerprint256)
        say(name, "unsigned", "it is signed by another certificate than the manifest");
      else say(name, "ok", "signed");
      signer ??= check?.certificate;
    }
  }
  return signer;
}

interface SignedSegment {
  readonly file: string;
  readonly signature: SegmentSignature;
}

/** Every file that is there. Returns the signatures of the recorder that films have in them. */
async function examineAll(o: {
  readonly files: ExportFiles;
  readonly films: ReadonlyMap<string, ManifestFilm>;
  readonly cameras: ReadonlyMap<string, ManifestCamera>;
  readonly sums: ReadonlyMap<string, string>;
  readonly stretches: Stretch[];
  readonly say: Say;
  readonly signatures: CameraSignatures;
}): Promise<readonly SignedSegment[]> {
  const { files, films, cameras, sums, stretches, say, signatures: own } = o;
  const signed: SignedSegment[] = [];
  for (const name of files.names) {
    if (name === EXPORT_FILES.sums || name === EXPORT_FILES.sumsSignature) continue;
    const [sum, film] = [sums.get(name), films.get(name)];
    if (sum === undefined) say(name, "inserted", "it is not in the list of files that was signed");
    try {
      const file = await files.open(name);
      try {
        if (film === undefined) {
          const { sha256 } = await checkSeal(file, undefined);
          if (sum !== undefined && sha256 !== sum) say(name, "changed", "it is not as it was signed");
          continue;
        }
        const { judged, signatures } = await examineFilm(file, film, { sum, camera: cameras.get(film.camera), own });
        for (const one of judged) stretches.push({ ...aboutOf(film), ...one });
        for (const signature of signatures) signed.push({ file: name, signature });
      } finally {
        await file.close();
      }
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      say(name, "unreadable", (error as Error).message);
    }
  }
  return signed;
}

async function examineFilm(
  file: Readable,
  film: ManifestFilm,
  {
    sum,
    camera,
    own,
  }: { readonly sum: string | undefined; readonly camera: ManifestCamera | undefined; readonly own: CameraSignatures },
): Promise<{ readonly judged: readonly Judgement[]; readonly signatures: readonly SegmentSignature[] }> {
  const found = await readFilm(file, own.film(film));
  const { sha256, seal } = await checkSeal(file, found.meta);
  const signatures = found.segments.flatMap(({ signature }) => (signature === undefined ? [] : [signature]));
  const whole = (verdict: Judgement["verdict"], why: string) => ({
    judged: [{ ...spanOf(film), verdict, why }],
    signatures,
  });
  const seconds = film.asRecorded ? judgeFilm(found.segments, film) : [];
  const judged = seconds.filter((one) => !isDeclared(one, camera));
  const isAsSigned = sha256 === film.sha256 && sha256 === (sum ?? film.sha256);
  if (isAsSigned && seal?.valid !== true) return whole("unsigned", "it has not the signature of an export file");
  if (isAsSigned && !film.asRecorded) return whole("ok", "by the signature of the export alone: tracks were left out");
  // Where no second of it is accused, something was done to what stands around them.
  const blameless = judged.every(({ verdict }) => verdict === "ok" || verdict === "recovered");
  if (!isAsSigned && blameless) return whole("changed", "the file is not as it was signed, beside its pictures");
  return { judged, signatures };
}

/** Each second by the recorder's signatures. What was cut off at both ends is missing by intent. */
function judgeFilm(segments: readonly FilmSegment[], film: ManifestFilm): readonly Judgement[] {
  const span = spanOf(film);
  const inside = segments.flatMap(({ origin, pieces, signature }) => {
    const header = origin && linkOf(origin.opening).toString("hex");
    const found = judge({ pieces, signature, header, junk: false, locked: false }, () => undefined).filter(
      ({ verdict, fromUs, toUs }) =>
        verdict !== "missing" || (toUs > span.fromUs + ROUNDED_US && fromUs < span.toUs - ROUNDED_US),
    );
    const camera = signature?.statement.camera ?? film.camera;
    return camera === film.camera
      ? found
      : found.map((one) => ({ ...one, verdict: "from another camera" as const, why: `it was recorded of ${camera}` }));
  });
  return inside.length === 0 ? [{ ...span, verdict: "missing", why: "nothing is left of it" }] : merged(inside);
}

/** When recordings of the export were there already, by the anchors in it. */
async function examineAnchors(o: {
  readonly files: ExportFiles;
  readonly trust: Trust;
  readonly statements: ReadonlyMap<string, unknown>;
  readonly say: Say;
}): Promise<void> {
  const say = (verdict: Judgement["verdict"], why: string): void => o.say(EXPORT_FILES.anchors, verdict, why);
  const bytes = await readSmall(o.files, EXPORT_FILES.anchors);
  if (bytes === undefined) return;
  const anchors = ifValid(() => readAnchors(bytes));
  if (anchors === undefined) say("changed", "these are no anchors");
  for (const { camera, stream, endUs, link, time, certificate, valid } of anchors ?? []) {
    const what = `the anchor of ${time} over ${camera}/${stream}`;
    const why = o.trust(certificate, unixMillis(Date.parse(time)));
    if (!valid) say("changed", `${what} is not as it was signed`);
    else if (why !== undefined) say("unsigned", `${what} is ${why}`);
    // Where the recording that it names is not here, that is told of the film.
    else if (o.statements.has(link)) say("ok", `${what}: what is before ${timeOf(endUs)} was recorded by then`);
  }
}

function aboutOf({ path, camera, stream }: ManifestFilm): Pick<Stretch, "file" | "camera" | "stream"> {
  return { file: path, camera, stream };
}

function spanOf({ from, to }: { readonly from: string; readonly to: string }): {
  readonly fromUs: number;
  readonly toUs: number;
} {
  return { fromUs: Date.parse(from) * 1000, toUs: Date.parse(to) * 1000 };
}
