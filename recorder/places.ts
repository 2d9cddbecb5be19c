import { isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import type { Cursor } from "./catalog-rows.ts";
import { type KeyFinder, SegmentCipher } from "./cipher.ts";
import { readIndexed } from "./closing-index.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { errorCode, type OpenFile } from "./files.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readSamples, type TimedSample } from "./fragment-read.ts";
import { FRAGMENT_BOX_BYTES, readFragmentBox } from "./integrity.ts";
import type { KnownSegments, SegmentStructure } from "./known-segments.ts";
import { PART } from "./naming.ts";
import { openStored, type StoredPlace } from "./open-stored.ts";
import type { Protection } from "./protection.ts";
import { readStart, scanSegment } from "./scan.ts";
import type { FragmentExtent, SegmentFile } from "./segment.ts";

/** What readers share with the archive. */
export interface ReaderContext extends StoredPlace {
  readonly log: Log;
  readonly keys?: KeyFinder | undefined;
  /** Where fragments lie while they are played. */
  readonly memory: ReusedMemory;
  readonly known: KnownSegments;
  /** The segment that is being written now. */
  live(): SegmentFile | undefined;
}

/** A segment in the order of time: in the catalog, or being written. */
export interface Place extends Cursor {
  readonly endUs: number;
  readonly volume: string;
  /** As in the catalog; absent while it is being written. */
  readonly seal?: Uint8Array;
  readonly live: SegmentFile | undefined;
}

export interface Opened {
  readonly handle: OpenFile;
  readonly tracks: readonly Fmp4Track[];
  readonly cipher: SegmentCipher | undefined;
  /** Grows while the segment is being written. */
  readonly fragments: readonly FragmentExtent[];
}

/** What a look at a sealed file came to; no tracks where it cannot be read. */
interface Found extends Omit<Opened, "handle" | "tracks"> {
  readonly tracks: readonly Fmp4Track[] | undefined;
  readonly protection: Protection | undefined;
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

  /** What a segment's tracks are: without a look at all that is in it. Undefined where that cannot be read. */
  async tracks(place: Place): Promise<readonly Fmp4Track[] | undefined> {
    if (place.live !== undefined) return place.live.plan.tracks;
    const { log, keys } = this.#context;
    try {
      const known = this.#known(place);
      if (known !== undefined) return (await isLocked(known.protection, keys)) ? undefined : known.tracks;
      const handle = await openStored(this.#context, place);
      try {
        const indexed = await readIndexed(handle, keys);
        if (indexed !== undefined) return this.#note(place, { ...indexed, tracks: indexed.header.tracks }).tracks;
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

  #known(place: Place): SegmentStructure | undefined {
    return place.seal && this.#context.known.find(place, place.seal);
  }

  #note(place: Place, { tracks, protection, fragments }: SegmentStructure): SegmentStructure {
    const structure = { tracks, protection, fragments };
    if (place.seal !== undefined) this.#context.known.note(place, place.seal, structure);
    return structure;
  }

  /** Undefined, and a line in the log, where the file is gone or cannot be read. */
  async open(place: Place): Promise<Opened | undefined> {
    const { files, log, keys } = this.#context;
    try {
      if (place.live !== undefined) {
        const { path, plan, fragments, cipher } = place.live;
        if (await isLocked(cipher?.protection, keys)) {
          log.warn({ file: place.file }, LOCKED);
          return undefined;
        }
        const handle = await files.open(path + PART, "read").catch((error: unknown) => {
          // It was sealed in the meantime.
          if (errorCode(error) === "ENOENT") return files.open(path, "read");
          throw error;
        });
        return { handle, tracks: plan.tracks, cipher, fragments };
      }
      const handle = await openStored(this.#context, place);
      const { tracks, protection, cipher, fragments } = await this.#found(place, handle).catch(
        async (error: unknown) => {
          await handle.close();
          throw error;
        },
      );
      const locked = protection !== undefined && cipher === undefined;
      if (tracks !== undefined && !locked) return { handle, tracks, cipher, fragments };
      await handle.close();
      if (locked) log.warn({ file: place.file }, LOCKED);
      else log.error({ file: place.file }, "a recording cannot be read");
    } catch (err) {
      log.error({ err, file: place.file }, "a recording cannot be opened");
    }
    return undefined;
  }

  /** What is in a sealed file: it is known, or told by its signature, or by a walk through it. */
  async #found(place: Place, file: OpenFile): Promise<Found> {
    const { keys } = this.#context;
    const known = this.#known(place);
    if (known !== undefined) return { ...known, cipher: await cipherOf(known.protection, keys) };
    const indexed = await readIndexed(file, keys);
    if (indexed !== undefined) {
      const { cipher, header } = indexed;
      return { ...this.#note(place, { ...indexed, tracks: header.tracks }), cipher };
    }
    const scan = await scanSegment(file, false, keys);
    return { ...scan, tracks: scan.header?.tracks };
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

/** Undefined where nothing is encrypted, or the key is not here any more. */
async function cipherOf(
  protection: Protection | undefined,
  keys: KeyFinder | undefined,
): Promise<SegmentCipher | undefined> {
  const key = protection && (await keys?.find(protection.keyId));
  return protection && key && new SegmentCipher(protection, key);
}

/** Whether it may not be played here: its key was destroyed, or this machine, that only records, has it in its memory alone. */
async function isLocked(protection: Protection | undefined, keys: KeyFinder | undefined): Promise<boolean> {
  return protection !== undefined && (await keys?.find(protection.keyId)) === undefined;
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
