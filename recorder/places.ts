import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Cursor } from "./catalog-rows.ts";
import type { KeyFinder, SegmentCipher } from "./cipher.ts";
import { readIndexed } from "./closing-index.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { errorCode, type OpenFile } from "./files.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readSamples, type TimedSample } from "./fragment-read.ts";
import { FRAGMENT_BOX_BYTES, readFragmentBox } from "./integrity.ts";
import { PART } from "./naming.ts";
import { openStored, type StoredPlace } from "./open-stored.ts";
import { readStart, type Scan, scanSegment } from "./scan.ts";
import type { FragmentExtent, SegmentFile } from "./segment.ts";

/** What readers share with the archive. */
export interface ReaderContext extends StoredPlace {
  readonly log: Log;
  readonly keys?: KeyFinder | undefined;
  /** Where fragments lie while they are played. */
  readonly memory: ReusedMemory;
  /** The segment that is being written now. */
  live(): SegmentFile | undefined;
}

/** A segment in the order of time: in the catalog, or being written. */
export interface Place extends Cursor {
  readonly endUs: number;
  readonly volume: string;
  readonly live: SegmentFile | undefined;
}

export interface Opened {
  readonly handle: OpenFile;
  readonly tracks: readonly Fmp4Track[];
  readonly cipher: SegmentCipher | undefined;
  /** Grows while the segment is being written. */
  readonly fragments: readonly FragmentExtent[];
}

/** The segments of one stream, sealed ones and the one that is being written alike, and what is in them. */
export class Places {
  readonly #camera: string;
  readonly #stream: string;
  readonly #context: ReaderContext;

  constructor(camera: string, stream: string, context: ReaderContext) {
    this.#camera = camera;
    this.#stream = stream;
    this.#context = context;
  }

  /** What is on a volume that is away is passed over. */
  get #here(): readonly string[] {
    return this.#context.volumes.here;
  }

  /** The segment that holds `us`, or the first one behind. */
  async locate(us: number): Promise<Place | undefined> {
    const before = await this.atOrBefore(us);
    if (before === undefined) return this.next({ startUs: 0, file: "" });
    return before.endUs > us ? before : this.next(before);
  }

  /** The segment that begins last at or before `us`. */
  async atOrBefore(us: number): Promise<Place | undefined> {
    const live = this.live();
    const row = await this.#context.catalog.segments.atOrBefore(this.#camera, this.#stream, us, this.#here);
    return live !== undefined && live.startUs <= us && live.file !== row?.file
      ? live
      : row && { ...row, live: undefined };
  }

  async newest(): Promise<Place | undefined> {
    return this.live() ?? this.atOrBefore(Number.MAX_SAFE_INTEGER);
  }

  async next(cursor: Cursor): Promise<Place | undefined> {
    // In this order: a segment that is sealed in between is seen twice, and not missed.
    const live = this.live();
    const [row] = await this.#context.catalog.segments.after(this.#camera, this.#stream, cursor, 1, this.#here);
    const found = row && { ...row, live: undefined };
    if (live === undefined || !isBehind(live, cursor)) return found;
    return found === undefined || isBehind(found, live) ? live : found;
  }

  /** The segment that is being written, once it has a fragment. */
  live(): Place | undefined {
    const live = this.#context.live();
    const first = live?.fragments[0];
    if (live === undefined || first === undefined) return undefined;
    const endUs = live.fragments.at(-1)?.endUs ?? first.endUs;
    return { startUs: first.startUs, file: live.file, volume: live.volume, endUs, live };
  }

  /** What a segment's tracks are: one read, where {@link open} looks at all that is in it. Undefined where that cannot be read. */
  async tracks(place: Place): Promise<readonly Fmp4Track[] | undefined> {
    if (place.live !== undefined) return place.live.plan.tracks;
    const { log, keys } = this.#context;
    try {
      const handle = await openStored(this.#context, place);
      try {
        const start = await readStart(handle, keys);
        return start === undefined || start.opening.length === 0 ? undefined : start.header.tracks;
      } finally {
        await handle.close();
      }
    } catch (err) {
      log.error({ err, file: place.file }, "a recording cannot be opened");
      return undefined;
    }
  }

  /** Undefined, and a line in the log, where the file is gone or cannot be read. */
  async open(place: Place): Promise<Opened | undefined> {
    const { files, log, keys } = this.#context;
    try {
      if (place.live !== undefined) {
        const { path } = place.live;
        const handle = await files.open(path + PART, "read").catch((error: unknown) => {
          // It was sealed in the meantime.
          if (errorCode(error) === "ENOENT") return files.open(path, "read");
          throw error;
        });
        const { plan, fragments, cipher } = place.live;
        if (await isLocked(cipher, keys)) {
          await handle.close();
          log.warn({ file: place.file }, LOCKED);
          return undefined;
        }
        return { handle, tracks: plan.tracks, cipher, fragments };
      }
      const handle = await openStored(this.#context, place);
      const { header, protection, cipher, fragments } = await found(handle, keys).catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      const locked = protection !== undefined && cipher === undefined;
      if (header !== undefined && !locked) return { handle, tracks: header.tracks, cipher, fragments };
      await handle.close();
      if (locked) log.warn({ file: place.file }, LOCKED);
      else log.error({ file: place.file }, "a recording cannot be read");
    } catch (err) {
      log.error({ err, file: place.file }, "a recording cannot be opened");
    }
    return undefined;
  }

  /** Undefined where the fragment cannot be read. The samples are views into `bytes`, which are as many as the fragment has. */
  async samples(
    opened: Opened,
    place: FragmentExtent,
    { file }: Cursor,
    bytes = Buffer.allocUnsafeSlow(place.bytes),
  ): Promise<readonly TimedSample[] | undefined> {
    try {
      if ((await opened.handle.read(bytes, place.offset)) === bytes.length)
        return readSamples(await bodyOf(bytes, opened.cipher), opened.tracks);
    } catch (err) {
      if (!isFault(err, "invalid") && errorCode(err) === undefined) throw err;
      if (isNoAnswer(err)) this.#context.memory.lose(bytes);
      this.#context.log.error({ err, file, offset: place.offset }, "a part of a recording cannot be read");
    }
    return undefined;
  }
}

const LOCKED =
  "a recording is encrypted, and its key is not on this machine: it was destroyed, or the machine only records (viaduct keys status)";

/** What is in a sealed file: by its signature, or by a walk through it. */
async function found(
  file: OpenFile,
  keys: KeyFinder | undefined,
): Promise<Pick<Scan, "header" | "protection" | "cipher"> & Pick<Opened, "fragments">> {
  return (await readIndexed(file, keys)) ?? scanSegment(file, false, keys);
}

/** Whether what is being recorded may not be played here: a machine that only records has the key in its memory alone. */
async function isLocked(cipher: SegmentCipher | undefined, keys: KeyFinder | undefined): Promise<boolean> {
  return cipher !== undefined && (await keys?.find(cipher.protection.keyId)) === undefined;
}

/** A fragment behind its box, as it is without encryption. */
async function bodyOf(bytes: Buffer, cipher: SegmentCipher | undefined): Promise<Buffer> {
  const head = bytes.subarray(0, FRAGMENT_BOX_BYTES);
  const body = bytes.subarray(FRAGMENT_BOX_BYTES);
  return cipher === undefined ? body : cipher.decrypt(readFragmentBox(head).sequence, [head], body);
}

function isBehind(place: Cursor, cursor: Cursor): boolean {
  return place.startUs > cursor.startUs || (place.startUs === cursor.startUs && place.file > cursor.file);
}
