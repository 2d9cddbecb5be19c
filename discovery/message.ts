import { Fault } from "../base/fault.ts";
import { deviceText } from "../wsdl/device-text.ts";
import { NAMESPACES } from "../wsdl/namespaces.ts";
import { parseXml } from "../wsdl/parse-xml.ts";
import { attributeOf, escapeXml, namespaceOf, type XmlElement } from "../wsdl/xml.ts";

/** What one datagram may hold. The largest real answers have some 4 KiB, 20 scopes and 4 addresses. */
const LIMITS = {
  bytes: 16 * 1024,
  xml: { depth: 16, elements: 500, attributes: 500, declarations: 128 },
  /** Devices in one answer: a discovery proxy may speak for several. */
  matches: 50,
  types: 20,
  scopes: 100,
  xaddrs: 20,
  /** Characters of one scope, address or identifier. */
  item: 1024,
} as const;

/** WS-Discovery of April 2005 and its addressing, which ONVIF Core 7.3 builds on; not the later OASIS versions. */
const WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const ANONYMOUS = `${WSA}/role/anonymous`;
const EVERYBODY = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";
const SOAP = [NAMESPACES.s, "http://schemas.xmlsoap.org/soap/envelope/"];
const ADDRESSING = [WSA, NAMESPACES.wsa];

/** IPv4 and IPv6 groups (WS-Discovery 2.4). */
export const GROUP_V4 = "239.255.255.250";
export const GROUP_V6 = "ff02::c";
export const DISCOVERY_PORT = 3702;

/** A type of device. `ns` is empty where a device used a prefix that it did not declare. */
export interface TypeName {
  readonly ns: string;
  readonly name: string;
}

/** The usual types of ONVIF devices (Core 7.3.2.1). */
export const NETWORK_VIDEO_TRANSMITTER: TypeName = { ns: NAMESPACES.dn, name: "NetworkVideoTransmitter" };
export const DEVICE: TypeName = { ns: NAMESPACES.tds, name: "Device" };

/** What a device says of itself. */
export interface DeviceEntry {
  /** Endpoint address, usually `urn:uuid:…`. */
  readonly endpoint: string;
  readonly types: readonly TypeName[];
  readonly scopes: readonly string[];
  readonly xaddrs: readonly string[];
  readonly metadataVersion: number;
}

export type DiscoveryBody =
  | {
      readonly kind: "Probe";
      readonly types: readonly TypeName[];
      readonly scopes: readonly string[];
      /** URI of the rule by which scopes are compared; absent: RFC 3986. */
      readonly matchBy?: string;
    }
  | { readonly kind: "ProbeMatches"; readonly matches: readonly DeviceEntry[] }
  | { readonly kind: "Resolve"; readonly endpoint: string }
  | { readonly kind: "ResolveMatches"; readonly match: DeviceEntry | undefined }
  | { readonly kind: "Hello"; readonly device: DeviceEntry }
  | { readonly kind: "Bye"; readonly endpoint: string };

/** Lets a receiver put messages of one sender in order (WS-Discovery 7). */
export interface AppSequence {
  /** Grows with each start of the sender. */
  readonly instanceId: number;
  readonly messageNumber: number;
}

export interface DiscoveryMessage {
  readonly messageId: string;
  /** Answers only: the message that is answered. */
  readonly relatesTo?: string;
  readonly sequence?: AppSequence;
  readonly body: DiscoveryBody;
}

/**
 * Reads one datagram. Names are compared by namespace, never by prefix; SOAP 1.1 and 1.2, and both namespaces of
 * WS-Addressing are taken. Lists beyond the limits are cut; everything else that does not fit is a Fault `invalid`.
 */
export function parseMessage(datagram: Uint8Array): DiscoveryMessage {
  if (datagram.byteLength > LIMITS.bytes) throw new Fault("invalid", `datagram of ${datagram.byteLength} bytes`);
  const root = parseXml(deviceText(datagram), LIMITS.xml);
  if (root.name !== "Envelope" || !SOAP.includes(root.ns)) throw new Fault("invalid", "datagram is not a SOAP message");
  const within = (name: string): readonly XmlElement[] =>
    root.children.find((child) => child.name === name && child.ns === root.ns)?.children ?? [];
  const header = within("Header");
  const addressing = (name: string): string | undefined => {
    const text = header.find((block) => block.name === name && ADDRESSING.includes(block.ns))?.text.trim();
    return text === "" ? undefined : text?.slice(0, LIMITS.item);
  };
  const content = within("Body").find((child) => child.ns === WSD);
  if (content === undefined) throw new Fault("invalid", "datagram is not a discovery message");
  const relatesTo = addressing("RelatesTo");
  const sequence = sequenceOf(header.find((block) => block.name === "AppSequence" && block.ns === WSD));
  return {
    messageId: addressing("MessageID") ?? "",
    ...(relatesTo === undefined ? {} : { relatesTo }),
    ...(sequence === undefined ? {} : { sequence }),
    body: bodyOf(content),
  };
}

function bodyOf(content: XmlElement): DiscoveryBody {
  switch (content.name) {
    case "Probe": {
      const scopes = child(content, "Scopes");
      const matchBy = scopes && attributeOf(scopes, "MatchBy")?.trim();
      return {
        kind: "Probe",
        types: typesOf(child(content, "Types")),
        scopes: wordsOf(scopes, LIMITS.scopes),
        ...(matchBy === undefined || matchBy === "" ? {} : { matchBy }),
      };
    }
    case "ProbeMatches":
      return { kind: "ProbeMatches", matches: matchesOf(content, "ProbeMatch").map(entryOf) };
    case "ResolveMatches":
      return { kind: "ResolveMatches", match: matchesOf(content, "ResolveMatch").map(entryOf)[0] };
    case "Resolve":
      return { kind: "Resolve", endpoint: endpointOf(content) };
    case "Hello":
      return { kind: "Hello", device: entryOf(content) };
    case "Bye":
      return { kind: "Bye", endpoint: endpointOf(content) };
    default:
      throw new Fault("invalid", `discovery message ${content.name.slice(0, 40)}`);
  }
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((one) => one.name === name && one.ns === WSD);
}

function matchesOf(content: XmlElement, name: string): readonly XmlElement[] {
  return content.children.filter((one) => one.name === name && one.ns === WSD).slice(0, LIMITS.matches);
}

function entryOf(element: XmlElement): DeviceEntry {
  const version = Number(child(element, "MetadataVersion")?.text.trim());
  return {
    endpoint: endpointOf(element),
    types: typesOf(child(element, "Types")),
    scopes: wordsOf(child(element, "Scopes"), LIMITS.scopes),
    xaddrs: wordsOf(child(element, "XAddrs"), LIMITS.xaddrs),
    metadataVersion: Number.isSafeInteger(version) && version >= 0 ? version : 0,
  };
}

function endpointOf(element: XmlElement): string {
  const reference = element.children.find((one) => one.name === "EndpointReference");
  const address = reference?.children.find((one) => one.name === "Address")?.text.trim();
  return (address ?? "").slice(0, LIMITS.item);
}

function wordsOf(element: XmlElement | undefined, most: number): readonly string[] {
  const words = element?.text.trim().split(/\s+/, most) ?? [];
  return words.filter((word) => word !== "" && word.length <= LIMITS.item);
}

function typesOf(element: XmlElement | undefined): readonly TypeName[] {
  if (element === undefined) return [];
  return wordsOf(element, LIMITS.types).map((word) => {
    const [prefix = "", name] = word.includes(":") ? word.split(":", 2) : ["", word];
    return { ns: namespaceOf(element, prefix) ?? "", name: name ?? "" };
  });
}

function sequenceOf(element: XmlElement | undefined): AppSequence | undefined {
  if (element === undefined) return undefined;
  const instanceId = Number(attributeOf(element, "InstanceId"));
  const messageNumber = Number(attributeOf(element, "MessageNumber"));
  return Number.isSafeInteger(instanceId) && Number.isSafeInteger(messageNumber)
    ? { instanceId, messageNumber }
    : undefined;
}

/** The shape that the ONVIF test tool and the usual clients send and receive: SOAP 1.2, one namespace prefix each. */
export function printMessage(message: DiscoveryMessage): Buffer {
  const { body, messageId, relatesTo, sequence } = message;
  const reply = body.kind === "ProbeMatches" || body.kind === "ResolveMatches";
  const asks = body.kind === "Probe" || body.kind === "Resolve";
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>` +
      `<s:Envelope xmlns:s="${NAMESPACES.s}" xmlns:a="${WSA}" xmlns:d="${WSD}"><s:Header>` +
      `<a:Action s:mustUnderstand="1">${WSD}/${body.kind}</a:Action>` +
      `<a:MessageID>${escapeXml(messageId)}</a:MessageID>` +
      (relatesTo === undefined ? "" : `<a:RelatesTo>${escapeXml(relatesTo)}</a:RelatesTo>`) +
      (asks ? `<a:ReplyTo><a:Address>${ANONYMOUS}</a:Address></a:ReplyTo>` : "") +
      `<a:To s:mustUnderstand="1">${reply ? ANONYMOUS : EVERYBODY}</a:To>` +
      (sequence === undefined
        ? ""
        : `<d:AppSequence InstanceId="${sequence.instanceId}" MessageNumber="${sequence.messageNumber}"/>`) +
      `</s:Header><s:Body>${printBody(body)}</s:Body></s:Envelope>`,
  );
}

function printBody(body: DiscoveryBody): string {
  switch (body.kind) {
    case "Probe": {
      const rule = body.matchBy === undefined ? "" : ` MatchBy="${escapeXml(body.matchBy)}"`;
      const scopes = body.scopes.length === 0 ? "" : `<d:Scopes${rule}>${escapeXml(body.scopes.join(" "))}</d:Scopes>`;
      return `<d:Probe>${printTypes(body.types)}${scopes}</d:Probe>`;
    }
    case "ProbeMatches":
      return `<d:ProbeMatches>${body.matches.map((one) => `<d:ProbeMatch>${printEntry(one)}</d:ProbeMatch>`).join("")}</d:ProbeMatches>`;
    case "ResolveMatches": {
      const match = body.match === undefined ? "" : `<d:ResolveMatch>${printEntry(body.match)}</d:ResolveMatch>`;
      return `<d:ResolveMatches>${match}</d:ResolveMatches>`;
    }
    case "Hello":
      return `<d:Hello>${printEntry(body.device)}</d:Hello>`;
    case "Resolve":
    case "Bye":
      break;
  }
  return `<d:${body.kind}>${printEndpoint(body.endpoint)}</d:${body.kind}>`;
}

function printEndpoint(endpoint: string): string {
  return `<a:EndpointReference><a:Address>${escapeXml(endpoint)}</a:Address></a:EndpointReference>`;
}

function printEntry(entry: DeviceEntry): string {
  return (
    printEndpoint(entry.endpoint) +
    printTypes(entry.types) +
    `<d:Scopes>${escapeXml(entry.scopes.join(" "))}</d:Scopes>` +
    `<d:XAddrs>${escapeXml(entry.xaddrs.join(" "))}</d:XAddrs>` +
    `<d:MetadataVersion>${entry.metadataVersion}</d:MetadataVersion>`
  );
}

/** Prefixes that clients look for as text, where they should look at the namespace. */
function printTypes(types: readonly TypeName[]): string {
  if (types.length === 0) return "";
  const declared = new Map<string, string>();
  const names = types.map(({ ns, name }) => {
    if (ns === "") return name;
    let prefix = declared.get(ns);
    if (prefix === undefined) {
      prefix = ns === NAMESPACES.dn ? "dn" : ns === NAMESPACES.tds ? "tds" : `n${declared.size}`;
      declared.set(ns, prefix);
    }
    return `${prefix}:${name}`;
  });
  const xmlns = [...declared].map(([ns, prefix]) => ` xmlns:${prefix}="${escapeXml(ns)}"`).join("");
  return `<d:Types${xmlns}>${escapeXml(names.join(" "))}</d:Types>`;
}
