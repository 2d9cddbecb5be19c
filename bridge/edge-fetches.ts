import type { Interface } from "../auth/right.ts";
import type { UnixMillis } from "../base/units.ts";
import type { Span } from "../media/source.ts";

/** How a fetch stands or has ended; `nothing`: the camera had nothing of that time. */
export const FETCH_STATES = ["running", "fetched", "nothing", "failed", "stopped"] as const;

/** Who wants a stretch to be fetched; the bridge itself, where nobody does. */
export interface FetchAsker {
  readonly who: string;
  readonly interface: Interface | "bridge";
  readonly address?: string;
}

/** What is to be fetched of a camera. */
export interface WantedStretch extends Span {
  /** By name; what is recorded of it is completed from the camera's own recording of it, and of no other. */
  readonly stream: string;
}

/** A stretch of a camera's stream that is being fetched from its own recording, or was. */
export interface EdgeFetch extends WantedStretch {
  readonly id: string;
  readonly camera: string;
  readonly by: FetchAsker;
  readonly state: (typeof FETCH_STATES)[number];
  readonly begunAt: UnixMillis;
  readonly endedAt: UnixMillis | undefined;
  /** What became of it, for people. */
  readonly why: string | undefined;
}

/** What is fetched from cameras' own recordings. */
export interface EdgeFetches {
  /** The newest of a camera, newest first, since the start of the bridge. */
  list(camera: string): readonly EdgeFetch[];
  /**
   * Begins to fetch what is missing of a stretch, whatever it is missing for. Faults: `invalid` where nothing is missing that could be had,
   * `busy` while something is fetched from the camera, or from too many others for people, `not-found` for a camera or stream that is not
   * there.
   */
  ask(camera: string, stretch: WantedStretch, by: FetchAsker): Promise<EdgeFetch>;
}
