import { HOUR } from "../base/units.ts";
import type { Catalog, DoomedRow, SegmentRow, SegmentTime } from "./catalog.ts";
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

interface Place extends RecoveryPlace {
  readonly catalog: Catalog;
  /** Where it is stated what is removed; absent: nowhere. */
  readonly removals?: RemovalLog | undefined;
}

/**
 * Makes files and catalog agree after the last process ended, however it did. Nothing may be recording yet.
 *
 * After a kill, the catalog itself names every file that was in the making. After a power cut it may have lost its last
 * entries, so the newest folders of each camera are compared too; for a camera that it does not know at all, every folder
 * is: a lost catalog comes back. Its cost does not grow with the age of the archive.
 */
export async function recover(place: Place): Promise<{ readonly recovered: number }> {
  const { catalog } = place;
  await removeDoomed(place);
  let recovered = 0;
  const enter = async (file: string, read: () => Promise<(SegmentRow & SegmentTime) | undefined>): Promise<void> => {
    try {
      const row = await read();
      if (row === undefined) return await catalog.abandoned(file);
      await catalog.sealed(row);
      recovered += 1;
    } catch (err) {
      place.log.error({ err, file }, "a segment cannot be recovered: it is tried again at the next start");
    }
  };
  const part = (file: string): Promise<void> => enter(file, () => recoverPart(place, file));
  await inParallel(await catalog.opened(), part);

  for (const folder of await recentFolders(place)) {
    const known = await catalog.filesBelow(folder);
    const found = (await place.files.list(`${place.folder}/${folder}`)).files
      .filter(isOurs.segment)
      .map((name) => `${folder}/${name}`);
    const there = new Set(found);
    const lost = [...known].filter((file) => !there.has(file));
    if (lost.length > 0) {
      place.log.error({ folder, lost: lost.length }, "recordings that the catalog names are not on the disk");
      await catalog.doom(lost);
      await catalog.gone(lost);
    }
    const parts = found.filter((file) => file.endsWith(PART)).map((file) => file.slice(0, -PART.length));
    await inParallel(parts, part);
    const rowless = found.filter((file) => !file.endsWith(PART) && !known.has(file));
    await inParallel(rowless, (file) => enter(file, () => adoptSealed(place, file)));
  }
  if (recovered > 0) place.log.info({ recovered }, "recordings that were left unfinished are sealed");
  return { recovered };
}

/**
 * States which files have lost their rows, and removes them, in this order: after a crash or a power cut between the two they are there
 * still, and are removed later. Those that cannot be removed stay listed.
 */
export async function removeDoomed(place: Place): Promise<void> {
  const { folder, files, catalog, log } = place;
  const doomed = await catalog.doomed();
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
  for (let start = 0; start < gone.length; start += 100) await catalog.gone(gone.slice(start, start + 100));
  for (const hour of new Set(gone.map(folderOf)))
    if (await files.removeEmptyFolder(`${folder}/${hour}`))
      await files.removeEmptyFolder(`${folder}/${folderOf(hour)}`);
}

/** False where the statement cannot be written. */
async function state({ removals, catalog, log }: Place, doomed: readonly DoomedRow[]): Promise<boolean> {
  if (removals === undefined) return true;
  try {
    await removals.state(doomed);
  } catch (err) {
    if (errorCode(err) === undefined) throw err;
    log.warn({ err }, "a statement of what is removed cannot be written");
    return false;
  }
  await catalog.stated();
  return true;
}

/** `camera/date/hour` of every folder that may differ from the catalog. */
async function recentFolders({ folder, files, catalog }: Place): Promise<readonly string[]> {
  const found: string[] = [];
  for (const camera of (await files.list(folder)).folders) {
    const newest = await catalog.newest(camera);
    const first = newest === undefined ? "" : folderOf(segmentPath(camera, Math.max(0, newest - LIMITS.lookBackUs), 0));
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
