import type { OnvifProfile } from "../bridge/client-side/onvif/profile-scopes.ts";

// What the profiles want of a device: ONVIF Profiles Conformance Device Test Specification 21.12, "Features Categories" and "Support Check" of
// Profiles S, G and T. The profile specifications themselves are newer in part (S 1.3, G 1.1): what they changed since is not in it.

/** One feature of a profile. */
export interface Feature {
  readonly name: string;
  /** `conditional`: of a device that has such a thing at all. */
  readonly need: "mandatory" | "conditional";
  /** Operations, topics (`tns1:…`), and keys of {@link FUNCTIONS}. */
  readonly rows: readonly string[];
  /** One of them is enough. */
  readonly oneOf?: true;
}

/** What is no operation and no topic: what holds it, as a file of the tests, or why it is not there. */
export const FUNCTIONS: Readonly<Record<string, { readonly heldBy: string } | { readonly missing: string }>> = {
  "HTTP digest": { heldBy: "test/onvif/server/log-in.test.ts" },
  "RTSP digest": { heldBy: "test/peers/client-matrix.peer.ts" },
  "WS-UsernameToken": { heldBy: "test/bridge/onvif/vms-clients.test.ts" },
  "WS-Discovery": { heldBy: "test/bridge/onvif/discovery.test.ts" },
  "two pull points at least": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "topic filter": { heldBy: "test/bridge/onvif/events.test.ts" },
  "message content filter": { heldBy: "test/bridge/onvif/events.test.ts" },
  MaximumNumberOfProfiles: { heldBy: "test/peers/onvif-cases.peer.ts" },
  "a profile ready to stream H.264 or H.265 for each video source": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "video over RTSP: UDP, HTTP, HTTPS, TCP, WebSocket": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "metadata over RTSP: UDP, HTTP, HTTPS, TCP": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "audio over RTSP: UDP, HTTP, HTTPS, TCP": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "metadata by multicast": { missing: "sent as every track is, and tested by nothing" },
  "UDP multicast": { heldBy: "test/peers/multicast.peer.ts" },
  "G.711 or AAC": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "back channel": { heldBy: "test/peers/talk.peer.ts" },
  "the events of made profiles": {
    missing: "`ProfileChanged` tells of streams' profiles alone: one account would learn what another one makes",
  },
  "states of recordings and tracks among the events": { heldBy: "test/bridge/onvif/event-search.test.ts" },
  "XPath filter": { heldBy: "test/bridge/onvif/search.test.ts" },
  "RTP header extension, `onvif-replay`, replay": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "reverse replay": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "JPEG, H.264 or MPEG-4 recorded": { heldBy: "test/peers/onvif-cases.peer.ts" },
  "PTZ spaces, status and position of the camera": { heldBy: "test/bridge/control.test.ts" },
};

/** Operations that are answered, and not all that the profile means by them. */
export const IN_PART: Readonly<Record<string, string>> = {
  "trt:SetVideoSourceConfiguration": "takes what is so already",
  "trt:SetAudioSourceConfiguration": "takes what is so already",
  "trt:SetAudioEncoderConfiguration": "takes what is so already",
  "trt:SetMetadataConfiguration": "takes what is so already",
  "tr2:SetVideoSourceConfiguration": "takes what is so already",
  "tr2:SetAudioEncoderConfiguration": "takes what is so already",
  "tr2:SetMetadataConfiguration": "takes what is so already",
  "trt:RemoveVideoSourceConfiguration": "from made profiles alone",
  "trt:RemoveVideoEncoderConfiguration": "from made profiles alone",
  "trt:RemoveAudioSourceConfiguration": "from made profiles alone",
  "trt:RemoveAudioEncoderConfiguration": "from made profiles alone",
  "trt:RemoveMetadataConfiguration": "from made profiles alone",
  "trt:RemovePTZConfiguration": "from made profiles alone",
  "tr2:RemoveConfiguration": "from made profiles alone",
  "wsnt:Subscribe": "where `clientSide.notifications` lists addresses",
  "trp:SetReplayConfiguration": "takes the session timeout that is",
  "tptz:SetConfiguration": "takes what is so already",
};

/** Why operations are not there: by the operation, or by its service. */
export const WHY_NOT: Readonly<Record<string, string>> = {
  "tds:SetScopes": "fixed: they say what this is",
  "tds:AddScopes": "fixed",
  "tds:RemoveScopes": "fixed",
  "tds:SetDiscoveryMode": "set in the configuration",
  "tds:SetHostname": "the machine's",
  "tds:SetDNS": "the machine's",
  "tds:SetNTP": "the machine's",
  "tds:SetNetworkInterfaces": "the machine's",
  "tds:SetNetworkProtocols": "set in the configuration",
  "tds:SetNetworkDefaultGateway": "the machine's",
  "tds:SetSystemDateAndTime": "the machine's clock, by which recordings are evidence",
  "tds:SetSystemFactoryDefault": "would end all recording, for everybody",
  "tds:SystemReboot": "would interrupt all recording, for everybody",
  "tds:GetUsers": "accounts have rights by camera, not levels",
  "tds:CreateUsers": "accounts have rights by camera, not levels, and secrets that are made here",
  "tds:DeleteUsers": "accounts are managed at the pages and the shell",
  "tds:SetUser": "accounts have rights by camera, not levels, and secrets that are made here",
  "tds:SetRelayOutputSettings": "the cameras' own",
  "tds:SendAuxiliaryCommand": "of a camera, by PTZ",
  "tds:GetDynamicDNS": "the machine's",
  "tds:SetDynamicDNS": "the machine's",
  "tds:GetZeroConfiguration": "the machine's",
  "tds:SetZeroConfiguration": "the machine's",
  "tds:GetIPAddressFilter": "set in the configuration",
  "tds:SetIPAddressFilter": "set in the configuration",
  "tds:AddIPAddressFilter": "set in the configuration",
  "tds:RemoveIPAddressFilter": "set in the configuration",
  trt: "a stream is sent while somebody has it set up",
  tr2: "the cameras' own, or changes the picture for all who watch",
  trc: "there is one recording and one job for each stream, set at the pages",
  tse: "not indexed",
  tmd: "the cameras' own",
  "tns1:VideoSource/ImageTooBlurry": "told as the camera tells it",
  "tns1:VideoSource/ImageTooDark": "told as the camera tells it",
  "tns1:VideoSource/ImageTooBright": "told as the camera tells it",
  "tns1:RuleEngine/MotionRegionDetector/Motion": "told as the camera tells it",
  "tns1:Device/Trigger/Relay": "told as the camera tells it",
  "tns1:Device/Trigger/DigitalInput": "told as the camera tells it",
  "tns1:RecordingConfig/DeleteTrackData": "not told",
  "tns1:RecordingConfig/RecordingConfiguration": "not told",
  "tns1:RecordingConfig/TrackConfiguration": "not told",
  "tns1:RecordingConfig/RecordingJobConfiguration": "not told",
};

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
