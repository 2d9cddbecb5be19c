import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { plainAddress } from "../../base/address.ts";
import { type CameraSide, pinnedToHost } from "../../net/sides.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { scopeValue } from "../../wsdl/scope.ts";
import { DEVICE, type DeviceEntry, NETWORK_VIDEO_TRANSMITTER, type TypeName } from "../message.ts";

/** A camera that answered a probe. All of it is the camera's own word and proves nothing: adoption asks for a log-in. */
export interface Found {
  /** The endpoint's UUID where it has one; stable for as long as the camera keeps it (some make a new one at each boot). */
  readonly id: string;
  /** Where the answer came from, or where the camera says that it is on a network that we are on. */
  readonly ip: string;
  /** Addresses of its ONVIF device service that can be dialed, https first, never empty. */
  readonly xaddrs: readonly string[];
  readonly name?: string;
  readonly hardware?: string;
  readonly location?: string;
  readonly scopes: readonly string[];
  /** `dn:NetworkVideoTransmitter`, `tds:Device`; other types by their local name. */
  readonly types: readonly string[];
}

/** Where cameras that name no address of theirs usually have their device service (Core 5.1.1). */
const USUAL_PATH = "/onvif/device_service";

/**
 * One device of an answer as a find, or undefined when it is no ONVIF device (printers and desktop computers speak
 * WS-Discovery too) or is where no camera may be dialed: ourselves, the client side.
 *
 * `sender`: the address that the answer came from. Cameras name addresses that lead nowhere (0.0.0.0, loopback, another
 * interface, the inside of a NAT, a link-local IPv6 address, a host name): those become the sender's. Kept are an address on
 * a network that we are on ourselves, for a camera may have several and answer from any; and, where the sender is no camera
 * (a relay between networks), any address that may be dialed.
 */
export function foundOf(entry: DeviceEntry, sender: string, side: CameraSide): Found | undefined {
  if (!isOnvif(entry)) return undefined;
  const xaddrs: string[] = [];
  for (const text of entry.xaddrs) {
    const url = usable(text, sender, side);
    if (url !== undefined && !xaddrs.includes(url)) xaddrs.push(url);
  }
  if (xaddrs.length === 0) xaddrs.push(`http://${isIP(sender) === 6 ? `[${sender}]` : sender}${USUAL_PATH}`);
  const hosts = xaddrs.map(hostOf);
  const ip = hosts.includes(sender) ? sender : (hosts[0] ?? sender);
  if (!mayDial(side, ip)) return undefined;
  const first = (text: string): number => (text.startsWith("https:") ? 0 : 2) + (hostOf(text) === ip ? 0 : 1);
  const details = {
    name: scopeValue(entry.scopes, "name"),
    hardware: scopeValue(entry.scopes, "hardware"),
    location: scopeValue(entry.scopes, "location"),
  };
  return {
    id: idOf(entry.endpoint, ip),
    ip,
    xaddrs: xaddrs.toSorted((a, b) => first(a) - first(b)),
    ...(details.name === undefined ? {} : { name: details.name }),
    ...(details.hardware === undefined ? {} : { hardware: details.hardware }),
    ...(details.location === undefined ? {} : { location: details.location }),
    scopes: entry.scopes,
    types: entry.types.map(typeText),
  };
}

/**
 * Two finds as one, when they are the same device: the same endpoint with an address in common, or another endpoint at the
 * very same service address (a camera that makes a new UUID at each boot). Undefined when they are not. An endpoint alone
 * does not do: cheap cameras share one UUID, and a hostile one may use that of another.
 *
 * What `older` says stands, so that a later answer cannot lead an installer elsewhere; the newer one adds what was missing.
 */
export function merged(older: Found, newer: Found): Found | undefined {
  const sameEndpoint = older.id === newer.id;
  const hosts = new Set(older.xaddrs.map(hostOf));
  const shared = sameEndpoint
    ? older.ip === newer.ip || newer.xaddrs.some((text) => hosts.has(hostOf(text)))
    : older.ip === newer.ip && older.xaddrs[0] === newer.xaddrs[0];
  if (!shared) return undefined;
  return {
    ...newer,
    ...older,
    scopes: older.scopes.length > 0 ? older.scopes : newer.scopes,
    types: older.types.length > 0 ? older.types : newer.types,
  };
}

function isOnvif({ types, scopes, xaddrs }: DeviceEntry): boolean {
  return (
    types.some(
      (type) => type.name === NETWORK_VIDEO_TRANSMITTER.name || (type.name === DEVICE.name && type.ns === DEVICE.ns),
    ) ||
    scopes.some((scope) => scope.toLowerCase().startsWith("onvif://")) ||
    xaddrs.some((text) => /\/onvif\//i.test(text))
  );
}

function usable(text: string, sender: string, side: CameraSide): string | undefined {
  // Neither host nor path: that says nothing of where its service is.
  if (/^\s*\w+:\/*\s*$/.test(text)) return undefined;
  try {
    const pinned = pinnedToHost(text, sender, ["http", "https"]);
    const named = plainAddress(/^\w+:\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(text)?.[1] ?? "");
    if (named === undefined || named === sender || !mayDial(side, named)) return pinned.href;
    const attached = side.localAddressFor(named) !== undefined;
    return (attached || !mayDial(side, sender) ? pinnedToHost(text, named, ["http", "https"]) : pinned).href;
  } catch {
    return undefined;
  }
}

function hostOf(text: string): string {
  return new URL(text).hostname.replace(/^\[(.*)\]$/, "$1");
}

function mayDial(side: CameraSide, ip: string): boolean {
  try {
    side.assertMayDial(ip);
    return true;
  } catch {
    return false;
  }
}

/** Letters, digits and `-` only: it stands in addresses of our own pages. */
function idOf(endpoint: string, ip: string): string {
  const uuid = /^(?:urn:)?(?:uuid:)?([0-9a-z-]{8,64})$/i.exec(endpoint)?.[1];
  return (
    uuid?.toLowerCase() ??
    createHash("sha256")
      .update(`${endpoint} ${endpoint === "" ? ip : ""}`)
      .digest("hex")
      .slice(0, 32)
  );
}

function typeText({ ns, name }: TypeName): string {
  return ns === NAMESPACES.dn ? `dn:${name}` : ns === NAMESPACES.tds ? `tds:${name}` : name;
}
