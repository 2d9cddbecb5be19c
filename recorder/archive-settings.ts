import type { Millis } from "../base/units.ts";
import type { Archiving } from "./mover.ts";
import type { ProtectionMode } from "./protection.ts";
import type { ArchiveBounds, Retention } from "./retention.ts";
import { mainVolume, type Volume } from "./volume.ts";

/** The catalog's file, below the archive's folder. */
export const CATALOG_FILE = "catalog.db";

/** How an archive records and what it keeps; each is optional. */
export interface ArchiveSettings {
  /** What is written survives a power cut after so long. Shorter costs more of the disk; on a hard disk 10 s or more. */
  readonly flushMs?: Millis;
  readonly segmentMs?: Millis;
  readonly memoryBytes?: number;
  /** A disk that gives no answer for so long is taken for failed; absent: it is waited for. */
  readonly answerMs?: Millis;
  /** How new segments are encrypted; absent: not at all. Those that are there stay as they are. */
  readonly encryption?: ProtectionMode;
  readonly bounds?: ArchiveBounds & Partial<Pick<Volume, "keepFreeBytes">>;
  /** Disks beside the one that the folder is on, which is the volume `main`. */
  readonly volumes?: readonly Volume[];
  /** Absent: what is recorded stays where it is. */
  readonly archiving?: Archiving | undefined;
  /** What is kept of each camera, unless {@link Archive.retain} says otherwise. Absent: everything that fits. */
  readonly retention?: Retention;
}

/** Beside hot ones, the folder of the catalog is recorded to only where none of them can be. */
export function volumesOf(folder: string, settings: Pick<ArchiveSettings, "bounds" | "volumes">): readonly Volume[] {
  const { bounds = {}, volumes = [] } = settings;
  const role = volumes.some((one) => one.role === "hot") ? "spare" : "hot";
  return [mainVolume(folder, { role, keepFreeBytes: bounds.keepFreeBytes ?? 0 }), ...volumes];
}
