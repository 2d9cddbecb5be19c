import { extend, many, OPEN, opt, some, type } from "../schema.ts";
import { anyURI, boolean, int, oneOf, string, token, tokenText } from "../simple.ts";
import { DeviceEntity, IPAddress, IPv4Address, IPv6Address, StringList } from "./tt.ts";

// Types of the common schema that the device service needs.
// A row stands behind those that it needs; optional elements that are never printed are left out.

export const SetDateTimeType = oneOf("tt:SetDateTimeType", "Manual", "NTP");
export const TimeZone = type("tt:TimeZone", { TZ: token });
export const TimeOfDay = type("tt:Time", { Hour: int, Minute: int, Second: int });
export const CalendarDate = type("tt:Date", { Year: int, Month: int, Day: int });
export const DateTime = type("tt:DateTime", { Time: TimeOfDay, Date: CalendarDate });
export const SystemDateTime = type("tt:SystemDateTime", {
  DateTimeType: SetDateTimeType,
  DaylightSavings: boolean,
  TimeZone: opt(TimeZone),
  UTCDateTime: opt(DateTime),
  LocalDateTime: opt(DateTime),
});
export const UserLevel = oneOf("tt:UserLevel", "Administrator", "Operator", "User", "Anonymous", "Extended");
export const UserExtension = type("tt:UserExtension", { Roles: StringList }, OPEN);
export const User = type("tt:User", {
  Username: string,
  Password: opt(string),
  UserLevel,
  Extension: opt(UserExtension),
});
export const DynamicDNSType = oneOf("tt:DynamicDNSType", "NoUpdate", "ClientUpdates", "ServerUpdates");
export const DynamicDNSInformation = type("tt:DynamicDNSInformation", { Type: DynamicDNSType });
export const CapabilityCategory = oneOf(
  "tt:CapabilityCategory",
  "All",
  "Analytics",
  "Device",
  "Events",
  "Imaging",
  "Media",
  "PTZ",
);
export const NetworkCapabilities = type("tt:NetworkCapabilities", {
  IPFilter: opt(boolean),
  ZeroConfiguration: opt(boolean),
  IPVersion6: opt(boolean),
  DynDNS: opt(boolean),
});
export const OnvifVersion = type("tt:OnvifVersion", { Major: int, Minor: int });
export const SystemCapabilities = type("tt:SystemCapabilities", {
  DiscoveryResolve: boolean,
  DiscoveryBye: boolean,
  RemoteDiscovery: boolean,
  SystemBackup: boolean,
  SystemLogging: boolean,
  FirmwareUpgrade: boolean,
  SupportedVersions: some(OnvifVersion),
});
export const SecurityCapabilities = type("tt:SecurityCapabilities", {
  "TLS1.1": boolean,
  "TLS1.2": boolean,
  OnboardKeyGeneration: boolean,
  AccessPolicyConfig: boolean,
  "X.509Token": boolean,
  SAMLToken: boolean,
  KerberosToken: boolean,
  RELToken: boolean,
});
export const DeviceCapabilities = type("tt:DeviceCapabilities", {
  XAddr: anyURI,
  Network: opt(NetworkCapabilities),
  System: opt(SystemCapabilities),
  Security: opt(SecurityCapabilities),
});
export const RealTimeStreamingCapabilities = type("tt:RealTimeStreamingCapabilities", {
  RTPMulticast: opt(boolean),
  RTP_TCP: opt(boolean),
  RTP_RTSP_TCP: opt(boolean),
});
export const MediaCapabilities = type("tt:MediaCapabilities", {
  XAddr: anyURI,
  StreamingCapabilities: RealTimeStreamingCapabilities,
});
export const EventCapabilities = type("tt:EventCapabilities", {
  XAddr: anyURI,
  WSSubscriptionPolicySupport: boolean,
  WSPullPointSupport: boolean,
  WSPausableSubscriptionManagerInterfaceSupport: boolean,
});
export const ImagingCapabilities = type("tt:ImagingCapabilities", { XAddr: anyURI });
export const PTZCapabilities = type("tt:PTZCapabilities", { XAddr: anyURI });
export const Capabilities = type("tt:Capabilities", {
  Device: opt(DeviceCapabilities),
  Events: opt(EventCapabilities),
  Imaging: opt(ImagingCapabilities),
  Media: opt(MediaCapabilities),
  PTZ: opt(PTZCapabilities),
});
export const ScopeDefinition = oneOf("tt:ScopeDefinition", "Fixed", "Configurable");
export const Scope = type("tt:Scope", { ScopeDef: ScopeDefinition, ScopeItem: anyURI });
export const HostnameInformation = type("tt:HostnameInformation", { FromDHCP: boolean, Name: opt(token) });
export const HwAddress = tokenText("tt:HwAddress");
export const NetworkInterfaceInfo = type("tt:NetworkInterfaceInfo", { Name: opt(string), HwAddress, MTU: opt(int) });
export const PrefixedIPv4Address = type("tt:PrefixedIPv4Address", { Address: IPv4Address, PrefixLength: int });
export const IPv4Configuration = type("tt:IPv4Configuration", {
  Manual: many(PrefixedIPv4Address),
  LinkLocal: opt(PrefixedIPv4Address),
  FromDHCP: opt(PrefixedIPv4Address),
  DHCP: boolean,
});
export const IPv4NetworkInterface = type("tt:IPv4NetworkInterface", { Enabled: boolean, Config: IPv4Configuration });
export const NetworkInterface = extend("tt:NetworkInterface", DeviceEntity, {
  Enabled: boolean,
  Info: opt(NetworkInterfaceInfo),
  IPv4: opt(IPv4NetworkInterface),
});
export const NetworkProtocolType = oneOf("tt:NetworkProtocolType", "HTTP", "HTTPS", "RTSP");
export const NetworkProtocol = type("tt:NetworkProtocol", {
  Name: NetworkProtocolType,
  Enabled: boolean,
  Port: some(int),
});
export const DNSInformation = type("tt:DNSInformation", {
  FromDHCP: boolean,
  SearchDomain: many(token),
  DNSManual: many(IPAddress),
});
export const NetworkHostType = oneOf("tt:NetworkHostType", "IPv4", "IPv6", "DNS");
export const DNSName = tokenText("tt:DNSName");
export const NetworkHost = type("tt:NetworkHost", {
  Type: NetworkHostType,
  IPv4Address: opt(IPv4Address),
  IPv6Address: opt(IPv6Address),
  DNSname: opt(DNSName),
});
export const NTPInformation = type("tt:NTPInformation", { FromDHCP: boolean, NTPManual: many(NetworkHost) });
export const NetworkGateway = type("tt:NetworkGateway", {
  IPv4Address: many(IPv4Address),
  IPv6Address: many(IPv6Address),
});
export const DiscoveryMode = oneOf("tt:DiscoveryMode", "Discoverable", "NonDiscoverable");
