import { ANYTHING, attr, many, opt, optAttr, some, type } from "../schema.ts";
import { keptAnswer, operation, service } from "../service.ts";
import { anyURI, boolean, int, string } from "../simple.ts";
import { Name, ReferenceToken, StringAttrList, StringList } from "./tt.ts";
import {
  AudioEncoder2Configuration,
  AudioEncoder2ConfigurationOptions,
  AudioSourceConfiguration,
  AudioSourceConfigurationOptions,
  MetadataConfiguration,
  MetadataConfigurationOptions,
  VideoEncoder2Configuration,
  VideoEncoder2ConfigurationOptions,
  VideoSourceConfiguration,
  VideoSourceConfigurationOptions,
} from "./tt-media.ts";
import { PTZConfiguration } from "./tt-ptz.ts";

export const ProfileCapabilities = type("tr2:ProfileCapabilities", {
  MaximumNumberOfProfiles: optAttr(int),
  ConfigurationsSupported: optAttr(StringAttrList),
});
export const StreamingCapabilities = type("tr2:StreamingCapabilities", {
  RTSPStreaming: optAttr(boolean),
  RTPMulticast: optAttr(boolean),
  RTP_RTSP_TCP: optAttr(boolean),
  NonAggregateControl: optAttr(boolean),
  RTSPWebSocketUri: optAttr(anyURI),
  AutoStartMulticast: optAttr(boolean),
  SecureRTSPStreaming: optAttr(boolean),
});
export const Capabilities2 = type("tr2:Capabilities2", {
  ProfileCapabilities,
  StreamingCapabilities,
  SnapshotUri: optAttr(boolean),
  Rotation: optAttr(boolean),
  VideoSourceMode: optAttr(boolean),
  OSD: optAttr(boolean),
  TemporaryOSDText: optAttr(boolean),
  Mask: optAttr(boolean),
  SourceMask: optAttr(boolean),
  WebRTC: optAttr(int),
  WebRTC_codecs: optAttr(StringList),
});
export const ConfigurationSet = type("tr2:ConfigurationSet", {
  VideoSource: opt(VideoSourceConfiguration),
  AudioSource: opt(AudioSourceConfiguration),
  VideoEncoder: opt(VideoEncoder2Configuration),
  AudioEncoder: opt(AudioEncoder2Configuration),
  PTZ: opt(PTZConfiguration),
  Metadata: opt(MetadataConfiguration),
});
export const MediaProfile = type("tr2:MediaProfile", {
  Name,
  Configurations: opt(ConfigurationSet),
  token: attr(ReferenceToken),
  fixed: optAttr(boolean),
});
export const GetConfiguration = type("tr2:GetConfiguration", {
  ConfigurationToken: opt(ReferenceToken),
  ProfileToken: opt(ReferenceToken),
});
export const ConfigurationRef = type("tr2:ConfigurationRef", { Type: string, Token: opt(ReferenceToken) });
/** Nothing: of each of the `Set…Configuration`. */
export const SetConfigurationResponse = type("tr2:SetConfigurationResponse", {});
export const EncoderInstance = type("tr2:EncoderInstance", { Encoding: string, Number: int });
export const EncoderInstanceInfo = type("tr2:EncoderInstanceInfo", { Codec: many(EncoderInstance), Total: int });

/** The media service, version 2.0: what we answer of it, and what else it has. */
export const MEDIA2 = service(
  "tr2",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities: Capabilities2 }),
    GetProfiles: keptAnswer(
      operation("READ_MEDIA", { Token: opt(ReferenceToken), Type: many(string) }, { Profiles: many(MediaProfile) }),
    ),
    GetVideoSourceConfigurations: operation("READ_MEDIA", GetConfiguration, {
      Configurations: many(VideoSourceConfiguration),
    }),
    GetVideoEncoderConfigurations: operation("READ_MEDIA", GetConfiguration, {
      Configurations: many(VideoEncoder2Configuration),
    }),
    GetAudioSourceConfigurations: operation("READ_MEDIA", GetConfiguration, {
      Configurations: many(AudioSourceConfiguration),
    }),
    GetAudioEncoderConfigurations: operation("READ_MEDIA", GetConfiguration, {
      Configurations: many(AudioEncoder2Configuration),
    }),
    GetMetadataConfigurations: operation("READ_MEDIA", GetConfiguration, {
      Configurations: many(MetadataConfiguration),
    }),
    GetVideoSourceConfigurationOptions: operation("READ_MEDIA", GetConfiguration, {
      Options: VideoSourceConfigurationOptions,
    }),
    GetVideoEncoderConfigurationOptions: operation("READ_MEDIA", GetConfiguration, {
      Options: some(VideoEncoder2ConfigurationOptions),
    }),
    GetAudioSourceConfigurationOptions: operation("READ_MEDIA", GetConfiguration, {
      Options: AudioSourceConfigurationOptions,
    }),
    GetAudioEncoderConfigurationOptions: operation("READ_MEDIA", GetConfiguration, {
      Options: some(AudioEncoder2ConfigurationOptions),
    }),
    GetMetadataConfigurationOptions: operation("READ_MEDIA", GetConfiguration, {
      Options: MetadataConfigurationOptions,
    }),
    GetVideoEncoderInstances: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { Info: EncoderInstanceInfo },
    ),
    GetStreamUri: operation("READ_MEDIA", { Protocol: string, ProfileToken: ReferenceToken }, { Uri: anyURI }),
    GetSnapshotUri: operation("READ_MEDIA", { ProfileToken: ReferenceToken }, { Uri: anyURI }),
    SetSynchronizationPoint: operation("ACTUATE", { ProfileToken: ReferenceToken }, {}),
    CreateProfile: operation("ACTUATE", { Name, Configuration: many(ConfigurationRef) }, { Token: ReferenceToken }),
    AddConfiguration: operation(
      "ACTUATE",
      { ProfileToken: ReferenceToken, Name: opt(Name), Configuration: many(ConfigurationRef) },
      {},
    ),
    RemoveConfiguration: operation(
      "ACTUATE",
      { ProfileToken: ReferenceToken, Configuration: some(ConfigurationRef) },
      {},
    ),
    DeleteProfile: operation("ACTUATE", { Token: ReferenceToken }, {}),
    SetVideoSourceConfiguration: operation(
      "ACTUATE",
      { Configuration: VideoSourceConfiguration },
      SetConfigurationResponse,
    ),
    SetVideoEncoderConfiguration: operation(
      "ACTUATE",
      { Configuration: VideoEncoder2Configuration },
      SetConfigurationResponse,
    ),
    SetAudioSourceConfiguration: operation(
      "ACTUATE",
      { Configuration: AudioSourceConfiguration },
      SetConfigurationResponse,
    ),
    SetAudioEncoderConfiguration: operation(
      "ACTUATE",
      { Configuration: AudioEncoder2Configuration },
      SetConfigurationResponse,
    ),
    SetMetadataConfiguration: operation("ACTUATE", { Configuration: MetadataConfiguration }, SetConfigurationResponse),
    // Of what a bridge has none: lists that are empty, which is what clients go through.
    GetOSDs: operation(
      "READ_MEDIA",
      { OSDToken: opt(ReferenceToken), ConfigurationToken: opt(ReferenceToken) },
      { OSDs: many(ANYTHING) },
    ),
    GetMasks: operation(
      "READ_MEDIA",
      { Token: opt(ReferenceToken), ConfigurationToken: opt(ReferenceToken) },
      { Masks: many(ANYTHING) },
    ),
    GetAnalyticsConfigurations: operation("READ_MEDIA", GetConfiguration, { Configurations: many(ANYTHING) }),
    GetAudioOutputConfigurations: operation("READ_MEDIA", GetConfiguration, { Configurations: many(ANYTHING) }),
    GetAudioDecoderConfigurations: operation("READ_MEDIA", GetConfiguration, { Configurations: many(ANYTHING) }),
  },
  {
    ACTUATE: `
      SetAudioOutputConfiguration SetAudioDecoderConfiguration
      StartMulticastStreaming StopMulticastStreaming SetOSD CreateOSD DeleteOSD
      SetMask CreateMask DeleteMask`,
    READ_MEDIA: `
      GetAudioOutputConfigurationOptions GetAudioDecoderConfigurationOptions GetOSDOptions GetMaskOptions`,
    WRITE_SYSTEM: `
      SetEQPresetConfiguration SetVideoSourceMode SetWebRTCConfigurations AddAudioClip AddTTSAudioClip SetAudioClip
      DeleteAudioClip SetMulticastAudioDecoderConfiguration`,
    READ_SYSTEM: `
      GetVideoSourceModes GetWebRTCConfigurations GetAudioClips PlayAudioClip GetPlayingAudioClips
      GetMulticastAudioDecoderConfigurations GetMulticastAudioDecoderConfigurationOptions`,
  },
);
