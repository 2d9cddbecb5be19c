import { Fault } from "../../base/fault.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import { Channels } from "./channels.ts";
import type { RtspConnection } from "./connection.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane, LaneSink } from "./lane.ts";
import { MulticastLane } from "./multicast-lane.ts";
import { openUdpLane } from "./udp-lane.ts";

/** All lanes of one session, whether the camera agreed to them or not: opened by one transport, closed together. */
export class Lanes {
  readonly channels: Channels;
  readonly #seen: QuirkSeen<RtspQuirk>;
  readonly #transport: UpstreamTransport;
  readonly #camera: string;
  readonly #open: Lane[] = [];
  #connection: RtspConnection | undefined;
  #local = "";
  #closed = false;

  /** `camera`: its own address. */
  constructor(transport: UpstreamTransport, camera: string, seen: QuirkSeen<RtspQuirk>) {
    this.channels = new Channels(seen);
    this.#seen = seen;
    this.#transport = transport;
    this.#camera = camera;
  }

  /** The connection on which the lanes are asked for, and our address on it: the camera sends to where we asked from. */
  attach(connection: RtspConnection, local: string | undefined): void {
    this.#connection = connection;
    this.#local = local ?? "";
  }

  async open(sink: LaneSink): Promise<Lane> {
    const connection = this.#connection;
    if (connection === undefined) throw new Fault("internal", "not connected");
    const lane = await this.#openFor(connection, sink);
    this.#open.push(lane);
    // The session may have ended meanwhile; then nobody else closes it.
    if (this.#closed) lane.close();
    return lane;
  }

  #openFor(connection: RtspConnection, sink: LaneSink): Lane | Promise<Lane> {
    const ends = { local: this.#local, camera: this.#camera, sink, seen: this.#seen };
    switch (this.#transport) {
      case "tcp":
      case "http":
        return this.channels.open((channel, packet) => connection.sendPacket(channel, packet), sink);
      case "udp":
        return openUdpLane(ends);
      case "multicast":
        return new MulticastLane(ends);
    }
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#open) lane.close();
  }
}
