import type { X509Certificate } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Fault, isFault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { isoOf, unixMillis } from "../base/units.ts";
import { anchorIn } from "../bridge/anchor-entry.ts";
import { readCa } from "../bridge/certificates-file.ts";
import type { AnchorName } from "../recorder/anchor.ts";
import { certificatesOf, issuerOf, nameOf } from "../recorder/cms/chain.ts";
import { printTimeStamp } from "../recorder/cms/time-stamp.ts";
import { type ExportFiles, isExport, openExport } from "../recorder/export/export-files.ts";
import { isFilm } from "../recorder/export/film-read.ts";
import { verifyExport } from "../recorder/export/verify-export.ts";
import { diskFiles } from "../recorder/files.ts";
import type { Stretch } from "../recorder/judge.ts";
import { PART } from "../recorder/naming.ts";
import { STATEMENTS_FOLDER } from "../recorder/removal-log.ts";
import { type Trust, trustIn } from "../recorder/trust.ts";
import { exitCodeOf, type Report, verify as verifyFiles } from "../recorder/verify.ts";
import type { ArchiveScope } from "../recorder/verify-removed.ts";
import { MARK_FILE } from "../recorder/volume-mark.ts";
import { openFolder } from "./data.ts";
import { passphraseFrom } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";
import { plainCameras, printCameras, worseExitCode } from "./verify-cameras.ts";

const COMPARE =
  "Compare this with the certificate of the bridge, or give it with --certificate: anybody can sign with a key of their own.\n";

export interface VerifyOptions {
  readonly config?: string;
  readonly passphraseFd?: string;
  /** Files of certificates that may have signed. */
  readonly certificate?: readonly string[];
  /** Certificates of the authority that must have issued that of whoever signed. */
  readonly ca?: string;
  /** Of an export in an encrypted ZIP file. */
  readonly passwordFd?: string;
  readonly json?: boolean;
  /** Lines of the audit log that were kept elsewhere. */
  readonly kept?: string;
  /** Certificates of the authority that stamped anchors. */
  readonly tsaCa?: string;
  /** Certificates of who makes cameras that sign themselves, or of these cameras. */
  readonly cameraCa?: string;
}

/** Whom somebody has named, beside who signed the recordings. */
interface Named {
  readonly stampers: readonly X509Certificate[] | undefined;
  readonly cameraMakers: readonly X509Certificate[] | undefined;
}

/** Compares recordings or exports with their signatures, offline; prints what can be said of which stretch, and sets the exit code. */
export async function verify(paths: readonly string[], options: VerifyOptions): Promise<void> {
  const trust = await trustOf(options);
  const kept = options.kept === undefined ? undefined : await anchorsKept(options.kept);
  const stampers = await namedIn(options.tsaCa, "--tsa-ca");
  const cameraMakers = await namedIn(options.cameraCa, "--camera-ca");
  const [first = "", ...others] = paths;
  if (others.length === 0 && (await isExport(first))) {
    await verifyOne(first, { ...options, stampers, cameraMakers }, trust);
  } else await verifyRecordings(paths, { ...options, kept, stampers, cameraMakers }, trust);
}

async function namedIn(file: string | undefined, option: string): Promise<readonly X509Certificate[] | undefined> {
  return file === undefined ? undefined : certificatesOf(await readCa(file, option));
}

async function verifyRecordings(
  paths: readonly string[],
  options: Omit<VerifyOptions, "kept"> & Named & { readonly kept: readonly AnchorName[] | undefined },
  trust: Trust | undefined,
): Promise<void> {
  const listed = await Promise.all(paths.map(segmentsIn));
  const found = listed.flatMap(({ segments }) => segments).toSorted();
  const unfinished = listed.flatMap((one) => one.unfinished);
  for (const path of found) if (await isFilm(path)) throw ofExport(path);
  const folder = options.config === undefined ? undefined : await keysOf(options.config, options.passphraseFd);
  try {
    const archive = await archiveIn(paths.map((path) => resolve(path)));
    const { kept, stampers, cameraMakers } = options;
    if (kept !== undefined && archive === undefined) throw nothingToCompare("--kept");
    if (stampers !== undefined && archive === undefined) throw nothingToCompare("--tsa-ca");
    const known = { trust, archive, unfinished, kept, stampers, cameraMakers };
    const report = await verifyFiles({ files: diskFiles, paths: found, keys: folder?.keys, ...known });
    if (options.json === true) process.stdout.write(`${JSON.stringify(plain(report), undefined, 2)}\n`);
    else print(report, trust !== undefined, cameraMakers !== undefined);
    process.exitCode = worseExitCode(exitCodeOf(report), report.cameras, cameraMakers !== undefined);
  } finally {
    await folder?.close();
  }
}

/** The anchors that the lines of an audit log name. */
async function anchorsKept(file: string): Promise<readonly AnchorName[]> {
  const anchors: AnchorName[] = [];
  try {
    for await (const line of (await open(file)).readLines()) {
      const anchor = anchorIn(line);
      if (anchor !== undefined) anchors.push(anchor);
    }
  } catch (cause) {
    const tell = `cannot read ${file}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  if (anchors.length > 0) return anchors;
  const tell = `${file} has no lines of an audit log that name anchors of recordings (anchor-recordings)`;
  throw new Fault("invalid", tell, { tell });
}

function nothingToCompare(option: string): Fault {
  const tell = `${option} needs the folder of all recordings, or of one camera, with statements.d beside them: anchors are in there`;
  return new Fault("invalid", tell, { tell });
}

async function verifyOne(path: string, options: VerifyOptions & Named, trust: Trust | undefined): Promise<void> {
  const files = await openWithPassword(path, options.passwordFd);
  try {
    const report = await verifyExport(files, trust, options);
    const { exporter, manifest, isStamped } = report;
    const gaps = manifest?.cameras.flatMap(({ id, gaps: ofCamera }) => ofCamera.map((gap) => ({ camera: id, ...gap })));
    if (options.json === true)
      process.stdout.write(`${JSON.stringify({ ...plain(report), exporter, isStamped, gaps }, undefined, 2)}\n`);
    else {
      for (const { camera, from, to, reason } of gaps ?? [])
        process.stdout.write(`${printed(`${from} ${to} ${camera}: not in the export: ${reason}`)}\n`);
      print(report, true, options.cameraMakers !== undefined);
      process.stdout.write(`The export is signed by ${exporter ?? "nobody"}\n`);
      if (!isStamped) process.stdout.write("Nobody else stamped its time.\n");
      else if (options.stampers === undefined)
        process.stdout.write(
          "It has a time stamp: --tsa-ca, with the authority's certificates, says when and by whom.\n",
        );
      if (trust === undefined) process.stdout.write(COMPARE);
    }
    process.exitCode = worseExitCode(exitCodeOf(report), report.cameras, options.cameraMakers !== undefined);
  } finally {
    await files.close();
  }
}

/** Asks for the password only where one is needed. */
async function openWithPassword(path: string, fd: string | undefined): Promise<ExportFiles> {
  const ask = passphraseFrom(fd, "Password of the export: ");
  try {
    return await openExport(path, fd === undefined ? undefined : await ask?.());
  } catch (error) {
    if (fd === undefined && ask !== undefined && isFault(error, "unauthenticated"))
      return openExport(path, await ask());
    throw error;
  }
}

function ofExport(path: string): Fault {
  const tell = `${path} is a film of an export: give the folder or the ZIP file of the export, by itself`;
  return new Fault("invalid", tell, { tell });
}

async function keysOf(config: string, passphraseFd: string | undefined) {
  return openFolder(await readSettings(config), passphraseFd);
}

/** The archive that a folder is, or is a camera of, where the others are volumes of it, or the same camera on these. */
async function archiveIn(paths: readonly string[]): Promise<ArchiveScope | undefined> {
  const scopes = await Promise.all(paths.map(archiveOf));
  const [archive, ...more] = scopes.filter((one) => one !== undefined);
  if (archive === undefined || more.length > 0) return undefined;
  const volumes: string[] = [];
  for (const path of paths.filter((_, index) => scopes[index] === undefined)) {
    const volume = archive.camera === undefined ? path : dirname(path);
    volumes.push(volume);
    const isOther = archive.camera !== undefined && basename(path) !== archive.camera;
    if (isOther || !(await diskFiles.exists(join(volume, MARK_FILE)))) return undefined;
  }
  return { ...archive, volumes };
}

/** The archive that a folder is, or is a camera of; undefined for other folders and files. */
async function archiveOf(path: string): Promise<ArchiveScope | undefined> {
  if (!(await isFolder(path))) return undefined;
  if (await isFolder(join(path, STATEMENTS_FOLDER))) return { folder: path, camera: undefined };
  const above = dirname(path);
  return (await isFolder(join(above, STATEMENTS_FOLDER))) ? { folder: above, camera: basename(path) } : undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

interface Listed {
  readonly segments: readonly string[];
  /** Being recorded, or left so. */
  readonly unfinished: readonly string[];
}

async function segmentsIn(path: string): Promise<Listed> {
  try {
    if ((await stat(path)).isFile()) return { segments: [path], unfinished: [] };
    const names = await readdir(path, { recursive: true });
    const ending = (end: string) => names.filter((name) => name.endsWith(end)).map((name) => join(path, name));
    return { segments: ending(".mp4"), unfinished: ending(`.mp4${PART}`) };
  } catch (cause) {
    const tell = `cannot read ${path}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

/** Undefined where nobody is named. Certificates of authorities do not sign: a file may have them behind the one that does. */
async function trustOf({ certificate = [], ca }: VerifyOptions): Promise<Trust | undefined> {
  if (certificate.length === 0 && ca === undefined) return undefined;
  const named: X509Certificate[] = [];
  for (const file of certificate) {
    const found = certificatesOf(await readCa(file, "--certificate")).filter((one) => !one.ca);
    if (found.length > 0) named.push(...found);
    else {
      const tell = `--certificate: ${file} has certificates of authorities alone, which sign no recordings: give it with --ca`;
      throw new Fault("invalid", tell, { tell });
    }
  }
  return trustIn(named, ca === undefined ? [] : certificatesOf(await readCa(ca, "--ca")));
}

function plain({ files, stretches, signers, anchors, cameras }: Report): object {
  const stamped = anchors?.map(({ stamp, ...anchor }) => ({
    ...anchor,
    stamped: stamp === undefined ? null : { ...stamp, time: isoOf(stamp.time) },
  }));
  return {
    files,
    ...(stamped === undefined ? {} : { anchors: stamped }),
    signers: [...signers].map(([fingerprint, { certificate, files: signed }]) => ({
      fingerprint,
      name: nameOf(certificate),
      issuer: issuerOf(certificate),
      files: signed,
    })),
    stretches: stretches.map(({ fromUs, toUs, ...rest }) => ({ ...rest, from: timeOf(fromUs), to: timeOf(toUs) })),
    cameras: plainCameras(cameras, timeOf),
  };
}

function print(
  { files, stretches, signers, anchors = [], cameras }: Report,
  isTrusted: boolean,
  isAsked: boolean,
): void {
  for (const one of stretches) process.stdout.write(`${printed(lineOf(one))}\n`);
  for (const { seq, time, stamp } of anchors) {
    const stamped = stamp === undefined ? "no good time stamp" : `stamped ${printTimeStamp(stamp)}`;
    process.stdout.write(`${printed(`${time} anchor ${seq}: ${stamped}`)}\n`);
  }
  for (const [fingerprint, { certificate, files: signed }] of signers) {
    const name = `${nameOf(certificate)}, issued by ${issuerOf(certificate)}`;
    process.stdout.write(`${printed(`${signed} of ${files} files signed by ${fingerprint} (${name})`)}\n`);
  }
  printCameras(cameras, { isAsked, timeOf });
  if (files === 0) process.stdout.write("There are no recordings.\n");
  else if (!isTrusted && signers.size > 0) process.stdout.write(COMPARE);
}

function lineOf({ fromUs, toUs, verdict, why, file, camera, stream }: Stretch): string {
  const what = why === undefined ? verdict : `${verdict}: ${why}`;
  // Of a file without a time.
  if (toUs === 0) return `${file}: ${what}`;
  return `${timeOf(fromUs)} ${timeOf(toUs)} ${camera}/${stream} ${file}: ${what}`;
}

function timeOf(us: number): string {
  return isoOf(unixMillis(Math.floor(us / 1000)));
}
