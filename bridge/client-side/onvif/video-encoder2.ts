import { remembered } from "../../../base/remember.ts";
import type { VideoChange } from "../../../media/video-settings.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { VideoEncoder2Configuration, VideoEncoder2ConfigurationOptions } from "../../../wsdl/tables/tt-media.ts";
import { entity, fixed, h264ProfileName, multicastOf } from "./media-parts.ts";
import type { View } from "./view.ts";

// The video encoder of a stream in the words of Media2, which has one for every encoding.

type Configuration = ValueOf<typeof VideoEncoder2Configuration>;
type Options = ValueOf<typeof VideoEncoder2ConfigurationOptions>;

/** What the camera sends, and says of it. 0 stands for what it does not say where the schema wants a number. */
export const videoEncoder2 = remembered((view: View): Configuration | undefined => {
  const { video, width, height, fps, settings } = view;
  if (video === undefined) return undefined;
  return {
    ...entity(view),
    Encoding: video.encoding,
    Resolution: { Width: width, Height: height },
    RateControl: { FrameRateLimit: settings?.fps ?? fps, BitrateLimit: settings?.bitrateKilobits ?? 0 },
    Multicast: view.multicast && multicastOf(view, video),
    Quality: settings?.quality ?? 0,
    GovLength: settings?.groupFrames,
    Profile: (video.codec === "H264" ? h264ProfileName(video.fmtp) : settings?.profile) || undefined,
  };
});

/** What may be set; where nothing may, that is what is. */
export function videoEncoderOptions2(view: View): Options | undefined {
  const encoder = videoEncoder2(view);
  if (encoder === undefined) return undefined;
  const { Encoding, Resolution, RateControl, Quality, Profile } = encoder;
  const { choices } = view;
  const rates = choices?.rates ?? [];
  const profiles = choices?.profiles ?? [];
  const { quality, bitrateKilobits: rate, groupFrames: groups } = choices ?? {};
  return {
    Encoding,
    QualityRange: quality === undefined ? fixed(Quality) : { Min: quality.min, Max: quality.max },
    ResolutionsAvailable: choices?.sizes.map(({ width, height }) => ({ Width: width, Height: height })) ?? [Resolution],
    BitrateRange: rate === undefined ? fixed(RateControl?.BitrateLimit ?? 0) : { Min: rate.min, Max: rate.max },
    GovLengthRange: groups && [groups.min, groups.max],
    FrameRatesSupported: rates.length > 0 ? rates : RateControl && [RateControl.FrameRateLimit],
    ProfilesSupported: profiles.length > 0 ? profiles : Profile === undefined ? undefined : [Profile],
  };
}

/** What a configuration says of what can be set. */
export function videoSaid2({ Resolution, Quality, RateControl: rate, GovLength, Profile }: Configuration): VideoChange {
  return {
    width: Resolution.Width,
    height: Resolution.Height,
    quality: Quality,
    ...(rate && { fps: rate.FrameRateLimit, bitrateKilobits: rate.BitrateLimit }),
    ...(GovLength === undefined ? {} : { groupFrames: GovLength }),
    ...(Profile === undefined ? {} : { profile: Profile }),
  };
}
