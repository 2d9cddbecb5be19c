import type { TimeQuality } from "../media/group.ts";
import type { GapCause } from "./gap.ts";
import type { RemovalReason } from "./removals.ts";

/** A sealed segment. Times in microseconds since 1970. */
export interface SegmentRow {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly bytes: number;
  /** Below the folder of its volume; no two volumes have one of the same name, but while it is moved. */
  readonly file: string;
  /** The volume that the file is on. */
  readonly volume: string;
  /** What its tracks are, as {@link describeTracks} prints it. */
  readonly tracks: string;
  /** The last link of its chain. */
  readonly seal: Uint8Array;
  /** When it began to be fetched from the camera's own recording, in microseconds since 1970; null or absent where it was recorded live. */
  readonly fetchedUs?: number | null;
}

/** How a segment's times are known. */
export interface SegmentTime {
  /** How the worst of its times is known; undefined of segments that an older version entered. */
  readonly time: TimeQuality | undefined;
  /** How far the camera's clock was ahead of ours at its beginning, by the camera's reports; undefined where it sent none. */
  readonly cameraAheadMs: number | undefined;
}

/** How the times of a stream's segments are known. */
export interface TimeSummary {
  readonly time: TimeQuality | undefined;
  readonly segments: number;
  /** The least and the most that the camera's clock was ahead. */
  readonly leastAheadMs: number | undefined;
  readonly mostAheadMs: number | undefined;
}

/** Place in the order of segments: by start, and by name where starts are equal. */
export type Cursor = Pick<SegmentRow, "startUs" | "file">;

/** A file on a volume. */
export interface StoredFile {
  /** As {@link SegmentRow.file}. */
  readonly file: string;
  readonly volume: string;
}

/** A file that is being written, or was left so. */
export interface OpenedFile extends StoredFile {
  /** What is behind them is no part of it; null: all is. */
  readonly keepBytes: number | null;
}

/** A file on its way from one volume to another. */
export interface Move {
  readonly file: string;
  readonly source: string;
  readonly target: string;
}

/** What a volume holds of a camera. */
export interface Held {
  readonly camera: string;
  readonly volume: string;
  readonly bytes: number;
  readonly segments: number;
}

/** A stretch without recording, and why. `toUs` is undefined while it lasts. */
export interface GapRow {
  readonly camera: string;
  readonly stream: string;
  readonly fromUs: number;
  readonly toUs: number | undefined;
  /** In words. */
  readonly reason: string;
  readonly cause: GapCause;
}

/** A file whose row is gone and that is to be removed. */
export interface DoomedRow extends StoredFile {
  /** What is to be stated of it; undefined where its removal is no loss, for it is gone already, or was copied elsewhere. */
  readonly facts:
    | (Omit<SegmentRow, "bytes" | "tracks" | "file" | "volume"> & {
        readonly why: RemovalReason;
        readonly isStated: boolean;
      })
    | undefined;
}
