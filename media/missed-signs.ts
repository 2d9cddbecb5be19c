import type { QuirkSeen } from "../base/quirk.ts";
import { SECOND, type UnixMillis } from "../base/units.ts";
import type { MediaQuirk } from "./known-quirks.ts";

const LIMITS = {
  /** Pictures without a marker before a camera counts as one that sets none. */
  unmarked: 50,
  /** Without a sender report for this long, a camera sends none: they are due every five seconds (RFC 3550 6.2). */
  unreportedMs: 30 * SECOND,
};

/** Notices what a camera never sends: markers at the ends of pictures, and sender reports. */
export class MissedSigns {
  readonly #seen: QuirkSeen<MediaQuirk>;
  readonly #wantsMarkers: boolean;
  #marked = false;
  #unmarked = 0;
  /** When the camera last told the time, or when it began without. */
  #reportedAt: UnixMillis | undefined;

  /** `wantsMarkers`: access units of the track may take several packets. */
  constructor(wantsMarkers: boolean, seen: QuirkSeen<MediaQuirk>) {
    this.#wantsMarkers = wantsMarkers;
    this.#seen = seen;
  }

  /** It has set a marker since it began to number. */
  get marked(): boolean {
    return this.#marked;
  }

  marker(): void {
    this.#marked = true;
  }

  report(arrivedAt: UnixMillis): void {
    this.#reportedAt = arrivedAt;
  }

  /** Another access unit is over. */
  accessUnit(arrivedAt: UnixMillis): void {
    this.#reportedAt ??= arrivedAt;
    if (arrivedAt - this.#reportedAt > LIMITS.unreportedMs) this.#seen("no-reports");
    if (!this.#wantsMarkers || this.#marked) return;
    this.#unmarked += 1;
    if (this.#unmarked > LIMITS.unmarked) this.#seen("no-marker");
  }

  /** The camera numbers anew. */
  renumbered(): void {
    this.#marked = false;
    this.#unmarked = 0;
  }

  /** A new session: its reports are yet to come. */
  restart(): void {
    this.#reportedAt = undefined;
  }
}
