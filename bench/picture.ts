// What all cameras for measuring send: 4 Mbit/s of noise in the shape of H.264, 1280 x 720.

export const FRAMES_PER_SECOND = 30;
export const FRAMES_PER_GROUP = 60;
/** Of a slice. */
export const BYTES = { key: 112_000, other: 15_000 };
export const SPS = Buffer.from("6742c01fda014016ec0440000003004000000f03c60ca8", "hex");
export const PPS = Buffer.from("68ce0fc8", "hex");
