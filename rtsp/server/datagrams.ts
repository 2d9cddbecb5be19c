import type { PortRange } from "../../net/udp.ts";
import type { MulticastSenders } from "./multicast.ts";

/** RTP over UDP. In clear text it is for clients of plain RTSP alone, and as SRTP for those of RTSPS, where its keys are safe. */
export interface Datagrams {
  /** Present: to the client itself, from these ports. */
  readonly udp?: { readonly range: PortRange | undefined };
  /** Present: to the client itself, as SRTP, from these ports. */
  readonly srtp?: { readonly range: PortRange | undefined };
  /** Present: to the groups of live streams that have one. */
  readonly multicast?: MulticastSenders;
}
