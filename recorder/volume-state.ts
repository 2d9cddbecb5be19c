import type { Millis } from "../base/units.ts";
import type { Held } from "./catalog-rows.ts";
import { NO_ANSWER } from "./disk-turns.ts";
import type { Volume, VolumeStatus } from "./volume.ts";
import type { Kind } from "./watched-files.ts";

/** How a volume is, as {@link Volumes} keeps it. */
export interface VolumeState {
  /** What its disk gives no answer to. */
  readonly hangs: Set<Kind>;
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
  /** What was told last of what is wrong with it. */
  told: string | undefined;
}

/** Before anything is known of it. */
export function soundVolume(firstPauseMs: Millis, prepared: boolean): VolumeState {
  return {
    hangs: new Set(),
    away: undefined,
    failing: undefined,
    full: false,
    prepared,
    retryAt: 0,
    pauseMs: firstPauseMs,
    failedAt: Number.NEGATIVE_INFINITY,
    told: undefined,
  };
}

/** Why it cannot be written, by the code of an error of its disk. */
export function failureOf(code: string): string {
  if (code === "ENOSPC" || code === "EDQUOT") return `it is full (${code})`;
  return code === NO_ANSWER ? "it gave no answer" : `it fails (${code})`;
}

/** What counts where several things are wrong. */
export function stateWord({ hangs, away, failing, full }: VolumeState): VolumeStatus["state"] {
  if (hangs.size > 0) return "failing";
  if (away !== undefined) return "away";
  if (failing !== undefined) return "failing";
  return full ? "full" : "here";
}

/** In words for people; undefined where it can be recorded to. */
export function whatIsWrong({ name, folder }: Volume, { hangs, away, failing, full }: VolumeState): string | undefined {
  if (hangs.has("catalog")) return `the catalog in ${folder} gives no answer: what was recorded cannot be found now`;
  if (hangs.size > 0) return `the disk of the volume ${name} (${folder}) gives no answer`;
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
