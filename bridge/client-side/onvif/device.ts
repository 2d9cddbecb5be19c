import type { Clock } from "../../../base/clock.ts";
import { addressOf, type Base } from "../../../onvif/server/base.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { Xml } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { DEVICE } from "../../../wsdl/tables/tds.ts";
import { relayHandlers } from "./device-io.ts";
import { scopeHandlers } from "./scopes.ts";
import type { OnvifSite } from "./site.ts";
import { USER_CAPABILITIES, userHandlers } from "./users.ts";

/** A service as GetServices announces it. */
export interface Announced {
  readonly namespace: string;
  readonly path: string;
  /** Year and month of the ONVIF release that our tables follow. */
  readonly version: { readonly Major: number; readonly Minor: number };
  /** What GetServiceCapabilities of that service answers, as an element. */
  readonly capabilities: () => Xml;
}

/** The path of the device service is fixed by ONVIF Core 5.1.1. */
export const DEVICE_PATH = "device_service";

/** ONVIF's releases count as versions; 2.40 and later are known to every client that asks. */
const SUPPORTED_VERSIONS = [{ Major: 2, Minor: 60 }];

type DeviceCapabilities = ResponseOf<(typeof DEVICE)["operations"]["GetServiceCapabilities"]>["Capabilities"];

/** Said to everybody, so it tells nothing that depends on what is behind the bridge. */
export function deviceCapabilities({ users }: OnvifSite): DeviceCapabilities {
  const { Security, System } = CAPABILITIES;
  if (users === undefined || users.levels.size === 0) return CAPABILITIES;
  return {
    ...CAPABILITIES,
    Security: { ...Security, ...USER_CAPABILITIES },
    System: { ...System, UserConfigNotSupported: false },
  };
}

const CAPABILITIES: DeviceCapabilities = {
  Network: {
    IPFilter: false,
    ZeroConfiguration: false,
    IPVersion6: false,
    DynDNS: false,
    Dot11Configuration: false,
    Dot1XConfigurations: 0,
    HostnameFromDHCP: false,
    NTP: 0,
    DHCPv6: false,
  },
  Security: {
    "TLS1.0": false,
    "TLS1.1": false,
    "TLS1.2": true,
    OnboardKeyGeneration: false,
    AccessPolicyConfig: false,
    DefaultAccessPolicy: false,
    Dot1X: false,
    RemoteUserHandling: false,
    "X.509Token": false,
    SAMLToken: false,
    KerberosToken: false,
    UsernameToken: true,
    HttpDigest: true,
    RELToken: false,
    HashingAlgorithms: ["MD5", "SHA-256"],
  },
  System: {
    DiscoveryResolve: true,
    DiscoveryBye: true,
    RemoteDiscovery: false,
    SystemBackup: false,
    SystemLogging: false,
    HttpFirmwareUpgrade: false,
    HttpSystemBackup: false,
    HttpSystemLogging: false,
    HttpSupportInformation: false,
    NetworkConfigNotSupported: true,
    UserConfigNotSupported: true,
  },
};

/** Who we are, how we are reached, and which services there are. */
export function deviceService(o: {
  readonly site: OnvifSite;
  readonly clock: Clock;
  readonly services: () => readonly Announced[];
}): Service {
  const { site, clock } = o;
  return serve(DEVICE_PATH, DEVICE, {
    GetSystemDateAndTime: () => ({ SystemDateAndTime: dateAndTime(new Date(clock.now())) }),
    GetCapabilities: ({ Category = ["All"] }, { base }) => ({ Capabilities: legacyCapabilities(Category, base, site) }),
    GetServices: ({ IncludeCapability }, { base }) => ({
      Service: o.services().map(({ namespace, path, version, capabilities }) => ({
        Namespace: namespace,
        XAddr: addressOf(base, path),
        Capabilities: IncludeCapability ? capabilities() : undefined,
        Version: version,
      })),
    }),
    GetServiceCapabilities: () => ({ Capabilities: deviceCapabilities(site) }),
    GetDeviceInformation: () => ({
      Manufacturer: site.device.manufacturer,
      Model: site.device.model,
      FirmwareVersion: site.device.firmware,
      SerialNumber: site.device.serial,
      HardwareId: site.device.hardwareId,
    }),
    ...scopeHandlers(site),
    ...userHandlers(site.users),
    GetHostname: () => ({ HostnameInformation: { FromDHCP: false } }),
    GetNetworkInterfaces: (_, { base }) => ({ NetworkInterfaces: networkInterfaces(site, base) }),
    GetNetworkProtocols: (_, { base }) => ({
      NetworkProtocols: (["http", "https", "rtsp"] as const).flatMap((name) => {
        const port = site.ports(base)[name];
        const Name = ({ http: "HTTP", https: "HTTPS", rtsp: "RTSP" } as const)[name];
        return port === undefined ? [] : [{ Name, Enabled: true, Port: [port] }];
      }),
    }),
    // The machine's own settings are its administrator's; clients learn that they are not made here.
    GetDNS: () => ({ DNSInformation: { FromDHCP: false } }),
    GetNTP: () => ({ NTPInformation: { FromDHCP: false } }),
    GetDynamicDNS: () => ({ DynamicDNSInformation: { Type: "NoUpdate" as const } }),
    GetSystemUris: () => ({}),
    GetRemoteUser: () => ({}),
    GetNetworkDefaultGateway: () => ({ NetworkGateway: {} }),
    GetDiscoveryMode: () => ({
      DiscoveryMode: site.discoverable ? ("Discoverable" as const) : ("NonDiscoverable" as const),
    }),
    GetEndpointReference: () => ({ GUID: `urn:uuid:${site.device.uuid}` }),
    GetWsdlUrl: (_, { base }) => ({ WsdlUrl: `${addressOf(base, DEVICE_PATH)}?wsdl` }),
    ...relayHandlers(site),
  });
}

type SystemDateAndTime = ResponseOf<(typeof DEVICE)["operations"]["GetSystemDateAndTime"]>["SystemDateAndTime"];

/** UTC alone: clients measure their clock against ours with it, and a local time would only be one more to get wrong. */
function dateAndTime(now: Date): SystemDateAndTime {
  const UTCDateTime = {
    Time: { Hour: now.getUTCHours(), Minute: now.getUTCMinutes(), Second: now.getUTCSeconds() },
    Date: { Year: now.getUTCFullYear(), Month: now.getUTCMonth() + 1, Day: now.getUTCDate() },
  };
  return {
    DateTimeType: "NTP",
    DaylightSavings: false,
    TimeZone: { TZ: "UTC0" },
    UTCDateTime,
    LocalDateTime: UTCDateTime,
  };
}

type Legacy = ResponseOf<(typeof DEVICE)["operations"]["GetCapabilities"]>["Capabilities"];

const LEGACY_CATEGORIES = ["All", "Device", "Events", "Imaging", "Media", "PTZ"];

/** What clients from before GetServices ask (Core 8.1.2.3). A category that we do not have is a fault where it is asked for by name. */
function legacyCapabilities(categories: readonly string[], base: Base, { multicast }: OnvifSite): Legacy {
  if (!categories.every((category) => LEGACY_CATEGORIES.includes(category)))
    throw new SoapFault("invalid", "Receiver", ["ActionNotSupported", "NoSuchService"], "There is no such service");
  const wanted = (category: string): boolean => categories.includes("All") || categories.includes(category);
  const device: Legacy["Device"] = {
    XAddr: addressOf(base, DEVICE_PATH),
    Network: { IPFilter: false, ZeroConfiguration: false, IPVersion6: false, DynDNS: false },
    System: {
      DiscoveryResolve: true,
      DiscoveryBye: true,
      RemoteDiscovery: false,
      SystemBackup: false,
      SystemLogging: false,
      FirmwareUpgrade: false,
      SupportedVersions: SUPPORTED_VERSIONS,
    },
    Security: {
      "TLS1.1": false,
      "TLS1.2": true,
      OnboardKeyGeneration: false,
      AccessPolicyConfig: false,
      "X.509Token": false,
      SAMLToken: false,
      KerberosToken: false,
      RELToken: false,
    },
  };
  const events: Legacy["Events"] = {
    XAddr: addressOf(base, "event_service"),
    WSSubscriptionPolicySupport: false,
    WSPullPointSupport: true,
    WSPausableSubscriptionManagerInterfaceSupport: false,
  };
  const media: Legacy["Media"] = {
    XAddr: addressOf(base, "media_service"),
    StreamingCapabilities: { RTPMulticast: multicast, RTP_TCP: false, RTP_RTSP_TCP: true },
  };
  return {
    ...(wanted("Device") ? { Device: device } : {}),
    ...(wanted("Events") ? { Events: events } : {}),
    ...(wanted("Imaging") ? { Imaging: { XAddr: addressOf(base, "imaging_service") } } : {}),
    ...(wanted("Media") ? { Media: media } : {}),
    ...(wanted("PTZ") ? { PTZ: { XAddr: addressOf(base, "ptz_service") } } : {}),
  };
}

type Interfaces = ResponseOf<(typeof DEVICE)["operations"]["GetNetworkInterfaces"]>["NetworkInterfaces"];

/** One entry for each interface that carries an IPv4 address of ours; the one that the client dialed where none is known. */
function networkInterfaces(site: OnvifSite, base: Base): Interfaces {
  const names = new Map<string, { mac: string; Manual: { Address: string; PrefixLength: number }[] }>();
  for (const { name, mac, address, prefixLength } of site.addresses(base)) {
    if (address.includes(":")) continue;
    const entry = names.get(name) ?? { mac, Manual: [] };
    entry.Manual.push({ Address: address, PrefixLength: prefixLength });
    names.set(name, entry);
  }
  if (names.size === 0) return [{ token: base.localAddress, Enabled: true }];
  return [...names].map(([name, { mac, Manual }]) => ({
    token: name.slice(0, 64),
    Enabled: true,
    Info: { Name: name, HwAddress: mac },
    IPv4: { Enabled: true, Config: { Manual, DHCP: false } },
  }));
}
