import { type Millis, SECOND, type UnixMillis, unixMillis } from "../base/units.ts";
import type { TimeQuality } from "./group.ts";

const LIMITS = {
  /**
   * Beyond this difference between what the camera's clock says has passed and what has, its clock has jumped. A network
   * that stalls for some seconds and then delivers everything at once stays below.
   */
  jumpMs: 10 * SECOND,
  /** Access units with B-frames come in decoding order, so their timestamps step back a little. */
  reorderMs: SECOND,
  /** A camera's clock that runs so wrong that slow correction leaves us this far behind is set anew, with a jump. */
  behindMs: 2 * SECOND,
  /** How far apart two quartz clocks may run; ordinary corrections go no faster. */
  drift: 500e-6,
  /** A large correction, as when the first sender report comes, goes faster, and still without a jump. */
  approach: 0.1,
  approachFromMs: 100,
  approachToMs: 5,
  /** The delay of the fastest packet in a window of this length is what counts: the others were held up on the way. */
  windowMs: 10 * SECOND,
  /** A camera whose reports are further from our clock than this is not set right, and they say nothing about absolute time. */
  reportBehindMs: 5 * SECOND,
  reportAheadMs: SECOND,
  /** Our own clock was set back by this much, and not only corrected: time begins anew. */
  clockSetMs: SECOND,
  /** Reports are due every five seconds (RFC 3550 6.2); one that is this old says nothing any more. */
  reportAgeMs: 60 * SECOND,
};

/** An instant on the timeline. */
export interface Placed {
  /** When it was captured, as well as that is known: never after its arrival. */
  readonly at: UnixMillis;
  readonly quality: TimeQuality;
  /** Whose clock has jumped since the access unit before. */
  readonly jump: "camera" | "ours" | undefined;
}

/**
 * Finds the capture time of what a camera sends, from its RTP timestamps, from when packets arrive, and from its sender
 * reports (RFC 3550 6.4.1).
 *
 * RTP timestamps are precise but mean nothing by themselves, and the camera's clock runs a little fast or slow; arrivals are in
 * our own time but late by an unknown delay. The smallest delay seen is taken for the delay of the network: time is placed by
 * the earliest arrival, at once where a packet comes earlier than expected, and at no more than 500 ppm in the other direction.
 * Sender reports say when it really was, if the camera's clock is set: then time moves there, at most by 10 %. Reports of a
 * camera whose clock is not set (more than 5 s behind or 1 s ahead of ours) are ignored: each track is then placed by its own
 * arrival, which keeps sound and picture together as well as the camera's delays do.
 *
 * Footage never seems younger than it can be, and its time never goes back, but for B-frames, which come in decoding order, and
 * where our own clock is set back. A burst of old pictures at the start of a session is stamped with its arrival, for nothing
 * that was handed on can be moved into the past; it tells the right delay for all that follows. Where timestamps jump ahead inside of one,
 * by less than it is late, nothing tells until the next report.
 *
 * Bounds, which test/media/timeline-truth.test.ts holds against a camera that knows the truth: nothing is dated after its arrival;
 * nothing before its capture, with two exceptions. A clock that is believed may be 5 s behind. And steps back of less than a second
 * look like B-frames: they are not noticed, and are made up for at 500 ppm, or at the end of a window where they come to 2 s, which
 * is 4 s at most of a camera that does so every eleven seconds.
 */
export class Timeline {
  readonly #clockRateHz: number;
  readonly #notBefore: number;
  #last: { readonly rtpTime: number; readonly arrivedAt: UnixMillis } | undefined;
  /** Media time since the beginning, unwrapped. */
  #mediaMs = 0;
  /** UTC of media time 0, as it is in use. */
  #origin = 0;
  /** The same as the arrivals have it, where the next window takes it, and since when that window runs. */
  #byArrival = 0;
  #windowTarget = 0;
  #windowLeast = Number.POSITIVE_INFINITY;
  #windowStart = 0;
  #report: { readonly rtpTime: number; readonly ntp: UnixMillis; readonly arrivedAt: UnixMillis } | undefined;
  #approaching = false;
  #cameraAheadMs: { readonly value: Millis; readonly arrivedAt: UnixMillis } | undefined;

  /** `notBefore`: where an earlier timeline of the same track has come to. */
  constructor(clockRateHz: number, notBefore?: UnixMillis) {
    this.#clockRateHz = clockRateHz;
    this.#notBefore = notBefore ?? Number.NEGATIVE_INFINITY;
  }

  /** A sender report: `rtpTime` was at `ntp` by the camera's clock. False where that is not to be believed. */
  report(rtpTime: number, ntp: UnixMillis, arrivedAt: UnixMillis): boolean {
    this.#cameraAheadMs = { value: ntp - arrivedAt, arrivedAt };
    const plausible = isPlausible(ntp, arrivedAt);
    this.#report = plausible ? { rtpTime, ntp, arrivedAt } : undefined;
    return plausible;
  }

  /** How far the camera's clock is ahead of ours, by a report that is not too old; with the delay of the network in it. */
  cameraAhead(now: UnixMillis): Millis | undefined {
    const told = this.#cameraAheadMs;
    return told === undefined || now - told.arrivedAt > LIMITS.reportAgeMs ? undefined : told.value;
  }

  /** Places one access unit. `rtpTime` has 32 bits. */
  place(rtpTime: number, arrived: UnixMillis): Placed {
    const last = this.#last;
    if (last === undefined) return this.#begin(rtpTime, arrived, undefined);
    const passedMs = arrived - last.arrivedAt;
    // Our own clock is corrected by a little now and then; that must not turn footage back.
    const arrivedAt = passedMs < 0 && passedMs > -LIMITS.clockSetMs ? last.arrivedAt : arrived;
    const stepMs = this.#millisBetween(last.rtpTime, rtpTime);
    if (stepMs < -LIMITS.reorderMs || Math.abs(stepMs - passedMs) > LIMITS.jumpMs) {
      this.#report = undefined;
      return this.#begin(rtpTime, arrivedAt, passedMs <= -LIMITS.clockSetMs ? "ours" : "camera");
    }
    this.#last = { rtpTime, arrivedAt };
    this.#mediaMs += stepMs;
    const candidate = arrivedAt - this.#mediaMs;
    const forwardMs = Math.max(0, stepMs);
    if (arrivedAt < last.arrivedAt) return this.#begin(rtpTime, arrivedAt, "ours");
    if (!this.#followArrival(candidate, arrivedAt, forwardMs)) return this.#begin(rtpTime, arrivedAt, "camera");
    const reported = this.#reported(rtpTime, arrivedAt);
    const reportedOrigin = reported === undefined ? Number.POSITIVE_INFINITY : reported - this.#mediaMs;
    this.#approach(Math.min(reportedOrigin, this.#byArrival), forwardMs);
    // Nothing was captured after it arrived. Time does not go back here: arrivals do not.
    this.#origin = Math.min(this.#origin, candidate);
    const near = reportedOrigin - this.#byArrival < LIMITS.approachFromMs;
    const quality = this.#approaching ? "corrected" : near ? "camera" : "arrival";
    return { at: unixMillis(this.#origin + this.#mediaMs), quality, jump: undefined };
  }

  #begin(rtpTime: number, arrivedAt: UnixMillis, jump: Placed["jump"]): Placed {
    const reported = this.#reported(rtpTime, arrivedAt);
    // Behind a jump, only the arrival is certainly not before what was placed last.
    const at =
      jump !== undefined || reported === undefined
        ? arrivedAt
        : Math.min(arrivedAt, Math.max(reported, this.#notBefore));
    this.#last = { rtpTime, arrivedAt };
    this.#mediaMs = 0;
    this.#origin = at;
    this.#byArrival = arrivedAt;
    this.#windowTarget = arrivedAt;
    this.#windowLeast = Number.POSITIVE_INFINITY;
    this.#windowStart = arrivedAt;
    this.#approaching = false;
    const quality = jump !== undefined ? "jumped" : at === arrivedAt ? "arrival" : "camera";
    return { at: unixMillis(at), quality, jump };
  }

  /** The difference of two 32-bit numbers as a signed one: right for steps of up to half of the circle, wrap or not. */
  #millisBetween(from: number, to: number): Millis {
    return (((to - from) | 0) / this.#clockRateHz) * 1000;
  }

  /** When `rtpTime` was by the newest report, if that is to be believed. There are cameras whose reports count from elsewhere. */
  #reported(rtpTime: number, arrivedAt: UnixMillis): UnixMillis | undefined {
    const report = this.#report;
    if (report === undefined || arrivedAt - report.arrivedAt > LIMITS.reportAgeMs) return undefined;
    const at = unixMillis(report.ntp + this.#millisBetween(report.rtpTime, rtpTime));
    return isPlausible(at, arrivedAt) ? at : undefined;
  }

  /** False where the camera's clock runs so slow that correction cannot keep up. */
  #followArrival(candidate: number, arrivedAt: UnixMillis, forwardMs: Millis): boolean {
    this.#windowLeast = Math.min(this.#windowLeast, candidate);
    if (arrivedAt - this.#windowStart >= LIMITS.windowMs) {
      if (this.#windowLeast - this.#byArrival > LIMITS.behindMs) return false;
      this.#windowTarget = this.#windowLeast;
      this.#windowStart = arrivedAt;
      this.#windowLeast = Number.POSITIVE_INFINITY;
    }
    if (candidate < this.#byArrival) {
      this.#byArrival = candidate;
      this.#windowTarget = Math.min(this.#windowTarget, candidate);
    } else if (this.#byArrival < this.#windowTarget)
      this.#byArrival = Math.min(this.#windowTarget, this.#byArrival + forwardMs * LIMITS.drift);
    return true;
  }

  /** Moves the origin by a part of the media time that has passed, so that time only ever slows down or speeds up. */
  #approach(target: number, forwardMs: Millis): void {
    const missing = target - this.#origin;
    if (Math.abs(missing) > LIMITS.approachFromMs) this.#approaching = true;
    const most = forwardMs * (this.#approaching ? LIMITS.approach : LIMITS.drift);
    this.#origin += Math.max(-most, Math.min(most, missing));
    if (Math.abs(target - this.#origin) < LIMITS.approachToMs) this.#approaching = false;
  }
}

function isPlausible(at: UnixMillis, arrivedAt: UnixMillis): boolean {
  const ahead = at - arrivedAt;
  return ahead >= -LIMITS.reportBehindMs && ahead <= LIMITS.reportAheadMs;
}
