import type { OnvifProfile } from "../bridge/client-side/onvif/profile-scopes.ts";

// What the profiles want of a device: ONVIF Profiles Conformance Device Test Specification 21.12, "Features Categories" and "Support Check" of
// Profiles S, G and T. The profile specifications themselves are newer in part (S 1.3, G 1.1): what they changed since is not in it.

/** One feature of a profile. */
export interface Feature {
  readonly name: string;
  /** `conditional`: of a device that has such a thing at all. */
  readonly need: "mandatory" | "conditional";
  /** Operations, topics (`tns1:…`), and keys of `FUNCTIONS` in `onvif-profile-reasons.ts`. */
  readonly rows: readonly string[];
  /** One of them is enough. */
  readonly oneOf?: true;
}

const of = (service: string, operations: string): readonly string[] =>
  operations.split(" ").map((operation) => `${service}:${operation}`);

const feature = (need: Feature["need"], name: string, ...rows: readonly (string | readonly string[])[]): Feature => ({
  name,
  need,
  rows: rows.flat(),
});
const must = feature.bind(undefined, "mandatory");
const may = feature.bind(undefined, "conditional");

/** The same in all three. */
const DISCOVERY = must(
  "Discovery",
  "WS-Discovery",
  of("tds", "GetDiscoveryMode SetDiscoveryMode GetScopes SetScopes AddScopes RemoveScopes"),
);
const NETWORK = must(
  "Network configuration",
  of("tds", "GetHostname SetHostname GetDNS SetDNS GetNetworkInterfaces SetNetworkInterfaces GetNetworkProtocols"),
  of("tds", "SetNetworkProtocols GetNetworkDefaultGateway SetNetworkDefaultGateway"),
);
const SYSTEM = must(
  "System",
  of("tds", "GetDeviceInformation GetSystemDateAndTime SetSystemDateAndTime SetSystemFactoryDefault SystemReboot"),
);
const USERS = must("User handling", of("tds", "GetUsers CreateUsers DeleteUsers SetUser"));
const PULL_POINTS = [
  "tev:SetSynchronizationPoint",
  "tev:CreatePullPointSubscription",
  "tev:PullMessages",
  "tev:GetEventProperties",
  "wsnt:Unsubscribe",
  "topic filter",
  "message content filter",
];
const NTP = may("NTP", of("tds", "GetNTP SetNTP"));

const MEDIA = {
  profiles: of("trt", "GetProfiles GetProfile CreateProfile DeleteProfile"),
  videoSource: [
    ...of(
      "trt",
      "GetVideoSources GetVideoSourceConfiguration GetVideoSourceConfigurations AddVideoSourceConfiguration",
    ),
    ...of("trt", "RemoveVideoSourceConfiguration SetVideoSourceConfiguration GetCompatibleVideoSourceConfigurations"),
    "trt:GetVideoSourceConfigurationOptions",
  ],
  videoEncoder: [
    ...of("trt", "GetVideoEncoderConfiguration GetVideoEncoderConfigurations AddVideoEncoderConfiguration"),
    ...of(
      "trt",
      "RemoveVideoEncoderConfiguration SetVideoEncoderConfiguration GetCompatibleVideoEncoderConfigurations",
    ),
    ...of("trt", "GetVideoEncoderConfigurationOptions GetGuaranteedNumberOfVideoEncoderInstances"),
  ],
  metadata: [
    ...of("trt", "GetMetadataConfiguration GetMetadataConfigurations AddMetadataConfiguration"),
    ...of("trt", "RemoveMetadataConfiguration SetMetadataConfiguration GetCompatibleMetadataConfigurations"),
    "trt:GetMetadataConfigurationOptions",
  ],
  audio: [
    ...of(
      "trt",
      "GetAudioSources GetAudioSourceConfiguration GetAudioSourceConfigurations AddAudioSourceConfiguration",
    ),
    ...of("trt", "RemoveAudioSourceConfiguration SetAudioSourceConfiguration GetCompatibleAudioSourceConfigurations"),
    ...of("trt", "GetAudioSourceConfigurationOptions GetAudioEncoderConfiguration GetAudioEncoderConfigurations"),
    ...of("trt", "AddAudioEncoderConfiguration RemoveAudioEncoderConfiguration SetAudioEncoderConfiguration"),
    ...of("trt", "GetCompatibleAudioEncoderConfigurations GetAudioEncoderConfigurationOptions"),
  ],
} as const;

const PROFILE_CHANGED = ["tns1:Media/ProfileChanged", "the events of made profiles"] as const;
const CONFIGURATION_CHANGED = "tns1:Media/ConfigurationChanged";

export const PROFILE_TABLE: Readonly<Record<OnvifProfile, readonly Feature[]>> = {
  S: [
    must("User authentication", "WS-UsernameToken"),
    must("Capabilities", of("tds", "GetCapabilities GetWsdlUrl")),
    DISCOVERY,
    NETWORK,
    SYSTEM,
    USERS,
    must("Event handling", of("wsnt", "Subscribe Renew"), PULL_POINTS),
    must("Media profiles", MEDIA.profiles),
    must(
      "Media streaming",
      of("trt", "GetStreamUri SetSynchronizationPoint"),
      "video over RTSP: UDP, HTTP, HTTPS, TCP, WebSocket",
    ),
    must("Video source configuration", MEDIA.videoSource),
    must("Video encoder configuration", MEDIA.videoEncoder),
    must("Metadata configuration", MEDIA.metadata),
    may("Multicast", of("trt", "StartMulticastStreaming StopMulticastStreaming"), "UDP multicast"),
    may("Audio streaming", MEDIA.audio),
    may(
      "PTZ",
      of("trt", "AddPTZConfiguration RemovePTZConfiguration"),
      of("tptz", "GetNodes GetNode GetConfigurations GetConfiguration GetConfigurationOptions SetConfiguration"),
      of("tptz", "ContinuousMove Stop GetStatus"),
    ),
    may("PTZ: absolute, relative", of("tptz", "AbsoluteMove RelativeMove")),
    may("PTZ: presets", of("tptz", "SetPreset GetPresets GotoPreset RemovePreset")),
    may("PTZ: home position", of("tptz", "GotoHomePosition SetHomePosition")),
    may("PTZ: auxiliary commands", of("tptz", "SendAuxiliaryCommand")),
    may("Relay outputs", of("tds", "GetRelayOutputs SetRelayOutputSettings SetRelayOutputState")),
    NTP,
    may("Dynamic DNS", of("tds", "GetDynamicDNS SetDynamicDNS")),
    may("Zero configuration", of("tds", "GetZeroConfiguration SetZeroConfiguration")),
    may(
      "IP address filter",
      of("tds", "GetIPAddressFilter SetIPAddressFilter AddIPAddressFilter RemoveIPAddressFilter"),
    ),
  ],
  G: [
    must("Security", "HTTP digest"),
    must(
      "Capabilities",
      of("tds", "GetServices GetServiceCapabilities GetWsdlUrl"),
      ["trc", "trp", "tse", "tev", "trt"].map((service) => `${service}:GetServiceCapabilities`),
      "two pull points at least",
    ),
    DISCOVERY,
    NETWORK,
    SYSTEM,
    USERS,
    must("Event handling", PULL_POINTS, "wsnt:Renew", "two pull points at least"),
    must(
      "Recording search",
      of("tse", "FindRecordings GetRecordingSearchResults EndSearch FindEvents GetEventSearchResults"),
      of("tse", "GetRecordingSummary GetRecordingInformation GetMediaAttributes"),
      "states of recordings and tracks among the events",
      "XPath filter",
    ),
    must(
      "Replay control",
      of("trp", "GetReplayUri SetReplayConfiguration GetReplayConfiguration"),
      "RTP header extension, `onvif-replay`, replay",
      "JPEG, H.264 or MPEG-4 recorded",
    ),
    may("Reverse replay", "reverse replay"),
    must(
      "Recording control",
      of("trc", "GetRecordings CreateRecordingJob DeleteRecordingJob GetRecordingJobs GetRecordingJobState"),
      of("trc", "SetRecordingJobMode GetRecordingOptions"),
      "tns1:RecordingConfig/JobState",
    ),
    may("Deleted track data", "tns1:RecordingConfig/DeleteTrackData"),
    must(
      "Recording configuration",
      of("trc", "SetRecordingConfiguration GetRecordingConfiguration GetTrackConfiguration SetTrackConfiguration"),
      of("trc", "SetRecordingJobConfiguration GetRecordingJobConfiguration"),
    ),
    may(
      "Events of recording configuration",
      ["RecordingConfiguration", "TrackConfiguration", "RecordingJobConfiguration"].map(
        (one) => `tns1:RecordingConfig/${one}`,
      ),
    ),
    must("On-board media source", MEDIA.profiles, MEDIA.videoSource, MEDIA.videoEncoder, MEDIA.metadata),
    may("On-board media source: audio", MEDIA.audio),
    may("Dynamic recordings", of("trc", "CreateRecording DeleteRecording CreateTrack DeleteTrack")),
    may("Metadata search", of("tse", "FindMetadata GetMetadataSearchResults")),
    may("PTZ position search", of("tse", "FindPTZPosition GetPTZPositionSearchResults")),
  ],
  T: [
    must("User authentication", "HTTP digest", "RTSP digest"),
    must(
      "Capabilities",
      of("tds", "GetServices GetServiceCapabilities GetWsdlUrl"),
      ["tev", "tr2", "timg", "tmd"].map((service) => `${service}:GetServiceCapabilities`),
      "MaximumNumberOfProfiles",
      "two pull points at least",
    ),
    DISCOVERY,
    NETWORK,
    SYSTEM,
    USERS,
    must("Event handling", PULL_POINTS),
    must(
      "Media profile management",
      of("tr2", "CreateProfile DeleteProfile GetVideoSourceConfigurations GetVideoEncoderInstances"),
      PROFILE_CHANGED,
    ),
    must(
      "Video streaming",
      of("tr2", "GetProfiles GetStreamUri SetSynchronizationPoint"),
      "a profile ready to stream H.264 or H.265 for each video source",
      "video over RTSP: UDP, HTTP, HTTPS, TCP, WebSocket",
      "UDP multicast",
    ),
    must("Configuration of profiles", of("tr2", "AddConfiguration RemoveConfiguration"), "tmd:GetVideoSources"),
    must(
      "Video source configuration",
      of("tr2", "GetVideoSourceConfigurations GetVideoSourceConfigurationOptions SetVideoSourceConfiguration"),
      CONFIGURATION_CHANGED,
    ),
    must(
      "Video encoder configuration",
      of("tr2", "GetVideoEncoderConfigurations GetVideoEncoderConfigurationOptions SetVideoEncoderConfiguration"),
      CONFIGURATION_CHANGED,
    ),
    must("Metadata streaming", "metadata over RTSP: UDP, HTTP, HTTPS, TCP", "metadata by multicast"),
    must(
      "Metadata configuration",
      of("tr2", "GetMetadataConfigurations GetMetadataConfigurationOptions SetMetadataConfiguration"),
      CONFIGURATION_CHANGED,
    ),
    must("Imaging settings", of("timg", "GetImagingSettings GetOptions SetImagingSettings"), "tmd:GetVideoSources"),
    {
      ...must(
        "Tampering",
        ["ImageTooBlurry", "ImageTooDark", "ImageTooBright", "GlobalSceneChange"].map(
          (one) => `tns1:VideoSource/${one}`,
        ),
      ),
      oneOf: true,
    },
    must("Motion alarm", "tns1:VideoSource/MotionAlarm"),
    must("On-screen display", of("tr2", "CreateOSD DeleteOSD GetOSDs GetOSDOptions SetOSD")),
    must("Snapshot", "tr2:GetSnapshotUri"),
    may(
      "PTZ moves",
      of("tptz", "AbsoluteMove ContinuousMove Stop GetStatus"),
      "PTZ spaces, status and position of the camera",
    ),
    may(
      "PTZ configuration",
      of("tptz", "GetCompatibleConfigurations GetNodes GetNode GetConfigurationOptions SetConfiguration"),
      CONFIGURATION_CHANGED,
    ),
    may("PTZ presets", of("tptz", "GetPresets SetPreset GotoPreset RemovePreset")),
    may("PTZ home position", of("tptz", "SetHomePosition GotoHomePosition")),
    may("Audio streaming", "audio over RTSP: UDP, HTTP, HTTPS, TCP", "G.711 or AAC", "tmd:GetAudioSources"),
    may(
      "Audio encoder configuration",
      of("tr2", "GetAudioSourceConfigurations GetAudioEncoderConfigurations GetAudioEncoderConfigurationOptions"),
      of("tr2", "SetAudioEncoderConfiguration"),
      CONFIGURATION_CHANGED,
    ),
    may(
      "Audio outputs",
      "back channel",
      of("tr2", "GetAudioOutputConfigurations GetAudioOutputConfigurationOptions SetAudioOutputConfiguration"),
      of("tr2", "GetAudioDecoderConfigurations"),
    ),
    may("Analytics", of("tr2", "GetAnalyticsConfigurations"), "tns1:RuleEngine/MotionRegionDetector/Motion"),
    may("Video source mode", of("tr2", "GetVideoSourceModes SetVideoSourceMode")),
    may("Focus", of("timg", "GetMoveOptions Move Stop GetStatus")),
    may(
      "Relay outputs",
      of("tds", "GetRelayOutputs SetRelayOutputState SetRelayOutputSettings"),
      "tmd:GetRelayOutputOptions",
      "tns1:Device/Trigger/Relay",
    ),
    may(
      "Digital inputs",
      of("tmd", "GetDigitalInputs GetDigitalInputConfigurationOptions SetDigitalInputConfigurations"),
      "tns1:Device/Trigger/DigitalInput",
    ),
    may("Auxiliary commands", "tds:SendAuxiliaryCommand"),
    NTP,
  ],
};
