import { remembered } from "../../../base/remember.ts";
import type { Range, VideoChange } from "../../../media/video-settings.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type {
  H264Profile,
  VideoEncoderConfiguration,
  VideoEncoderConfigurationOptions,
} from "../../../wsdl/tables/tt-media.ts";
import { entity, fixed, h264ProfileName, multicastOf, SESSION_TIMEOUT_MS } from "./media-parts.ts";
import type { View } from "./view.ts";

// The video encoder of a stream in the words of Media 1.0, which has none for H.265.

type Configuration = ValueOf<typeof VideoEncoderConfiguration>;
type Options = ValueOf<typeof VideoEncoderConfigurationOptions>;
type Profile = ValueOf<typeof H264Profile>;

const PROFILES: readonly Profile[] = ["Baseline", "Main", "Extended", "High"];

/**
 * What the camera sends, as far as its stream description says, and what it says itself of the rest: 0 stands for what it does not
 * say where the schema wants a number.
 */
export const videoEncoder = remembered((view: View): Configuration | undefined => {
  const { video, width, height, fps, settings } = view;
  if (video?.codec !== "H264" && video?.codec !== "JPEG") return undefined;
  return {
    ...entity(view),
    Encoding: video.codec,
    Resolution: { Width: width, Height: height },
    Quality: settings?.quality ?? 0,
    RateControl: {
      FrameRateLimit: Math.round(settings?.fps ?? fps),
      EncodingInterval: 1,
      BitrateLimit: settings?.bitrateKilobits ?? 0,
    },
    H264:
      video.codec === "H264"
        ? { GovLength: settings?.groupFrames ?? 0, H264Profile: profileName(video.fmtp) }
        : undefined,
    Multicast: multicastOf(view, video),
    SessionTimeout: SESSION_TIMEOUT_MS,
  };
});

/** Profiles that ONVIF has no word for are at least as demanding as High; a camera that does not say has the least. */
function profileName(fmtp: string): Profile {
  const name = h264ProfileName(fmtp);
  return name === "" ? "High" : wordOf(name ?? "Baseline");
}

/** `Progressive High` and the like are High here. */
function wordOf(name: string): Profile {
  return PROFILES.find((one) => one === name) ?? "High";
}

/** What may be set; where nothing may, that is what is. */
export function videoEncoderOptions(view: View): Options {
  const encoder = videoEncoder(view);
  const { choices } = view;
  const rate = Math.round(encoder?.RateControl?.FrameRateLimit ?? view.fps);
  const common = {
    ResolutionsAvailable: choices?.sizes.map(({ width, height }) => ({ Width: width, Height: height })) ?? [
      { Width: view.width, Height: view.height },
    ],
    FrameRateRange: rangeOf(wholeBounds(choices?.rates ?? []), rate),
    EncodingIntervalRange: fixed(1),
  };
  const h264 = encoder?.H264 && {
    ...common,
    GovLengthRange: rangeOf(choices?.groupFrames, encoder.H264.GovLength),
    H264ProfilesSupported:
      choices === undefined || choices.profiles.length === 0
        ? [encoder.H264.H264Profile]
        : [...new Set(choices.profiles.map(wordOf))],
  };
  const jpeg = encoder?.Encoding === "JPEG" ? common : undefined;
  const BitrateRange = choices?.bitrateKilobits && rangeOf(choices.bitrateKilobits, 0);
  return {
    QualityRange: rangeOf(choices?.quality, encoder?.Quality ?? 0),
    JPEG: jpeg,
    H264: h264,
    Extension: BitrateRange && { JPEG: jpeg && { ...jpeg, BitrateRange }, H264: h264 && { ...h264, BitrateRange } },
  };
}

function rangeOf(range: Range | undefined, otherwise: number): { readonly Min: number; readonly Max: number } {
  return range === undefined ? fixed(otherwise) : { Min: range.min, Max: range.max };
}

function wholeBounds(rates: readonly number[]): Range | undefined {
  return rates.length === 0 ? undefined : { min: Math.ceil(Math.min(...rates)), max: Math.floor(Math.max(...rates)) };
}

/** What a configuration says of what can be set. */
export function videoSaid({ Resolution, Quality, RateControl: rate, H264: h264 }: Configuration): VideoChange {
  return {
    width: Resolution.Width,
    height: Resolution.Height,
    quality: Quality,
    ...(rate && { fps: rate.FrameRateLimit, bitrateKilobits: rate.BitrateLimit }),
    ...(h264 && { groupFrames: h264.GovLength, profile: h264.H264Profile }),
  };
}
