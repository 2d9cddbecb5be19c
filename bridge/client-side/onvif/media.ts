import type { Principal } from "../../../auth/principal.ts";
import { remembered } from "../../../base/remember.ts";
import { type KnownCall, type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { MEDIA } from "../../../wsdl/tables/trt.ts";
import type {
  AudioEncoderConfiguration,
  AudioSource,
  MediaUri,
  Profile,
  VideoSource,
} from "../../../wsdl/tables/tt-media.ts";
import type { Part } from "../../made-profiles.ts";
import {
  audioBitrate,
  audioSourceConfiguration,
  audioSourceOptions,
  entity,
  have,
  METADATA_OPTIONS,
  MOST_PROFILES,
  metadataConfiguration,
  multicastOf,
  SESSION_TIMEOUT_MS,
  type Tokened,
  videoSourceConfiguration,
  videoSourceOptions,
} from "./media-parts.ts";
import { mediaSettings } from "./media-settings.ts";
import { noneOfMedia } from "./none.ts";
import { profileChanges } from "./profile-changes.ts";
import { cameraIdOf, compatible, findProfile, profiles, type ShownProfile } from "./profiles.ts";
import { ptzConfiguration } from "./ptz.ts";
import type { OnvifSite } from "./site.ts";
import { liveUri, snapshotUri, synchronizationPoint, transportOf } from "./stream.ts";
import { videoEncoder, videoEncoderOptions, videoSaid } from "./video-encoder.ts";
import { find, type Missing, missing, type View, views } from "./view.ts";

type Capabilities = ResponseOf<(typeof MEDIA)["operations"]["GetServiceCapabilities"]>["Capabilities"];

export function mediaCapabilities({ multicast }: Pick<OnvifSite, "multicast">): Capabilities {
  return {
    ProfileCapabilities: { MaximumNumberOfProfiles: MOST_PROFILES },
    StreamingCapabilities: {
      RTPMulticast: multicast,
      RTP_TCP: false,
      RTP_RTSP_TCP: true,
      NonAggregateControl: false,
      NoRTSPStreaming: false,
    },
    SnapshotUri: true,
    Rotation: false,
    VideoSourceMode: false,
    OSD: false,
  };
}

/**
 * The media service of version 1.0, for clients that know no other: one fixed profile a stream,
 * and those that the client makes. It has words for H.264 and JPEG only; a camera with another codec has a profile without a video
 * encoder configuration.
 */
export function mediaService(site: OnvifSite): Service {
  const all = (who: Principal): readonly View[] => views(site, who);
  const profile = (who: Principal, token: string): ShownProfile => findProfile(site, who, token);

  /** The part of one stream that `make` makes; a stream without it answers as one that is not there. */
  const one = <T extends Tokened>(
    who: Principal,
    token: string,
    make: (view: View) => T | undefined,
    otherwise: Missing,
  ): T => {
    const made = make(find(site, who, token, otherwise));
    if (made?.token !== token) throw missing(otherwise);
    return made;
  };

  /** What options are asked for: a configuration's, those that a profile may have, or those of all cameras that have such a thing. */
  const subject = (
    who: Principal,
    {
      ConfigurationToken,
      ProfileToken,
    }: { ConfigurationToken?: string | undefined; ProfileToken?: string | undefined },
    part: Part,
    has: (view: View) => Tokened | undefined,
  ): readonly [View, ...View[]] => {
    const fitting = ProfileToken === undefined ? all(who) : compatible(site, who, profile(who, ProfileToken), part);
    const asked = ConfigurationToken === undefined ? fitting : [find(site, who, ConfigurationToken, "NoConfig")];
    const [first, ...rest] = asked.filter((view) => {
      const token = has(view)?.token;
      return token !== undefined && (ConfigurationToken ?? token) === token;
    });
    if (first === undefined) throw missing("NoConfig");
    return [first, ...rest];
  };

  const fitting =
    <T extends Tokened>(part: Part, make: (view: View) => T | undefined) =>
    ({ ProfileToken }: { readonly ProfileToken: string }, { who }: KnownCall) => ({
      Configurations: have(compatible(site, who, profile(who, ProfileToken), part), make),
    });

  return serve("media_service", MEDIA, {
    GetServiceCapabilities: () => ({ Capabilities: mediaCapabilities(site) }),
    GetProfiles: (_, { who }) => profilesOf(profiles(site, who)),
    GetProfile: ({ ProfileToken }, { who }) => ({ Profile: profileOf(profile(who, ProfileToken)) }),
    GetVideoSources: (_, { who }) => ({ VideoSources: have(all(who), videoSource) }),
    GetAudioSources: (_, { who }) => ({ AudioSources: have(all(who), audioSource) }),

    GetVideoSourceConfigurations: (_, { who }) => ({ Configurations: have(all(who), videoSourceConfiguration) }),
    GetVideoEncoderConfigurations: (_, { who }) => ({ Configurations: have(all(who), videoEncoder) }),
    GetAudioSourceConfigurations: (_, { who }) => ({ Configurations: have(all(who), audioSourceConfiguration) }),
    GetAudioEncoderConfigurations: (_, { who }) => ({ Configurations: have(all(who), audioEncoder) }),
    GetMetadataConfigurations: (_, { who }) => ({ Configurations: have(all(who), metadataConfiguration) }),

    GetVideoSourceConfiguration: ({ ConfigurationToken }, { who }) => ({
      Configuration: one(who, ConfigurationToken, videoSourceConfiguration, "NoConfig"),
    }),
    GetVideoEncoderConfiguration: ({ ConfigurationToken }, { who }) => ({
      Configuration: one(who, ConfigurationToken, videoEncoder, "NoConfig"),
    }),
    GetAudioSourceConfiguration: ({ ConfigurationToken }, { who }) => ({
      Configuration: one(who, ConfigurationToken, audioSourceConfiguration, "NoConfig"),
    }),
    GetAudioEncoderConfiguration: ({ ConfigurationToken }, { who }) => ({
      Configuration: one(who, ConfigurationToken, audioEncoder, "NoConfig"),
    }),
    GetMetadataConfiguration: ({ ConfigurationToken }, { who }) => ({
      Configuration: one(who, ConfigurationToken, metadataConfiguration, "NoConfig"),
    }),

    GetCompatibleVideoSourceConfigurations: fitting("VideoSource", videoSourceConfiguration),
    GetCompatibleVideoEncoderConfigurations: fitting("VideoEncoder", videoEncoder),
    GetCompatibleAudioSourceConfigurations: fitting("AudioSource", audioSourceConfiguration),
    GetCompatibleAudioEncoderConfigurations: fitting("AudioEncoder", audioEncoder),
    GetCompatibleMetadataConfigurations: fitting("Metadata", metadataConfiguration),

    GetVideoSourceConfigurationOptions: (tokens, { who }) => ({
      Options: videoSourceOptions(subject(who, tokens, "VideoSource", videoSourceConfiguration)),
    }),
    GetVideoEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: videoEncoderOptions(subject(who, tokens, "VideoSource", videoSourceConfiguration)[0]),
    }),
    GetAudioSourceConfigurationOptions: (tokens, { who }) => ({
      Options: audioSourceOptions(subject(who, tokens, "AudioSource", audioSourceConfiguration)),
    }),
    GetAudioEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: {
        Options: have(subject(who, tokens, "AudioEncoder", audioEncoder), audioEncoder).map((encoder) => ({
          Encoding: encoder.Encoding,
          BitrateList: { Items: [encoder.Bitrate] },
          SampleRateList: { Items: [encoder.SampleRate] },
        })),
      },
    }),
    GetMetadataConfigurationOptions: (tokens, { who }) => {
      subject(who, tokens, "Metadata", metadataConfiguration);
      return { Options: METADATA_OPTIONS };
    },
    GetGuaranteedNumberOfVideoEncoderInstances: ({ ConfigurationToken }, { who }) => {
      const { UseCount } = one(who, ConfigurationToken, videoSourceConfiguration, "NoConfig");
      return { TotalNumber: UseCount };
    },
    GetStreamUri: {
      needs: "live",
      camera: ({ ProfileToken }, { who }) => cameraIdOf(site, who, ProfileToken),
      run: ({ ProfileToken, StreamSetup }, { base, who }) => ({
        MediaUri: lasting(liveUri(site, profile(who, ProfileToken), transportOf(StreamSetup), base)),
      }),
    },
    GetSnapshotUri: {
      needs: "snapshot",
      camera: ({ ProfileToken }, { who }) => cameraIdOf(site, who, ProfileToken),
      run: ({ ProfileToken }, { base, who }) => ({
        MediaUri: lasting(snapshotUri(site, profile(who, ProfileToken), base)),
      }),
    },
    SetSynchronizationPoint: synchronizationPoint(site),
    ...noneOfMedia(site),
    ...profileChanges(site, profileOf),
    ...mediaSettings(site, { VideoEncoder: videoEncoder, AudioEncoder: audioEncoder }, videoSaid),
  });
}

/** An address names the camera, not a session, and outlives both ends. */
function lasting(Uri: string): ValueOf<typeof MediaUri> {
  return { Uri, InvalidAfterConnect: false, InvalidAfterReboot: false, Timeout: 0 };
}

/** The whole answer, of a list that is often the same one. Who may see what is found out before. */
const profilesOf = remembered((list: readonly ShownProfile[]) => ({ Profiles: list.map(profileOf) }));

const profileOf = remembered(({ name, token, fixed, parts }: ShownProfile): ValueOf<typeof Profile> => {
  const { VideoSource, AudioSource, VideoEncoder, AudioEncoder, PTZ, Metadata } = parts;
  return {
    Name: name,
    token,
    fixed,
    VideoSourceConfiguration: VideoSource && videoSourceConfiguration(VideoSource),
    AudioSourceConfiguration: AudioSource && audioSourceConfiguration(AudioSource),
    VideoEncoderConfiguration: VideoEncoder && videoEncoder(VideoEncoder),
    AudioEncoderConfiguration: AudioEncoder && audioEncoder(AudioEncoder),
    PTZConfiguration: PTZ && ptzConfiguration(PTZ.camera),
    MetadataConfiguration: Metadata && metadataConfiguration(Metadata),
  };
});

function videoSource({ video, source }: View): ValueOf<typeof VideoSource> | undefined {
  const { token, width, height, fps } = source;
  return video && { token, Framerate: fps, Resolution: { Width: width, Height: height } };
}

function audioSource({ audio, source }: View): ValueOf<typeof AudioSource> | undefined {
  return audio && { token: source.token, Channels: audio.channels };
}

const audioEncoder = remembered((view: View): ValueOf<typeof AudioEncoderConfiguration> | undefined => {
  const { audio } = view;
  const Encoding = audio?.codec === "MPEG4-GENERIC" ? "AAC" : /^PCM[UA]$/.test(audio?.codec ?? "") ? "G711" : undefined;
  if (audio === undefined || Encoding === undefined) return undefined;
  return {
    ...entity(view),
    Encoding,
    Bitrate: audioBitrate(audio),
    SampleRate: Math.round(audio.clockRateHz / 1000),
    Multicast: multicastOf(view, audio),
    SessionTimeout: SESSION_TIMEOUT_MS,
  };
});
