import { ANYTHING, attr, extend, many, OPEN, opt, optAttr, printedOnce, some, type } from "../schema.ts";
import { anyURI, boolean, duration, float, int, oneOf, string } from "../simple.ts";
import {
  ConfigurationEntity,
  DeviceEntity,
  FloatList,
  IntList,
  IPAddress,
  Name,
  ReferenceToken,
  StringAttrList,
} from "./tt.ts";
import { PTZConfiguration } from "./tt-ptz.ts";

// Types of the common schema that the media services need.
// A row stands behind those that it needs; optional elements that are never printed are left out.

export const IntRectangle = type("tt:IntRectangle", {
  x: attr(int),
  y: attr(int),
  width: attr(int),
  height: attr(int),
});
export const VideoSourceConfiguration = printedOnce(
  extend(
    "tt:VideoSourceConfiguration",
    ConfigurationEntity,
    {
      SourceToken: ReferenceToken,
      Bounds: IntRectangle,
      Extension: opt(ANYTHING),
      ViewMode: optAttr(string),
    },
    OPEN,
  ),
);
export const AudioSourceConfiguration = printedOnce(
  extend("tt:AudioSourceConfiguration", ConfigurationEntity, { SourceToken: ReferenceToken }, OPEN),
);
export const VideoEncoding = oneOf("tt:VideoEncoding", "JPEG", "MPEG4", "H264");
export const VideoResolution = type("tt:VideoResolution", { Width: int, Height: int });
export const VideoRateControl = type("tt:VideoRateControl", {
  FrameRateLimit: int,
  EncodingInterval: int,
  BitrateLimit: int,
});
export const H264Profile = oneOf("tt:H264Profile", "Baseline", "Main", "Extended", "High");
export const H264Configuration = type("tt:H264Configuration", { GovLength: int, H264Profile });
export const MulticastConfiguration = type(
  "tt:MulticastConfiguration",
  {
    Address: IPAddress,
    Port: int,
    TTL: int,
    AutoStart: boolean,
  },
  OPEN,
);
export const VideoEncoderConfiguration = printedOnce(
  extend(
    "tt:VideoEncoderConfiguration",
    ConfigurationEntity,
    {
      Encoding: VideoEncoding,
      Resolution: VideoResolution,
      Quality: float,
      RateControl: opt(VideoRateControl),
      MPEG4: opt(ANYTHING),
      H264: opt(H264Configuration),
      Multicast: MulticastConfiguration,
      SessionTimeout: duration,
      GuaranteedFrameRate: optAttr(boolean),
    },
    OPEN,
  ),
);
export const AudioEncoding = oneOf("tt:AudioEncoding", "G711", "G726", "AAC");
export const AudioEncoderConfiguration = printedOnce(
  extend(
    "tt:AudioEncoderConfiguration",
    ConfigurationEntity,
    {
      Encoding: AudioEncoding,
      Bitrate: int,
      SampleRate: int,
      Multicast: MulticastConfiguration,
      SessionTimeout: duration,
    },
    OPEN,
  ),
);
/** Which of a camera's movements stand in the metadata. */
export const PTZFilter = type("tt:PTZFilter", { Status: boolean, Position: boolean, FieldOfView: opt(boolean) }, OPEN);
/** Which events stand in the metadata: all of them where there is no filter, and none without this. */
export const EventSubscription = type(
  "tt:EventSubscription",
  { Filter: opt(ANYTHING), SubscriptionPolicy: opt(ANYTHING) },
  OPEN,
);
export const MetadataConfiguration = printedOnce(
  extend(
    "tt:MetadataConfiguration",
    ConfigurationEntity,
    {
      PTZStatus: opt(PTZFilter),
      Events: opt(EventSubscription),
      Analytics: opt(boolean),
      Multicast: MulticastConfiguration,
      SessionTimeout: duration,
      AnalyticsEngineConfiguration: opt(ANYTHING),
      SensorData: opt(ANYTHING),
      Extension: opt(ANYTHING),
      CompressionType: optAttr(string),
      GeoLocation: optAttr(boolean),
      ShapePolygon: optAttr(boolean),
      SecureStreamingProtocolAlgorithm: optAttr(string),
    },
    OPEN,
  ),
);
export const Profile = printedOnce(
  type("tt:Profile", {
    Name,
    VideoSourceConfiguration: opt(VideoSourceConfiguration),
    AudioSourceConfiguration: opt(AudioSourceConfiguration),
    VideoEncoderConfiguration: opt(VideoEncoderConfiguration),
    AudioEncoderConfiguration: opt(AudioEncoderConfiguration),
    PTZConfiguration: opt(PTZConfiguration),
    MetadataConfiguration: opt(MetadataConfiguration),
    token: attr(ReferenceToken),
    fixed: optAttr(boolean),
  }),
);
export const VideoSource = extend("tt:VideoSource", DeviceEntity, { Framerate: float, Resolution: VideoResolution });
export const AudioSource = extend("tt:AudioSource", DeviceEntity, { Channels: int });
export const IntRange = type("tt:IntRange", { Min: int, Max: int });
export const IntRectangleRange = type("tt:IntRectangleRange", {
  XRange: IntRange,
  YRange: IntRange,
  WidthRange: IntRange,
  HeightRange: IntRange,
});
export const VideoSourceConfigurationOptions = type("tt:VideoSourceConfigurationOptions", {
  BoundsRange: IntRectangleRange,
  VideoSourceTokensAvailable: some(ReferenceToken),
  MaximumNumberOfProfiles: optAttr(int),
});
export const JpegOptions = type("tt:JpegOptions", {
  ResolutionsAvailable: some(VideoResolution),
  FrameRateRange: IntRange,
  EncodingIntervalRange: IntRange,
});
export const H264Options = type("tt:H264Options", {
  ResolutionsAvailable: some(VideoResolution),
  GovLengthRange: IntRange,
  FrameRateRange: IntRange,
  EncodingIntervalRange: IntRange,
  H264ProfilesSupported: some(H264Profile),
});
/** The same, and bit rates besides: what {@link JpegOptions} and {@link H264Options} have no place for. */
export const JpegOptions2 = extend("tt:JpegOptions2", JpegOptions, { BitrateRange: IntRange });
export const H264Options2 = extend("tt:H264Options2", H264Options, { BitrateRange: IntRange });
export const VideoEncoderOptionsExtension = type("tt:VideoEncoderOptionsExtension", {
  JPEG: opt(JpegOptions2),
  H264: opt(H264Options2),
});
export const VideoEncoderConfigurationOptions = type("tt:VideoEncoderConfigurationOptions", {
  QualityRange: IntRange,
  JPEG: opt(JpegOptions),
  H264: opt(H264Options),
  Extension: opt(VideoEncoderOptionsExtension),
  GuaranteedFrameRateSupported: optAttr(boolean),
});
export const AudioSourceConfigurationOptions = type("tt:AudioSourceConfigurationOptions", {
  InputTokensAvailable: some(ReferenceToken),
});
export const IntItems = type("tt:IntItems", { Items: many(int) });
export const AudioEncoderConfigurationOption = type("tt:AudioEncoderConfigurationOption", {
  Encoding: AudioEncoding,
  BitrateList: IntItems,
  SampleRateList: IntItems,
});
export const AudioEncoderConfigurationOptions = type("tt:AudioEncoderConfigurationOptions", {
  Options: many(AudioEncoderConfigurationOption),
});
export const PTZStatusFilterOptions = type("tt:PTZStatusFilterOptions", {
  PanTiltStatusSupported: boolean,
  ZoomStatusSupported: boolean,
  PanTiltPositionSupported: opt(boolean),
  ZoomPositionSupported: opt(boolean),
  FieldOfViewSupported: opt(boolean),
});
export const MetadataConfigurationOptions = type("tt:MetadataConfigurationOptions", {
  PTZStatusFilterOptions,
  GeoLocation: optAttr(boolean),
  MaxContentFilterSize: optAttr(int),
  SecureStreamingProtocolAlgorithms: optAttr(StringAttrList),
});
export const MediaUri = type("tt:MediaUri", {
  Uri: anyURI,
  InvalidAfterConnect: boolean,
  InvalidAfterReboot: boolean,
  Timeout: duration,
});
export const VideoResolution2 = type("tt:VideoResolution2", { Width: int, Height: int });
export const VideoRateControl2 = type(
  "tt:VideoRateControl2",
  {
    FrameRateLimit: float,
    BitrateLimit: int,
    AverageBitRate: opt(int),
    ConstantBitRate: optAttr(boolean),
  },
  OPEN,
);
export const VideoEncoder2Configuration = printedOnce(
  extend(
    "tt:VideoEncoder2Configuration",
    ConfigurationEntity,
    {
      Encoding: string,
      Resolution: VideoResolution2,
      RateControl: opt(VideoRateControl2),
      Multicast: opt(MulticastConfiguration),
      Quality: float,
      GovLength: optAttr(int),
      AnchorFrameDistance: optAttr(int),
      Profile: optAttr(string),
      GuaranteedFrameRate: optAttr(boolean),
      Signed: optAttr(boolean),
      SecureStreamingProtocolAlgorithm: optAttr(string),
    },
    OPEN,
  ),
);
export const AudioEncoder2Configuration = printedOnce(
  extend(
    "tt:AudioEncoder2Configuration",
    ConfigurationEntity,
    {
      Encoding: string,
      Multicast: opt(MulticastConfiguration),
      Bitrate: int,
      SampleRate: int,
      SecureStreamingProtocolAlgorithm: optAttr(string),
    },
    OPEN,
  ),
);
export const FloatRange = type("tt:FloatRange", { Min: float, Max: float });
export const VideoEncoder2ConfigurationOptions = type("tt:VideoEncoder2ConfigurationOptions", {
  Encoding: string,
  QualityRange: FloatRange,
  ResolutionsAvailable: some(VideoResolution2),
  BitrateRange: IntRange,
  GovLengthRange: optAttr(IntList),
  MaxAnchorFrameDistance: optAttr(int),
  FrameRatesSupported: optAttr(FloatList),
  ProfilesSupported: optAttr(StringAttrList),
  ConstantBitRateSupported: optAttr(boolean),
  AverageBitRateSupported: optAttr(boolean),
  GuaranteedFrameRateSupported: optAttr(boolean),
  SecureStreamingProtocolAlgorithms: optAttr(StringAttrList),
  SigningSupported: optAttr(boolean),
});
export const AudioEncoder2ConfigurationOptions = type("tt:AudioEncoder2ConfigurationOptions", {
  Encoding: string,
  BitrateList: IntItems,
  SampleRateList: IntItems,
  SecureStreamingProtocolAlgorithms: optAttr(StringAttrList),
});
