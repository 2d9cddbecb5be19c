import { Fault } from "../base/fault.ts";
import { type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import { ReusedMemory } from "../media/reused-memory.ts";
import type { RecordedSource, Span } from "../media/source.ts";
import type { AnchorLog } from "./anchor-log.ts";
import type { ArchiveSettings } from "./archive-settings.ts";
import type { CutPlace } from "./export/cut.ts";
import type { GapCause } from "./gap.ts";
import { assertSafeId } from "./integrity.ts";
import type { Journal } from "./journal.ts";
import { KnownSegments } from "./known-segments.ts";
import { later } from "./later.ts";
import type { Mover } from "./mover.ts";
import { type ArchiveOptions, type ArchiveParts, openParts } from "./open-parts.ts";
import { StreamReader } from "./reader.ts";
import { StreamRecorder } from "./recorder.ts";
import type { Retainer, Retention } from "./retention.ts";
import type { SegmentFile } from "./segment.ts";
import type { Troubles } from "./troubles.ts";
import type { UnnamedVolume, VolumeStatus } from "./volume.ts";
import type { WriterContext } from "./writer-context.ts";

/** Fragments that wait to be used again: some for each of a dozen sessions that play. */
const PLAYING_IDLE_BYTES = 16 * 1024 * 1024;

/** How long a source takes the stream that it has found for the camera's. */
const KNOWN_STREAM_MS: Millis = 10 * SECOND;

/** The stream that is meant where only a camera is named, if it has one of this name. */
const MAIN_STREAM = "main";

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
  readonly #stopWaiting: () => void;
  readonly #closeDatabases: () => Promise<void>;
  readonly #settings: ArchiveSettings;
  readonly #recorders = new Map<string, StreamRecorder>();
  /** Of what is fetched from cameras' own recordings. */
  readonly #fetching = new Map<string, StreamRecorder>();
  /** For what is being played. */
  readonly #playing = new ReusedMemory(PLAYING_IDLE_BYTES);
  readonly #known = new KnownSegments();

  private constructor(parts: ArchiveParts, settings: ArchiveSettings) {
    const { context, retainer, mover, journal, anchors, stopWaiting, closeDatabases } = parts;
    this.journal = journal;
    this.troubles = context.troubles;
    this.#context = context;
    this.#retainer = retainer;
    this.#anchors = anchors;
    this.#mover = mover;
    this.#stopWaiting = stopWaiting;
    this.#closeDatabases = closeDatabases;
    this.#settings = settings;
  }

  /**
   * Opens or makes the archive. What the last process left unfinished is sealed first, within a second or two. A volume beside the
   * folder that is not there, or cannot be read, does not keep it from opening.
   */
  static async open(o: ArchiveOptions): Promise<Archive> {
    return new Archive(await openParts(o), o.settings ?? {});
  }

  /** Starts recording a stream. A stream has one recorder at a time: close it before asking for another. */
  recorder(camera: string, stream: string): StreamRecorder {
    return this.#record(this.#recorders, { camera, stream });
  }

  /**
   * Takes in what is fetched now from a camera's own recording: into segments that say so, and fill the gaps that they are in. It must not
   * overlap what there is of the stream. A stream has one at a time, beside its recorder.
   */
  fetched(camera: string, stream: string): StreamRecorder {
    const fetchedUs = Math.round(this.#context.clock.now() * 1000);
    return this.#record(this.#fetching, { camera, stream, fetchedUs });
  }

  #record(
    all: Map<string, StreamRecorder>,
    o: { readonly camera: string; readonly stream: string; readonly fetchedUs?: number },
  ): StreamRecorder {
    assertSafeId(o.camera);
    assertSafeId(o.stream);
    const key = `${o.camera}/${o.stream}`;
    if (all.has(key)) throw new Fault("wrong-state", `${key} is being recorded already`);
    const { segmentMs } = this.#settings;
    const recorder = new StreamRecorder({
      ...o,
      context: this.#context,
      closed: () => all.delete(key),
      ...(segmentMs === undefined ? {} : { segmentMs }),
    });
    all.set(key, recorder);
    return recorder;
  }

  /** Where sealed recordings are, for exports. */
  get place(): CutPlace {
    return this.#context;
  }

  /** Whether something that was captured before `to` may be in a segment that is not sealed yet. */
  isOpen(camera: string, stream: string, to: UnixMillis): boolean {
    const fromUs = this.#recorders.get(`${camera}/${stream}`)?.unsealedFromUs;
    return fromUs !== undefined && fromUs < to * 1000;
  }

  /** What a camera recorded. Without `stream`: its stream `main`, or the first by name that has recordings. */
  source(camera: string, stream?: string): RecordedSource {
    const { clock } = this.#context;
    let found: { readonly name: string; readonly untilMs: number } | undefined;
    const reader = async (): Promise<StreamReader> => {
      // Who plays asks again and again, but a source may outlive what is recorded.
      const known = found !== undefined && clock.monotonic() < found.untilMs ? found.name : undefined;
      const name = stream ?? known ?? (await this.meantStream(camera));
      if (stream === undefined && known === undefined) found = { name, untilMs: clock.monotonic() + KNOWN_STREAM_MS };
      return this.#reader(camera, name);
    };
    return {
      tracks: async (from) => (await reader()).tracks(from),
      extent: async () => (await reader()).extent(),
      read: (range, signal) => later(async () => (await reader()).read(range, signal)),
      follow: (range, signal) => later(async () => (await reader()).follow(range, signal)),
      readBackward: (range, signal) => later(async () => (await reader()).readBackward(range, signal)),
    };
  }

  /** Which stream is meant where a camera is named alone: its main one, or another one where there is footage of that alone. */
  async meantStream(camera: string): Promise<string> {
    if (this.#recorders.has(`${camera}/${MAIN_STREAM}`)) return MAIN_STREAM;
    if (await this.#context.catalog.segments.hasStream(camera, MAIN_STREAM)) return MAIN_STREAM;
    const recorded = await this.#context.catalog.segments.streams(camera);
    const now = [...this.#recorders.keys()]
      .filter((key) => key.startsWith(`${camera}/`))
      .map((key) => key.slice(camera.length + 1))
      .sort();
    return [...recorded, ...now][0] ?? MAIN_STREAM;
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
    const name = stream ?? (await this.meantStream(camera));
    const range = { fromUs: Math.round(from * 1000), toUs: Math.round(to * 1000) };
    const rows = await catalog.gaps.touching(camera, name, range.fromUs, range.toUs);
    const away = await catalog.segments.elsewhere(camera, name, range, volumes.here);
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

  /** What of the range was fetched from the camera's own recording, cut to it, in order; the first thousand stretches. */
  async fetchedSpans(camera: string, from: UnixMillis, to: UnixMillis, stream?: string): Promise<readonly Span[]> {
    const range = { fromUs: Math.round(from * 1000), toUs: Math.round(to * 1000) };
    const name = stream ?? (await this.meantStream(camera));
    return (await this.#context.catalog.segments.fetched(camera, name, range)).map(({ fromUs, toUs }) => ({
      from: unixMillis(Math.max(fromUs, range.fromUs) / 1000),
      to: unixMillis(Math.min(toUs, range.toUs) / 1000),
    }));
  }

  /** The ids of all cameras that have recordings or are being recorded, in alphabetical order. */
  async cameras(): Promise<readonly string[]> {
    const recorded = (await this.#context.catalog.volumes.totals()).map((one) => one.camera);
    const now = [...this.#recorders.keys()].map((key) => key.slice(0, key.indexOf("/")));
    return [...new Set([...recorded, ...now])].sort();
  }

  /** Every camera of {@link cameras}, with what its recordings span: some reads of files for each. */
  async summary(): Promise<readonly CameraSummary[]> {
    const bytes = new Map((await this.#context.catalog.volumes.totals()).map((one) => [one.camera, one.bytes]));
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
        recording: recorders(camera).some((recorder) => recorder.isWriting),
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

  /** Volumes that recordings are on, and no settings name. */
  unnamedVolumes(): Promise<readonly UnnamedVolume[]> {
    return this.#context.volumes.unnamed();
  }

  /** Gives up a volume, as {@link Volumes.forget} does. */
  forgetVolume(name: string): Promise<number> {
    return this.#context.volumes.forget(name);
  }

  /** Brings to the archive at once what is due, as otherwise happens every few seconds. Resolves when it is there. */
  async move(): Promise<void> {
    await this.#mover?.run();
  }

  /** Removes at once what retention no longer allows, as otherwise happens every minute. Resolves when it is done. */
  tidy(): Promise<void> {
    return this.#retainer.run();
  }

  /** Seals everything that is being recorded, where its disk answers. */
  async close(): Promise<void> {
    this.#stopWaiting();
    const recorders = [...this.#recorders.values(), ...this.#fetching.values()];
    await Promise.all(recorders.map((recorder) => recorder.close()));
    await this.#mover?.close();
    await this.#retainer.close();
    // The last anchor names what was recorded until now.
    await this.#anchors?.close();
    await this.#context.volumes.close();
    await this.#closeDatabases();
  }

  async #reader(camera: string, stream?: string): Promise<StreamReader> {
    const name = stream ?? (await this.meantStream(camera));
    const { volumes, files, catalog, log, keys } = this.#context;
    const live = (): SegmentFile | undefined => this.#recorders.get(`${camera}/${name}`)?.live;
    const [memory, known] = [this.#playing, this.#known];
    return new StreamReader(camera, name, { volumes, files, catalog, log, keys, live, memory, known });
  }
}
