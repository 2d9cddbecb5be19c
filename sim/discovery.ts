import { randomUUID } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { parseXml } from "../wsdl/parse-xml.ts";
import { escapeXml, namespaceOf, type XmlElement } from "../wsdl/xml.ts";

const LIMITS = {
  datagramBytes: 16 * 1024,
  xml: { depth: 16, elements: 200, attributes: 200 },
} as const;

/** WS-Discovery, April 2005, 2.4 and 8. */
const GROUP = "239.255.255.250";
const WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const DN = "http://www.onvif.org/ver10/network/wsdl";
const TDS = "http://www.onvif.org/ver10/device/wsdl";

/** A device type, as `{namespace}name`. */
const TYPES: ReadonlySet<string> = new Set([`{${DN}}NetworkVideoTransmitter`, `{${TDS}}Device`]);

export interface DiscoveryOptions {
  readonly address: string;
  readonly port: number;
  /** `urn:uuid:…`. */
  readonly endpoint: string;
  readonly scopes: readonly string[];
  readonly serviceUrl: string;
  readonly log: Log;
}

/**
 * Answers probes that fit (WS-Discovery 5.3; ONVIF Core 7.3), sent to the group or to the camera itself. Many cameras on one
 * machine share the port: each takes unicast at its own address, and all hear the group.
 */
export async function startDiscovery(o: DiscoveryOptions): Promise<{ close(): Promise<void> }> {
  const own = await bound(o.address, o.port);
  let group: Socket | undefined;
  try {
    // Bound to the group, or a second camera would take what is sent to the first (not so on Windows, which refuses).
    group = await bound(process.platform === "win32" ? "0.0.0.0" : GROUP, o.port);
    group.addMembership(GROUP, o.address);
  } catch (err) {
    o.log.warn({ err, address: o.address }, "simulated camera: no multicast here, only unicast probes are answered");
  }
  const sockets = group === undefined ? [own] : [own, group];
  const receive = (datagram: Buffer, sender: RemoteInfo): void => {
    try {
      const answer = answerTo(datagram, o);
      // From the camera's own address, whichever way the question came.
      if (answer !== undefined) own.send(answer, sender.port, sender.address, () => undefined);
    } catch (error) {
      o.log.debug({ err: asFault(error) }, "simulated camera: datagram is no probe");
    }
  };
  for (const socket of sockets) {
    socket.on("message", receive);
    socket.on("error", (err) => o.log.debug({ err }, "simulated camera: discovery socket"));
  }
  return {
    close: async () => {
      await Promise.all(
        sockets.map((socket) => {
          const closed = once(socket, "close");
          socket.close();
          return closed;
        }),
      );
    },
  };
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.bind({ address, port, exclusive: true });
  await once(socket, "listening");
  return socket;
}

function answerTo(datagram: Buffer, o: DiscoveryOptions): string | undefined {
  if (datagram.length > LIMITS.datagramBytes) return undefined;
  const envelope = parseXml(datagram, LIMITS.xml);
  const part = (name: string): XmlElement | undefined => envelope.children.find((child) => child.name === name);
  const probe = part("Body")?.children.find((child) => child.ns === WSD && child.name === "Probe");
  const question = part("Header")?.children.find((child) => child.ns === WSA && child.name === "MessageID");
  if (probe === undefined || question === undefined) return undefined;
  const list = (name: string): readonly string[] => {
    const element = probe.children.find((child) => child.ns === WSD && child.name === name);
    return element?.text.trim().split(/\s+/).filter(Boolean) ?? [];
  };
  const types = probe.children.find((child) => child.ns === WSD && child.name === "Types");
  const wanted = list("Types").map((word) => typeName(word, types));
  if (!wanted.every((type) => TYPES.has(type))) return undefined;
  // RFC 3986 matching: a scope fits where it is a beginning, by segments (WS-Discovery 5.1).
  if (!list("Scopes").every((scope) => o.scopes.some((own) => own === scope || own.startsWith(`${scope}/`))))
    return undefined;
  return printMatch(question.text.trim(), o);
}

function typeName(word: string, element: XmlElement | undefined): string {
  const [prefix, name] = word.includes(":") ? (word.split(":", 2) as [string, string]) : ["", word];
  return `{${(element && namespaceOf(element, prefix)) ?? ""}}${name}`;
}

function printMatch(relatesTo: string, o: DiscoveryOptions): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${WSA}" xmlns:d="${WSD}" xmlns:dn="${DN}" xmlns:tds="${TDS}">
<s:Header>
<a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>
<a:RelatesTo>${escapeXml(relatesTo)}</a:RelatesTo>
<a:To>${WSA}/role/anonymous</a:To>
<a:Action>${WSD}/ProbeMatches</a:Action>
<d:AppSequence InstanceId="1" MessageNumber="1"/>
</s:Header>
<s:Body><d:ProbeMatches><d:ProbeMatch>
<a:EndpointReference><a:Address>${o.endpoint}</a:Address></a:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes>${escapeXml(o.scopes.join(" "))}</d:Scopes>
<d:XAddrs>${escapeXml(o.serviceUrl)}</d:XAddrs>
<d:MetadataVersion>1</d:MetadataVersion>
</d:ProbeMatch></d:ProbeMatches></s:Body>
</s:Envelope>`;
}
