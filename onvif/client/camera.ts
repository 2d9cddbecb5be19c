import { isIP } from "node:net";
import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Millis } from "../../base/units.ts";
import { type CameraSide, pinnedToHost } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { scopeValue } from "../../wsdl/scope.ts";
import { findPath, type XmlElement } from "../../wsdl/xml.ts";
import { type Answer, Caller, ifThere } from "./caller.ts";
import { readClock } from "./clock.ts";
import { type CameraProfile, readProfiles } from "./media.ts";
import { addressIn, USUAL_DEVICE_PORTS } from "./quirks.ts";

const LIMITS = {
  /** Addresses of the device service that are tried, one after the other. */
  addresses: 8,
  /** Services, scopes and interfaces that are looked at. */
  list: 200,
  /** Characters of a text that is shown to people. */
  text: 200,
} as const;

/** What a camera says of itself, once logged in. */
export interface CameraDescription {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
  readonly hardwareId: string;
  /** As its installer named it, from its scopes. */
  readonly name?: string;
  /** Of the first interface that has one: `00:11:22:aa:bb:cc`. */
  readonly mac?: string;
  /** Where its device service answered, at its own IP address. */
  readonly deviceUrl: URL;
  /** At least one; largest picture first. */
  readonly profiles: readonly CameraProfile[];
  /** How far its clock is ahead of ours (behind: negative), good to about a second; 0 where it tells no time. */
  readonly clockOffsetMs: Millis;
  /** Namespaces of its services, those of other makers included. */
  readonly services: readonly string[];
}

export interface DescribeOptions {
  /** Addresses of the device service, best first. Empty: the usual ones are tried. Their hosts do not matter, see `ip`. */
  readonly xaddrs: readonly string[];
  /** The only address that is dialed, whatever address the camera names. */
  readonly ip: string;
  /** Absent for a camera that asks for none. */
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Without it, https addresses are not used. */
  readonly tls?: CameraTls;
  /** Told in words for the person who waits. */
  readonly onProgress?: (step: string) => void;
}

/**
 * Logs in to a camera and reads what is needed to pull its streams. Takes at most a minute.
 *
 * Every address that the camera names is used with the camera's own IP address. Faults: `unauthenticated` (wrong password, or
 * none given; at most two log-ins are tried), `unavailable` (nobody answers), `invalid` (what answers is not ONVIF, or beyond
 * bounds, or offers no stream), `denied` (an address or key that is not allowed). `tell` says it to the installer.
 */
export async function describeCamera(o: DescribeOptions): Promise<CameraDescription> {
  o.side.assertMayDial(o.ip);
  const urls = deviceUrls(o);
  const caller = new Caller(o);
  let failure: Fault | undefined;
  for (const url of urls) {
    try {
      return await describeAt(url, caller, o);
    } catch (error) {
      const fault = asFault(error);
      // A wrong password is wrong at every address, and trying it there locks the account.
      const final = fault.kind !== "unavailable" && fault.kind !== "invalid";
      if (final || o.signal?.aborted === true || caller.remainingMs <= 0) throw fault;
      o.log.debug({ err: fault, url }, "camera does not answer at this address");
      // What answered wrongly says more than what did not answer.
      if (failure === undefined || failure.kind === "unavailable") failure = fault;
    }
  }
  throw told(failure ?? new Fault("invalid", `no usable address among ${o.xaddrs.length}`));
}

function told(fault: Fault): Fault {
  if (fault.tell !== undefined) return fault;
  const tell = fault.kind === "unavailable" ? "the camera does not answer" : "the camera's answer cannot be used";
  return new Fault(fault.kind, fault.message, { tell, cause: fault.cause ?? fault });
}

function deviceUrls({ xaddrs, ip, tls }: DescribeOptions): readonly URL[] {
  const host = isIP(ip) === 6 ? `[${ip}]` : ip;
  const texts =
    xaddrs.length > 0
      ? xaddrs
      : USUAL_DEVICE_PORTS.map(([scheme, port]) => `${scheme}://${host}:${port}/onvif/device_service`);
  // A camera whose key is known is never asked in clear text: whoever blocks its TLS port would get the login to see.
  const schemes = tls === undefined ? ["http"] : tls.pin === undefined ? ["http", "https"] : ["https"];
  const urls = new Map<string, URL>();
  for (const text of texts) {
    try {
      const url = pinnedToHost(text, ip, schemes);
      if (urls.size < LIMITS.addresses) urls.set(url.href, url);
    } catch {
      // One unusable address among several is what discovery brings.
    }
  }
  return [...urls.values()];
}

async function describeAt(device: URL, caller: Caller, o: DescribeOptions): Promise<CameraDescription> {
  const { ip, log, onProgress } = o;
  const ask = (operation: string, content?: string): Promise<Answer> =>
    caller.call({ url: device, prefix: "tds", operation, ...(content === undefined ? {} : { content }) });
  const askIfThere = async (operation: string): Promise<XmlElement | undefined> =>
    (await ifThere(ask(operation)))?.body;

  onProgress?.("connecting");
  const offset = await readClock(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" });
  caller.login.clockOffsetMs = offset ?? caller.login.clockOffsetMs;

  onProgress?.("logging in");
  const { body: information } = await ask("GetDeviceInformation");
  const text = (name: string): string => (findPath(information, name)?.text.trim() ?? "").slice(0, LIMITS.text);

  onProgress?.("asking what it offers");
  const services = await readServices(caller, device, ip);
  const scopes = (await askIfThere("GetScopes"))?.children
    .slice(0, LIMITS.list)
    .flatMap((element) => addressIn(findPath(element, "ScopeItem")) ?? []);
  const mac = macIn(await askIfThere("GetNetworkInterfaces"));
  const name = scopeValue(scopes ?? [], "name");

  onProgress?.("reading its streams");
  const profiles = await readProfiles(caller, services, { ip, log });
  return {
    manufacturer: text("Manufacturer"),
    model: text("Model"),
    firmware: text("FirmwareVersion"),
    serial: text("SerialNumber"),
    hardwareId: text("HardwareId"),
    ...(name === undefined ? {} : { name }),
    ...(mac === undefined ? {} : { mac }),
    deviceUrl: device,
    profiles,
    clockOffsetMs: caller.login.clockOffsetMs,
    services: [...services.urls.keys()],
  };
}

/** Where GetCapabilities has a service's address (Core 8.1.2.3). */
const OLDER_CAPABILITIES = [
  ["trt", "Media"],
  ["tev", "Events"],
  ["tptz", "PTZ"],
  ["timg", "Imaging"],
  ["tmd", "Extension", "DeviceIO"],
  ["tse", "Extension", "Search"],
  ["trp", "Extension", "Replay"],
] as const;

interface Services {
  readonly media1?: URL;
  readonly media2?: URL;
  /** Of all services, by namespace. */
  readonly urls: ReadonlyMap<string, URL>;
}

/** By GetServices, or by GetCapabilities where a camera has not got that (before ONVIF 2.1). */
export async function readServices(caller: Caller, device: URL, ip: string): Promise<Services> {
  const content = "<tds:IncludeCapability>false</tds:IncludeCapability>";
  const listed = await ifThere(caller.call({ url: device, prefix: "tds", operation: "GetServices", content }));
  const found = new Map<string, URL>();
  const add = (ns: string | undefined, address: string | undefined): void => {
    const url = address === undefined ? undefined : serviceUrl(address, device, ip);
    if (ns !== undefined && ns !== "" && url !== undefined && !found.has(ns)) found.set(ns, url);
  };
  for (const element of (listed?.body.children ?? []).slice(0, LIMITS.list))
    add(findPath(element, "Namespace")?.text.trim().slice(0, LIMITS.text), addressIn(findPath(element, "XAddr")));
  if (!found.has(NAMESPACES.trt) && !found.has(NAMESPACES.tr2)) {
    const category = "<tds:Category>All</tds:Category>";
    const older = await ifThere(
      caller.call({ url: device, prefix: "tds", operation: "GetCapabilities", content: category }),
    );
    const capabilities = older && findPath(older.body, "Capabilities");
    for (const [prefix, ...path] of OLDER_CAPABILITIES)
      add(NAMESPACES[prefix], addressIn(capabilities && findPath(capabilities, ...path, "XAddr")));
  }
  // A camera that lists no media service may still have one where most cameras have all of theirs.
  if (!found.has(NAMESPACES.trt) && !found.has(NAMESPACES.tr2)) found.set(NAMESPACES.trt, device);
  const [media1, media2] = [found.get(NAMESPACES.trt), found.get(NAMESPACES.tr2)];
  return {
    ...(media1 === undefined ? {} : { media1 }),
    ...(media2 === undefined ? {} : { media2 }),
    urls: found,
  };
}

/**
 * A service at the camera's own IP address. One that is named with another scheme than that of the device service is asked
 * where the device service is: what began inside TLS stays there, and what began without has no key to expect.
 */
export function serviceUrl(address: string, device: URL, ip: string): URL | undefined {
  try {
    return withSchemeOf(device, pinnedToHost(address, ip, ["http", "https"]));
  } catch {
    return undefined;
  }
}

/** An address of the camera as it is, or, where its scheme is another than the device service's, its path at that. */
export function withSchemeOf(device: URL, url: URL): URL {
  if (url.protocol === device.protocol) return url;
  // Not by resolving a reference: a path that begins with two slashes would name another host.
  const moved = new URL(device);
  moved.pathname = url.pathname;
  moved.search = url.search;
  return moved;
}

function macIn(body: XmlElement | undefined): string | undefined {
  for (const element of (body?.children ?? []).slice(0, LIMITS.list)) {
    const text = findPath(element, "Info", "HwAddress")?.text.trim().toLowerCase().replaceAll("-", ":") ?? "";
    if (/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text) && text !== "00:00:00:00:00:00") return text;
  }
  return undefined;
}
