import { Fault } from "../../base/fault.ts";
import type { VideoChange, VideoChoices, VideoEncoder, VideoSettings } from "../../media/video-settings.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import { MEDIA2 } from "../../wsdl/tables/tr2.ts";
import { MEDIA } from "../../wsdl/tables/trt.ts";
import type {
  VideoEncoder2Configuration,
  VideoEncoder2ConfigurationOptions,
  VideoEncoderConfiguration,
  VideoEncoderConfigurationOptions,
} from "../../wsdl/tables/tt-media.ts";
import type { Conversation } from "./conversation.ts";
import { spelledEncoding } from "./quirks.ts";

const LIMITS = {
  /** Of a list of what can be chosen: sizes, rates, profiles. */
  choices: 64,
  /** A camera that names a range of rates names whole ones up to here. */
  fps: 240,
} as const;

type Configuration2 = ValueOf<typeof VideoEncoder2Configuration>;
type Options2 = ValueOf<typeof VideoEncoder2ConfigurationOptions>;
type Configuration1 = ValueOf<typeof VideoEncoderConfiguration>;
type Options1 = ValueOf<typeof VideoEncoderConfigurationOptions>;

/** An encoder of a camera: at which of its media services, and by which token. */
export interface EncoderPlace {
  readonly prefix: "trt" | "tr2";
  readonly token: string;
}

/**
 * How a camera encodes one stream, and what else it could. Faults: those of {@link Conversation.ask}, and `invalid` where it offers
 * nothing for the encoding that it has.
 */
export async function readEncoder(conversation: Conversation, { prefix, token }: EncoderPlace): Promise<VideoEncoder> {
  if (prefix === "tr2") {
    const settings = settingsOf2(await configuration2(conversation, token));
    const told = await conversation.ask(MEDIA2, "GetVideoEncoderConfigurationOptions", { ConfigurationToken: token });
    const options = told.Options.find(({ Encoding }) => spelledEncoding(Encoding) === settings.encoding);
    if (options === undefined) throw nothingOffered(token);
    return { settings, choices: choicesOf2(options) };
  }
  const settings = settingsOf1(await configuration1(conversation, token));
  const told = await conversation.ask(MEDIA, "GetVideoEncoderConfigurationOptions", { ConfigurationToken: token });
  const choices = choicesOf1(told.Options, settings.encoding);
  if (choices === undefined) throw nothingOffered(token);
  return { settings, choices };
}

/** Sets it. What the change does not name is written as the camera has it at that moment. Faults: those of {@link Conversation.ask}. */
export async function writeEncoder(
  conversation: Conversation,
  { prefix, token }: EncoderPlace,
  change: VideoChange,
): Promise<void> {
  if (prefix === "tr2") {
    const Configuration = changed2(await configuration2(conversation, token), change);
    await conversation.ask(MEDIA2, "SetVideoEncoderConfiguration", { Configuration });
  } else {
    const Configuration = changed1(await configuration1(conversation, token), change);
    await conversation.ask(MEDIA, "SetVideoEncoderConfiguration", { Configuration, ForcePersistence: true });
  }
}

async function configuration2(conversation: Conversation, token: string): Promise<Configuration2> {
  const asked = { ConfigurationToken: token };
  const { Configurations = [] } = await conversation.ask(MEDIA2, "GetVideoEncoderConfigurations", asked);
  const found = Configurations.find((one) => one.token === token);
  if (found === undefined) throw new Fault("invalid", `the camera has no encoder ${token} any more`);
  return found;
}

async function configuration1(conversation: Conversation, token: string): Promise<Configuration1> {
  const asked = { ConfigurationToken: token };
  return (await conversation.ask(MEDIA, "GetVideoEncoderConfiguration", asked)).Configuration;
}

function settingsOf2({
  Encoding,
  Resolution: { Width, Height },
  Quality,
  RateControl: rate,
  GovLength,
  Profile,
}: Configuration2): VideoSettings {
  return {
    encoding: spelledEncoding(Encoding),
    width: Width,
    height: Height,
    quality: Quality,
    ...(rate === undefined ? {} : { fps: rate.FrameRateLimit, bitrateKilobits: rate.BitrateLimit }),
    ...(GovLength === undefined ? {} : { groupFrames: GovLength }),
    ...(Profile === undefined ? {} : { profile: Profile }),
  };
}

function settingsOf1({
  Encoding,
  Resolution: { Width, Height },
  Quality,
  RateControl: rate,
  H264,
}: Configuration1): VideoSettings {
  return {
    encoding: Encoding,
    width: Width,
    height: Height,
    quality: Quality,
    ...(rate === undefined ? {} : { fps: rate.FrameRateLimit, bitrateKilobits: rate.BitrateLimit }),
    ...(H264 === undefined ? {} : { groupFrames: H264.GovLength, profile: H264.H264Profile }),
  };
}

function choicesOf2(options: Options2): VideoChoices {
  // Two bounds, or every length that there is.
  const groups = options.GovLengthRange ?? [];
  return {
    sizes: options.ResolutionsAvailable.slice(0, LIMITS.choices).map(sizeOf),
    quality: rangeOf(options.QualityRange),
    rates: (options.FrameRatesSupported ?? []).slice(0, LIMITS.choices),
    bitrateKilobits: rangeOf(options.BitrateRange),
    ...(groups.length === 0 ? {} : { groupFrames: { min: Math.min(...groups), max: Math.max(...groups) } }),
    profiles: (options.ProfilesSupported ?? []).slice(0, LIMITS.choices),
  };
}

function choicesOf1({ QualityRange, JPEG, H264, Extension }: Options1, encoding: string): VideoChoices | undefined {
  const options = encoding === "H264" ? H264 : encoding === "JPEG" ? JPEG : undefined;
  if (options === undefined) return undefined;
  const more = encoding === "H264" ? Extension?.H264 : Extension?.JPEG;
  return {
    sizes: options.ResolutionsAvailable.slice(0, LIMITS.choices).map(sizeOf),
    quality: rangeOf(QualityRange),
    rates: wholeRates(options.FrameRateRange),
    ...(more === undefined ? {} : { bitrateKilobits: rangeOf(more.BitrateRange) }),
    ...(encoding === "H264" && H264 !== undefined
      ? { groupFrames: rangeOf(H264.GovLengthRange), profiles: H264.H264ProfilesSupported }
      : { profiles: [] }),
  };
}

/** Highest first, as cameras list them. */
function wholeRates({ Min, Max }: { readonly Min: number; readonly Max: number }): readonly number[] {
  const [least, most] = [Math.max(1, Min), Math.min(LIMITS.fps, Max)];
  return Array.from({ length: Math.max(0, most - least + 1) }, (_, index) => most - index);
}

function changed2(current: Configuration2, change: VideoChange): Configuration2 {
  return {
    ...current,
    Resolution: resolutionOf(current.Resolution, change),
    Quality: change.quality ?? current.Quality,
    RateControl: rateOf(current.RateControl, change.fps, change.bitrateKilobits),
    GovLength: change.groupFrames ?? current.GovLength,
    Profile: change.profile ?? current.Profile,
  };
}

function changed1(current: Configuration1, change: VideoChange): Configuration1 {
  const { H264: h264 } = current;
  return {
    ...current,
    Resolution: resolutionOf(current.Resolution, change),
    Quality: change.quality ?? current.Quality,
    RateControl: rateOf(current.RateControl, change.fps && Math.round(change.fps), change.bitrateKilobits),
    H264: h264 && {
      GovLength: change.groupFrames ?? h264.GovLength,
      // Of the camera's own list, whose words are those of this service.
      H264Profile: (change.profile ?? h264.H264Profile) as typeof h264.H264Profile,
    },
  };
}

function rateOf<T extends { readonly FrameRateLimit: number; readonly BitrateLimit: number }>(
  rate: T | undefined,
  fps: number | undefined,
  bitrateKilobits: number | undefined,
): T | undefined {
  if (rate === undefined) return undefined;
  return { ...rate, FrameRateLimit: fps ?? rate.FrameRateLimit, BitrateLimit: bitrateKilobits ?? rate.BitrateLimit };
}

function resolutionOf(
  { Width, Height }: Configuration2["Resolution"],
  { width = Width, height = Height }: VideoChange,
): Configuration2["Resolution"] {
  return { Width: width, Height: height };
}

function sizeOf({ Width, Height }: Configuration2["Resolution"]): VideoChoices["sizes"][number] {
  return { width: Width, height: Height };
}

function rangeOf({ Min, Max }: { readonly Min: number; readonly Max: number }): { min: number; max: number } {
  return { min: Min, max: Max };
}

function nothingOffered(token: string): Fault {
  return new Fault("invalid", `the camera offers nothing for the encoding of ${token}`);
}
