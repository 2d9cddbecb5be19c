import type { Clock } from "../base/clock.ts";
import { DatabaseThread } from "../base/database-thread.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { DatabaseWorker } from "../base/start-database-worker.ts";
import { SECOND } from "../base/units.ts";
import { ReusedMemory } from "../media/reused-memory.ts";
import type { AnchorName } from "./anchor.ts";
import { AnchorLog } from "./anchor-log.ts";
import { Appending } from "./appending.ts";
import { type ArchiveSettings, CATALOG_FILE, volumesOf } from "./archive-settings.ts";
import { Catalog } from "./catalog.ts";
import type { StoredFile } from "./catalog-rows.ts";
import { diskFiles, errorCode, type Files } from "./files.ts";
import { Journal } from "./journal.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { Mover } from "./mover.ts";
import { recover } from "./recover.ts";
import { RemovalLog } from "./removal-log.ts";
import { Retainer } from "./retention.ts";
import type { Signer } from "./signature.ts";
import { Troubles } from "./troubles.ts";
import type { Volume } from "./volume.ts";
import { Volumes } from "./volumes.ts";
import { type Kind, threadsIn, WatchedFiles } from "./watched-files.ts";
import type { RecordingKeys, WriterContext } from "./writer-context.ts";

const DEFAULTS = {
  flushMs: 5 * SECOND,
  answerMs: 10 * SECOND,
  /** Of all streams together, while the disk is slower than they are. */
  memoryBytes: 256 * 1024 * 1024,
};

const LIMITS = {
  /** Memory of fragments that waits to be used again: of the eight that are encrypted and written at a time, of 16 Mbit/s. */
  idleBytes: 32 * 1024 * 1024,
};

/** What is known of footage beside it, below the archive's folder. */
const JOURNAL_FILE = "journal.db";

/** With what an archive is opened. */
export interface ArchiveOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings?: ArchiveSettings;
  readonly files?: Files;
  /** Begins the thread that catalog and journal are asked in, so that nothing else waits for their disk; absent: this one waits. */
  readonly databases?: () => DatabaseWorker;
  readonly keys?: RecordingKeys;
  /** Signs every segment; absent: nobody does. */
  readonly signer?: Signer | undefined;
  /** The newest line of the audit log, for anchors, and who keeps anchors elsewhere. */
  readonly auditHead?: () => AnchorName;
  readonly anchored?: (anchor: AnchorName) => void;
}

/** What an archive is made of, all of it at work. */
export interface ArchiveParts {
  readonly context: WriterContext;
  readonly retainer: Retainer;
  readonly mover: Mover | undefined;
  readonly journal: Journal;
  readonly anchors: AnchorLog | undefined;
  /** From now on nobody waits for a disk that hangs. */
  readonly stopWaiting: () => void;
  /** Catalog and journal, behind everything else. */
  readonly closeDatabases: () => Promise<void>;
}

/** Opens or makes what an archive is made of, and finishes what the last process left unfinished. */
export async function openParts(o: ArchiveOptions): Promise<ArchiveParts> {
  const { folder, clock, metrics, settings = {}, keys, signer } = o;
  const log = o.log.child({ part: "recorder" });
  const all = volumesOf(folder, settings);
  // Before the catalog is open, there are no volumes to be told of.
  let hangs: Volumes["hangs"] | undefined;
  const watched = watch(o, all, (...told) => hangs?.(...told));
  const files = watched ?? o.files ?? diskFiles;
  await files.makeFolder(folder);
  const thread = threadOf(o, (isHanging) => hangs?.(all[0] as Volume, "catalog", isHanging));
  const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`, thread).catch(async (error: unknown) => {
    await thread?.close();
    throw error;
  });
  const troubles = new Troubles();
  let removals: RemovalLog | undefined;
  let anchors: AnchorLog | undefined;
  const finishing = { files, catalog, log, keys, signer, encryption: settings.encryption };
  const isThere = async (stored: StoredFile): Promise<boolean> => {
    const path = volumes.pathOf(stored);
    return path !== undefined && (await files.exists(path));
  };
  const usable = metrics.gauge(
    "viaduct_volume_usable",
    "1: a volume can be recorded to; 0: it fails, hangs, or is not there",
    ["volume"],
  );
  for (const { name } of all) usable.set({ volume: name }, 1);
  const volumes: Volumes = new Volumes(all, {
    files,
    catalog,
    clock,
    log,
    troubles,
    mainMark: CATALOG_FILE,
    usable: (volume, isUsable) => usable.set({ volume }, isUsable ? 1 : 0),
    async prepare(volume) {
      await recover({ ...finishing, removals, volume, isThere });
    },
  });
  hangs = volumes.hangs.bind(volumes);
  let journal: Journal;
  try {
    const place = { folder, volumes, files, catalog: catalog.patient, clock, log };
    removals = signer && (await RemovalLog.open({ ...place, signer, anchor: () => anchors?.newest }));
    await volumes.start();
    await removals?.begin().catch((err: unknown) => {
      if (errorCode(err) === undefined) throw err;
      log.error({ err }, "statements of what is removed cannot be begun: it is tried at the next start");
    });
    journal = await Journal.open(`${folder}/${JOURNAL_FILE}`, thread);
    const { auditHead, anchored } = o;
    anchors =
      signer && (await AnchorLog.open({ ...place, signer, removals: () => removals?.seq ?? 0, auditHead, anchored }));
  } catch (error) {
    thread?.stop();
    await volumes.close();
    await catalog.close();
    await thread?.close();
    throw error;
  }
  const place = { volumes, files, catalog, clock, log, keys, signer };
  const { archiving } = settings;
  const patiently = { ...place, catalog: catalog.patient };
  const mover = archiving && new Mover({ ...patiently, archiving });
  const retainer = new Retainer({
    ...patiently,
    journal,
    removals,
    bounds: settings.bounds ?? {},
    each: settings.retention ?? {},
    trouble: (words) => troubles.set("room", words),
  });
  const bytes = metrics.counter("viaduct_recorder_bytes_total", "Bytes of recorded samples", ["event"]);
  const fragments = metrics.counter("viaduct_recorder_fragments_total", "Recorded fragments, and errors of the disk", [
    "event",
  ]);
  const context: WriterContext = {
    ...place,
    budget: new MemoryBudget(settings.memoryBytes ?? DEFAULTS.memoryBytes, all.length),
    memory: new ReusedMemory(LIMITS.idleBytes),
    appending: new Appending(),
    flushMs: settings.flushMs ?? DEFAULTS.flushMs,
    encryption: settings.encryption,
    troubles,
    full: () => void retainer.run(),
    counted: (event, count) => {
      fragments.inc({ event });
      bytes.inc({ event }, count);
    },
  };
  return {
    context,
    retainer,
    mover,
    journal,
    anchors,
    stopWaiting() {
      watched?.stop();
      thread?.stop();
    },
    async closeDatabases() {
      await catalog.close();
      await journal.close();
      await thread?.close();
    },
  };
}

/** Undefined where there is to be none. */
function threadOf(
  { databases, settings = {}, clock, log }: ArchiveOptions,
  told: (hangs: boolean) => void,
): DatabaseThread | undefined {
  const { answerMs = DEFAULTS.answerMs } = settings;
  const what = "the catalog of recordings";
  return databases && new DatabaseThread({ what, clock, log, answerMs, told, worker: databases });
}

/** Undefined where no time is set for answers. */
function watch(
  { settings = {}, files = diskFiles, clock }: ArchiveOptions,
  volumes: readonly Volume[],
  told: (volume: Volume, kind: Kind, hangs: boolean) => void,
): WatchedFiles | undefined {
  const { answerMs } = settings;
  if (answerMs === undefined) return undefined;
  return new WatchedFiles(files, { volumes, clock, answerMs, threads: threadsIn(process.env), told });
}
