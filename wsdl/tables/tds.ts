import { ANYTHING, many, opt, optAttr, some, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { anyURI, boolean, int, string } from "../simple.ts";
import { IntList, ReferenceToken, StringAttrList, StringList } from "./tt.ts";
import {
  Capabilities,
  CapabilityCategory,
  DiscoveryMode,
  DNSInformation,
  DynamicDNSInformation,
  HostnameInformation,
  NetworkGateway,
  NetworkInterface,
  NetworkProtocol,
  NTPInformation,
  OnvifVersion,
  Scope,
  SystemDateTime,
  User,
} from "./tt-device.ts";
import { RelayLogicalState, RelayOutput } from "./tt-io.ts";

export const Service = type("tds:Service", {
  Namespace: anyURI,
  XAddr: anyURI,
  Capabilities: opt(ANYTHING),
  Version: OnvifVersion,
});
export const NetworkCapabilities = type("tds:NetworkCapabilities", {
  IPFilter: optAttr(boolean),
  ZeroConfiguration: optAttr(boolean),
  IPVersion6: optAttr(boolean),
  DynDNS: optAttr(boolean),
  Dot11Configuration: optAttr(boolean),
  Dot1XConfigurations: optAttr(int),
  HostnameFromDHCP: optAttr(boolean),
  NTP: optAttr(int),
  DHCPv6: optAttr(boolean),
});
export const SecurityCapabilities = type("tds:SecurityCapabilities", {
  "TLS1.0": optAttr(boolean),
  "TLS1.1": optAttr(boolean),
  "TLS1.2": optAttr(boolean),
  OnboardKeyGeneration: optAttr(boolean),
  AccessPolicyConfig: optAttr(boolean),
  DefaultAccessPolicy: optAttr(boolean),
  Dot1X: optAttr(boolean),
  RemoteUserHandling: optAttr(boolean),
  "X.509Token": optAttr(boolean),
  SAMLToken: optAttr(boolean),
  KerberosToken: optAttr(boolean),
  UsernameToken: optAttr(boolean),
  HttpDigest: optAttr(boolean),
  RELToken: optAttr(boolean),
  JsonWebToken: optAttr(boolean),
  SupportedEAPMethods: optAttr(IntList),
  MaxUsers: optAttr(int),
  MaxUserNameLength: optAttr(int),
  MaxPasswordLength: optAttr(int),
  SecurityPolicies: optAttr(StringList),
  MaxPasswordHistory: optAttr(int),
  HashingAlgorithms: optAttr(StringList),
  MaxUserRoles: optAttr(int),
});
export const SystemCapabilities = type("tds:SystemCapabilities", {
  DiscoveryResolve: optAttr(boolean),
  DiscoveryBye: optAttr(boolean),
  RemoteDiscovery: optAttr(boolean),
  SystemBackup: optAttr(boolean),
  SystemLogging: optAttr(boolean),
  CloudFirmwareUpgrade: optAttr(boolean),
  HttpFirmwareUpgrade: optAttr(boolean),
  HttpSystemBackup: optAttr(boolean),
  HttpSystemLogging: optAttr(boolean),
  HttpSupportInformation: optAttr(boolean),
  StorageConfiguration: optAttr(boolean),
  MaxStorageConfigurations: optAttr(int),
  StorageConfigurationRenewal: optAttr(boolean),
  GeoLocationEntries: optAttr(int),
  AutoGeo: optAttr(StringAttrList),
  StorageTypesSupported: optAttr(StringAttrList),
  DiscoveryNotSupported: optAttr(boolean),
  NetworkConfigNotSupported: optAttr(boolean),
  UserConfigNotSupported: optAttr(boolean),
  Addons: optAttr(StringAttrList),
  HardwareType: optAttr(string),
});
export const DeviceServiceCapabilities = type("tds:DeviceServiceCapabilities", {
  Network: NetworkCapabilities,
  Security: SecurityCapabilities,
  System: SystemCapabilities,
});

/** The device management service (ONVIF Core 8): what we answer of it, and what else it has. */
export const DEVICE = service(
  "tds",
  {
    GetSystemDateAndTime: operation("PRE_AUTH", {}, { SystemDateAndTime: SystemDateTime }),
    GetCapabilities: operation("PRE_AUTH", { Category: many(CapabilityCategory) }, { Capabilities }),
    GetServices: operation("PRE_AUTH", { IncludeCapability: boolean }, { Service: some(Service) }),
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities: DeviceServiceCapabilities }),
    GetDeviceInformation: operation(
      "READ_SYSTEM",
      {},
      { Manufacturer: string, Model: string, FirmwareVersion: string, SerialNumber: string, HardwareId: string },
    ),
    GetScopes: operation("READ_SYSTEM", {}, { Scopes: some(Scope) }),
    SetScopes: operation("WRITE_SYSTEM", { Scopes: some(anyURI) }, {}),
    AddScopes: operation("WRITE_SYSTEM", { ScopeItem: some(anyURI) }, {}),
    RemoveScopes: operation("WRITE_SYSTEM", { ScopeItem: some(anyURI) }, { ScopeItem: many(anyURI) }),
    GetUsers: operation("READ_SYSTEM_SECRET", {}, { User: many(User) }),
    CreateUsers: operation("WRITE_SYSTEM", { User: some(User) }, {}),
    SetUser: operation("WRITE_SYSTEM", { User: some(User) }, {}),
    DeleteUsers: operation("WRITE_SYSTEM", { Username: some(string) }, {}),
    GetHostname: operation("PRE_AUTH", {}, { HostnameInformation }),
    GetNetworkInterfaces: operation("READ_SYSTEM", {}, { NetworkInterfaces: some(NetworkInterface) }),
    GetNetworkProtocols: operation("READ_SYSTEM", {}, { NetworkProtocols: many(NetworkProtocol) }),
    GetDNS: operation("READ_SYSTEM", {}, { DNSInformation }),
    GetNTP: operation("READ_SYSTEM", {}, { NTPInformation }),
    GetDynamicDNS: operation("READ_SYSTEM", {}, { DynamicDNSInformation }),
    // Of what a bridge has none: addresses of logs and backups, and an account at other devices.
    GetSystemUris: operation("READ_SYSTEM", {}, {}),
    GetRemoteUser: operation("READ_SYSTEM", {}, {}),
    GetNetworkDefaultGateway: operation("READ_SYSTEM", {}, { NetworkGateway }),
    GetDiscoveryMode: operation("READ_SYSTEM", {}, { DiscoveryMode }),
    GetEndpointReference: operation("PRE_AUTH", {}, { GUID: string }),
    GetWsdlUrl: operation("PRE_AUTH", {}, { WsdlUrl: anyURI }),
    GetRelayOutputs: operation("READ_MEDIA", {}, { RelayOutputs: many(RelayOutput) }),
    SetRelayOutputState: operation(
      "ACTUATE",
      { RelayOutputToken: ReferenceToken, LogicalState: RelayLogicalState },
      {},
    ),
  },
  {
    WRITE_SYSTEM: `
      SetSystemDateAndTime UpgradeSystemFirmware SetDiscoveryMode
      SetRemoteDiscoveryMode SetDPAddresses SetUserRole DeleteUserRole SetRemoteUser
      SetPasswordComplexityConfiguration SetPasswordHistoryConfiguration
      SetAuthFailureWarningConfiguration SetHostname SetHostnameFromDHCP SetDNS SetNTP SetDynamicDNS
      SetNetworkInterfaces SetNetworkProtocols SetNetworkDefaultGateway SetZeroConfiguration
      SetIPAddressFilter AddIPAddressFilter RemoveIPAddressFilter SetAccessPolicy SetGeoLocation
      DeleteGeoLocation SetHashingAlgorithm CreateCertificate SetCertificatesStatus DeleteCertificates
      LoadCertificates SetClientCertificateMode LoadCertificateWithPrivateKey LoadCACertificates
      CreateDot1XConfiguration SetDot1XConfiguration DeleteDot1XConfiguration`,
    UNRECOVERABLE: `
      SetSystemFactoryDefault SystemReboot RestoreSystem StartFirmwareUpgrade UpgradeFirmware
      StartSystemRestore`,
    READ_SYSTEM_SECRET: `
      GetSystemBackup GetSystemLog GetSystemSupportInformation GetRemoteDiscoveryMode GetDPAddresses
      GetAccessPolicy GetCertificates GetCertificatesStatus GetPkcs10Request
      GetClientCertificateMode GetCACertificates GetCertificateInformation GetDot1XConfiguration
      GetDot1XConfigurations`,
    READ_SYSTEM: `
      GetUserRoles GetPasswordComplexityOptions GetPasswordComplexityConfiguration
      GetPasswordHistoryConfiguration GetAuthFailureWarningOptions GetAuthFailureWarningConfiguration
      GetZeroConfiguration GetIPAddressFilter GetDot11Capabilities GetDot11Status
      ScanAvailableDot11Networks GetGeoLocation`,
    READ_MEDIA: `
      GetStorageConfigurations GetStorageConfiguration`,
    ACTUATE: `
      SetRelayOutputSettings SendAuxiliaryCommand CreateStorageConfiguration
      SetStorageConfiguration DeleteStorageConfiguration`,
  },
);
