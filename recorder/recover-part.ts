import type { Log } from "../base/log.ts";
import type { SegmentRow, SegmentTime, StoredFile } from "./catalog-rows.ts";
import type { KeyFinder } from "./cipher.ts";
import { timeOf } from "./describe.ts";
import type { Files } from "./files.ts";
import { readFragmentBox } from "./integrity.ts";
import { folderOf, PART } from "./naming.ts";
import type { ProtectionMode } from "./protection.ts";
import { type Scan, scanSegment } from "./scan.ts";
import { CLOSING, randomAccess } from "./segment.ts";
import { type Signer, signatureBox } from "./signature.ts";
import type { Volume } from "./volume.ts";

type SealedRow = SegmentRow & SegmentTime;

/** The volume that recordings are on, and with what they are opened and signed. */
export interface RecoveryPlace {
  readonly files: Files;
  readonly volume: Pick<Volume, "name" | "folder">;
  readonly log: Log;
  readonly keys?: KeyFinder | undefined;
  readonly signer?: Signer | undefined;
  /** How new segments are encrypted; absent: not at all. */
  readonly encryption?: ProtectionMode | undefined;
}

/** What a file that cannot be read as a segment is renamed to: it may be evidence, so it is not removed. */
const DAMAGED = ".damaged";

/**
 * Finishes a segment whose recording broke off: cut behind its last good fragment, sealed, named. `file` is its final
 * name. Undefined where nothing is left of it. May be repeated after a crash at any point.
 *
 * Whoever could write to the disk meanwhile may have put it there. So it is signed only where all of it opened under a key of ours,
 * or, where nothing is encrypted, where all its hashes are right, which anybody can make. `keepBytes`: what is behind them was told to
 * have failed, whatever a disk that hung has made of it since: it may be in the next segment. Absent: all that is good stays.
 */
export async function recoverPart(
  place: RecoveryPlace,
  file: string,
  keepBytes = Number.POSITIVE_INFINITY,
): Promise<SealedRow | undefined> {
  const { files, volume, log, keys } = place;
  const path = `${volume.folder}/${file}`;
  const part = path + PART;
  if (!(await files.exists(part))) return (await files.exists(path)) ? adoptSealed(place, file) : undefined;
  const handle = await files.open(part, "edit");
  let row: SealedRow | undefined;
  let damaged = false;
  try {
    if ((await handle.size()) > keepBytes) await handle.truncate(keepBytes);
    const scan = await scanSegment(handle, true, keys);
    const bytes = await handle.size();
    if (scan.header === undefined || scan.fragments.length === 0) damaged = scan.tail === "damaged";
    else {
      if (scan.tail === "damaged")
        log.error({ file, lost: bytes - scan.goodBytes }, "a segment is damaged: what follows was cut off");
      const index = scan.protection === undefined ? randomAccess(scan.header, scan.fragments) : CLOSING;
      await handle.truncate(scan.goodBytes);
      const [first] = scan.heads;
      // Without its key, the header is known by the link that the first fragment has of it.
      const opening = first === undefined ? scan.link : readFragmentBox(first).previous;
      const signer = maySign(place, scan) ? place.signer : undefined;
      if (signer === undefined && place.signer !== undefined)
        log.warn(
          { file },
          "a recording that broke off is finished, but not signed: it cannot be told here that it is ours",
        );
      const end =
        signer === undefined
          ? [index]
          : [signatureBox({ ...scan.header, header: opening, heads: scan.heads, recovered: true }, signer), index];
      await handle.write(end, scan.goodBytes);
      await handle.datasync();
      row = rowOf(
        scan,
        scan.header,
        { file, volume: volume.name },
        scan.goodBytes + end.reduce((sum, { length }) => sum + length, 0),
      );
    }
  } finally {
    await handle.close();
  }
  if (row !== undefined) {
    await files.rename(part, path);
    await files.syncFolder(folderOf(path));
  } else if (damaged) {
    log.error({ file: part }, "a segment cannot be read: it is kept aside");
    await files.rename(part, path + DAMAGED);
  } else await files.remove(part);
  return row;
}

/** The row of a file that has its final name and is not in the catalog. Undefined, and a line in the log, when it cannot be read. */
export async function adoptSealed(
  { files, volume, log, keys }: RecoveryPlace,
  file: string,
): Promise<SealedRow | undefined> {
  const handle = await files.open(`${volume.folder}/${file}`, "read");
  try {
    const scan = await scanSegment(handle, false, keys);
    const camera = file.split("/", 1)[0];
    if (scan.header === undefined || scan.fragments.length === 0 || scan.header.camera !== camera) {
      log.error({ file }, "a file in the archive is no segment of its camera: it is left alone");
      return undefined;
    }
    return rowOf(scan, scan.header, { file, volume: volume.name }, await handle.size());
  } finally {
    await handle.close();
  }
}

function maySign({ encryption }: RecoveryPlace, { protection, cipher }: Scan): boolean {
  return protection === undefined ? encryption === undefined : cipher !== undefined;
}

function rowOf(scan: Scan, header: NonNullable<Scan["header"]>, stored: StoredFile, bytes: number): SealedRow {
  return {
    camera: header.camera,
    stream: header.stream,
    startUs: scan.fragments[0]?.startUs ?? header.zeroUs,
    endUs: Math.max(...scan.fragments.map((one) => one.endUs)),
    bytes,
    ...stored,
    tracks: header.description,
    seal: scan.link,
    fetchedUs: header.fetchedUs ?? null,
    ...timeOf(scan.fragments, header.cameraAheadMs),
  };
}
