import type { Principal } from "../../../auth/principal.ts";
import { remembered } from "../../../base/remember.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { type ConfigurationSet, type GetConfiguration, MEDIA2, type MediaProfile } from "../../../wsdl/tables/tr2.ts";
import type { AudioEncoder2Configuration } from "../../../wsdl/tables/tt-media.ts";
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
  type Tokened,
  videoSourceConfiguration,
  videoSourceOptions,
} from "./media-parts.ts";
import { mediaSettings } from "./media-settings.ts";
import { noneOfMedia2 } from "./none.ts";
import { profileChanges2 } from "./profile-changes.ts";
import { cameraIdOf, compatible, findProfile, profiles, type ShownProfile } from "./profiles.ts";
import { ptzConfiguration } from "./ptz.ts";
import type { OnvifSite } from "./site.ts";
import { liveUri, RTSP_WEB_SOCKET_URI, snapshotUri, synchronizationPoint, transportOfProtocol } from "./stream.ts";
import { videoEncoder2, videoEncoderOptions2, videoSaid2 } from "./video-encoder2.ts";
import { find, missing, type View, views, viewsOf } from "./view.ts";

type Capabilities = ResponseOf<(typeof MEDIA2)["operations"]["GetServiceCapabilities"]>["Capabilities"];

export function media2Capabilities({ multicast, srtp }: Pick<OnvifSite, "multicast" | "srtp">): Capabilities {
  return {
    ProfileCapabilities: {
      MaximumNumberOfProfiles: MOST_PROFILES,
      ConfigurationsSupported: ["VideoSource", "VideoEncoder", "AudioSource", "AudioEncoder", "PTZ", "Metadata"],
    },
    StreamingCapabilities: {
      RTSPStreaming: true,
      RTPMulticast: multicast,
      RTP_RTSP_TCP: true,
      NonAggregateControl: false,
      AutoStartMulticast: false,
      SecureRTSPStreaming: srtp,
      RTSPWebSocketUri: RTSP_WEB_SOCKET_URI,
    },
    SnapshotUri: true,
    Rotation: false,
    VideoSourceMode: false,
    OSD: false,
    Mask: false,
  };
}

type Tokens = ValueOf<typeof GetConfiguration>;

/** The media service of version 2.0: one fixed profile a stream, of any codec, and those that the client makes. */
export function media2Service(site: OnvifSite): Service {
  /** The streams that a request names by configuration, that a profile may have such a thing of, or all; each has it. */
  const named = (
    who: Principal,
    { ConfigurationToken, ProfileToken }: Tokens,
    part: Part,
    has: (view: View) => Tokened | undefined,
  ): readonly View[] => {
    const profile = ProfileToken === undefined ? undefined : findProfile(site, who, ProfileToken);
    if (ConfigurationToken === undefined)
      return (profile === undefined ? views(site, who) : compatible(site, who, profile, part)).filter(has);
    const view = find(site, who, ConfigurationToken, "NoConfig");
    if (has(view)?.token !== ConfigurationToken) throw missing("NoConfig");
    return [view];
  };
  const some = (...of: Parameters<typeof named>): readonly [View, ...View[]] => {
    const [first, ...rest] = named(...of);
    if (first === undefined) throw missing("NoConfig");
    return [first, ...rest];
  };
  const list =
    <T extends Tokened>(part: Part, make: (view: View) => T | undefined) =>
    (tokens: Tokens, { who }: { readonly who: Principal }): { readonly Configurations: readonly T[] } => ({
      Configurations: have(named(who, tokens, part, make), make),
    });

  return serve("media2_service", MEDIA2, {
    GetServiceCapabilities: () => ({ Capabilities: media2Capabilities(site) }),
    GetProfiles({ Token, Type = [] }, { who }) {
      const list = Token === undefined ? profiles(site, who) : [findProfile(site, who, Token)];
      if (Type.length === 0) return namesOf(list);
      return Type.includes("All") ? wholesOf(list) : { Profiles: list.map((profile) => profileOf(profile, Type)) };
    },
    GetVideoSourceConfigurations: list("VideoSource", videoSourceConfiguration),
    GetVideoEncoderConfigurations: list("VideoEncoder", videoEncoder2),
    GetAudioSourceConfigurations: list("AudioSource", audioSourceConfiguration),
    GetAudioEncoderConfigurations: list("AudioEncoder", audioEncoder),
    GetMetadataConfigurations: list("Metadata", metadataConfiguration),

    GetVideoSourceConfigurationOptions: (tokens, { who }) => ({
      Options: videoSourceOptions(some(who, tokens, "VideoSource", videoSourceConfiguration)),
    }),
    GetVideoEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: some(who, tokens, "VideoEncoder", videoEncoder2).flatMap((view) => videoEncoderOptions2(view) ?? []),
    }),
    GetAudioSourceConfigurationOptions: (tokens, { who }) => ({
      Options: audioSourceOptions(some(who, tokens, "AudioSource", audioSourceConfiguration)),
    }),
    GetAudioEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: have(some(who, tokens, "AudioEncoder", audioEncoder), audioEncoder).map(
        ({ Encoding, Bitrate, SampleRate }) => ({
          Encoding,
          BitrateList: { Items: [Bitrate] },
          SampleRateList: { Items: [SampleRate] },
        }),
      ),
    }),
    GetMetadataConfigurationOptions: (tokens, { who }) => {
      some(who, tokens, "Metadata", metadataConfiguration);
      return { Options: METADATA_OPTIONS };
    },
    GetVideoEncoderInstances: ({ ConfigurationToken }, { who }) => {
      const { camera, source, token } = find(site, who, ConfigurationToken, "NoConfig");
      const encoders = have(viewsOf(camera), videoEncoder2);
      if (token !== source.token || encoders.length === 0) throw missing("NoConfig");
      const codecs = Map.groupBy(encoders, ({ Encoding }) => Encoding);
      const Codec = [...codecs].map(([Encoding, { length }]) => ({ Encoding, Number: length }));
      return { Info: { Codec, Total: encoders.length } };
    },
    GetStreamUri: {
      needs: "live",
      camera: ({ ProfileToken }, { who }) => cameraIdOf(site, who, ProfileToken),
      run: ({ ProfileToken, Protocol }, { base, who }) => ({
        Uri: liveUri(site, findProfile(site, who, ProfileToken), transportOfProtocol(Protocol), base),
      }),
    },
    GetSnapshotUri: {
      needs: "snapshot",
      camera: ({ ProfileToken }, { who }) => cameraIdOf(site, who, ProfileToken),
      run: ({ ProfileToken }, { base, who }) => ({
        Uri: snapshotUri(site, findProfile(site, who, ProfileToken), base),
      }),
    },
    SetSynchronizationPoint: synchronizationPoint(site),
    ...noneOfMedia2(site),
    ...profileChanges2(site),
    ...mediaSettings(site, { VideoEncoder: videoEncoder2, AudioEncoder: audioEncoder }, videoSaid2),
  });
}

/** The whole answers, of lists that are often the same ones. Who may see what is found out before. */
const namesOf = remembered((list: readonly ShownProfile[]) => ({ Profiles: list.map((one) => profileOf(one, [])) }));
const wholesOf = remembered((list: readonly ShownProfile[]) => ({
  Profiles: list.map((one) => profileOf(one, ["All"])),
}));

/** Configurations are listed only where they are asked for by type (Media2 5.2.2). */
function profileOf(
  { name, token, fixed, parts }: ShownProfile,
  types: readonly string[],
): ValueOf<typeof MediaProfile> {
  const of = <T>(part: Part, make: (view: View) => T | undefined): T | undefined => {
    const view = types.includes("All") || types.includes(part) ? parts[part] : undefined;
    return view && make(view);
  };
  const configurations: ValueOf<typeof ConfigurationSet> = {
    VideoSource: of("VideoSource", videoSourceConfiguration),
    AudioSource: of("AudioSource", audioSourceConfiguration),
    VideoEncoder: of("VideoEncoder", videoEncoder2),
    AudioEncoder: of("AudioEncoder", audioEncoder),
    PTZ: of("PTZ", ({ camera }) => ptzConfiguration(camera)),
    Metadata: of("Metadata", metadataConfiguration),
  };
  return { Name: name, token, fixed, Configurations: types.length === 0 ? undefined : configurations };
}

/** Names of media types (IANA) as Media2 uses them; AAC goes by the name of its older payload format there. */
const audioEncoder = remembered((view: View): ValueOf<typeof AudioEncoder2Configuration> | undefined => {
  const { audio } = view;
  if (audio === undefined) return undefined;
  return {
    ...entity(view),
    Encoding: audio.codec === "MPEG4-GENERIC" ? "MP4A-LATM" : audio.encoding,
    Multicast: view.multicast && multicastOf(view, audio),
    Bitrate: audioBitrate(audio),
    SampleRate: Math.round(audio.clockRateHz / 1000),
  };
});
