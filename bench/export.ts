import { generateKeyPairSync } from "node:crypto";
import { cp, glob, mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { makeSecret } from "../base/secret.ts";
import { SECOND, unixMillis } from "../base/units.ts";
import { recordedSignatures } from "../bridge/client-side/recorded-signatures.ts";
import type { CameraVerdict } from "../media/signing/finding.ts";
import { issuedBy, selfSigned } from "../net/tls.ts";
import { Archive } from "../recorder/archive.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import { type Bundle, FolderBundle } from "../recorder/export/bundle.ts";
import { openExport } from "../recorder/export/export-files.ts";
import { makeExport } from "../recorder/export/make-export.ts";
import { verifyExport } from "../recorder/export/verify-export.ts";
import { PASSWORD_LETTERS, ZipBundle } from "../recorder/export/zip-writer.ts";
import { diskFiles } from "../recorder/files.ts";
import { certificateOf, type Signer } from "../recorder/signature.ts";
import { Troubles } from "../recorder/troubles.ts";
import { exitCodeOf, verify } from "../recorder/verify.ts";
import { mainVolume } from "../recorder/volume.ts";
import { Volumes } from "../recorder/volumes.ts";
import { cell, table } from "./figures.ts";
import { record } from "./footage.ts";
import { benchKeys } from "./protection.ts";
import { SigningCamera } from "./signing-camera.ts";

// How fast recordings are exported and verified, beside the same bytes copied by the system in the same run.

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true) {
  process.stdout.write(`Measures how fast recordings are exported and verified.

  node bench/export.ts [--minutes 15] [--rounds 3] [--json]

Records "--minutes" of a camera of 4 Mbit/s, signed, in clear and encrypted, into the folder for temporary files first. Copying the same files, as
\`cp\` does, is measured in the same run. The best of "--rounds" counts.
`);
  process.exit(0);
}

const FROM = unixMillis(Date.UTC(2026, 0, 1));
const CAMERA = "gate";
const COPY = "cp -r of the same recordings";

async function makeSigners(): Promise<{ readonly recorder: Signer; readonly exporter: Signer }> {
  const der = { type: "pkcs8", format: "der" } as const;
  const { privateKey } = generateKeyPairSync("ed25519");
  const recorder = {
    privateKey,
    certificate: certificateOf(await selfSigned(privateKey.export(der), "CN=Bench", FROM)).raw,
  };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey;
  const issuer = { pkcs8: privateKey.export(der), name: "CN=Bench" };
  const pem = await issuedBy(issuer, { pkcs8: rsa.export(der), name: "CN=Bench exports", now: FROM });
  return { recorder, exporter: { privateKey: rsa, certificate: certificateOf(pem).raw } };
}

const folder = await mkdtemp(join(tmpdir(), "viaduct-bench-"));
try {
  const seconds = Number(values.minutes) * 60;
  const { recorder, exporter } = await makeSigners();
  const recordings = join(folder, "recordings");
  const encrypted = join(folder, "encrypted");
  const signed = join(folder, "signed");
  const keys = benchKeys();
  const shared = { clock: systemClock, log: silentLog(), signer: recorder };
  const made = [
    { folder: recordings },
    { folder: encrypted, keys, settings: { encryption: "full" } },
    { folder: signed, camera: new SigningCamera() },
  ] as const;
  for (const { camera, ...more } of made.map((one) => ({ camera: undefined, ...one }))) {
    const archive = await Archive.open({ ...shared, ...more, metrics: new Metrics() });
    await record(archive, CAMERA, FROM, seconds, camera);
    await archive.close();
  }
  const placeOf = async (archive: string) => {
    const catalog = await Catalog.open(join(archive, CATALOG_FILE));
    const of = { files: diskFiles, catalog, clock: systemClock, log: silentLog(), troubles: new Troubles() };
    return { volumes: new Volumes([mainVolume(archive)], of), files: diskFiles, catalog, keys };
  };
  const inClear = await placeOf(recordings);
  const inFull = await placeOf(encrypted);
  const password = makeSecret(PASSWORD_LETTERS);
  let bytes = 0;

  const exported = async (bundle: Bundle, place = inClear): Promise<void> => {
    const { films } = await makeExport(
      {
        id: "bench",
        from: FROM,
        to: unixMillis(FROM + seconds * SECOND),
        cameras: [{ id: CAMERA, name: CAMERA, stream: "main", leftOut: new Set(), notBeforeUs: () => 0 }],
        askedBy: "bench",
        askedThrough: "cli",
        reason: "",
      },
      {
        place,
        bundle,
        protectedBy: "nothing",
        signer: exporter,
        recorder: recorder.certificate,
        software: "Viaduct",
        installation: "bench",
        now: FROM,
      },
    );
    bytes = films.reduce((sum, film) => sum + film.bytes, 0);
  };
  const zip = async (path: string, secret: typeof password | undefined, place = inClear): Promise<void> =>
    exported(new ZipBundle(await diskFiles.open(path, "create"), { password: secret, modified: FROM }), place);
  const verified = async (path: string): Promise<void> => {
    const files = await openExport(path, password);
    await verifyExport(files, undefined);
    await files.close();
  };

  const verifiedRecordings = async (archive: string): Promise<void> => {
    const paths = await Array.fromAsync(glob(join(archive, "**/*.mp4")));
    const report = await verify({ files: diskFiles, paths: paths.sort(), keys });
    const isOf = (verdict: CameraVerdict): boolean =>
      report.cameras.some(({ findings }) => findings.some((one) => one.verdict === verdict));
    if (isOf("changed") || isOf("missing") || isOf("untrusted") !== (archive === signed))
      throw new Error("what the camera signed is not as it signed it");
    if (exitCodeOf(report) !== 0) throw new Error("what was just recorded is not as it was recorded");
  };

  const ofSigned = await placeOf(signed);
  const compared = async (): Promise<void> => {
    const stretch = { camera: CAMERA, stream: "main", from: FROM, to: unixMillis(FROM + seconds * SECOND) };
    const how = { trusted: undefined, oldest: () => 0, signal: new AbortController().signal };
    const all = await Array.fromAsync(recordedSignatures(ofSigned, stretch, how));
    const last = all.at(-1);
    if (last?.type !== "compared" || last.report === undefined) throw new Error("nothing was signed");
  };

  const out = (name: string): string => join(folder, name);
  const STEPS: readonly (readonly [name: string, work: () => Promise<void>, leaves: string | undefined])[] = [
    [COPY, () => cp(recordings, out("copy"), { recursive: true }), "copy"],
    ["export into a folder", async () => exported(await FolderBundle.create(out("films"))), "films"],
    ["export into a ZIP file in clear", () => zip(out("clear.zip"), undefined), "clear.zip"],
    ["export into an encrypted ZIP file", () => zip(out("export.zip"), password), undefined],
    ["the same of recordings encrypted in full", () => zip(out("full.zip"), password, inFull), "full.zip"],
    ["verify it, without unpacking", () => verified(out("export.zip")), undefined],
    ["verify the recordings", () => verifiedRecordings(recordings), undefined],
    ["verify the same, encrypted in full", () => verifiedRecordings(encrypted), undefined],
    ["verify the recordings of a camera that signs", () => verifiedRecordings(signed), undefined],
    ["compare these alone with what it signed, in a thread", compared, undefined],
  ];
  const best = new Map<string, { readonly took: number; readonly cpuSeconds: number }>();
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [name, work, leaves] of STEPS) {
      const [begun, used] = [systemClock.monotonic(), process.cpuUsage()];
      await work();
      const took = (systemClock.monotonic() - begun) / SECOND;
      const { user, system } = process.cpuUsage(used);
      if (took < (best.get(name)?.took ?? Number.POSITIVE_INFINITY))
        best.set(name, { took, cpuSeconds: (user + system) / 1e6 });
      if (leaves !== undefined) await rm(out(leaves), { recursive: true });
    }
    await rm(out("export.zip"));
  }
  for (const { catalog } of [inClear, inFull, ofSigned]) await catalog.close();
  const copy = best.get(COPY)?.took ?? 0;
  const rows = [...best].map(([name, { took, cpuSeconds }]) => ({
    name,
    megabytesPerSecond: bytes / 1e6 / took,
    cpuSecondsPerGigabyte: (cpuSeconds / bytes) * 1e9,
    ofCopy: took / copy,
  }));
  if (values.json === true) process.stdout.write(`${JSON.stringify({ bytes, rows })}\n`);
  else {
    const load = loadavg().map((one) => one.toFixed(1));
    process.stdout.write(
      `\n${values.minutes} min of 4 Mbit/s, ${(bytes / 1e6).toFixed(0)} MB. ${cpus().length} x ${cpus()[0]?.model ?? ""}, load ${load.join(" ")}\n\n`,
    );
    process.stdout.write(
      table([
        ["", "MB/s", "time of cp", "CPU s/GB"],
        ...rows.map((row) => [
          row.name,
          cell(row.megabytesPerSecond, 0),
          cell(row.ofCopy, 1),
          cell(row.cpuSecondsPerGigabyte, 1),
        ]),
      ]),
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
