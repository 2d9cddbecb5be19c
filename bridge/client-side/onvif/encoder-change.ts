import { SECOND } from "../../../base/units.ts";
import type { Range, VideoChange, VideoChoices } from "../../../media/video-settings.ts";
import { configModify } from "./as-it-is.ts";

const LIMITS = {
  /** From one key frame to the next: everybody who joins waits for one, and recordings are searched and cut at them. */
  groupMs: 10 * SECOND,
} as const;

/**
 * What a client wants otherwise than it is, as far as the camera offers it; nothing where it wants it so. Quality and rates are brought
 * to the nearest that there is, as a device may (Media2 5.3.3). Fault `ConfigModify` for what is not offered, and for what would be
 * bad for others.
 */
export function encoderChange(choices: VideoChoices, now: VideoChange, wish: VideoChange): VideoChange {
  const to = <K extends keyof VideoChange>(
    name: K,
    nearest: (value: NonNullable<VideoChange[K]>) => VideoChange[K],
  ): VideoChange => {
    const wanted = wish[name];
    // 0 is what stands where a number must and nobody knows it. What is not said is to stay as it is (Core 5.5).
    if (wanted === undefined || wanted === now[name] || (wanted === 0 && name !== "quality")) return {};
    const value = nearest(wanted);
    return value === now[name] ? {} : { [name]: value };
  };
  const rates = choices.rates;
  const change: VideoChange = {
    ...sizeChange(choices, now, wish),
    ...to("quality", (value) => inside(choices.quality, value)),
    ...to("fps", (value) => rates.toSorted((a, b) => Math.abs(a - value) - Math.abs(b - value))[0] ?? value),
    ...to("bitrateKilobits", (value) => inside(choices.bitrateKilobits, value)),
    ...to("groupFrames", (value) => inside(choices.groupFrames, value)),
    ...to("profile", (value) => value),
  };
  if (change.profile !== undefined && !choices.profiles.includes(change.profile))
    throw configModify("The camera does not offer this profile");
  if (change.groupFrames !== undefined || change.fps !== undefined) assertJoinable({ ...now, ...change });
  return change;
}

function sizeChange({ sizes }: VideoChoices, now: VideoChange, { width, height }: VideoChange): VideoChange {
  const isAsIs = width === now.width && height === now.height;
  if (isAsIs || width === undefined || height === undefined || width === 0 || height === 0) return {};
  if (!sizes.some((one) => one.width === width && one.height === height))
    throw configModify("The camera does not offer this resolution");
  return { width, height };
}

function assertJoinable({ groupFrames, fps }: VideoChange): void {
  if (groupFrames === undefined || fps === undefined || fps <= 0) return;
  if ((groupFrames * SECOND) / fps > LIMITS.groupMs)
    throw configModify(
      `Key frames would be further apart than ${LIMITS.groupMs / SECOND} s: everybody who joins would have to wait`,
    );
}

function inside(range: Range | undefined, value: number): number {
  return range === undefined ? value : Math.min(Math.max(value, range.min), range.max);
}
