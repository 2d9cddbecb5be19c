import { Fault } from "../base/fault.ts";

const LIMITS = {
  /** No camera has larger pictures, no decoder takes them, and the boxes of MP4 have 16 bits for a side. */
  side: 16_384,
};

/** Of the picture that is shown, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A believable size, or a Fault `invalid`. */
export function pictureSize(width: number, height: number): PictureSize {
  if (!(width > 0 && width <= LIMITS.side && height > 0 && height <= LIMITS.side))
    throw new Fault("invalid", `picture of ${width}x${height}`);
  return { width, height };
}
