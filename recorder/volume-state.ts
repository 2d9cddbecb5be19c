import type { Millis } from "../base/units.ts";
import type { Held } from "./catalog-rows.ts";
import type { Volume, VolumeStatus } from "./volume.ts";

/** How a volume is, as {@link Volumes} keeps it. */
export interface VolumeState {
  /** Why it is not there. */
  away: string | undefined;
  /** Why it cannot be written. */
  failing: string | undefined;
  full: boolean;
  /** What an earlier process left unfinished on it is finished. */
  prepared: boolean;
  retryAt: number;
  pauseMs: Millis;
  failedAt: number;
}

/** What counts where several things are wrong. */
export function stateWord({ away, failing, full }: VolumeState): VolumeStatus["state"] {
  if (away !== undefined) return "away";
  if (failing !== undefined) return "failing";
  return full ? "full" : "here";
}

/** In words for people; undefined where it can be recorded to. */
export function whatIsWrong({ name, folder }: Volume, { away, failing, full }: VolumeState): string | undefined {
  if (away !== undefined) return `the volume ${name} is not there: ${away}`;
  if (failing !== undefined) return `the volume ${name} (${folder}) cannot be written: ${failing}`;
  return full ? `the volume ${name} (${folder}) is full, and nothing on it may be deleted` : undefined;
}

/** What the rows are together. */
export function sumOf(rows: readonly Held[]): { readonly bytes: number; readonly segments: number } {
  return {
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    segments: rows.reduce((sum, { segments }) => sum + segments, 0),
  };
}
