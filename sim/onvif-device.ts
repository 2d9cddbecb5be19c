import { escapeXml, findPath } from "../wsdl/xml.ts";
import type { Device } from "./device.ts";
import { type Asked, type Operations, PATHS } from "./onvif.ts";
import { CARD_CAPABILITIES } from "./onvif-card.ts";
import { IMAGING_CAPABILITIES, IO_CAPABILITIES, relayOperations } from "./onvif-io.ts";
import { PTZ_CAPABILITIES } from "./onvif-ptz.ts";
import { NS, SoapFault } from "./soap.ts";

/** The device management service (ONVIF Core 8), as far as a camera needs it to be found, logged in to and understood. */
export function deviceOperations(device: Device): Operations {
  const operations: Operations = {
    GetSystemDateAndTime: () => `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>
<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>
<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>
<tt:UTCDateTime>${dateTime(device)}</tt:UTCDateTime>
<tt:LocalDateTime>${dateTime(device)}</tt:LocalDateTime>
</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,

    GetDeviceInformation: () => `<tds:GetDeviceInformationResponse>
<tds:Manufacturer>Viaduct</tds:Manufacturer><tds:Model>Simulated camera</tds:Model>
<tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>${device.serial}</tds:SerialNumber>
<tds:HardwareId>sim</tds:HardwareId></tds:GetDeviceInformationResponse>`,

    GetServices: ({ element }) => {
      const detailed = findPath(element, "IncludeCapability")?.text.trim() === "true";
      return `<tds:GetServicesResponse>${services(device)
        .map(([ns, path, capabilities]) => {
          const more = detailed ? `<tds:Capabilities>${capabilities}</tds:Capabilities>` : "";
          return `<tds:Service><tds:Namespace>${ns}</tds:Namespace><tds:XAddr>${device.url(path)}</tds:XAddr>${more}<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`;
        })
        .join("")}</tds:GetServicesResponse>`;
    },

    GetServiceCapabilities: () =>
      `<tds:GetServiceCapabilitiesResponse>${DEVICE_CAPABILITIES}</tds:GetServiceCapabilitiesResponse>`,

    GetCapabilities: (asked) =>
      `<tds:GetCapabilitiesResponse><tds:Capabilities>${capabilities(device, asked)}</tds:Capabilities></tds:GetCapabilitiesResponse>`,

    GetScopes: () =>
      `<tds:GetScopesResponse>${device.scopes
        .map(
          (scope) =>
            `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>${escapeXml(scope)}</tt:ScopeItem></tds:Scopes>`,
        )
        .join("")}</tds:GetScopesResponse>`,

    GetHostname: () =>
      `<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>sim-${device.serial.toLowerCase()}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>`,

    GetEndpointReference: () =>
      `<tds:GetEndpointReferenceResponse><tds:GUID>${device.endpoint}</tds:GUID></tds:GetEndpointReferenceResponse>`,

    GetDiscoveryMode: () =>
      "<tds:GetDiscoveryModeResponse><tds:DiscoveryMode>Discoverable</tds:DiscoveryMode></tds:GetDiscoveryModeResponse>",

    GetNetworkInterfaces: () => `<tds:GetNetworkInterfacesResponse>
<tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>
<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${device.mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>
<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config>
<tt:Manual><tt:Address>${device.address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>
<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>`,

    GetNetworkProtocols: () =>
      `<tds:GetNetworkProtocolsResponse>${[
        ["HTTP", device.httpPort],
        ["RTSP", device.rtspPort],
      ]
        .map(
          ([name, port]) =>
            `<tds:NetworkProtocols><tt:Name>${name}</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>${port}</tt:Port></tds:NetworkProtocols>`,
        )
        .join("")}</tds:GetNetworkProtocolsResponse>`,

    GetUsers: () =>
      `<tds:GetUsersResponse><tds:User><tt:Username>${escapeXml(device.user)}</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User></tds:GetUsersResponse>`,
  };
  const { GetServices: _, ...older } = operations;
  return { ...(device.quirks.has("no-get-services") ? older : operations), ...relayOperations(device) };
}

const DEVICE_CAPABILITIES = `<tds:Capabilities><tds:Network/>
<tds:Security HttpDigest="true" UsernameToken="true"/><tds:System DiscoveryResolve="false" DiscoveryBye="false"/></tds:Capabilities>`;
export const mediaCapabilities = (device: Device): string => `<trt:Capabilities SnapshotUri="true">
<trt:ProfileCapabilities MaximumNumberOfProfiles="2"/><trt:StreamingCapabilities RTP_RTSP_TCP="true" RTPMulticast="${multicasts(device)}"/></trt:Capabilities>`;
export const media2Capabilities = (device: Device): string => `<tr2:Capabilities SnapshotUri="true">
<tr2:ProfileCapabilities MaximumNumberOfProfiles="2" ConfigurationsSupported="VideoSource VideoEncoder"/>
<tr2:StreamingCapabilities RTSPStreaming="true" RTP_RTSP_TCP="true" RTPMulticast="${multicasts(device)}"/></tr2:Capabilities>`;
export const EVENT_CAPABILITIES = `<tev:Capabilities WSSubscriptionPolicySupport="false" WSPullPointSupport="true" MaxPullPoints="8"/>`;

function multicasts({ streams: [main] }: Device): boolean {
  return main.group !== undefined;
}

/** Namespace, path and capabilities of each service. */
function services(device: Device): readonly (readonly [ns: string, path: string, capabilities: string])[] {
  const all = [
    [NS.tds, PATHS.device, DEVICE_CAPABILITIES],
    [NS.trt, PATHS.media, mediaCapabilities(device)],
    [NS.tr2, PATHS.media2, media2Capabilities(device)],
    [NS.tev, PATHS.events, EVENT_CAPABILITIES],
    ...(device.motion === undefined
      ? []
      : ([
          [NS.tptz, PATHS.ptz, PTZ_CAPABILITIES],
          [NS.timg, PATHS.imaging, IMAGING_CAPABILITIES],
          [NS.tmd, PATHS.io, IO_CAPABILITIES],
        ] as const)),
    ...(device.card === undefined
      ? []
      : ([
          [NS.trc, PATHS.recording, CARD_CAPABILITIES.trc],
          [NS.tse, PATHS.search, CARD_CAPABILITIES.tse],
          [NS.trp, PATHS.replay, CARD_CAPABILITIES.trp],
        ] as const)),
  ] as const;
  return all.filter(
    ([ns]) =>
      !(ns === NS.trt && device.quirks.has("media2-only")) && !(ns === NS.tev && device.quirks.has("hidden-events")),
  );
}

/** The older way to tell of services (Core 8.1.2.3); Media 2 has no place in it. */
function capabilities(device: Device, { element }: Asked): string {
  const category = findPath(element, "Category")?.text.trim() ?? "All";
  const known: Record<string, string> = {
    Device: `<tt:Device><tt:XAddr>${device.url(PATHS.device)}</tt:XAddr></tt:Device>`,
    Events: `<tt:Events><tt:XAddr>${device.url(PATHS.events)}</tt:XAddr><tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>`,
    Media: `<tt:Media><tt:XAddr>${device.url(PATHS.media)}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>${multicasts(device)}</tt:RTPMulticast><tt:RTP_TCP>false</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>`,
  };
  if (device.motion !== undefined) {
    known["Imaging"] = `<tt:Imaging><tt:XAddr>${device.url(PATHS.imaging)}</tt:XAddr></tt:Imaging>`;
    known["PTZ"] = `<tt:PTZ><tt:XAddr>${device.url(PATHS.ptz)}</tt:XAddr></tt:PTZ>`;
  }
  if (device.quirks.has("media2-only")) delete known["Media"];
  if (device.quirks.has("hidden-events")) delete known["Events"];
  if (category === "All") return ORDER.map((name) => known[name] ?? "").join("");
  const one = Object.hasOwn(known, category) ? known[category] : undefined;
  if (one === undefined)
    throw new SoapFault("Receiver", ["ActionNotSupported", "NoSuchService"], `This camera has no ${category}`);
  return one;
}

/** As the schema has them. */
const ORDER = ["Device", "Events", "Imaging", "Media", "PTZ"];

function dateTime(device: Device): string {
  const now = new Date(device.now());
  return `<tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date>`;
}
