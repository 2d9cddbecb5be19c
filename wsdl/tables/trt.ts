import { ANYTHING, many, opt, optAttr, type } from "../schema.ts";
import { keptAnswer, operation, service } from "../service.ts";
import { boolean, int } from "../simple.ts";
import { Name, ReferenceToken, StreamSetup } from "./tt.ts";
import {
  AudioEncoderConfiguration,
  AudioEncoderConfigurationOptions,
  AudioSource,
  AudioSourceConfiguration,
  AudioSourceConfigurationOptions,
  MediaUri,
  MetadataConfiguration,
  MetadataConfigurationOptions,
  Profile,
  VideoEncoderConfiguration,
  VideoEncoderConfigurationOptions,
  VideoSource,
  VideoSourceConfiguration,
  VideoSourceConfigurationOptions,
} from "./tt-media.ts";

export const ProfileCapabilities = type("trt:ProfileCapabilities", { MaximumNumberOfProfiles: optAttr(int) });
export const StreamingCapabilities = type("trt:StreamingCapabilities", {
  RTPMulticast: optAttr(boolean),
  RTP_TCP: optAttr(boolean),
  RTP_RTSP_TCP: optAttr(boolean),
  NonAggregateControl: optAttr(boolean),
  NoRTSPStreaming: optAttr(boolean),
});
export const Capabilities = type("trt:Capabilities", {
  ProfileCapabilities,
  StreamingCapabilities,
  SnapshotUri: optAttr(boolean),
  Rotation: optAttr(boolean),
  VideoSourceMode: optAttr(boolean),
  OSD: optAttr(boolean),
  TemporaryOSDText: optAttr(boolean),
  EXICompression: optAttr(boolean),
});

/** What is put into which profile. */
const Addition = { ProfileToken: ReferenceToken, ConfigurationToken: ReferenceToken };

const NO_CONFIGURATIONS = { Configurations: many(ANYTHING) };
const OF_PROFILE = { ProfileToken: ReferenceToken };

/** The media service, version 1.0: what we answer of it, and what else it has. */
export const MEDIA = service(
  "trt",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetProfiles: keptAnswer(operation("READ_MEDIA", {}, { Profiles: many(Profile) })),
    GetProfile: operation("READ_MEDIA", { ProfileToken: ReferenceToken }, { Profile }),
    GetVideoSources: operation("READ_MEDIA", {}, { VideoSources: many(VideoSource) }),
    GetAudioSources: operation("READ_MEDIA", {}, { AudioSources: many(AudioSource) }),
    GetVideoSourceConfigurations: operation("READ_MEDIA", {}, { Configurations: many(VideoSourceConfiguration) }),
    GetVideoSourceConfiguration: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Configuration: VideoSourceConfiguration },
    ),
    GetVideoEncoderConfigurations: operation("READ_MEDIA", {}, { Configurations: many(VideoEncoderConfiguration) }),
    GetVideoEncoderConfiguration: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Configuration: VideoEncoderConfiguration },
    ),
    GetAudioSourceConfigurations: operation("READ_MEDIA", {}, { Configurations: many(AudioSourceConfiguration) }),
    GetAudioSourceConfiguration: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Configuration: AudioSourceConfiguration },
    ),
    GetAudioEncoderConfigurations: operation("READ_MEDIA", {}, { Configurations: many(AudioEncoderConfiguration) }),
    GetAudioEncoderConfiguration: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Configuration: AudioEncoderConfiguration },
    ),
    GetVideoSourceConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: opt(ReferenceToken), ProfileToken: opt(ReferenceToken) },
      { Options: VideoSourceConfigurationOptions },
    ),
    GetVideoEncoderConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: opt(ReferenceToken), ProfileToken: opt(ReferenceToken) },
      { Options: VideoEncoderConfigurationOptions },
    ),
    GetAudioSourceConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: opt(ReferenceToken), ProfileToken: opt(ReferenceToken) },
      { Options: AudioSourceConfigurationOptions },
    ),
    GetAudioEncoderConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: opt(ReferenceToken), ProfileToken: opt(ReferenceToken) },
      { Options: AudioEncoderConfigurationOptions },
    ),
    GetCompatibleVideoSourceConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken: ReferenceToken },
      { Configurations: many(VideoSourceConfiguration) },
    ),
    GetCompatibleVideoEncoderConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken: ReferenceToken },
      { Configurations: many(VideoEncoderConfiguration) },
    ),
    GetCompatibleAudioSourceConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken: ReferenceToken },
      { Configurations: many(AudioSourceConfiguration) },
    ),
    GetCompatibleAudioEncoderConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken: ReferenceToken },
      { Configurations: many(AudioEncoderConfiguration) },
    ),
    GetMetadataConfigurations: operation("READ_MEDIA", {}, { Configurations: many(MetadataConfiguration) }),
    GetMetadataConfiguration: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Configuration: MetadataConfiguration },
    ),
    GetMetadataConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: opt(ReferenceToken), ProfileToken: opt(ReferenceToken) },
      { Options: MetadataConfigurationOptions },
    ),
    GetCompatibleMetadataConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken: ReferenceToken },
      { Configurations: many(MetadataConfiguration) },
    ),
    GetGuaranteedNumberOfVideoEncoderInstances: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { TotalNumber: int, JPEG: opt(int), H264: opt(int), MPEG4: opt(int) },
    ),
    GetStreamUri: operation("READ_MEDIA", { StreamSetup, ProfileToken: ReferenceToken }, { MediaUri }),
    GetSnapshotUri: operation("READ_MEDIA", { ProfileToken: ReferenceToken }, { MediaUri }),
    SetSynchronizationPoint: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    CreateProfile: operation("ACTUATE", { Name, Token: opt(ReferenceToken) }, { Profile }),
    AddVideoSourceConfiguration: operation("ACTUATE", Addition, {}),
    AddVideoEncoderConfiguration: operation("ACTUATE", Addition, {}),
    AddAudioSourceConfiguration: operation("ACTUATE", Addition, {}),
    AddAudioEncoderConfiguration: operation("ACTUATE", Addition, {}),
    AddMetadataConfiguration: operation("ACTUATE", Addition, {}),
    AddPTZConfiguration: operation("ACTUATE", Addition, {}),
    RemoveVideoSourceConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    RemoveVideoEncoderConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    RemoveAudioSourceConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    RemoveAudioEncoderConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    RemoveMetadataConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    RemovePTZConfiguration: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    SetVideoSourceConfiguration: operation(
      "ACTUATE",
      { Configuration: VideoSourceConfiguration, ForcePersistence: boolean },
      {},
    ),
    SetVideoEncoderConfiguration: operation(
      "ACTUATE",
      { Configuration: VideoEncoderConfiguration, ForcePersistence: boolean },
      {},
    ),
    SetAudioSourceConfiguration: operation(
      "ACTUATE",
      { Configuration: AudioSourceConfiguration, ForcePersistence: boolean },
      {},
    ),
    SetAudioEncoderConfiguration: operation(
      "ACTUATE",
      { Configuration: AudioEncoderConfiguration, ForcePersistence: boolean },
      {},
    ),
    SetMetadataConfiguration: operation(
      "ACTUATE",
      { Configuration: MetadataConfiguration, ForcePersistence: boolean },
      {},
    ),
    DeleteProfile: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    // Of what a bridge has none: lists that are empty, which is what clients go through.
    GetOSDs: operation("READ_MEDIA", { ConfigurationToken: opt(ReferenceToken) }, { OSDs: many(ANYTHING) }),
    GetAudioOutputs: operation("READ_MEDIA", {}, { AudioOutputs: many(ANYTHING) }),
    GetAudioOutputConfigurations: operation("READ_MEDIA", {}, NO_CONFIGURATIONS),
    GetAudioDecoderConfigurations: operation("READ_MEDIA", {}, NO_CONFIGURATIONS),
    GetVideoAnalyticsConfigurations: operation("READ_MEDIA", {}, NO_CONFIGURATIONS),
    GetCompatibleAudioOutputConfigurations: operation("READ_MEDIA", OF_PROFILE, NO_CONFIGURATIONS),
    GetCompatibleAudioDecoderConfigurations: operation("READ_MEDIA", OF_PROFILE, NO_CONFIGURATIONS),
    GetCompatibleVideoAnalyticsConfigurations: operation("READ_MEDIA", OF_PROFILE, NO_CONFIGURATIONS),
  },
  {
    READ_MEDIA: `
      GetVideoAnalyticsConfiguration GetAudioOutputConfiguration GetAudioDecoderConfiguration
      GetAudioOutputConfigurationOptions GetAudioDecoderConfigurationOptions GetOSD GetOSDOptions`,
    ACTUATE: `
      AddVideoAnalyticsConfiguration RemoveVideoAnalyticsConfiguration AddAudioOutputConfiguration
      RemoveAudioOutputConfiguration AddAudioDecoderConfiguration RemoveAudioDecoderConfiguration
      SetVideoAnalyticsConfiguration SetAudioOutputConfiguration SetAudioDecoderConfiguration
      StartMulticastStreaming StopMulticastStreaming SetOSD CreateOSD DeleteOSD`,
    READ_SYSTEM: `
      GetVideoSourceModes`,
    WRITE_SYSTEM: `
      SetVideoSourceMode`,
  },
);
