import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { assertAlone } from "../auth/approval.ts";
import type { Audit } from "../auth/audit.ts";
import { systemClock } from "../base/clock.ts";
import { asFault, Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { printed } from "../base/printed.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import { openAudit } from "../bridge/audit-log.ts";
import { MAIN_STREAM } from "../bridge/camera.ts";
import { CameraStore } from "../bridge/camera-store.ts";
import type { DataFolder } from "../bridge/data-folder.ts";
import { openVolumes } from "../bridge/open-archive.ts";
import { recordingsOf } from "../bridge/settings.ts";
import { loadExportSigner, loadSigner } from "../bridge/signing.ts";
import { stampingOf } from "../bridge/time-stamping.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import { type Bundle, FolderBundle } from "../recorder/export/bundle.ts";
import { bytesOf, type CutPlace } from "../recorder/export/cut.ts";
import { LEAVABLE, type LeftOut } from "../recorder/export/film.ts";
import { type ExportOrder, makeExport } from "../recorder/export/make-export.ts";
import type { Manifest } from "../recorder/export/manifest.ts";
import { assertRoom } from "../recorder/export/room.ts";
import type { Stamping } from "../recorder/export/stamp.ts";
import { PASSWORD_LETTERS, ZipBundle } from "../recorder/export/zip-writer.ts";
import { diskFiles, errorCode } from "../recorder/files.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";
import { newPassphrase } from "./passphrase.ts";

export interface ExportOptions extends DataOptions {
  readonly camera: readonly string[];
  readonly stream: string;
  readonly from: string;
  readonly to: string;
  readonly out: string;
  readonly reason: string;
  readonly without?: readonly string[];
  /** False: nothing is encrypted. */
  readonly password: boolean;
  readonly passwordFd?: string;
  readonly json?: boolean;
}

/** Exports recordings of a stopped bridge into a ZIP file or a folder, and prints what is in it. */
export async function exportRecordings(options: ExportOptions, version: string): Promise<void> {
  const asked = askedBy(options);
  if (options.password && !isZip(options.out))
    throw wrong("a folder is not encrypted: give --out a name that ends in .zip, or say --no-password");
  const password = options.password ? await passwordOf(options.passwordFd) : undefined;
  await withDatabase(options, async ({ settings, folder, database }) => {
    assertAlone(settings.approval.acts, "export");
    const recordings = recordingsOf(settings);
    // Opening would make an empty one.
    if (!(await diskFiles.exists(`${recordings}/${CATALOG_FILE}`))) throw wrong(`nothing is recorded in ${recordings}`);
    const catalog = await Catalog.open(`${recordings}/${CATALOG_FILE}`);
    const audit = openAudit(folder, settings, { clock: systemClock, log: silentLog() });
    try {
      const volumes = await openVolumes(settings, catalog);
      const named = new Map(
        (await new CameraStore(database.query, folder.sealer).list()).map((one) => [one.id, one.name]),
      );
      const order = { ...asked, cameras: asked.cameras.map((one) => ({ ...one, name: named.get(one.id) ?? one.id })) };
      const expectedBytes = await bytesIn(catalog, order);
      await assertRoom(diskFiles, dirname(resolve(options.out)), expectedBytes, 0);
      const progress = progressOf(expectedBytes);
      const stamp = await stampingOf(settings, {
        clock: systemClock,
        failed: (why) => void process.stderr.write(`The time of the export is not stamped: ${printed(why)}\n`),
      });
      const manifest = await audited(audit, order, () =>
        into(options.out, password, (bundle) =>
          make(order, {
            bundle,
            place: { volumes, files: diskFiles, catalog, keys: folder.keys },
            folder,
            stamp,
            version,
            progress,
            isEncrypted: password !== undefined,
          }),
        ),
      );
      print(manifest, options, options.passwordFd === undefined ? password : undefined);
    } finally {
      audit.close();
      await catalog.close();
    }
  });
}

function askedBy(options: ExportOptions): ExportOrder {
  const [from, to] = [instantOf("--from", options.from), instantOf("--to", options.to)];
  if (from >= to) throw wrong("--from must be before --to");
  const leftOut = new Set((options.without ?? []).map(leavable));
  return {
    id: randomUUID(),
    from,
    to,
    // Whoever may open the keys of the machine may have all that they open.
    cameras: [...new Set(options.camera)].map((id) => ({
      id,
      name: id,
      stream: options.stream,
      leftOut,
      notBeforeUs: () => Number.NEGATIVE_INFINITY,
    })),
    askedBy: operator(),
    askedThrough: "cli",
    reason: options.reason,
  };
}

function instantOf(option: string, text: string): UnixMillis {
  const isComplete = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const at = Date.parse(text);
  if (!isComplete || Number.isNaN(at))
    throw wrong(`${option} ${text}: write it with its zone, as 2026-11-24T13:05:00Z or 2026-11-24T14:05:00+01:00`);
  return unixMillis(at);
}

function leavable(name: string): LeftOut {
  const found = LEAVABLE.find((one) => one === name);
  if (found === undefined) throw wrong(`--without ${name}: it is ${LEAVABLE.join(" or ")}`);
  return found;
}

function passwordOf(fd: string | undefined): Promise<Secret> | Secret {
  return fd === undefined ? makeSecret(PASSWORD_LETTERS) : newPassphrase(fd);
}

async function bytesIn(catalog: Catalog, { cameras, from, to }: ExportOrder): Promise<number> {
  let bytes = 0;
  for (const { id, stream } of cameras) {
    if (!(await catalog.segments.streams(id)).includes(stream)) {
      const what = stream === MAIN_STREAM ? id : `the stream ${stream} of ${id}`;
      const tell = `nothing is recorded of ${what}; viaduct check --times tells of which cameras something is`;
      throw new Fault("not-found", tell, { tell });
    }
    bytes += await bytesOf(catalog, { camera: id, stream, fromUs: from * 1000, toUs: to * 1000 });
  }
  return bytes;
}

async function audited(audit: Audit, order: ExportOrder, work: () => Promise<Manifest>): Promise<Manifest> {
  const record = (action: string, outcome: "allowed" | "failed", why: string): void => {
    for (const { id: camera } of order.cameras)
      audit.record({ who: operator(), action, camera, interface: "cli", outcome, why, subject: order.id });
  };
  record("export", "allowed", `from ${new Date(order.from).toISOString()} to ${new Date(order.to).toISOString()}`);
  try {
    const manifest = await work();
    record("export-made", "allowed", `${manifest.films.length} films`);
    return manifest;
  } catch (error) {
    record("export-made", "failed", asFault(error).message);
    throw error;
  }
}

/** Nothing is left where it fails, and nothing that was there is touched. */
async function into(
  out: string,
  password: Secret | undefined,
  work: (bundle: Bundle) => Promise<Manifest>,
): Promise<Manifest> {
  let bundle: Bundle;
  try {
    bundle = isZip(out)
      ? new ZipBundle(await diskFiles.open(out, "create"), { password, modified: systemClock.now() })
      : await FolderBundle.create(out);
  } catch (cause) {
    const tell =
      errorCode(cause) === "EEXIST" ? `${out} is there already` : `cannot write ${out}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  try {
    return await work(bundle);
  } catch (error) {
    await bundle.abandon();
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

async function make(
  order: ExportOrder,
  o: {
    readonly bundle: Bundle;
    readonly place: CutPlace;
    readonly folder: DataFolder;
    readonly stamp: Stamping | undefined;
    readonly version: string;
    readonly progress: (bytes: number) => void;
    readonly isEncrypted: boolean;
  },
): Promise<Manifest> {
  const { bundle, place, folder, progress } = o;
  const recorder = await loadSigner(folder, systemClock);
  return makeExport(order, {
    place,
    bundle,
    protectedBy: o.isEncrypted ? "password" : "nothing",
    signer: await loadExportSigner(folder, systemClock, recorder),
    recorder: recorder.certificate,
    stamp: o.stamp,
    software: `Viaduct ${o.version}`,
    installation: folder.uuid,
    now: systemClock.now(),
    progress,
  });
}

/** On a terminal, in place. */
function progressOf(expectedBytes: number): (bytes: number) => void {
  let done = 0;
  let shown = -1;
  return (bytes) => {
    done += bytes;
    const percent = Math.min(99, Math.floor((100 * done) / Math.max(1, expectedBytes)));
    if (percent === shown || !process.stderr.isTTY) return;
    shown = percent;
    process.stderr.write(`\r${percent} %`);
  };
}

function print(manifest: Manifest, { out, json }: ExportOptions, made: Secret | undefined): void {
  if (process.stderr.isTTY) process.stderr.write("\r      \r");
  if (json === true) {
    const password = made === undefined ? {} : { password: made.reveal() };
    process.stdout.write(`${JSON.stringify({ out, ...password, manifest }, undefined, 2)}\n`);
    return;
  }
  for (const { id, note, gaps } of manifest.cameras) {
    process.stdout.write(`${id}: ${note}\n`);
    for (const { from, to, reason } of gaps) process.stdout.write(`  missing ${from} to ${to}: ${reason}\n`);
  }
  for (const { path, from, to } of manifest.films) process.stdout.write(`${path}  ${from} to ${to}\n`);
  process.stdout.write(`${out} is written, signed by ${manifest.certificates.export}\n`);
  if (made === undefined) return;
  process.stdout.write(`password: ${made.reveal()}\n`);
  process.stderr.write("The password is shown this once. Tell it on another way than the file goes.\n");
}

function isZip(out: string): boolean {
  return out.toLowerCase().endsWith(".zip");
}

function wrong(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}
