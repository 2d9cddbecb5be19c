import { setImmediate } from "node:timers/promises";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { Sample } from "../../media/sample.ts";
import type { Track } from "../../media/track.ts";
import { Appending } from "../../recorder/appending.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { check, type Finding } from "../../recorder/check.ts";
import type { KeyFinder } from "../../recorder/cipher.ts";
import { diskFiles, errorCode, type Files, type OpenFile } from "../../recorder/files.ts";
import { readSamples } from "../../recorder/fragment-read.ts";
import { Fragmenter } from "../../recorder/fragmenter.ts";
import { FRAGMENT_BOX_BYTES } from "../../recorder/integrity.ts";
import { MemoryBudget } from "../../recorder/memory-budget.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { Troubles } from "../../recorder/troubles.ts";
import { SegmentWriter } from "../../recorder/writer.ts";
import type { WriterContext } from "../../recorder/writer-context.ts";
import { oneVolume } from "./one-volume.ts";
import { indexIn, VIDEO_TRACK } from "./recorder-samples.ts";

/** Records samples, without RTP, into a folder. */
export class Harness {
  readonly context: WriterContext;
  readonly writer: SegmentWriter;
  readonly fragmenter: Fragmenter;
  readonly dropped = { fragments: 0 };

  constructor(
    o: Partial<WriterContext> & Pick<WriterContext, "volumes" | "catalog">,
    segmentMs = 10_000,
    camera = "cam",
  ) {
    this.context = {
      files: diskFiles,
      clock: systemClock,
      log: silentLog(),
      budget: new MemoryBudget(64 * 1024 * 1024),
      appending: new Appending(),
      flushMs: 5000,
      troubles: new Troubles(),
      full: () => undefined,
      counted: (event) => {
        if (event === "dropped") this.dropped.fragments += 1;
      },
      ...o,
    };
    this.writer = new SegmentWriter(camera, "main", this.context);
    this.fragmenter = new Fragmenter(this.writer, { segmentMs, phaseMs: 0 });
    this.fragmenter.describe([VIDEO_TRACK]);
  }

  static async open(
    folder: string,
    o: Partial<WriterContext> = {},
    segmentMs?: number,
    camera?: string,
  ): Promise<Harness> {
    const catalog = await Catalog.open(`${folder}/catalog.db`);
    return new Harness({ volumes: oneVolume(folder, catalog, o), catalog, ...o }, segmentMs, camera);
  }

  describe(tracks: readonly Track[]): void {
    this.fragmenter.describe(tracks);
  }

  async push(samples: Iterable<Sample>, track = 0): Promise<void> {
    for (const sample of samples) this.fragmenter.push(track, sample);
    await this.writer.idle();
  }

  async close(): Promise<void> {
    this.fragmenter.end(undefined);
    await this.writer.close();
    await this.context.catalog.close();
  }
}

/** The numbers in the video samples of a camera's segments, in order, as the catalog has them. */
export async function recordedIndices(
  folder: string,
  catalog: Catalog,
  camera = "cam",
  keys?: KeyFinder,
): Promise<number[]> {
  const found: number[] = [];
  for (const row of await catalog.segments.after(camera, "main", { startUs: 0, file: "" }))
    found.push(...(await indicesOf(`${folder}/${row.file}`, keys)));
  return found;
}

/** The numbers in the video samples of one file. */
export async function indicesOf(path: string, keys?: KeyFinder): Promise<number[]> {
  const handle = await diskFiles.open(path, "read");
  try {
    const scan = await scanSegment(handle, true, keys);
    const found: number[] = [];
    for (const [index, place] of scan.fragments.entries()) {
      const bytes = Buffer.alloc(place.bytes);
      await handle.read(bytes, place.offset);
      const [head, body] = [bytes.subarray(0, FRAGMENT_BOX_BYTES), bytes.subarray(FRAGMENT_BOX_BYTES)];
      const plain = (await scan.cipher?.decrypt(index + 1, [head], body)) ?? body;
      for (const sample of readSamples(plain, scan.header?.tracks ?? []))
        if (sample.video) found.push(indexIn(sample.data));
    }
    return found;
  } finally {
    await handle.close();
  }
}

export async function findings(folder: string, catalog: Catalog, keys?: KeyFinder): Promise<Finding[]> {
  const volumes = oneVolume(folder, catalog);
  return Array.fromAsync(check({ volumes, files: diskFiles, catalog, verify: true, ...(keys && { keys }) }));
}

const FAIL = ["write", "datasync", "open", "rename", "truncate", "syncFolder"] as const;
const HANG = [
  ...FAIL,
  "exists",
  "remove",
  "makeFolder",
  "removeEmptyFolder",
  "list",
  "freeBytes",
  "read",
  "size",
  "close",
] as const;
type Failing = (typeof FAIL)[number];
type Hanging = (typeof HANG)[number];

/** The disk, which fails as it is told, or hangs. */
export class FaultyFiles implements Files {
  /** Asked before each operation; returns the error code to fail with. `bytes`: of a write. */
  decide: (operation: Failing, path: string, bytes: number) => string | undefined = () => undefined;
  /** Waited for before each write. */
  gate: Promise<void> = Promise.resolve();
  /** How much of a failing write reaches the disk all the same. */
  partial = 0;
  /** Whether an operation waits until {@link goOn}, and is done then. */
  hangs: (operation: Hanging, path: string) => boolean = () => false;
  /** What was used for something else while the disk could still look at it, or write there. */
  readonly reused: string[] = [];
  /** Where the disk may write when it answers. */
  readonly #unread = new Set<ArrayBufferLike>();
  #answer = Promise.withResolvers<void>();
  #busy = 0;

  /** Resolves when the real disk has nothing to do: virtual time must not go on before. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 10; turns = this.#busy === 0 ? turns + 1 : 0) await setImmediate();
  }

  /** The disk answers again. */
  goOn(): void {
    this.hangs = () => false;
    this.#answer.resolve();
    this.#answer = Promise.withResolvers();
  }

  async open(path: string, mode: "create" | "edit" | "read"): Promise<OpenFile> {
    const file = await this.#do("open", path, () => diskFiles.open(path, mode));
    return {
      write: async (buffers, position) => {
        await this.gate;
        const bytes = buffers.reduce((sum, one) => sum + one.length, 0);
        const before = this.hangs("write", path) ? Buffer.concat(buffers) : undefined;
        await this.#wait("write", path);
        if (before?.equals(Buffer.concat(buffers)) === false) this.reused.push(`written to ${path}`);
        const code = this.decide("write", path, bytes);
        if (code !== undefined) {
          await file.write([Buffer.concat(buffers).subarray(0, this.partial)], position);
          throw failure(code);
        }
        await this.#count(() => file.write(buffers, position));
      },
      datasync: () => this.#do("datasync", path, () => file.datasync()),
      truncate: (bytes) => this.#do("truncate", path, () => file.truncate(bytes)),
      read: (into, position) => {
        if (this.#unread.has(into.buffer)) this.reused.push(`read from ${path}`);
        if (this.hangs("read", path)) this.#unread.add(into.buffer);
        return this.#do("read", path, () => file.read(into, position));
      },
      size: () => this.#do("size", path, () => file.size()),
      close: () => this.#do("close", path, () => file.close()),
    };
  }

  rename = (from: string, to: string): Promise<void> => this.#do("rename", to, () => diskFiles.rename(from, to));
  syncFolder = (path: string): Promise<void> => this.#do("syncFolder", path, () => diskFiles.syncFolder(path));
  exists = (path: string): Promise<boolean> => this.#do("exists", path, () => diskFiles.exists(path));
  remove = (path: string): Promise<void> => this.#do("remove", path, () => diskFiles.remove(path));
  makeFolder = (path: string): Promise<void> => this.#do("makeFolder", path, () => diskFiles.makeFolder(path));
  removeEmptyFolder = (path: string): Promise<boolean> =>
    this.#do("removeEmptyFolder", path, () => diskFiles.removeEmptyFolder(path));
  list = (path: string): ReturnType<Files["list"]> => this.#do("list", path, () => diskFiles.list(path));
  freeBytes = (path: string): Promise<number> => this.#do("freeBytes", path, () => diskFiles.freeBytes(path));

  async #do<T>(operation: Hanging, path: string, act: () => Promise<T>): Promise<T> {
    await this.#wait(operation, path);
    const failing = FAIL.find((one) => one === operation);
    const code = failing && this.decide(failing, path, 0);
    if (code !== undefined) throw failure(code);
    return this.#count(act);
  }

  async #count<T>(act: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await act();
    } finally {
      this.#busy -= 1;
    }
  }

  async #wait(operation: Hanging, path: string): Promise<void> {
    if (this.hangs(operation, path)) await this.#answer.promise;
  }
}

function failure(code: string): Error {
  const error = Object.assign(new Error(code), { code });
  if (errorCode(error) !== code) throw new Error("not a system error");
  return error;
}
