import { createSocket, type Socket } from "node:dgram";
import { plainAddress } from "../../base/address.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { parseGroupRange } from "../../net/multicast.ts";
import { type Pair, parseTransport } from "../wire/transport.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane, LaneSink } from "./lane.ts";
import { RefusedTransport } from "./refusal.ts";

const LIMITS = {
  /** Ports below belong to services of the network. */
  lowestPort: 1024,
  /** As for every other track over UDP. */
  bufferBytes: 1024 * 1024,
};

/**
 * One track over UDP to a group that the camera chooses (RFC 2326 12.39). The group is joined on the address from which the
 * camera was dialed, and nothing is taken from anybody but the camera's own address: whoever is on the network may send to it.
 */
export class MulticastLane implements Lane {
  readonly asked = "RTP/AVP;multicast";
  readonly #local: string;
  readonly #camera: string;
  readonly #sink: LaneSink;
  readonly #sockets: Socket[] = [];
  #closed = false;

  constructor(o: {
    readonly local: string;
    readonly camera: string;
    readonly sink: LaneSink;
    readonly seen: QuirkSeen<RtspQuirk>;
  }) {
    this.#local = plainAddress(o.local) ?? o.local;
    this.#camera = o.camera;
    this.#sink = o.sink;
  }

  async agree(answered: string | undefined): Promise<void> {
    const { group, ports } = groupOf(answered);
    await Promise.all([this.#join(group, ports[0], false), this.#join(group, ports[1], true)]);
  }

  /** Reports would go to all who listen, and tell them that we do. A session is shown to be alive by RTSP. */
  report(): void {}

  /** A speaker is spoken to by whoever talks, and not by a group. */
  send(): void {}

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
  }

  #join(group: string, port: number, rtcp: boolean): Promise<void> {
    // Others on this machine may listen to the same group.
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    return new Promise((resolve, reject) => {
      const failed = (cause: Error): void => {
        socket.close();
        reject(new RefusedTransport("multicast", `its group cannot be joined (${cause.message})`));
      };
      socket.once("error", failed);
      // At the group's own address, so that no other group's packets come that somebody sends to the same port.
      socket.bind({ address: group, port }, () => {
        try {
          socket.addMembership(group, this.#local);
          socket.setRecvBufferSize(LIMITS.bufferBytes);
        } catch (error) {
          failed(error as Error);
          return;
        }
        socket.off("error", failed);
        socket.on("error", () => undefined);
        socket.on("message", (packet: Buffer, { address }) => {
          if (address === this.#camera && !this.#closed) this.#sink(packet, rtcp);
        });
        this.#sockets.push(socket);
        if (this.#closed) socket.close();
        resolve();
      });
    });
  }
}

/** Which group, and which ports, a camera names. Everything that is not a group for applications is refused. */
function groupOf(answered: string | undefined): { readonly group: string; readonly ports: Pair } {
  const spec = answered === undefined ? undefined : parseTransport(answered)[0];
  if (spec?.delivery === "unicast" || spec?.interleaved !== undefined)
    throw new RefusedTransport("multicast", "it chooses another way");
  const { destination, port } = spec ?? {};
  if (destination === undefined || port === undefined)
    throw new RefusedTransport("multicast", "it names no group, or no port");
  const [rtp, rtcp] = port;
  if (parseGroupRange(destination) === undefined || destination.includes("/"))
    throw new RefusedTransport("multicast", `${destination.slice(0, 40)} is no group for it to send to`);
  if (rtp < LIMITS.lowestPort || rtcp < LIMITS.lowestPort || rtp === rtcp)
    throw new RefusedTransport("multicast", `${rtp} and ${rtcp} are no ports for it to send to`);
  return { group: destination, ports: port };
}
