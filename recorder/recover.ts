import { HOUR } from "../base/units.ts";
import type { Catalog } from "./catalog.ts";
import type { DoomedRow, SegmentRow, SegmentTime, StoredFile } from "./catalog-rows.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { errorCode } from "./files.ts";
import { folderOf, isOurs, PART, segmentPath } from "./naming.ts";
import { adoptSealed, type RecoveryPlace, recoverPart } from "./recover-part.ts";
import type { RemovalLog } from "./removal-log.ts";

const LIMITS = {
  /** Files that are read at the same time. */
  parallel: 4,
  /** How far before a camera's newest segment the folders are compared with the catalog: what a power cut may have undone. */
  lookBackUs: HOUR * 1000,
};

/** What two volumes have of the same name. */
const NAMESAKES = 100;

interface Place extends RecoveryPlace {
  readonly catalog: Catalog;
  /** Where it is stated what is removed; absent: nowhere. */
  readonly removals?: RemovalLog | undefined;
  /** Whether a file can be had on another volume. Absent: there is none. */
  readonly isThere?: (stored: StoredFile) => Promise<boolean>;
}

/**
 * Makes the files of a volume and the catalog agree after the last process ended, however it did. Nothing may be recording yet.
 *
 * After a kill, the catalog itself names every file that was in the making. After a power cut it may have lost its last
 * entries, so the newest folders of each camera are compared too; for a camera that it does not know at all, every folder
 * is: a lost catalog comes back. Its cost does not grow with the age of the archive.
 */
export async function recover(place: Place): Promise<{ readonly recovered: number }> {
  const { catalog, volume } = place;
  await removeDoomed(place);
  let recovered = 0;
  const enter = async (file: string, read: () => Promise<(SegmentRow & SegmentTime) | undefined>): Promise<void> => {
    try {
      const row = await read();
      const own = row === undefined ? undefined : await underOwnName(place, row);
      if (own?.file !== file) await catalog.abandoned({ file, volume: volume.name });
      if (own === undefined) return;
      await catalog.sealed(own);
      await catalog.gaps.filled(own.camera, own.stream, own.startUs, own.endUs);
      recovered += 1;
    } catch (err) {
      // All of it is tried again when the disk answers.
      if (isNoAnswer(err) || isNoAnswer((err as Error).cause)) throw err;
      place.log.error({ err, file }, "a segment cannot be recovered: it is tried again at the next start");
    }
  };
  const opened = (await catalog.opened()).filter((one) => one.volume === volume.name);
  const ends = new Map(opened.map(({ file, keepBytes }) => [file, keepBytes ?? undefined]));
  const part = (file: string): Promise<void> => enter(file, () => recoverPart(place, file, ends.get(file)));
  await inParallel(
    opened.map(({ file }) => file),
    part,
  );

  for (const folder of await recentFolders(place)) {
    const known = await catalog.segments.filesBelow(folder, volume.name);
    const found = (await place.files.list(`${volume.folder}/${folder}`)).files
      .filter(isOurs.segment)
      .map((name) => `${folder}/${name}`);
    const there = new Set(found);
    const lost = [...known].filter((file) => !there.has(file));
    if (lost.length > 0) {
      place.log.error({ folder, lost: lost.length }, "recordings that the catalog names are not on the disk");
      await catalog.doomed.add(lost.map((file) => ({ file, volume: volume.name })));
      await catalog.doomed.gone(volume.name, lost);
    }
    const parts = found.filter((file) => file.endsWith(PART)).map((file) => file.slice(0, -PART.length));
    await inParallel(parts, part);
    const rowless = found.filter((file) => !file.endsWith(PART) && !known.has(file));
    await inParallel(rowless, (file) => enter(file, () => adoptSealed(place, file)));
  }
  // Copies of what is on another volume, before it is brought here again.
  await removeDoomed(place);
  if (recovered > 0) place.log.info({ recovered }, "recordings that were left unfinished are sealed");
  return { recovered };
}

/**
 * What is to be entered of a file of which the catalog has the name on another volume. The same footage: nothing, and the copy goes
 * where the other one can be had. Another one, made while a disk or the catalog was away: it, under a name of its own.
 */
async function underOwnName<Row extends SegmentRow>(place: Place, row: Row): Promise<Row | undefined> {
  const { catalog, files, volume, log } = place;
  const other = await catalog.segments.find(row.file);
  const isTaken = (await catalog.opened()).some(({ file, volume: on }) => file === row.file && on !== row.volume);
  if (other?.volume === row.volume || (other === undefined && !isTaken)) return row;
  if (other !== undefined && Buffer.from(other.seal).equals(Buffer.from(row.seal))) {
    if ((await place.isThere?.(other)) === true) await catalog.doomed.addCopy(row);
    return undefined;
  }
  for (let counter = 0; counter < NAMESAKES; counter += 1) {
    const file = row.file.replace(/\d+\.mp4$/, `${counter}.mp4`);
    const path = `${volume.folder}/${file}`;
    if ((await files.exists(path)) || !(await catalog.opening({ file, volume: volume.name }))) continue;
    await files.rename(`${volume.folder}/${row.file}`, path);
    log.warn({ file: row.file, renamed: file }, "two volumes had recordings of the same name: one is renamed");
    return { ...row, file };
  }
  log.error({ file: row.file, volume: volume.name }, "a recording has a name that is taken: it is left alone");
  return undefined;
}

/** A volume of which what is doomed is removed. */
export type DoomedPlace = Pick<Place, "volume" | "files" | "catalog" | "log" | "removals">;

/**
 * States which files of a volume have lost their rows, and removes them, in this order: after a crash or a power cut between the two
 * they are there still, and are removed later. Those that cannot be removed stay listed. `isMeant`: which of them; all if absent.
 */
export async function removeDoomed(
  place: DoomedPlace,
  isMeant: (row: DoomedRow) => boolean = () => true,
): Promise<void> {
  const { files, catalog, log } = place;
  const { name, folder } = place.volume;
  const doomed = (await catalog.doomed.all()).filter((one) => one.volume === name && isMeant(one));
  if (doomed.length === 0) return;
  let isStated = await state(place, doomed);
  const gone: string[] = [];
  for (const { file } of doomed) {
    try {
      await files.remove(`${folder}/${file}`);
      gone.push(file);
    } catch (err) {
      log.error({ err, file }, "a recording that is due to go cannot be removed");
    }
  }
  // A full disk takes no statement until something has gone. What is not stated stays listed.
  isStated ||= await state(place, doomed);
  if (!isStated) {
    log.error("it cannot be stated which recordings were removed: it is tried again");
    return;
  }
  await catalog.doomed.gone(name, gone);
  for (const hour of new Set(gone.map(folderOf)))
    if (await files.removeEmptyFolder(`${folder}/${hour}`))
      await files.removeEmptyFolder(`${folder}/${folderOf(hour)}`);
}

/** False where the statement cannot be written. */
async function state({ removals, catalog, volume, log }: DoomedPlace, doomed: readonly DoomedRow[]): Promise<boolean> {
  if (removals === undefined) return true;
  try {
    await removals.state(doomed);
  } catch (err) {
    if (errorCode(err) === undefined) throw err;
    log.warn({ err }, "a statement of what is removed cannot be written");
    return false;
  }
  // What was doomed meanwhile is in no statement yet.
  await catalog.doomed.stated(
    volume.name,
    doomed.map(({ file }) => file),
  );
  return true;
}

/** The first folder (`camera/date/hour`) of a camera on a volume that {@link recover} looks at, or where it would be. */
export async function firstRecentFolder(catalog: Catalog, camera: string, volume: string): Promise<string> {
  const newest = await catalog.segments.newest(camera, volume);
  return newest === undefined ? "" : folderOf(segmentPath(camera, Math.max(0, newest - LIMITS.lookBackUs), 0));
}

/** `camera/date/hour` of every folder of a volume that may differ from the catalog. */
async function recentFolders({ volume: { name, folder }, files, catalog }: Place): Promise<readonly string[]> {
  const found: string[] = [];
  for (const camera of (await files.list(folder)).folders) {
    const first = await firstRecentFolder(catalog, camera, name);
    for (const day of (await files.list(`${folder}/${camera}`)).folders.filter(isOurs.day)) {
      if (`${camera}/${day}/~` < first) continue;
      for (const hour of (await files.list(`${folder}/${camera}/${day}`)).folders.filter(isOurs.hour)) {
        const path = `${camera}/${day}/${hour}`;
        if (path >= first) found.push(path);
      }
    }
  }
  return found;
}

async function inParallel(files: readonly string[], act: (file: string) => Promise<void>): Promise<void> {
  const queue = files.values();
  const lane = async (): Promise<void> => {
    for (const file of queue) await act(file);
  };
  await Promise.all(Array.from({ length: LIMITS.parallel }, lane));
}
