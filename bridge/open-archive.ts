import { mkdir } from "node:fs/promises";
import type { AuditLog } from "../auth/audit/log.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { startDatabaseWorker } from "../base/start-database-worker.ts";
import { DAY, HOUR, SECOND } from "../base/units.ts";
import type { KeyRing } from "../keys/ring.ts";
import { Archive } from "../recorder/archive.ts";
import { CATALOG_FILE, volumesOf } from "../recorder/archive-settings.ts";
import type { Catalog } from "../recorder/catalog.ts";
import { diskFiles } from "../recorder/files.ts";
import type { Signer } from "../recorder/signature.ts";
import { Troubles } from "../recorder/troubles.ts";
import { Volumes } from "../recorder/volumes.ts";
import { anchorEntry } from "./anchor-entry.ts";
import { recordingsOf, type Settings } from "./settings.ts";
import { volumesFrom } from "./volume-settings.ts";

const GIGABYTE = 1e9;
const MEGABYTE = 1e6;

/** What all recordings may have where no sum is said, and there is only one disk. */
const ONE_DISK_GIGABYTES = 100;

/** The archive of a bridge, by its settings. */
export async function openArchive(
  settings: Settings,
  o: {
    readonly keys: KeyRing;
    readonly signer: Signer;
    readonly audit: AuditLog;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    /** Told of each anchor. */
    readonly anchored: () => void;
  },
): Promise<Archive> {
  const { recording } = settings;
  const folder = recordingsOf(settings);
  const volumes = volumesFrom(folder, recording.volumes);
  const { afterHours, megabytesPerSecond } = recording.archive;
  const archiving = { afterMs: afterHours * HOUR, bytesPerSecond: megabytesPerSecond * MEGABYTE };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return Archive.open({
    folder,
    ...o,
    databases: startDatabaseWorker,
    auditHead: () => o.audit.head,
    anchored: (anchor) => {
      o.audit.record(anchorEntry(anchor));
      o.anchored();
    },
    settings: {
      ...(recording.encryption === "none" ? {} : { encryption: recording.encryption }),
      segmentMs: recording.segmentSeconds * SECOND,
      flushMs: recording.flushSeconds * SECOND,
      answerMs: recording.answerSeconds * SECOND,
      volumes,
      archiving: volumes.some(({ role }) => role === "archive") ? archiving : undefined,
      bounds: boundsOf(settings),
      // Of every camera, so that recordings of removed ones end too.
      retention: {
        minAgeMs: recording.minAgeDays * DAY,
        maxAgeMs: recording.maxAgeDays * DAY,
        ...(recording.maxGigabytesPerCamera === undefined
          ? {}
          : { maxBytes: recording.maxGigabytesPerCamera * GIGABYTE }),
      },
    },
  });
}

function boundsOf({ recording }: Settings): { readonly maxBytes: number; readonly keepFreeBytes: number } {
  const sum =
    recording.maxGigabytes ?? (recording.volumes.length === 0 ? ONE_DISK_GIGABYTES : Number.POSITIVE_INFINITY);
  return { maxBytes: sum * GIGABYTE, keepFreeBytes: recording.keepFreeGigabytes * GIGABYTE };
}

/** The volumes of a stopped bridge, to be read: those that are there. */
export async function openVolumes(settings: Settings, catalog: Catalog): Promise<Volumes> {
  const folder = recordingsOf(settings);
  const all = volumesOf(folder, {
    bounds: boundsOf(settings),
    volumes: volumesFrom(folder, settings.recording.volumes),
  });
  const place = { files: diskFiles, catalog, clock: systemClock, log: silentLog(), troubles: new Troubles() };
  const volumes = new Volumes(all, { ...place, mainMark: CATALOG_FILE, readOnly: true });
  await volumes.start();
  return volumes;
}
