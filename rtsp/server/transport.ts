import { type Pair, parseTransport, type TransportSpec } from "../wire/transport.ts";
import { RtspFault } from "./reply.ts";

/**
 * Chooses from what a client offers in SETUP (RFC 2326 12.39): RTP inside the RTSP connection, on the channels that it wants or,
 * where it names none, on the next free pair. Everything else is 461, to which players answer with TCP.
 */
export function chooseTransport(header: string | undefined, isTaken: (channel: number) => boolean): TransportSpec {
  const offers = header === undefined ? [] : parseTransport(header);
  const offer = offers.find(isInterleaved);
  if (offer === undefined)
    throw new RtspFault(461, "invalid", `transport ${header?.slice(0, 80)}`, {
      tell: "only RTP over this connection (RTP/AVP/TCP;interleaved) is offered",
    });
  const wanted = offer.interleaved;
  const fits = wanted !== undefined && wanted[0] !== wanted[1] && !wanted.some(isTaken);
  return {
    protocol: "RTP/AVP/TCP",
    delivery: "unicast",
    interleaved: fits ? wanted : freePair(isTaken),
  };
}

function isInterleaved({ protocol, delivery, mode }: TransportSpec): boolean {
  return protocol === "RTP/AVP/TCP" && delivery !== "multicast" && (mode ?? "play").toLowerCase() === "play";
}

function freePair(isTaken: (channel: number) => boolean): Pair {
  for (let rtp = 0; rtp < 256; rtp += 2) if (!isTaken(rtp) && !isTaken(rtp + 1)) return [rtp, rtp + 1];
  throw new RtspFault(461, "busy", "no free channels");
}
