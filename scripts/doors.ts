import type { Interface, Right } from "../auth/right.ts";

/**
 * What a door asks of whoever comes: nothing, an account, a right over the camera that is named (or, of a list, over each camera that
 * stands in it), one of two such rights, such a right beside another one, or a right over the product. `see` is any right over the
 * camera.
 */
export type Needs = "nobody" | "account" | Right | `${Right} or ${Right}` | `${Right} beside ${Right}`;

/** The interfaces at which accounts are asked for. */
export type Guarded = Exclude<Interface, "cli">;

type Doors = Readonly<Partial<Record<Needs, readonly string[]>>>;

const WEB: Doors = {
  nobody: [
    "GET /api/session",
    "POST /api/session",
    "PUT /api/session",
    "POST /api/session/kerberos",
    "POST /api/session/ntlm",
    "POST /api/setup",
  ],
  account: [
    "DELETE /api/session",
    ...["POST", "PUT", "DELETE"].map((method) => `${method} /api/session/factor`),
    "POST /api/session/factor/code",
    "PUT /api/session/password",
    "GET /api/session/tokens",
    "POST /api/session/tokens",
    "DELETE /api/session/tokens/:token",
    "GET /api/about",
    // One's own.
    "GET /api/exports",
    "DELETE /api/exports/:id",
    "GET /api/approvals",
    "GET /api/approvals/:id",
    "DELETE /api/approvals/:id",
  ],
  see: ["GET /api/cameras"],
  live: ["WS /api/live"],
  playback: ["WS /api/playback", "GET /api/cameras/:id/camera-signatures"],
  "audio beside live": ["WS /api/sound"],
  "audio beside playback": ["WS /api/recorded-sound"],
  ptz: ["WS /api/ptz", "POST /api/cameras/:id/presets/:preset/go", "POST /api/cameras/:id/home/go"],
  presets: [
    "POST /api/cameras/:id/presets",
    "PUT /api/cameras/:id/presets/:preset",
    "DELETE /api/cameras/:id/presets/:preset",
    "PUT /api/cameras/:id/home",
  ],
  "ptz or presets": ["GET /api/cameras/:id/presets"],
  "search or playback": ["GET /api/cameras/:id/timeline"],
  export: ["POST /api/exports", "GET /api/exports/:id/file"],
  // What somebody may not find, they can neither mark nor unmark.
  "bookmark beside search": ["POST /api/cameras/:id/bookmarks", "DELETE /api/cameras/:id/bookmarks/:mark"],
  fetch: ["GET /api/cameras/:id/fetches"],
  "fetch beside search": ["POST /api/cameras/:id/fetches"],
  "lock beside search": ["POST /api/cameras/:id/locks", "DELETE /api/cameras/:id/locks/:mark"],
  "adopt-camera": [
    "WS /api/events",
    "PATCH /api/cameras/:id",
    "PATCH /api/cameras/:id/streams/:stream",
    "DELETE /api/cameras/:id",
    "GET /api/volumes",
    "DELETE /api/volumes/:name",
    "GET /api/discovery",
    "POST /api/discovery/scan",
    "POST /api/discovery/adopt",
  ],
  "manage-accounts": [
    "GET /api/accounts",
    "POST /api/accounts",
    "POST /api/accounts/people",
    "PATCH /api/accounts/:id",
    "DELETE /api/accounts/:id",
    "PUT /api/accounts/:id/password",
    "POST /api/accounts/:id/secret",
    "DELETE /api/accounts/:id/secret/former",
    ...["PUT", "POST", "DELETE"].map((method) => `${method} /api/accounts/:id/arming`),
    "DELETE /api/accounts/:id/factor",
    "GET /api/accounts/:id/tokens",
    "POST /api/accounts/:id/tokens",
    "DELETE /api/accounts/:id/tokens/:token",
    "GET /api/accounts/:id/rights",
    "PUT /api/accounts/:id/rights",
    "GET /api/accounts/:id/why",
    "GET /api/policy",
    "PUT /api/policy/:kind/:id",
    "DELETE /api/policy/:kind/:id",
  ],
  "manage-directory": [
    "GET /api/directory",
    "POST /api/directory/:name/test",
    "POST /api/directory/:name/preview",
    "POST /api/directory/:name/sync",
    "GET /api/directory/:name/explain",
    "GET /api/directory/:name/history",
    "PUT /api/directory/:name/password",
  ],
  approve: ["POST /api/approvals/:id"],
  "read-audit": ["GET /api/audit", "GET /api/audit/state", "GET /api/refusals"],
};

/**
 * Every door of the bridge and what it needs, written down once more beside the code: the matrix of rights
 * (test/bridge/rights-matrix.test.ts) tries each of them with and without it, and fails where one is missing here. Web: routes, and
 * WebSockets as `WS`; ONVIF: operations; RTSP: what may be described and played.
 */
export const DOORS: Readonly<Record<Guarded, Doors>> = {
  web: WEB,
  // By a token. What is one's own log-in, and approving, is done at the pages.
  api: without(WEB, ["nobody", "account", "approve"]),
  onvif: {
    nobody: [
      ...of("tds", "GetSystemDateAndTime GetCapabilities GetServices GetHostname GetEndpointReference GetWsdlUrl"),
      ...["tds", "trt", "tr2", "trc", "tse", "trp", "tev", "tptz", "timg", "tmd"].map(
        (service) => `${service}:GetServiceCapabilities`,
      ),
    ],
    account: [
      ...of("tds", "GetDeviceInformation GetScopes GetNetworkInterfaces GetNetworkProtocols GetDNS GetNTP"),
      ...of("tds", "GetNetworkDefaultGateway GetDiscoveryMode GetDynamicDNS GetSystemUris GetRemoteUser"),
      // Empty lists.
      ...of("trt", "GetAudioOutputs GetAudioOutputConfigurations GetAudioDecoderConfigurations"),
      ...of("trt", "GetVideoAnalyticsConfigurations"),
      ...of("tr2", "GetAnalyticsConfigurations GetAudioOutputConfigurations GetAudioDecoderConfigurations"),
      ...of("tmd", "GetAudioOutputs GetVideoOutputs GetSerialPorts"),
      // What comes of these is for who may have it: subscriptions and searches are the account's own.
      ...of("tev", "GetEventProperties CreatePullPointSubscription Seek SetSynchronizationPoint"),
      ...of("wsnt", "Subscribe Renew Unsubscribe PauseSubscription ResumeSubscription"),
      ...of("tse", "FindRecordings FindEvents EndSearch"),
      ...of("trp", "GetReplayConfiguration SetReplayConfiguration"),
      // Profiles that an account makes are its own, and nothing is in them but what it sees.
      ...of("trt", "CreateProfile DeleteProfile RemoveVideoSourceConfiguration RemoveVideoEncoderConfiguration"),
      ...of("trt", "RemoveAudioSourceConfiguration RemoveAudioEncoderConfiguration RemoveMetadataConfiguration"),
      ...of("trt", "RemovePTZConfiguration"),
      ...of("tr2", "CreateProfile DeleteProfile RemoveConfiguration"),
    ],
    see: [
      ...of("trt", "GetProfiles GetProfile GetVideoSources GetVideoSourceConfigurations GetVideoSourceConfiguration"),
      ...of("trt", "GetVideoEncoderConfigurations GetVideoEncoderConfiguration GetVideoSourceConfigurationOptions"),
      ...of("trt", "GetVideoEncoderConfigurationOptions GetCompatibleVideoSourceConfigurations"),
      ...of("trt", "GetCompatibleVideoEncoderConfigurations GetGuaranteedNumberOfVideoEncoderInstances"),
      ...of("tr2", "GetProfiles GetVideoSourceConfigurations GetVideoEncoderConfigurations GetVideoEncoderInstances"),
      ...of("tr2", "GetVideoSourceConfigurationOptions GetVideoEncoderConfigurationOptions AddConfiguration"),
      ...of("trt", "AddVideoSourceConfiguration AddVideoEncoderConfiguration"),
      ...of("tmd", "GetVideoSources GetDigitalInputs"),
      // Of a camera, though the list is empty.
      ...of("trt", "GetOSDs GetCompatibleAudioOutputConfigurations GetCompatibleAudioDecoderConfigurations"),
      ...of("trt", "GetCompatibleVideoAnalyticsConfigurations"),
      ...of("tr2", "GetOSDs GetMasks"),
    ],
    audio: [
      ...of("trt", "GetAudioSources GetAudioSourceConfigurations GetAudioSourceConfiguration"),
      ...of("trt", "GetAudioEncoderConfigurations GetAudioEncoderConfiguration GetAudioSourceConfigurationOptions"),
      ...of("trt", "GetAudioEncoderConfigurationOptions GetCompatibleAudioSourceConfigurations"),
      ...of("trt", "GetCompatibleAudioEncoderConfigurations AddAudioSourceConfiguration AddAudioEncoderConfiguration"),
      ...of("tr2", "GetAudioSourceConfigurations GetAudioEncoderConfigurations GetAudioSourceConfigurationOptions"),
      ...of("tr2", "GetAudioEncoderConfigurationOptions"),
      ...of("tmd", "GetAudioSources"),
    ],
    metadata: [
      ...of("trt", "GetMetadataConfigurations GetMetadataConfiguration GetMetadataConfigurationOptions"),
      ...of("trt", "GetCompatibleMetadataConfigurations AddMetadataConfiguration"),
      ...of("tr2", "GetMetadataConfigurations GetMetadataConfigurationOptions"),
    ],
    live: ["trt", "tr2"].flatMap((media) =>
      of(media, "GetStreamUri SetSynchronizationPoint SetVideoSourceConfiguration SetVideoEncoderConfiguration"),
    ),
    "audio beside live": ["trt", "tr2"].flatMap((media) =>
      of(media, "SetAudioSourceConfiguration SetAudioEncoderConfiguration"),
    ),
    "metadata beside live": of("trt", "SetMetadataConfiguration").concat(of("tr2", "SetMetadataConfiguration")),
    "encoding beside live": ["trt", "tr2"].map((media) => `${media}:SetVideoEncoderConfiguration otherwise`),
    snapshot: ["trt:GetSnapshotUri", "tr2:GetSnapshotUri", "GET /onvif/snapshot"],
    playback: ["trp:GetReplayUri"],
    "search or playback": [
      ...of("trc", "GetRecordings GetRecordingConfiguration GetRecordingOptions GetTrackConfiguration"),
      ...of("trc", "GetRecordingJobs GetRecordingJobConfiguration GetRecordingJobState"),
      ...of("tse", "GetRecordingSummary GetRecordingInformation GetMediaAttributes GetRecordingSearchResults"),
      ...of("tse", "GetEventSearchResults"),
    ],
    "record beside search": ["trc:SetRecordingJobMode"],
    events: ["tev:PullMessages"],
    ptz: [
      ...of("tptz", "ContinuousMove RelativeMove AbsoluteMove Stop GotoPreset GotoHomePosition OperatePresetTour"),
      ...of("tptz", "SendAuxiliaryCommand SetConfiguration"),
    ],
    presets: of("tptz", "SetPreset RemovePreset SetHomePosition CreatePresetTour ModifyPresetTour RemovePresetTour"),
    "ptz or presets": [
      ...of("tptz", "GetNodes GetNode GetConfigurations GetConfiguration GetConfigurationOptions"),
      ...of("tptz", "GetCompatibleConfigurations GetStatus GetPresets GetPresetTours GetPresetTour"),
      ...of("tptz", "GetPresetTourOptions"),
      ...of("trt", "AddPTZConfiguration"),
    ],
    imaging: of("timg", "GetImagingSettings SetImagingSettings GetOptions GetMoveOptions GetStatus Move Stop"),
    relay: of("tds", "GetRelayOutputs SetRelayOutputState"),
    "manage-accounts": of("tds", "GetUsers CreateUsers SetUser DeleteUsers SetScopes AddScopes RemoveScopes"),
  },
  rtsp: {
    live: ["/live"],
    playback: ["/recorded"],
    "audio beside live": ["/live with sound"],
    "audio beside playback": ["/recorded with sound"],
    "metadata beside live": ["/live with metadata"],
    "talk beside live": ["/live with a back channel"],
  },
};

/** Without WebSockets, which are for pages. */
function without(doors: Doors, needs: readonly Needs[]): Doors {
  const rest = Object.entries(doors).filter(([one]) => !needs.includes(one as Needs));
  const routes = rest.map(([one, names]) => [one, names.filter((name) => !name.startsWith("WS "))] as const);
  return Object.fromEntries(routes.filter(([, names]) => names.length > 0));
}

function of(service: string, operations: string): readonly string[] {
  return operations.split(" ").map((operation) => `${service}:${operation}`);
}

/** What a door needs; undefined where it is not written down. */
export function needsOf(door: Guarded, name: string): Needs | undefined {
  return (Object.entries(DOORS[door]) as [Needs, readonly string[]][]).find(([, names]) => names.includes(name))?.[0];
}

/** The rights of which one is enough, and the one that is needed besides. */
export function rightsOf(needs: Needs): { readonly oneOf: readonly Right[]; readonly beside: readonly Right[] } {
  if (needs === "nobody" || needs === "account") return { oneOf: [], beside: [] };
  const [oneOf = "", beside] = needs.split(" beside ");
  return { oneOf: oneOf.split(" or ") as Right[], beside: beside === undefined ? [] : [beside as Right] };
}
