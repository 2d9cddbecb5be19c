import { subtle } from "node:crypto";
import { isFault } from "../../base/fault.ts";
import type { Catalog } from "../catalog.ts";
import type { Cursor, SegmentRow } from "../catalog-rows.ts";
import type { KeyFinder } from "../cipher.ts";
import { isNoAnswer } from "../disk-turns.ts";
import { errorCode, type OpenFile, systemCode } from "../files.ts";
import type { Fmp4Track } from "../fmp4.ts";
import { FRAGMENT_BOX_BYTES, type FragmentHeader, readFragmentBox } from "../integrity.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { openStored, type StoredPlace } from "../open-stored.ts";
import { type Scan, scanSegment } from "../scan.ts";

/** Where recordings are, and who opens them. */
export interface CutPlace extends StoredPlace {
  readonly keys?: KeyFinder | undefined;
}

/** A stretch of a stream. Times in microseconds since 1970. */
export interface Stretch {
  readonly camera: string;
  readonly stream: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** Which stretch is wanted. */
export interface CutRange extends Stretch {
  /** What was captured before may not be taken. Asked again and again, for a right may change. */
  readonly notBeforeUs: () => number;
  /** Why a segment with such tracks is not wanted at all; undefined where it is. */
  readonly unwanted?: (tracks: readonly Fmp4Track[]) => string | undefined;
}

/** A stretch that is not in the export, and why. */
export interface Missing {
  readonly fromUs: number;
  readonly toUs: number;
  readonly reason: string;
}

/** A segment of which something is taken. */
export interface CutSegment {
  /** Below the archive's folder. */
  readonly file: string;
  readonly zeroUs: number;
  readonly tracks: readonly Fmp4Track[];
  readonly cameraAheadMs: number | undefined;
  /** When it began to be fetched from the camera's own recording, in microseconds since 1970; undefined where it was recorded live. */
  readonly fetchedUs: number | undefined;
  /** `ftyp`, `moov` and our own box, without encryption. */
  readonly opening: Buffer;
  /** The whole box; undefined where the segment is not signed. */
  readonly signature: Buffer | undefined;
}

/** A fragment as it was recorded, without encryption, with the right hash. */
export interface CutFragment {
  readonly segment: CutSegment;
  readonly box: FragmentHeader;
  /** The 116 bytes of its box; they, and what follows, are there until the next fragment but one is asked for. */
  readonly head: Buffer;
  /** May be changed by whoever takes it. */
  readonly body: Buffer;
}

const REASON = {
  gone: "it was deleted while the export was made",
  damaged: "it is damaged: it is not as it was recorded",
  hanging: "its disk gave no answer",
  locked: "it is encrypted, and its key is not on this machine",
  old: "it is older than this account may have",
  keyless: "it cannot be decoded without what is missing before it",
};

/**
 * The fragments of a stretch, whole, in order: from the last one that begins with a key frame at or before its beginning, to the one
 * in which it ends. What cannot or may not be taken is told to `missing`; after it, the next one begins with a key frame. Three
 * are in memory at a time: the one before the newest may still be being written by whoever took it, and the next one is read.
 */
export async function* cut(
  place: CutPlace,
  range: CutRange,
  missing: (stretch: Missing) => void,
): AsyncGenerator<CutFragment> {
  let needsKey = false;
  let begun = false;
  const rooms = new Rooms();
  for await (const row of segmentsOf(place.catalog, range)) {
    const opened = row.endUs <= range.notBeforeUs() ? REASON.old : await openSegment(place, row, range);
    if (typeof opened === "string") {
      missing({
        fromUs: Math.max(row.startUs, range.fromUs),
        toUs: Math.min(row.endUs, range.toUs),
        reason: opened,
      });
      needsKey = true;
      continue;
    }
    const { file, scan, segment } = opened;
    let ahead: Promise<CutFragment | string> | undefined;
    try {
      const first = begun
        ? 0
        : Math.max(
            0,
            scan.fragments.findLastIndex((one) => one.key && one.startUs <= range.fromUs),
          );
      for (const [index, { startUs, endUs, key, offset, bytes }] of scan.fragments.entries()) {
        if (index < first) continue;
        if (startUs >= range.toUs) return;
        begun = true;
        const leave = (reason: string): void => {
          missing({ fromUs: startUs, toUs: endUs, reason });
          needsKey = true;
        };
        const early = await ahead;
        ahead = undefined;
        if (startUs < range.notBeforeUs()) leave(REASON.old);
        else if (needsKey && !key) leave(REASON.keyless);
        else {
          const fragment = early ?? (await readFragment(file, rooms.free, { offset, bytes }, scan, segment));
          if (typeof fragment === "string") leave(fragment);
          else {
            needsKey = false;
            rooms.turn();
            const next = scan.fragments[index + 1];
            if (next !== undefined && next.startUs < range.toUs) {
              ahead = readFragment(file, rooms.free, next, scan, segment);
              // Whoever took this one may never ask for another.
              ahead.catch(() => undefined);
            }
            yield fragment;
          }
        }
      }
      if (scan.tail !== "none") {
        missing({ fromUs: scan.fragments.at(-1)?.endUs ?? row.startUs, toUs: row.endUs, reason: REASON.damaged });
        needsKey = true;
      }
    } finally {
      await ahead?.catch(() => undefined);
      await file.close();
    }
  }
}

/** Memory for the fragment that is used, for the one before it, and for the one behind it, in turn. */
class Rooms {
  readonly #rooms = [new OneAtATime(), new OneAtATime(), new OneAtATime()] as const;
  #turn = 0;

  /** Of a fragment that is read. */
  get free(): OneAtATime {
    return this.#rooms[this.#turn] as OneAtATime;
  }

  /** What was read is used. */
  turn(): void {
    this.#turn = (this.#turn + 1) % this.#rooms.length;
  }
}

/** How many bytes the segments of a stretch have, with what is cut off at both ends. */
export async function bytesOf(catalog: Catalog, range: Stretch): Promise<number> {
  let bytes = 0;
  for await (const row of segmentsOf(catalog, range)) bytes += row.bytes;
  return bytes;
}

async function* segmentsOf(catalog: Catalog, { camera, stream, fromUs, toUs }: Stretch): AsyncGenerator<SegmentRow> {
  const before = await catalog.segments.atOrBefore(camera, stream, fromUs);
  if (before !== undefined && before.endUs > fromUs && before.startUs < toUs) yield before;
  let cursor: Cursor | undefined = before ?? { startUs: 0, file: "" };
  while (cursor !== undefined) {
    const page: readonly SegmentRow[] = await catalog.segments.after(camera, stream, cursor);
    for (const row of page) {
      if (row.startUs >= toUs) return;
      yield row;
    }
    cursor = page.at(-1);
  }
}

/** Or why not. */
async function openSegment(
  place: CutPlace,
  row: SegmentRow,
  { unwanted }: CutRange,
): Promise<{ readonly file: OpenFile; readonly scan: Scan; readonly segment: CutSegment } | string> {
  let file: OpenFile;
  try {
    file = await openStored(place, row);
  } catch (error) {
    if (isFault(error, "unavailable")) return error.message;
    if (errorCode(error) === "ENOENT") return REASON.gone;
    return unreadable(error);
  }
  try {
    const scan = await scanSegment(file, false, place.keys);
    const { header, opening, signature: signed } = scan;
    if (header !== undefined && opening.length > 0) {
      const why = unwanted?.(header.tracks);
      if (why !== undefined) {
        await file.close();
        return why;
      }
      const signature = signed && Buffer.allocUnsafe(signed.bytes);
      if (signature !== undefined) await file.read(signature, signed?.offset ?? 0);
      const { zeroUs, tracks, cameraAheadMs, fetchedUs } = header;
      return { file, scan, segment: { file: row.file, zeroUs, tracks, cameraAheadMs, fetchedUs, opening, signature } };
    }
    await file.close();
    return scan.protection !== undefined && scan.cipher === undefined ? REASON.locked : REASON.damaged;
  } catch (error) {
    await file.close();
    return unreadable(error);
  }
}

/** Why something cannot be read that is there. Throws what no disk and no file is to blame for. */
function unreadable(error: unknown): string {
  if (isNoAnswer(error)) return REASON.hanging;
  const code = systemCode(error);
  if (code !== undefined) return `its disk fails: it cannot be read (${code})`;
  if (isFault(error, "invalid") || errorCode(error) !== undefined) return REASON.damaged;
  throw error;
}

/** Or why not. */
async function readFragment(
  file: OpenFile,
  room: OneAtATime,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
  { cipher }: Scan,
  segment: CutSegment,
): Promise<CutFragment | string> {
  const stored = room.of(bytes);
  try {
    if ((await file.read(stored, offset)) < stored.length) return REASON.damaged;
    const head = stored.subarray(0, FRAGMENT_BOX_BYTES);
    const box = readFragmentBox(head);
    const rest = stored.subarray(FRAGMENT_BOX_BYTES);
    const body = (await cipher?.decrypt(box.sequence, [head], rest)) ?? rest;
    // In another thread, while what was read before is used.
    const hash = Buffer.from(await subtle.digest("SHA-256", body));
    return hash.equals(box.hash) ? { segment, box, head, body } : REASON.damaged;
  } catch (error) {
    if (isNoAnswer(error)) room.lose();
    return unreadable(error);
  }
}
