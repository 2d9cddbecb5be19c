import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/fault.ts";
import { isoOf, unixMillis } from "../base/units.ts";
import { openDataFolder } from "../bridge/data-folder.ts";
import { diskFiles } from "../recorder/files.ts";
import { exitCodeOf, type Report, type Stretch, verify as verifyFiles } from "../recorder/verify.ts";
import { passphraseFrom } from "./passphrase.ts";
import { readSettings } from "./settings-file.ts";

export interface VerifyOptions {
  readonly config?: string;
  readonly passphraseFd?: string;
  readonly certificate?: string;
  readonly json?: boolean;
}

/** Compares recordings with their signatures, offline; prints what can be said of which stretch, and sets the exit code. */
export async function verify(paths: readonly string[], options: VerifyOptions): Promise<void> {
  const found = (await Promise.all(paths.map(segmentsIn))).flat().toSorted();
  const trusted = options.certificate === undefined ? undefined : await fingerprintOf(options.certificate);
  const folder = options.config === undefined ? undefined : await keysOf(options.config, options.passphraseFd);
  try {
    const report = await verifyFiles({ files: diskFiles, paths: found, keys: folder?.keys, trusted });
    if (options.json === true) process.stdout.write(`${JSON.stringify(plain(report), undefined, 2)}\n`);
    else print(report, trusted !== undefined);
    process.exitCode = exitCodeOf(report);
  } finally {
    await folder?.close();
  }
}

async function keysOf(config: string, passphraseFd: string | undefined) {
  const { dataFolder } = await readSettings(config);
  return openDataFolder(dataFolder, { passphrase: passphraseFrom(passphraseFd) });
}

async function segmentsIn(path: string): Promise<readonly string[]> {
  try {
    if ((await stat(path)).isFile()) return [path];
    const names = await readdir(path, { recursive: true });
    return names.filter((name) => name.endsWith(".mp4")).map((name) => join(path, name));
  } catch (cause) {
    const tell = `cannot read ${path}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}

async function fingerprintOf(file: string): Promise<string> {
  try {
    return new X509Certificate(await readFile(file)).fingerprint256;
  } catch (cause) {
    const tell = `${file} is no certificate: ${(cause as Error).message}`;
    throw new Fault("invalid", tell, { tell, cause });
  }
}

function plain({ files, stretches, signers }: Report): object {
  return {
    files,
    signers: [...signers].map(([fingerprint, signed]) => ({ fingerprint, files: signed })),
    stretches: stretches.map(({ fromUs, toUs, ...rest }) => ({ ...rest, from: timeOf(fromUs), to: timeOf(toUs) })),
  };
}

function print({ files, stretches, signers }: Report, isTrusted: boolean): void {
  for (const one of stretches) process.stdout.write(`${lineOf(one)}\n`);
  for (const [fingerprint, signed] of signers)
    process.stdout.write(`${signed} of ${files} files signed by ${fingerprint}\n`);
  if (files === 0) process.stdout.write("There are no recordings.\n");
  else if (!isTrusted && signers.size > 0)
    process.stdout.write(
      "Compare this with the certificate of the bridge, or give it with --certificate: anybody can sign with a key of their own.\n",
    );
}

function lineOf({ fromUs, toUs, verdict, why, file, camera, stream }: Stretch): string {
  const what = why === undefined ? verdict : `${verdict}: ${why}`;
  return `${timeOf(fromUs)} ${timeOf(toUs)} ${camera}/${stream} ${file}: ${what}`;
}

function timeOf(us: number): string {
  return isoOf(unixMillis(Math.floor(us / 1000)));
}
