import { PARTS } from "../../bridge/made-profiles.ts";
import { CAMERAS, PROFILES } from "./onvif-cameras.ts";
import { type OnvifClient, type Reply, type ServicePrefix, texts } from "./onvif-client.ts";

const setup = (protocol: string, stream = "RTP-Unicast"): string =>
  `<StreamSetup><tt:Stream>${stream}</tt:Stream><tt:Transport><tt:Protocol>${protocol}</tt:Protocol></tt:Transport></StreamSetup>`;
export const element = (name: string, text: string): string => `<${name}>${text}</${name}>`;
const profile = (token: string): string => element("ProfileToken", token);
const config = (token: string): string => element("ConfigurationToken", token);
const recording = (token: string): string => element("RecordingToken", token);
const job = (token: string): string => element("JobToken", token);

const FIND_EVENTS =
  "<StartPoint>2025-12-24T00:00:00Z</StartPoint><Scope/><SearchFilter/><IncludeStartState>true</IncludeStartState><KeepAliveTime>PT10S</KeepAliveTime>";

const reference = (type: string, token?: string): string =>
  element("Configuration", element("Type", type) + (token === undefined ? "" : element("Token", token)));

const forEach = (
  parts: readonly string[],
  make: (part: string) => readonly [operation: string, contents: readonly string[]],
): Readonly<Record<string, readonly string[]>> => Object.fromEntries(parts.map(make));

/** What was read of the first camera is written back. */
const SETTINGS = forEach(
  PARTS.filter((part) => part !== "PTZ"),
  (part) => [`Set${part}Configuration`, [`SAME ${part} gate`]],
);

const user = (name: string, password: string | undefined, level: string): string =>
  `<User><tt:Username>${name}</tt:Username>${password === undefined ? "" : `<tt:Password>${password}</tt:Password>`}` +
  `<tt:UserLevel>${level}</tt:UserLevel></User>`;
/** Roles that levels stand for, where users are made. */
export const LEVELS = new Map([
  ["Operator", "guard"],
  ["User", "viewer"],
] as const);
/** What is asked for inside TLS alone, for there are passwords in it. */
export const OVER_TLS: ReadonlySet<string> = new Set(["CreateUsers", "SetUser"]);

const PRESET_TOUR =
  '<PresetTour token="round"><tt:Name>Night</tt:Name><tt:Status><tt:State>Idle</tt:State></tt:Status><tt:AutoStart>false</tt:AutoStart>' +
  "<tt:StartingCondition/><tt:TourSpot><tt:PresetDetail><tt:Home>true</tt:Home></tt:PresetDetail>" +
  "<tt:StayTime>PT5S</tt:StayTime></tt:TourSpot></PresetTour>";

/** Operations of the services, with the contents that each is asked with; local names are put into the service's namespace. */
export const CALLS: Readonly<Record<ServicePrefix, Readonly<Record<string, readonly string[]>>>> = {
  tds: {
    GetSystemDateAndTime: [""],
    GetCapabilities: [
      "",
      element("Category", "Device"),
      element("Category", "Media"),
      element("Category", "PTZ"),
      element("Category", "Imaging"),
      element("Category", "All"),
    ],
    GetServices: [element("IncludeCapability", "true"), element("IncludeCapability", "0")],
    GetServiceCapabilities: [""],
    GetDeviceInformation: [""],
    GetScopes: [""],
    SetScopes: [element("Scopes", "onvif://www.onvif.org/name/Harbour") + element("Scopes", "urn:example:1")],
    AddScopes: [element("ScopeItem", "onvif://www.onvif.org/location/country/germany")],
    RemoveScopes: [element("ScopeItem", "urn:example:1")],
    GetUsers: [""],
    CreateUsers: [
      user("maker-1", "correct horse battery", "Operator") + user("maker-2", "correct horse staple", "User"),
    ],
    SetUser: [user("maker-1", "another horse battery", "User"), user("maker-2", undefined, "Operator")],
    DeleteUsers: [element("Username", "maker-1") + element("Username", "maker-2")],
    GetHostname: [""],
    GetNetworkInterfaces: [""],
    GetNetworkProtocols: [""],
    GetDNS: [""],
    GetNTP: [""],
    GetDynamicDNS: [""],
    GetSystemUris: [""],
    GetRemoteUser: [""],
    GetNetworkDefaultGateway: [""],
    GetDiscoveryMode: [""],
    GetEndpointReference: [""],
    GetWsdlUrl: [""],
    GetRelayOutputs: [""],
    SetRelayOutputState: [element("RelayOutputToken", "gate_0") + element("LogicalState", "active")],
  },
  trt: {
    GetOSDs: [config("gate"), ""],
    GetAudioOutputs: [""],
    GetAudioOutputConfigurations: [""],
    GetAudioDecoderConfigurations: [""],
    GetVideoAnalyticsConfigurations: [""],
    GetCompatibleAudioOutputConfigurations: [profile("gate")],
    GetCompatibleAudioDecoderConfigurations: [profile("gate")],
    GetCompatibleVideoAnalyticsConfigurations: [profile("gate")],
    GetServiceCapabilities: [""],
    GetProfiles: [""],
    GetProfile: PROFILES.map(profile),
    GetVideoSources: [""],
    GetAudioSources: [""],
    GetVideoSourceConfigurations: [""],
    GetVideoEncoderConfigurations: [""],
    GetAudioSourceConfigurations: [""],
    GetAudioEncoderConfigurations: [""],
    GetMetadataConfigurations: [""],
    GetVideoSourceConfiguration: ["gate", "yard", "old", "odd_-1"].map(config),
    GetVideoEncoderConfiguration: ["gate", "old", "odd_-1"].map(config),
    GetAudioSourceConfiguration: ["gate", "yard", "ear"].map(config),
    GetAudioEncoderConfiguration: ["gate", "yard"].map(config),
    GetMetadataConfiguration: [config("gate")],
    GetCompatibleVideoSourceConfigurations: PROFILES.map(profile),
    GetCompatibleVideoEncoderConfigurations: PROFILES.map(profile),
    GetCompatibleAudioSourceConfigurations: PROFILES.map(profile),
    GetCompatibleAudioEncoderConfigurations: PROFILES.map(profile),
    GetCompatibleMetadataConfigurations: PROFILES.map(profile),
    GetVideoSourceConfigurationOptions: ["", config("gate"), profile("yard"), config("gate") + profile("gate")],
    GetVideoEncoderConfigurationOptions: ["", ...["gate", "yard", "old", "odd_-1"].map(config)],
    GetAudioSourceConfigurationOptions: ["", config("gate"), config("ear"), profile("yard")],
    GetAudioEncoderConfigurationOptions: ["", config("gate"), profile("yard")],
    GetMetadataConfigurationOptions: ["", config("gate")],
    GetGuaranteedNumberOfVideoEncoderInstances: [config("gate"), config("yard")],
    GetStreamUri: ["UDP", "TCP", "RTSP"].map((protocol) => setup(protocol) + profile("gate")),
    GetSnapshotUri: [profile("gate")],
    SetSynchronizationPoint: [profile("gate")],
    CreateProfile: [element("Name", "Mine"), element("Name", "Named") + element("Token", "named-1.a")],
    // What is there already.
    ...forEach(PARTS, (part) => [`Add${part}Configuration`, [profile("gate") + config("gate")]]),
    // What is not there.
    ...forEach(PARTS, (part) => [`Remove${part}Configuration`, [profile("MADE")]]),
    ...SETTINGS,
    DeleteProfile: [profile("MADE")],
  },
  tr2: {
    GetOSDs: [config("gate"), ""],
    GetMasks: [config("gate"), ""],
    GetAnalyticsConfigurations: [""],
    GetAudioOutputConfigurations: [""],
    GetAudioDecoderConfigurations: [""],
    GetServiceCapabilities: [""],
    GetProfiles: [
      "",
      element("Type", "All"),
      element("Type", "VideoEncoder") + element("Type", "Metadata"),
      ...PROFILES.map((token) => element("Token", token) + element("Type", "All")),
    ],
    GetVideoSourceConfigurations: ["", config("gate"), profile("old"), profile("ear")],
    GetVideoEncoderConfigurations: ["", ...["gate", "yard", "old", "odd_-1"].map(config)],
    GetAudioSourceConfigurations: ["", config("ear")],
    GetAudioEncoderConfigurations: ["", ...["gate", "yard", "ear"].map(config)],
    GetMetadataConfigurations: ["", config("gate"), profile("yard")],
    GetVideoSourceConfigurationOptions: ["", config("gate")],
    GetVideoEncoderConfigurationOptions: ["", ...["gate", "yard", "old", "odd_-1"].map(config)],
    GetAudioSourceConfigurationOptions: ["", config("gate"), config("ear")],
    GetAudioEncoderConfigurationOptions: ["", config("gate"), config("ear"), profile("yard")],
    GetMetadataConfigurationOptions: ["", config("gate")],
    GetVideoEncoderInstances: [config("gate"), config("yard")],
    GetStreamUri: ["RtspUnicast", "RTSP", "RtspsUnicast"].map((name) => element("Protocol", name) + profile("gate")),
    GetSnapshotUri: [profile("gate")],
    SetSynchronizationPoint: [profile("gate")],
    CreateProfile: [element("Name", "Mine")],
    AddConfiguration: [profile("gate") + reference("VideoSource", "gate"), profile("gate")],
    RemoveConfiguration: [profile("MADE") + reference("VideoSource")],
    DeleteProfile: [element("Token", "MADE")],
    ...SETTINGS,
  },
  tev: {
    GetServiceCapabilities: [""],
    GetEventProperties: [""],
    CreatePullPointSubscription: [
      "",
      "<InitialTerminationTime>PT10M</InitialTerminationTime>",
      '<InitialTerminationTime xsi:nil="true"/>',
      '<Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:VideoSource//.</wsnt:TopicExpression></Filter>',
    ],
  },
  trc: {
    GetServiceCapabilities: [""],
    GetRecordings: [""],
    GetRecordingConfiguration: CAMERAS.map(({ id }) => recording(id)),
    GetRecordingOptions: CAMERAS.map(({ id }) => recording(id)),
    GetTrackConfiguration: ["VIDEO001", "AUDIO001", "META001"].map(
      (token) => recording("gate") + element("TrackToken", token),
    ),
    GetRecordingJobs: [""],
    GetRecordingJobConfiguration: CAMERAS.map(({ id }) => job(id)),
    SetRecordingJobMode: ["Active", "Idle"].map((mode) => job("gate") + element("Mode", mode)),
    GetRecordingJobState: CAMERAS.map(({ id }) => job(id)),
  },
  tse: {
    GetServiceCapabilities: [""],
    GetRecordingSummary: [""],
    GetRecordingInformation: CAMERAS.map(({ id }) => recording(id)),
    GetMediaAttributes: [
      `${CAMERAS.map(({ id }) => element("RecordingTokens", id)).join("")}<Time>2025-12-30T12:00:00Z</Time>`,
      "<Time>2025-12-30T12:00:00+01:00</Time>",
    ],
    FindRecordings: [
      "<Scope/><KeepAliveTime>PT10S</KeepAliveTime>",
      "<Scope><tt:IncludedRecordings>gate</tt:IncludedRecordings></Scope><MaxMatches>1</MaxMatches><KeepAliveTime>PT1M</KeepAliveTime>",
    ],
    GetRecordingSearchResults: [element("SearchToken", "RECORDINGS")],
    FindEvents: [FIND_EVENTS],
    GetEventSearchResults: [element("SearchToken", "EVENTS")],
    EndSearch: [element("SearchToken", "RECORDINGS")],
  },
  trp: {
    GetServiceCapabilities: [""],
    GetReplayUri: ["UDP", "RTSP", "HTTP"].map((protocol) => setup(protocol) + recording("gate")),
    GetReplayConfiguration: [""],
    SetReplayConfiguration: ["<Configuration><tt:SessionTimeout>PT1M</tt:SessionTimeout></Configuration>"],
  },
  tptz: {
    GetServiceCapabilities: [""],
    GetNodes: [""],
    GetNode: [element("NodeToken", "gate")],
    GetConfigurations: [""],
    GetConfiguration: [element("PTZConfigurationToken", "gate")],
    GetConfigurationOptions: [config("gate")],
    GetCompatibleConfigurations: [profile("gate"), profile("old")],
    GetStatus: [profile("gate")],
    GetPresets: [profile("gate")],
    GetPresetTours: [profile("gate")],
    GetPresetTour: [profile("gate") + element("PresetTourToken", "round")],
    OperatePresetTour: [profile("gate") + element("PresetTourToken", "round") + element("Operation", "Stop")],
    SetPreset: [profile("gate"), profile("gate") + element("PresetName", "Door")],
    RemovePreset: [profile("gate") + element("PresetToken", "door")],
    GotoPreset: [profile("gate") + element("PresetToken", "door")],
    GotoHomePosition: [profile("gate")],
    SetHomePosition: [profile("gate")],
    ContinuousMove: [
      `${profile("gate")}<Velocity><tt:PanTilt x="0.5" y="-0.5"/></Velocity>`,
      `${profile("gate")}<Velocity><tt:Zoom x="1"/></Velocity><Timeout>PT2S</Timeout>`,
    ],
    RelativeMove: [`${profile("gate")}<Translation><tt:PanTilt x="0.1" y="0"/></Translation>`],
    AbsoluteMove: [`${profile("gate")}<Position><tt:Zoom x="0.1"/></Position>`],
    Stop: [profile("gate"), `${profile("gate")}<PanTilt>true</PanTilt><Zoom>false</Zoom>`],
    GetPresetTourOptions: [profile("gate"), profile("gate") + element("PresetTourToken", "round")],
    CreatePresetTour: [profile("gate")],
    ModifyPresetTour: [profile("gate") + PRESET_TOUR],
    RemovePresetTour: [profile("gate") + element("PresetTourToken", "TOUR")],
    SetConfiguration: ["SAME PTZ gate"],
    SendAuxiliaryCommand: [`${profile("gate")}<AuxiliaryData>tt:Wiper|On</AuxiliaryData>`],
  },
  timg: {
    GetServiceCapabilities: [""],
    GetImagingSettings: [element("VideoSourceToken", "gate")],
    SetImagingSettings: [
      `${element("VideoSourceToken", "gate")}<ImagingSettings><tt:Brightness>0.5</tt:Brightness></ImagingSettings>`,
    ],
    GetOptions: [element("VideoSourceToken", "gate")],
    GetMoveOptions: [element("VideoSourceToken", "gate")],
    GetStatus: [element("VideoSourceToken", "gate")],
    Move: [
      `${element("VideoSourceToken", "gate")}<Focus><tt:Continuous><tt:Speed>1</tt:Speed></tt:Continuous></Focus>`,
    ],
    Stop: [element("VideoSourceToken", "gate")],
  },
  tmd: {
    GetAudioOutputs: [""],
    GetVideoOutputs: [""],
    GetSerialPorts: [""],
    GetServiceCapabilities: [""],
    GetVideoSources: [""],
    GetAudioSources: [""],
    GetDigitalInputs: [""],
  },
};

/** `<Name>` as `<tds:Name>`. */
export const qualified = (prefix: string, content: string): string =>
  content.replaceAll(/<(\/?)(?=[A-Z])/g, `<$1${prefix}:`);

/** What is asked first, for the token that stands in the answer, which is what is asked with. */
interface Before {
  readonly prefix: ServicePrefix;
  readonly operation: string;
  readonly content: string;
  /** The element that it stands in. */
  readonly token: string;
}

const SEARCH = "<Scope/><KeepAliveTime>PT10S</KeepAliveTime>";
const BEFORE: ReadonlyMap<string, Before> = new Map<string, Before>([
  ["RECORDINGS", { prefix: "tse", operation: "FindRecordings", content: SEARCH, token: "SearchToken" }],
  ["EVENTS", { prefix: "tse", operation: "FindEvents", content: FIND_EVENTS, token: "SearchToken" }],
  ["TOUR", { prefix: "tptz", operation: "CreatePresetTour", content: profile("gate"), token: "PresetTourToken" }],
  ["MADE", { prefix: "tr2", operation: "CreateProfile", content: element("Name", "Mine"), token: "Token" }],
]);

/**
 * The content of a request as {@link CALLS} has it, as it is sent. `<NAME>RECORDINGS</NAME>`: the token of a search that `client` begins;
 * `SAME Part TOKEN`: that configuration as it is.
 */
export async function askedWith(client: OnvifClient, prefix: ServicePrefix, content: string): Promise<string> {
  const [, part, token = ""] = /^SAME (\w+) (\w+)$/.exec(content) ?? [];
  if (part !== undefined)
    return written(await client.call(prefix, `Get${part === "PTZ" ? "" : part}Configurations`), prefix, token);
  const [, name = ""] = />([A-Z]+)</.exec(content) ?? [];
  const before = BEFORE.get(name);
  if (before === undefined) return qualified(prefix, content);
  const reply = await client.call(before.prefix, before.operation, qualified(before.prefix, before.content));
  return qualified(prefix, content.replace(name, texts(reply.element, before.token)[0] ?? ""));
}

/** A configuration of a list, as it is written back. */
export function written({ body }: Reply, prefix: ServicePrefix, token: string): string {
  const [, attributes, inner] =
    new RegExp(
      `<\\w+:(?:PTZConfiguration|Configurations)((?: \\w+="[^"]*")* token="${token}"[^>]*)>(.*?)</\\w+:(?:PTZConfiguration|Configurations)>`,
      "s",
    ).exec(body) ?? [];
  const name = `${prefix}:${prefix === "tptz" ? "PTZ" : ""}Configuration`;
  const same = `<${name}${attributes}>${inner}</${name}>`;
  return prefix === "tr2" ? same : `${same}<${prefix}:ForcePersistence>true</${prefix}:ForcePersistence>`;
}
