/** The volume that the catalog is on: the only one where no others are named. */
export const MAIN_VOLUME = "main";

/**
 * What a volume is for. `hot`: streams are recorded to it. `archive`: what was recorded is brought there when it is older, and recorded
 * there only where no other can be written. `spare`: recorded to where no hot one can be written.
 */
export type VolumeRole = "hot" | "spare" | "archive";

/** A folder that recordings are in, on a disk that may go and come by itself. */
export interface Volume {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. What is on a disk belongs to its name, wherever the disk is mounted. */
  readonly name: string;
  readonly folder: string;
  readonly role: VolumeRole;
  /** Space on the disk that is left to others. */
  readonly keepFreeBytes: number;
  /** Of recordings; `Infinity` where it is not bounded. */
  readonly maxBytes: number;
}

/** How a volume is at the moment, for people. */
export interface VolumeStatus extends Volume {
  /** `away`: its disk is not there. `failing`: it cannot be written. `full`: nothing more may be deleted on it. */
  readonly state: "here" | "away" | "failing" | "full";
  /** Why, in words; undefined where nothing is wrong. */
  readonly problem: string | undefined;
  /** Undefined where it cannot be asked. */
  readonly freeBytes: number | undefined;
  /** Of sealed segments, also while it is away. */
  readonly bytes: number;
  readonly segments: number;
  /** Streams that are recorded to it now. */
  readonly streams: number;
}

/** A volume that recordings are on, and no settings name. */
export interface UnnamedVolume {
  readonly name: string;
  /** Of sealed segments. */
  readonly bytes: number;
  readonly segments: number;
}

/** The folder of an archive as its only volume. */
export function mainVolume(folder: string, bounds: Partial<Pick<Volume, "role" | "keepFreeBytes">> = {}): Volume {
  return { name: MAIN_VOLUME, folder, role: "hot", keepFreeBytes: 0, maxBytes: Number.POSITIVE_INFINITY, ...bounds };
}
