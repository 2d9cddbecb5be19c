/** Whose doing it is that something is not recorded. */
export const GAP_CAUSES = [
  "off",
  "schedule",
  "no-event",
  "camera",
  "network",
  "disk",
  "stopped",
  "away",
  "unknown",
] as const;

/**
 * `off`: recording is switched off. `schedule`: outside its hours. `no-event`: it waits for an event. `camera`: the camera answers, and
 * does not send what can be recorded. `network`: the camera does not answer. `disk`: what came could not be written. `stopped`: the
 * bridge did not run. `away`: it was recorded, on a volume that is not there now. `unknown`: entered by a version that did not note it.
 */
export type GapCause = (typeof GAP_CAUSES)[number];

/** Why nothing is recorded. */
export interface GapReason {
  readonly cause: GapCause;
  /** In words for an operator; holds no credentials. */
  readonly why: string;
}

/** Less between two recordings is the step from one frame to the next. */
export const LEAST_GAP_US = 1_500_000;

/** Of a stream that is there, by what it sends. */
export function cameraGap(why: string): GapReason {
  return { cause: "camera", why };
}

export const SLOW_DISK: GapReason = { cause: "disk", why: "the disk is too slow" };

export const STOPPED: GapReason = { cause: "stopped", why: "recording was off" };
