import type { RemoteInfo, Socket } from "node:dgram";
import { plainAddress } from "../../base/address.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { openPortPair, type PortPair } from "../../net/udp.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane, LaneSink } from "./lane.ts";
import { udpPortsOf } from "./quirks.ts";
import { RefusedTransport } from "./refusal.ts";

/**
 * What opens the way back through a router with address translation, or a firewall: an RTP packet without content and an RTCP
 * report of nothing, both of SSRC 0, as FFmpeg sends them (libavformat/rtpdec.c, ff_rtp_send_punch_packets).
 */
const PUNCH = { rtp: Buffer.from("800000000000000000000000", "hex"), rtcp: Buffer.from("80c9000100000000", "hex") };

/** One of our two sockets, and the camera's port at the other end, as soon as that is known. */
interface End {
  readonly socket: Socket;
  readonly rtcp: boolean;
  port: number | undefined;
}

/** `local`: our address towards the camera; `camera`: its own. Faults as of {@link openPortPair}. */
export async function openUdpLane(o: {
  readonly local: string;
  readonly camera: string;
  readonly sink: LaneSink;
  readonly seen: QuirkSeen<RtspQuirk>;
}): Promise<Lane> {
  return new UdpLane(await openPortPair(o.local), o);
}

/**
 * One track over UDP. Nothing is taken from anybody but the camera: from its own address, and from the ports that it has named,
 * or, where it named none, from those that first sent something from that address.
 */
class UdpLane implements Lane {
  readonly asked: string;
  readonly #pair: PortPair;
  readonly #camera: string;
  readonly #sink: LaneSink;
  readonly #seen: QuirkSeen<RtspQuirk>;
  readonly #rtp: End;
  readonly #rtcp: End;
  /** The camera's address as the system spells it; undefined before the first packet. */
  #spelled: string | undefined;
  #agreed = false;
  #closed = false;

  constructor(pair: PortPair, o: Pick<Parameters<typeof openUdpLane>[0], "camera" | "sink" | "seen">) {
    this.#pair = pair;
    this.#camera = o.camera;
    this.#sink = o.sink;
    this.#seen = o.seen;
    this.#rtp = { socket: pair.rtp, rtcp: false, port: undefined };
    this.#rtcp = { socket: pair.rtcp, rtcp: true, port: undefined };
    this.asked = `RTP/AVP;unicast;client_port=${pair.ports[0]}-${pair.ports[1]}`;
    for (const end of [this.#rtp, this.#rtcp])
      end.socket.on("message", (packet: Buffer, from) => this.#receive(end, packet, from));
  }

  agree(answered: string | undefined): void {
    const ports = udpPortsOf(answered, this.#seen);
    if (typeof ports === "object" && "refused" in ports) throw new RefusedTransport("udp", ports.refused);
    this.#agreed = true;
    if (ports === "unknown") return;
    [this.#rtp.port, this.#rtcp.port] = ports;
    this.#send(this.#rtp, PUNCH.rtp);
    this.#send(this.#rtcp, PUNCH.rtcp);
  }

  report(packet: Buffer): void {
    this.#send(this.#rtcp, packet);
  }

  send(packet: Buffer): void {
    this.#send(this.#rtp, packet);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pair.close();
  }

  #receive(end: End, packet: Buffer, from: RemoteInfo): void {
    if (!this.#agreed || this.#closed) return;
    if (from.address !== this.#spelled) {
      if (plainAddress(from.address) !== this.#camera) return;
      this.#spelled = from.address;
    }
    if (from.port !== end.port) {
      const plausible = packet.length > 1 && (packet[0] as number) >> 6 === 2;
      if (end.port !== undefined || !plausible) return;
      end.port = from.port;
    }
    this.#sink(packet, end.rtcp);
  }

  #send(end: End, packet: Buffer): void {
    if (end.port === undefined || this.#closed) return;
    // What cannot be sent is lost, as much else over UDP.
    end.socket.send(packet, end.port, this.#camera, () => undefined);
  }
}
