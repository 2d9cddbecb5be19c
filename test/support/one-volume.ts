import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { Catalog } from "../../recorder/catalog.ts";
import { diskFiles, type Files } from "../../recorder/files.ts";
import { Troubles } from "../../recorder/troubles.ts";
import { mainVolume } from "../../recorder/volume.ts";
import { Volumes } from "../../recorder/volumes.ts";

/** A folder as the only volume, which is always there. */
export function oneVolume(
  folder: string,
  catalog: Catalog,
  { files = diskFiles, keepFreeBytes = 0 }: { readonly files?: Files; readonly keepFreeBytes?: number } = {},
): Volumes {
  const place = { files, catalog, clock: systemClock, log: silentLog(), troubles: new Troubles() };
  return new Volumes([mainVolume(folder, { keepFreeBytes })], place);
}
