import type { Log } from "../base/log.ts";
import { HOUR } from "../base/units.ts";
import type { Archive } from "../recorder/archive.ts";
import type { Signer } from "../recorder/signature.ts";
import { Exports } from "./client-side/exports/exports.ts";
import type { ExportsParts } from "./client-side/exports/exports-parts.ts";
import type { DataFolder } from "./data-folder.ts";
import { exportsOf, type Settings } from "./settings.ts";
import { loadExportSigner } from "./signing.ts";
import { stampingOf } from "./time-stamping.ts";

const GIGABYTE = 1e9;

/** The exports of a bridge, by its settings and from its archive. */
export async function openExports(
  settings: Pick<Settings, "dataFolder" | "exports" | "recording" | "cameraSide">,
  o: Pick<ExportsParts, "accounts" | "watch" | "leases" | "audit" | "approvals" | "cameraMakers" | "clock"> & {
    readonly folder: DataFolder;
    readonly archive: Archive;
    /** Signs recordings. */
    readonly recorder: Signer;
    readonly version: string;
    readonly log: Log;
  },
): Promise<Exports> {
  const { folder, archive, recorder, version, ...parts } = o;
  const { exports, recording } = settings;
  return Exports.open({
    ...parts,
    folder: exportsOf(settings),
    place: archive.place,
    isOpen: (camera, stream, to) => archive.isOpen(camera, stream, to),
    sealer: folder.sealer,
    signer: once(() => loadExportSigner(folder, parts.clock, recorder)),
    recorder: recorder.certificate,
    stamp: await stampingOf(settings, {
      clock: parts.clock,
      failed: (why) => parts.log.warn({ why }, "the time of an export is not stamped"),
    }),
    software: `Viaduct ${version}`,
    installation: folder.uuid,
    keepMs: exports.keepHours * HOUR,
    maxBytes: exports.maxGigabytes * GIGABYTE,
    keepFreeBytes: recording.keepFreeGigabytes * GIGABYTE,
  });
}

/** What `make` resolves with, which is called when it is wanted for the first time, and again only where it failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
