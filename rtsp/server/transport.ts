import { plainAddress } from "../../base/address.ts";
import { type Pair, parseTransport, type TransportSpec } from "../wire/transport.ts";
import { RtspFault } from "./reply.ts";

/** Below, ports belong to services that a stream could be used against. */
const LOWEST_PORT = 1024;

export type Way = "interleaved" | "udp" | "srtp" | "multicast";

/** What a client may have. */
export interface TransportChoices {
  /** Interleaved channels that other tracks have. */
  readonly isTaken: (channel: number) => boolean;
  /** The only address that datagrams would go to: the client's own. Undefined: UDP is not to be had. */
  readonly udpTo: string | undefined;
  /** Likewise for datagrams of SRTP. */
  readonly srtpTo: string | undefined;
  /** The group and ports that the track is sent to. Undefined: multicast is not to be had. */
  readonly multicast: { readonly address: string; readonly ports: Pair; readonly ttl: number } | undefined;
  /** How other tracks of the session travel: all go the same way. */
  readonly others: Way | undefined;
}

/** What was chosen: inside the RTSP connection, to ports of the client, or to the group. */
export interface Chosen {
  readonly way: Way;
  /** For the answer. */
  readonly spec: TransportSpec;
  /** RTP and RTCP. */
  readonly pair: Pair;
}

/**
 * Chooses from what a client offers in SETUP (RFC 2326 12.39), in its order: RTP inside the RTSP connection, on the channels that
 * it wants or, where it names none, on the next free pair; UDP to its own address; or the stream's own multicast group.
 * Everything else is 461, to which players answer with TCP.
 */
export function chooseTransport(header: string | undefined, choices: TransportChoices): Chosen {
  for (const offer of header === undefined ? [] : parseTransport(header)) {
    if ((offer.mode ?? "play").toLowerCase() !== "play") continue;
    const { protocol, interleaved, clientPort } = offer;
    if (offer.delivery === "multicast") {
      const group = groupFor(offer, choices);
      if (group !== undefined) return group;
      continue;
    }
    if (protocol === "RTP/AVP/TCP" && (choices.others ?? "interleaved") === "interleaved") {
      const pair = channels(interleaved, choices.isTaken);
      return { way: "interleaved", spec: { protocol, delivery: "unicast", interleaved: pair }, pair };
    }
    const way = isSecure(protocol) ? "srtp" : "udp";
    const to = way === "srtp" ? choices.srtpTo : choices.udpTo;
    if (clientPort === undefined || (choices.others ?? way) !== way || !isOwn(offer, to)) continue;
    return { way, spec: { protocol, delivery: "unicast", clientPort }, pair: clientPort };
  }
  const udp = choices.udpTo === undefined ? "" : ", over UDP to your own address (RTP/AVP;unicast;client_port)";
  const srtp = choices.srtpTo === undefined ? "" : ", as SRTP to your own address (RTP/SAVP;unicast;client_port)";
  const multicast = choices.multicast === undefined ? "" : ", to the stream's own group (RTP/AVP;multicast)";
  throw new RtspFault(461, "invalid", `transport ${header?.slice(0, 80)}`, {
    tell: `only RTP over this connection (RTP/AVP/TCP;interleaved)${udp}${srtp}${multicast} is offered`,
  });
}

/** The group is ours to choose: a client that names another could have any address flooded. */
function groupFor(
  { protocol, destination }: TransportSpec,
  { multicast, others }: TransportChoices,
): Chosen | undefined {
  if (multicast === undefined || !isUdp(protocol) || (others ?? "multicast") !== "multicast") return undefined;
  const { address, ports, ttl } = multicast;
  if (destination !== undefined && destination !== "" && destination !== address) return undefined;
  return {
    way: "multicast",
    spec: { protocol, delivery: "multicast", destination: address, port: ports, ttl },
    pair: ports,
  };
}

/** RTP/SAVP over UDP (RFC 3711 12). */
function isSecure(protocol: string): boolean {
  return protocol === "RTP/SAVP" || protocol === "RTP/SAVP/UDP";
}

function isUdp(protocol: string): boolean {
  return protocol === "RTP/AVP" || protocol === "RTP/AVP/UDP";
}

/** UDP to the client itself: a stream that goes elsewhere is an attack on whoever is there. */
function isOwn({ protocol, clientPort = [0, 0], destination }: TransportSpec, udpTo: string | undefined): boolean {
  if (udpTo === undefined || !(isUdp(protocol) || isSecure(protocol))) return false;
  if (destination !== undefined && destination !== "" && plainAddress(destination) !== udpTo) return false;
  return clientPort[0] !== clientPort[1] && clientPort.every((port) => port >= LOWEST_PORT);
}

function channels(wanted: Pair | undefined, isTaken: (channel: number) => boolean): Pair {
  if (wanted !== undefined && wanted[0] !== wanted[1] && !wanted.some(isTaken)) return wanted;
  for (let rtp = 0; rtp < 256; rtp += 2) if (!isTaken(rtp) && !isTaken(rtp + 1)) return [rtp, rtp + 1];
  throw new RtspFault(461, "busy", "no free channels");
}
