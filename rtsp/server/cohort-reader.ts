import type { MonotonicMillis, UnixMillis } from "../../base/units.ts";
import type { LiveReader } from "../../media/source.ts";
import type { DirectWay } from "./direct-way.ts";

/** What went out of one track. */
export interface Sums {
  readonly bytes: number;
  readonly packets: number;
  /** Of the packets, without the fixed part of their headers. */
  readonly octets: number;
}

/** A reader that can be in step with others. */
export interface CohortReader extends LiveReader {
  changed(): void;
  /** How groups of a track go to it with nothing in between, while nothing waits for it; undefined while something does. */
  direct(track: number): DirectWay | undefined;
  /** From when on it is to be given a group of this track itself, because it has something to say before. */
  reportDueAt(track: number): MonotonicMillis;
  /** Groups of a track have gone to it that it was not given. `newestAt`: capture of the last. */
  count(track: number, sums: Sums, newestAt: UnixMillis): void;
  /** It has thrown, and is here no more. */
  failed(error: unknown): void;
}
