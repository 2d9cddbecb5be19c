import type { UnixMillis } from "../base/units.ts";

/** What one client was sent of one source. */
export interface Sent {
  /** Of RTP, or of MP4 for browsers, without what carries it. */
  readonly bytes: number;
  /** When the earliest and the latest of it were captured; undefined where nothing was sent, or nobody knows. */
  readonly from?: UnixMillis | undefined;
  readonly to?: UnixMillis | undefined;
}
