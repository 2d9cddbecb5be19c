import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { ReusedMemory } from "../media/reused-memory.ts";
import type { RecordedSource, Span } from "../media/source.ts";
import type { AnchorName } from "./anchor.ts";
import { AnchorLog } from "./anchor-log.ts";
import { Catalog, type StoredFile } from "./catalog.ts";
import type { CutPlace } from "./export/cut.ts";
import { diskFiles, errorCode, type Files } from "./files.ts";
import type { GapCause } from "./gap.ts";
import { assertSafeId } from "./integrity.ts";
import { Journal } from "./journal.ts";
import { type Archiving, Mover } from "./mover.ts";
import type { ProtectionMode } from "./protection.ts";
import { StreamReader } from "./reader.ts";
import { StreamRecorder } from "./recorder.ts";
import { recover } from "./recover.ts";
import { RemovalLog } from "./removal-log.ts";
import { type ArchiveBounds, Retainer, type Retention } from "./retention.ts";
import type { SegmentFile } from "./segment.ts";
import type { Signer } from "./signature.ts";
import { Troubles } from "./troubles.ts";
import { mainVolume, type Volume, type VolumeStatus } from "./volume.ts";
import { Volumes } from "./volumes.ts";
import { MemoryBudget, type RecordingKeys, type WriterContext } from "./writer.ts";

const DEFAULTS = {
  flushMs: 5 * SECOND,
  /** Of all streams together, while the disk is slower than they are. */
  memoryBytes: 256 * 1024 * 1024,
};

const LIMITS = {
  /** Memory of samples that waits to be used again: what a hundred streams of 4 Mbit/s bring in half a second. */
  idleBytes: 32 * 1024 * 1024,
};

/** The catalog's file, below the archive's folder. */
export const CATALOG_FILE = "catalog.db";

/** What is known of footage beside it, below the archive's folder. */
const JOURNAL_FILE = "journal.db";

/** The stream that is meant where only a camera is named, if it has one of this name. */
const MAIN_STREAM = "main";

export interface ArchiveSettings {
  /** What is written survives a power cut after so long. Shorter costs more of the disk; on a hard disk 10 s or more. */
  readonly flushMs?: Millis;
  readonly segmentMs?: Millis;
  readonly memoryBytes?: number;
  /** How new segments are encrypted; absent: not at all. Those that are there stay as they are. */
  readonly encryption?: ProtectionMode;
  readonly bounds?: ArchiveBounds & Partial<Pick<Volume, "keepFreeBytes">>;
  /** Disks beside the one that the folder is on, which is the volume `main`. */
  readonly volumes?: readonly Volume[];
  /** Absent: what is recorded stays where it is. */
  readonly archiving?: Archiving | undefined;
  /** What is kept of each camera, unless {@link Archive.retain} says otherwise. Absent: everything that fits. */
  readonly retention?: Retention;
}

/** What the archive holds of one camera. */
export interface CameraSummary {
  readonly camera: string;
  readonly earliest: UnixMillis | undefined;
  readonly latest: UnixMillis | undefined;
  /** Of sealed segments. */
  readonly bytes: number;
  /** A segment is being written now. */
  readonly recording: boolean;
  /** Why it is not, although it should be. */
  readonly problem: string | undefined;
}

/** A stretch that was not recorded. `to` is undefined while it lasts. */
export interface Gap {
  readonly from: UnixMillis;
  readonly to: UnixMillis | undefined;
  /** In words. */
  readonly reason: string;
  readonly cause: GapCause;
}

/**
 * All that is recorded, and being recorded: in one folder, and on further volumes if there are any. They belong to one process:
 * `base/lock.ts`.
 */
export class Archive {
  /** Events, bookmarks and locks of all cameras. */
  readonly journal: Journal;
  /** What is wrong with the storage. */
  readonly troubles: Troubles;
  readonly #context: WriterContext;
  readonly #retainer: Retainer;
  readonly #anchors: AnchorLog | undefined;
  readonly #mover: Mover | undefined;
  readonly #settings: ArchiveSettings;
  readonly #recorders = new Map<string, StreamRecorder>();

  private constructor(
    context: WriterContext,
    {
      retainer,
      mover,
      journal,
      anchors,
    }: {
      readonly retainer: Retainer;
      readonly mover: Mover | undefined;
      readonly journal: Journal;
      readonly anchors: AnchorLog | undefined;
    },
    settings: ArchiveSettings,
  ) {
    this.journal = journal;
    this.troubles = context.troubles;
    this.#context = context;
    this.#retainer = retainer;
    this.#anchors = anchors;
    this.#mover = mover;
    this.#settings = settings;
  }

  /**
   * Opens or makes the archive. What the last process left unfinished is sealed first, within a second or two. A volume beside the
   * folder that is not there, or cannot be read, does not keep it from opening.
   */
  static async open(o: {
    readonly folder: string;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    readonly settings?: ArchiveSettings;
    readonly files?: Files;
    readonly keys?: RecordingKeys;
    /** Signs every segment; absent: nobody does. */
    readonly signer?: Signer | undefined;
    /** The newest line of the audit log, for anchors, and who keeps anchors elsewhere. */
    readonly auditHead?: () => AnchorName;
    readonly anchored?: (anchor: AnchorName) => void;
  }): Promise<Archive> {
    const { folder, clock, metrics, settings = {}, files = diskFiles, keys, signer } = o;
    const log = o.log.child({ part: "recorder" });
    await files.makeFolder(folder);
    const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
    const troubles = new Troubles();
    let removals: RemovalLog | undefined;
    let anchors: AnchorLog | undefined;
    const finishing = { files, catalog, log, keys, signer, encryption: settings.encryption };
    const isThere = async (stored: StoredFile): Promise<boolean> => {
      const path = volumes.pathOf(stored);
      return path !== undefined && (await files.exists(path));
    };
    const volumes: Volumes = new Volumes(volumesOf(folder, settings), {
      files,
      catalog,
      clock,
      log,
      troubles,
      mainMark: CATALOG_FILE,
      async prepare(volume) {
        await recover({ ...finishing, removals, volume, isThere });
      },
    });
    let journal: Journal;
    try {
      const place = { folder, volumes, files, catalog, clock, log };
      removals = signer && (await RemovalLog.open({ ...place, signer, anchor: () => anchors?.newest }));
      await volumes.start();
      await removals?.begin().catch((err: unknown) => {
        if (errorCode(err) === undefined) throw err;
        log.error({ err }, "statements of what is removed cannot be begun: it is tried at the next start");
      });
      journal = await Journal.open(`${folder}/${JOURNAL_FILE}`);
      const { auditHead, anchored } = o;
      anchors =
        signer && (await AnchorLog.open({ ...place, signer, removals: () => removals?.seq ?? 0, auditHead, anchored }));
    } catch (error) {
      await volumes.close();
      await catalog.close();
      throw error;
    }
    const place = { volumes, files, catalog, clock, log, keys, signer };
    const { archiving } = settings;
    const mover = archiving && new Mover({ volumes, files, catalog, clock, log, archiving });
    const retainer = new Retainer({
      ...place,
      journal,
      removals,
      bounds: settings.bounds ?? {},
      each: settings.retention ?? {},
      trouble: (words) => troubles.set("room", words),
    });
    const bytes = metrics.counter("viaduct_recorder_bytes_total", "Bytes of recorded samples", ["event"]);
    const fragments = metrics.counter(
      "viaduct_recorder_fragments_total",
      "Recorded fragments, and errors of the disk",
      ["event"],
    );
    const context: WriterContext = {
      ...place,
      budget: new MemoryBudget(settings.memoryBytes ?? DEFAULTS.memoryBytes),
      memory: new ReusedMemory(LIMITS.idleBytes),
      flushMs: settings.flushMs ?? DEFAULTS.flushMs,
      encryption: settings.encryption,
      troubles,
      full: () => void retainer.run(),
      counted: (event, count) => {
        fragments.inc({ event });
        bytes.inc({ event }, count);
      },
    };
    return new Archive(context, { retainer, mover, journal, anchors }, settings);
  }

  /** Starts recording a stream. A stream has one recorder at a time: close it before asking for another. */
  recorder(camera: string, stream: string): StreamRecorder {
    assertSafeId(camera);
    assertSafeId(stream);
    const key = `${camera}/${stream}`;
    if (this.#recorders.has(key)) throw new Fault("wrong-state", `${key} is being recorded already`);
    const { segmentMs } = this.#settings;
    const recorder = new StreamRecorder({
      camera,
      stream,
      context: this.#context,
      closed: () => this.#recorders.delete(key),
      ...(segmentMs === undefined ? {} : { segmentMs }),
    });
    this.#recorders.set(key, recorder);
    return recorder;
  }

  /** Where sealed recordings are, for exports. */
  get place(): CutPlace {
    return this.#context;
  }

  /** Whether something that was captured before `to` is in a segment that is still being written. */
  isOpen(camera: string, stream: string, to: UnixMillis): boolean {
    const first = this.#recorders.get(`${camera}/${stream}`)?.live?.fragments[0];
    return first !== undefined && first.startUs < to * 1000;
  }

  /** What a camera recorded. Without `stream`: its stream `main`, or the first by name that has recordings. */
  source(camera: string, stream?: string): RecordedSource {
    const reader = (): Promise<StreamReader> => this.#reader(camera, stream);
    return {
      tracks: async (from) => (await reader()).tracks(from),
      extent: async () => (await reader()).extent(),
      read: (range, signal) => later(async () => (await reader()).read(range, signal)),
      follow: (range, signal) => later(async () => (await reader()).follow(range, signal)),
      readBackward: (range, signal) => later(async () => (await reader()).readBackward(range, signal)),
    };
  }

  /** Stretches without a gap that touch the range, cut to it, in order. */
  async spans(camera: string, from: UnixMillis, to: UnixMillis, stream?: string): Promise<readonly Span[]> {
    return (await this.#reader(camera, stream)).spans(from, to);
  }

  /**
   * Stretches of which there is no recording, and why, in order: those that were not recorded, and those of which the volume is not
   * there now. The first thousand of each.
   */
  async gaps(camera: string, from: UnixMillis, to: UnixMillis, stream?: string): Promise<readonly Gap[]> {
    const { catalog, volumes } = this.#context;
    const name = stream ?? (await this.#streamOf(camera));
    const range = { fromUs: Math.round(from * 1000), toUs: Math.round(to * 1000) };
    const rows = await catalog.gaps(camera, name, range.fromUs, range.toUs);
    const away = await catalog.elsewhere(camera, name, range, volumes.here);
    return [
      ...rows.map(({ fromUs, toUs, reason, cause }) => ({
        from: unixMillis(fromUs / 1000),
        to: toUs === undefined ? undefined : unixMillis(toUs / 1000),
        reason,
        cause,
      })),
      ...away.map(({ startUs, endUs, volume }) => ({
        from: unixMillis(startUs / 1000),
        to: unixMillis(endUs / 1000),
        reason: volumes.whyAway(volume) ?? "its volume was not there",
        cause: "away" as const,
      })),
    ].toSorted((a, b) => a.from - b.from);
  }

  /** The ids of all cameras that have recordings or are being recorded, in alphabetical order. */
  async cameras(): Promise<readonly string[]> {
    const recorded = (await this.#context.catalog.totals()).map((one) => one.camera);
    const now = [...this.#recorders.keys()].map((key) => key.slice(0, key.indexOf("/")));
    return [...new Set([...recorded, ...now])].sort();
  }

  /** Every camera of {@link cameras}, with what its recordings span: some reads of files for each. */
  async summary(): Promise<readonly CameraSummary[]> {
    const bytes = new Map((await this.#context.catalog.totals()).map((one) => [one.camera, one.bytes]));
    const recorders = (camera: string): readonly StreamRecorder[] =>
      [...this.#recorders].filter(([key]) => key.startsWith(`${camera}/`)).map(([, recorder]) => recorder);
    const summaries: CameraSummary[] = [];
    for (const camera of await this.cameras()) {
      const extent = await this.source(camera).extent();
      summaries.push({
        camera,
        earliest: extent?.from,
        latest: extent?.to,
        bytes: bytes.get(camera) ?? 0,
        recording: recorders(camera).some((recorder) => recorder.live !== undefined),
        problem: recorders(camera).find((recorder) => recorder.problem !== undefined)?.problem,
      });
    }
    return summaries;
  }

  /** How much of a camera is kept from now on; what is absent is as the settings say for each. */
  retain(camera: string, retention: Retention): void {
    this.#retainer.retain(camera, { ...this.#settings.retention, ...retention });
  }

  /** How the disks are that recordings are on, the main one first. */
  async volumes(): Promise<readonly VolumeStatus[]> {
    await this.#context.volumes.look();
    return this.#context.volumes.status();
  }

  /** Brings to the archive at once what is due, as otherwise happens every few seconds. Resolves when it is there. */
  async move(): Promise<void> {
    await this.#mover?.run();
  }

  /** Removes at once what retention no longer allows, as otherwise happens every minute. Resolves when it is done. */
  tidy(): Promise<void> {
    return this.#retainer.run();
  }

  /** Seals everything that is being recorded. */
  async close(): Promise<void> {
    await Promise.all([...this.#recorders.values()].map((recorder) => recorder.close()));
    await this.#mover?.close();
    await this.#retainer.close();
    // The last anchor names what was recorded until now.
    await this.#anchors?.close();
    await this.#context.volumes.close();
    await this.#context.catalog.close();
    await this.journal.close();
  }

  async #reader(camera: string, stream?: string): Promise<StreamReader> {
    const name = stream ?? (await this.#streamOf(camera));
    const { volumes, files, catalog, log, keys } = this.#context;
    const live = (): SegmentFile | undefined => this.#recorders.get(`${camera}/${name}`)?.live;
    return new StreamReader(camera, name, { volumes, files, catalog, log, keys, live });
  }

  async #streamOf(camera: string): Promise<string> {
    const recorded = await this.#context.catalog.streams(camera);
    const now = [...this.#recorders.keys()]
      .filter((key) => key.startsWith(`${camera}/`))
      .map((key) => key.slice(camera.length + 1))
      .sort();
    const names = [...recorded, ...now];
    return names.includes(MAIN_STREAM) ? MAIN_STREAM : (names[0] ?? MAIN_STREAM);
  }
}

/** Beside hot ones, the folder of the catalog is recorded to only where none of them can be. */
export function volumesOf(folder: string, settings: Pick<ArchiveSettings, "bounds" | "volumes">): readonly Volume[] {
  const { bounds = {}, volumes = [] } = settings;
  const role = volumes.some((one) => one.role === "hot") ? "spare" : "hot";
  return [mainVolume(folder, { role, keepFreeBytes: bounds.keepFreeBytes ?? 0 }), ...volumes];
}

/** Items of a generator that has to be found first, which happens when somebody asks for the first one. To be iterated once. */
function later<T>(find: () => Promise<AsyncGenerator<T>>): AsyncIterable<T> {
  let found: AsyncGenerator<T> | undefined;
  const first = async (): Promise<IteratorResult<T>> => {
    found = await find();
    return found.next();
  };
  const iterator: AsyncIterator<T> = {
    next: () => found?.next() ?? first(),
    return: async () => (await found?.return(undefined)) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
