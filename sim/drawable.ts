import { Fault } from "../base/fault.ts";
import type { Size } from "./feed.ts";

const LIMITS = {
  /** There must be room for the frame number's code and for the words. */
  width: [320, 3840],
  height: [176, 2160],
  fps: [1, 60],
} as const;

export const SMALLEST: Size = { width: LIMITS.width[0], height: LIMITS.height[0] };

/** Fault `invalid` for sizes and rates that a simulated camera cannot draw. */
export function assertDrawable({ width, height }: Size, fps: number): void {
  if (!within(width, LIMITS.width) || !within(height, LIMITS.height) || width % 2 !== 0 || height % 2 !== 0)
    throw new Fault("invalid", `picture of ${width}x${height}`, {
      tell: `a simulated camera's picture is ${LIMITS.width.join("–")} by ${LIMITS.height.join("–")} pixels, both even`,
    });
  if (!within(fps, LIMITS.fps))
    throw new Fault("invalid", `${fps} frames/s`, {
      tell: `a simulated camera sends ${LIMITS.fps.join("–")} pictures a second`,
    });
}

/** A sub-stream's: as narrow as can be drawn, in the same proportions as far as there is room for the words. */
export function subSizeOf({ width, height }: Size): Size {
  const { width: narrow, height: low } = SMALLEST;
  return { width: narrow, height: Math.max(low, 2 * Math.round((height * narrow) / width / 2)) };
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
