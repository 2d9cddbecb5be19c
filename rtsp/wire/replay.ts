import { Fault } from "../../base/fault.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import { type Headers, header } from "./message.ts";

const LIMITS = {
  /** Faster than this, no client shows what it gets. */
  scale: 256,
  /** `intra/<ms>`: further apart is a table of contents. */
  intervalMs: 24 * 3600 * SECOND,
};

/** Which pictures of a recording are sent. */
export interface FrameChoice {
  /** `predicted`: all but B pictures that no other picture needs. */
  readonly pictures: "all" | "intra" | "predicted";
  /** `intra` only: at least so far apart, in time of capture; 0: every one. */
  readonly intervalMs: Millis;
}

/** How a recording is to be played (RFC 2326 12.34, 12.35; ONVIF Streaming 6.4, 6.5, 6.6). */
export interface ReplayManner {
  /** 1 is the speed of the capture, negative is backwards. Never 0. RTP times are those of the faster or slower picture. */
  readonly scale: number;
  /** How many times faster it is delivered, with the same RTP times. More than 0. */
  readonly speed: number;
  /** False: as fast as the connection takes it; the client sets the pace. */
  readonly rateControl: boolean;
  readonly frames: FrameChoice;
}

export const ALL_FRAMES: FrameChoice = { pictures: "all", intervalMs: 0 };

/** Reads Scale, Speed, Rate-Control and Frames of a PLAY; what it does not say is as in `usual`. Fault `invalid`. */
export function parseManner(message: { readonly headers: Headers }, usual: ReplayManner): ReplayManner {
  const [scale, speed, rateControl, frames] = ["Scale", "Speed", "Rate-Control", "Frames"].map((name) =>
    header(message, name),
  );
  const manner = {
    scale: scale === undefined ? usual.scale : parseScale(scale),
    speed: speed === undefined ? usual.speed : parseSpeed(speed),
    rateControl: rateControl === undefined ? usual.rateControl : parseSwitch("Rate-Control", rateControl),
    frames: frames === undefined ? usual.frames : parseFrames(frames),
  };
  // ONVIF Streaming 6.4: without rate control the client makes the speed, and may choose the direction alone.
  if (!manner.rateControl && Math.abs(manner.scale) !== 1)
    throw refused("Scale", `${manner.scale}`, "1.0 or -1.0 where Rate-Control is no");
  return manner;
}

/** `Scale: -2.0`. Fault `invalid` for 0 and beyond the bound. */
export function parseScale(value: string): number {
  const scale = /^[+-]?\d{1,4}(?:\.\d{0,6})?$/.test(value) ? Number(value) : Number.NaN;
  if (!(Math.abs(scale) <= LIMITS.scale) || scale === 0)
    throw refused("Scale", value, `a number up to ${LIMITS.scale}, and not 0`);
  return scale;
}

/** `Speed: 2.5`. Fault `invalid` for 0, less, and beyond the bound. */
function parseSpeed(value: string): number {
  const speed = /^\d{1,4}(?:\.\d{0,6})?$/.test(value) ? Number(value) : Number.NaN;
  if (!(speed <= LIMITS.scale) || speed === 0)
    throw refused("Speed", value, `a number up to ${LIMITS.scale}, and not 0`);
  return speed;
}

/** `all`, `predicted`, `intra`, `intra/<ms>`. Fault `invalid`. */
export function parseFrames(value: string): FrameChoice {
  if (value === "all") return ALL_FRAMES;
  if (value === "predicted") return { pictures: "predicted", intervalMs: 0 };
  const interval = /^intra(?:\/(\d{1,9}))?$/.exec(value);
  const intervalMs = Number(interval?.[1] ?? 0);
  if (interval === null || intervalMs > LIMITS.intervalMs)
    throw refused("Frames", value, "all, predicted, intra or intra/<ms>");
  return { pictures: "intra", intervalMs };
}

function parseSwitch(name: string, value: string): boolean {
  const lower = value.toLowerCase();
  if (lower !== "yes" && lower !== "no") throw refused(name, value, "yes or no");
  return lower === "yes";
}

function refused(name: string, value: string, form: string): Fault {
  return new Fault("invalid", `${name}: ${value.slice(0, 40)}`, { tell: `${name} must be ${form}` });
}
