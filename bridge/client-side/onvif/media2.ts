import type { Principal } from "../../../auth/principal.ts";
import { remembered } from "../../../base/remember.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { type ConfigurationSet, type GetConfiguration, MEDIA2, type MediaProfile } from "../../../wsdl/tables/tr2.ts";
import type {
  AudioEncoder2Configuration,
  VideoEncoder2Configuration,
  VideoEncoder2ConfigurationOptions,
} from "../../../wsdl/tables/tt-media.ts";
import {
  audioBitrate,
  audioSourceConfiguration,
  audioSourceOptions,
  entity,
  h264Profile,
  have,
  METADATA_OPTIONS,
  metadataConfiguration,
  multicastOf,
  type Tokened,
  videoSourceConfiguration,
  videoSourceOptions,
} from "./media-parts.ts";
import { ptzConfiguration } from "./ptz.ts";
import type { OnvifSite } from "./site.ts";
import {
  played,
  RTSP_WEB_SOCKET_URI,
  snapshotUri,
  streamUri,
  synchronizationPoint,
  transportOfProtocol,
} from "./stream.ts";
import { find, missing, type View, views, viewsOf } from "./view.ts";

type Capabilities = ResponseOf<(typeof MEDIA2)["operations"]["GetServiceCapabilities"]>["Capabilities"];

export function media2Capabilities({ multicast, srtp }: Pick<OnvifSite, "multicast" | "srtp">): Capabilities {
  return {
    ProfileCapabilities: {
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

/** The media service of version 2.0: one profile a stream, all of it fixed, of any codec. */
export function media2Service(site: OnvifSite): Service {
  /** The profiles that a request names, directly, by configuration or not at all, and that have such a thing. */
  const named = (who: Principal, tokens: Tokens, has: (view: View) => Tokened | undefined): readonly View[] => {
    const { ConfigurationToken, ProfileToken } = tokens;
    const profile = ProfileToken === undefined ? undefined : find(site, who, ProfileToken, "NoProfile");
    const view = ConfigurationToken === undefined ? profile : find(site, who, ConfigurationToken, "NoConfig");
    if (view === undefined) return views(site, who).filter(has);
    if (ConfigurationToken !== undefined && has(view)?.token !== ConfigurationToken) throw missing("NoConfig");
    return [view].filter(has);
  };
  const some = (
    who: Principal,
    tokens: Tokens,
    has: (view: View) => Tokened | undefined,
  ): readonly [View, ...View[]] => {
    const [first, ...rest] = named(who, tokens, has);
    if (first === undefined) throw missing("NoConfig");
    return [first, ...rest];
  };
  const list =
    <T extends Tokened>(make: (view: View) => T | undefined) =>
    (tokens: Tokens, { who }: { readonly who: Principal }): { readonly Configurations: readonly T[] } => ({
      Configurations: have(named(who, tokens, make), make),
    });

  return serve("media2_service", MEDIA2, {
    GetServiceCapabilities: () => ({ Capabilities: media2Capabilities(site) }),
    GetProfiles: ({ Token, Type = [] }, { who }) => ({
      Profiles: (Token === undefined ? views(site, who) : [find(site, who, Token, "NoProfile")]).map((view) =>
        profileOf(view, Type),
      ),
    }),
    GetVideoSourceConfigurations: list(videoSourceConfiguration),
    GetVideoEncoderConfigurations: list(videoEncoder),
    GetAudioSourceConfigurations: list(audioSourceConfiguration),
    GetAudioEncoderConfigurations: list(audioEncoder),
    GetMetadataConfigurations: list(metadataConfiguration),

    GetVideoSourceConfigurationOptions: (tokens, { who }) => ({
      Options: videoSourceOptions(some(who, tokens, videoSourceConfiguration)),
    }),
    GetVideoEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: have(some(who, tokens, videoEncoder), videoEncoder).map(videoEncoderOptions),
    }),
    GetAudioSourceConfigurationOptions: (tokens, { who }) => ({
      Options: audioSourceOptions(some(who, tokens, audioSourceConfiguration)),
    }),
    GetAudioEncoderConfigurationOptions: (tokens, { who }) => ({
      Options: have(some(who, tokens, audioEncoder), audioEncoder).map(({ Encoding, Bitrate, SampleRate }) => ({
        Encoding,
        BitrateList: { Items: [Bitrate] },
        SampleRateList: { Items: [SampleRate] },
      })),
    }),
    GetMetadataConfigurationOptions: (tokens, { who }) => {
      some(who, tokens, metadataConfiguration);
      return { Options: METADATA_OPTIONS };
    },
    GetVideoEncoderInstances: ({ ConfigurationToken }, { who }) => {
      const { camera, source, token } = find(site, who, ConfigurationToken, "NoConfig");
      const encoders = have(viewsOf(camera), videoEncoder);
      if (token !== source.token || encoders.length === 0) throw missing("NoConfig");
      const codecs = Map.groupBy(encoders, ({ Encoding }) => Encoding);
      const Codec = [...codecs].map(([Encoding, { length }]) => ({ Encoding, Number: length }));
      return { Info: { Codec, Total: encoders.length } };
    },
    GetStreamUri: {
      needs: "live",
      camera: ({ ProfileToken }, { who }) => find(site, who, ProfileToken, "NoProfile").camera.id,
      run: ({ ProfileToken, Protocol }, { base, who }) => ({
        Uri: streamUri(
          site,
          played(find(site, who, ProfileToken, "NoProfile")),
          "live",
          transportOfProtocol(Protocol),
          base,
        ),
      }),
    },
    GetSnapshotUri: {
      needs: "snapshot",
      camera: ({ ProfileToken }, { who }) => find(site, who, ProfileToken, "NoProfile").camera.id,
      run: ({ ProfileToken }, { base, who }) => ({
        Uri: snapshotUri(site, find(site, who, ProfileToken, "NoProfile"), base),
      }),
    },
    SetSynchronizationPoint: synchronizationPoint(site),
  });
}

/** Configurations are listed only where they are asked for by type (Media2 5.2.2). */
function profileOf(view: View, types: readonly string[]): ValueOf<typeof MediaProfile> {
  const wanted = (type: string): boolean => types.includes("All") || types.includes(type);
  const configurations: ValueOf<typeof ConfigurationSet> = {
    VideoSource: wanted("VideoSource") ? videoSourceConfiguration(view) : undefined,
    AudioSource: wanted("AudioSource") ? audioSourceConfiguration(view) : undefined,
    VideoEncoder: wanted("VideoEncoder") ? videoEncoder(view) : undefined,
    AudioEncoder: wanted("AudioEncoder") ? audioEncoder(view) : undefined,
    PTZ: wanted("PTZ") ? ptzConfiguration(view.camera) : undefined,
    Metadata: wanted("Metadata") ? metadataConfiguration(view) : undefined,
  };
  return {
    Name: view.name,
    token: view.token,
    fixed: true,
    Configurations: types.length === 0 ? undefined : configurations,
  };
}

const H264_PROFILES: Readonly<Record<number, string>> = { 66: "Baseline", 77: "Main", 88: "Extended", 100: "High" };

/** What the camera sends. 0 stands for what only the camera knows and the schema wants a number for. */
const videoEncoder = remembered((view: View): ValueOf<typeof VideoEncoder2Configuration> | undefined => {
  const { video, width, height, fps } = view;
  if (video === undefined) return undefined;
  return {
    ...entity(view),
    Encoding: video.encoding,
    Resolution: { Width: width, Height: height },
    RateControl: { FrameRateLimit: fps, BitrateLimit: 0 },
    Multicast: view.multicast && multicastOf(view, video),
    Quality: 0,
    Profile: video.codec === "H264" ? H264_PROFILES[h264Profile(video.fmtp) ?? -1] : undefined,
  };
});

function videoEncoderOptions(
  encoder: ValueOf<typeof VideoEncoder2Configuration>,
): ValueOf<typeof VideoEncoder2ConfigurationOptions> {
  return {
    Encoding: encoder.Encoding,
    QualityRange: { Min: 0, Max: 0 },
    ResolutionsAvailable: [encoder.Resolution],
    BitrateRange: { Min: 0, Max: 0 },
    FrameRatesSupported: encoder.RateControl && [encoder.RateControl.FrameRateLimit],
    ProfilesSupported: encoder.Profile === undefined ? undefined : [encoder.Profile],
  };
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
