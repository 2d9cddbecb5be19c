import { mkdir, rename, rm } from "node:fs/promises";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { type ArchiveSettings, CATALOG_FILE, volumesOf } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import type { SegmentRow } from "../../recorder/catalog-rows.ts";
import { check, type Finding } from "../../recorder/check.ts";
import { diskFiles } from "../../recorder/files.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { Troubles } from "../../recorder/troubles.ts";
import type { Volume, VolumeRole } from "../../recorder/volume.ts";
import { Volumes } from "../../recorder/volumes.ts";
import { GroupCamera, indexInGroup } from "./group-camera.ts";
import type { HeldDatabases } from "./held-databases.ts";
import { FaultyFiles } from "./recorder-harness.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "./recorder-samples.ts";
import { VirtualClock } from "./virtual-clock.ts";

const never = new AbortController().signal;

/** An archive in virtual time on a main folder and on further disks, which are folders that can be taken away. */
export class VolumeSite {
  readonly clock = new VirtualClock(unixMillis(START_MS));
  readonly files = new FaultyFiles();
  readonly folder: string;
  readonly remove: () => Promise<void>;
  readonly volumes: Volume[] = [];
  /** Undefined until {@link open}. */
  archive!: Archive;
  /** In whose place catalog and journal are asked from the next {@link open} on; in this thread if absent. */
  databases: HeldDatabases | undefined;
  /** Number of the next picture: each is in the recordings once. */
  picture = 0;
  readonly told: (string | undefined)[] = [];
  /** Of the archive that was opened last. */
  metrics = new Metrics();
  readonly #cameras = new WeakMap<StreamRecorder, GroupCamera>();

  private constructor(folder: string, remove: () => Promise<void>) {
    this.folder = folder;
    this.remove = remove;
  }

  static async make(): Promise<VolumeSite> {
    const { folder, remove } = await scratchFolder();
    const site = new VolumeSite(folder, remove);
    // Room without end, unless a test says otherwise.
    site.files.freeBytes = async () => 1e12;
    return site;
  }

  /** As the machine forgets its catalog. */
  async loseCatalog(): Promise<void> {
    for (const ending of ["", "-wal", "-shm"])
      await rm(`${this.folder}/main/${CATALOG_FILE}${ending}`, { force: true });
  }

  /** A disk that is mounted. */
  async addVolume(name: string, role: VolumeRole = "hot", bounds: Partial<Volume> = {}): Promise<void> {
    const folder = `${this.folder}/${name}`;
    await mkdir(folder);
    this.volumes.push({ name, folder, role, keepFreeBytes: 0, maxBytes: Number.POSITIVE_INFINITY, ...bounds });
  }

  async open(settings: Partial<ArchiveSettings> = {}, folder = this.folder): Promise<void> {
    this.metrics = new Metrics();
    this.archive = await Archive.open({
      folder: `${folder}/main`,
      files: this.files,
      clock: this.clock,
      log: silentLog(),
      metrics: this.metrics,
      ...(this.databases === undefined ? {} : { databases: this.databases.start }),
      settings: { segmentMs: 10_000, flushMs: 0, volumes: this.#volumesIn(folder), ...settings },
    });
    this.archive.troubles.watch((words) => void this.told.push(words));
  }

  #volumesIn(folder: string): readonly Volume[] {
    return this.volumes.map((volume) => ({ ...volume, folder: `${folder}/${volume.name}` }));
  }

  recorder(camera = "gate", volume?: string, stream = "main"): StreamRecorder {
    const recorder = this.archive.recorder(camera, stream);
    recorder.volume = volume;
    recorder.describe([VIDEO_TRACK]);
    this.#cameras.set(recorder, new GroupCamera());
    return recorder;
  }

  /** 25 pictures a second, the first of them a key frame. */
  async record(recorder: StreamRecorder, seconds: number): Promise<void> {
    const camera = this.#cameras.get(recorder);
    if (camera === undefined) throw new Error("this recorder was not made here");
    for (let second = 0; second < seconds; second += 1) {
      for (let index = 0; index < 25; index += 1) recorder.push(camera.group(0, videoSample(this.picture++)));
      await recorder.idle();
      await this.clock.advance(1000);
    }
  }

  /** The numbers of the pictures that can be played. */
  async played(camera = "gate", stream = "main"): Promise<readonly number[]> {
    const groups = this.archive.source(camera, stream).read({ from: unixMillis(START_MS) }, never);
    return (await Array.fromAsync(groups)).map(indexInGroup);
  }

  async gaps(camera = "gate"): Promise<readonly { cause: string; from: UnixMillis; to: UnixMillis | undefined }[]> {
    const gaps = await this.archive.gaps(camera, unixMillis(0), unixMillis(START_MS * 2));
    // A stream that fell silent in virtual time alone.
    return gaps.filter(({ from, to }) => to === undefined || to > from);
  }

  /** What the catalog has, by volume, in order: how many segments. */
  async segments(): Promise<Readonly<Record<string, number>>> {
    const status = await this.archive.volumes();
    return Object.fromEntries(status.filter(({ segments }) => segments > 0).map((one) => [one.name, one.segments]));
  }

  /** Each volume is looked at from now on, and perhaps once more. */
  async look(): Promise<void> {
    // The first may join a look that has begun before.
    for (let turn = 0; turn < 2; turn += 1) await this.archive.volumes();
  }

  /** The disk is unmounted: an empty folder is in its place. */
  async takeAway(name: string): Promise<void> {
    await rename(`${this.folder}/${name}`, `${this.folder}/${name}-away`);
    await mkdir(`${this.folder}/${name}`);
  }

  /** Goes over an empty folder alone: nothing may have been put there. */
  async bringBack(name: string): Promise<void> {
    await rename(`${this.folder}/${name}-away`, `${this.folder}/${name}`);
  }

  /** Closes the archive, and compares all that it left. */
  async findings(folder = this.folder): Promise<readonly Finding[]> {
    await this.archive.close();
    return this.withCatalog(folder, async (catalog) => {
      const troubles = new Troubles();
      const place = { files: diskFiles, catalog, clock: this.clock, log: silentLog(), troubles };
      const all = volumesOf(`${folder}/main`, { volumes: this.#volumesIn(folder) });
      const volumes = new Volumes(all, { ...place, mainMark: CATALOG_FILE, readOnly: true });
      await volumes.start();
      return Array.fromAsync(check({ volumes, files: diskFiles, catalog, verify: true }));
    });
  }

  /** Of a closed archive. */
  async rows(): Promise<readonly SegmentRow[]> {
    return this.withCatalog(this.folder, (catalog) => Array.fromAsync(catalog.segments.all()));
  }

  async withCatalog<T>(folder: string, look: (catalog: Catalog) => Promise<T>): Promise<T> {
    const catalog = await Catalog.open(`${folder}/main/${CATALOG_FILE}`);
    try {
      return await look(catalog);
    } finally {
      await catalog.close();
    }
  }

  async close(): Promise<void> {
    this.files.decide = () => undefined;
    await this.archive?.close().catch(() => undefined);
    await this.remove();
  }
}
