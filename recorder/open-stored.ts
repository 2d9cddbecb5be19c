import { Fault } from "../base/fault.ts";
import type { Catalog } from "./catalog.ts";
import type { StoredFile } from "./catalog-rows.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import type { Volumes } from "./volumes.ts";

/** Where sealed recordings are. */
export interface StoredPlace {
  readonly volumes: Pick<Volumes, "here" | "main" | "pathOf" | "whyAway">;
  readonly files: Files;
  readonly catalog: Catalog;
}

/**
 * Opens a sealed file to be read, also where it was brought to another volume since its row was read. Fault `unavailable`, in words,
 * while its volume is not there; the system's error where it is and the file cannot be opened.
 */
export async function openStored({ volumes, files, catalog }: StoredPlace, row: StoredFile): Promise<OpenFile> {
  const open = async (at: StoredFile): Promise<OpenFile> => {
    const path = volumes.pathOf(at);
    if (path === undefined) throw new Fault("unavailable", volumes.whyAway(at.volume) ?? "its volume is not there");
    return files.open(path, "read");
  };
  try {
    return await open(row);
  } catch (error) {
    const now = errorCode(error) === "ENOENT" ? await catalog.segments.find(row.file) : undefined;
    if (now === undefined || now.volume === row.volume) throw error;
    return open(now);
  }
}
