import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { later, unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { diskFiles } from "../../recorder/files.ts";
import { openRing } from "./keys.ts";
import { FPS } from "./numbered-frames.ts";
import { findings } from "./recorder-harness.ts";
import { START_MS } from "./recorder-samples.ts";

const never = new AbortController().signal;

/** What a restart finds and plays, from frame `first` on. */
export async function recordedFrames(folder: string, first: number): Promise<number[]> {
  const { ring, close } = await openRing(folder);
  const open = { folder, clock: systemClock, log: silentLog(), metrics: new Metrics(), keys: ring };
  const archive = await Archive.open(open);
  try {
    // Within the second between the last process and this one, so that it does not begin with what was there before.
    const from = later(unixMillis(START_MS + (first * 1000) / FPS), first === 0 ? 0 : -20);
    const groups = await Array.fromAsync(archive.source("cam").read({ from }, never));
    return groups.map((group) => Math.round(((group.at - START_MS) * FPS) / 1000));
  } finally {
    await archive.close();
    await close();
  }
}

/** Every disagreement of catalog and files. */
export async function recordingFindings(folder: string): Promise<readonly unknown[]> {
  const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
  const { ring, close } = await openRing(folder);
  try {
    return await findings(folder, catalog, ring);
  } finally {
    await catalog.close();
    await close();
  }
}

/** Paths of all segments of the camera, the oldest first. */
export async function recordedFiles(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const day of (await diskFiles.list(`${folder}/cam`)).folders)
    for (const hour of (await diskFiles.list(`${folder}/cam/${day}`)).folders) {
      const place = `${folder}/cam/${day}/${hour}`;
      found.push(...(await diskFiles.list(place)).files.map((name) => `${place}/${name}`));
    }
  return found;
}
