import { once } from "node:events";
import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import type { Timer } from "../base/clock.ts";
import { type MonotonicMillis, SECOND } from "../base/units.ts";
import { type RoomForOne, RtspConnection } from "./rtsp-connection.ts";
import { MulticastStream } from "./rtsp-multicast.ts";
import type { RtspOptions } from "./rtsp-options.ts";
import { type StreamName, targetOf } from "./rtsp-target.ts";
import { RtspTunnels } from "./rtsp-tunnels.ts";
import { mediaOf } from "./sdp.ts";

const LIMITS = { connections: 64 } as const;

const LOOK_PERIOD_MS = SECOND;
const DESERTED_MS = 60 * SECOND;
const GARBAGE = Buffer.alloc(256 * 1024, "Kernel panic - not syncing. ");

/** An RTSP server with a stream or two (RFC 2326): RTP inside the connection, in HTTP, over UDP or to a group, a session for each connection. */
export class RtspServer implements RoomForOne {
  readonly #options: RtspOptions;
  readonly #open = new Set<RtspConnection>();
  readonly #tunnels: RtspTunnels;
  readonly #groups = new Map<StreamName, Promise<MulticastStream>>();
  /** Until when the places of clients that went without TEARDOWN are kept. */
  #keptUntil = 0 as MonotonicMillis;
  #server: Server | undefined;
  #timer: Timer | undefined;
  #port = 0;
  #connections = 0;

  constructor(options: RtspOptions) {
    this.#options = options;
    this.#tunnels = new RtspTunnels((down) => this.#begin(down, true), options.clock);
  }

  /** Begun so far, one for a tunnel. */
  get connections(): number {
    return this.#connections;
  }

  /** Clients that a picture is sent to. */
  get sessions(): number {
    return [...this.#open].filter(({ watching }) => watching).length;
  }

  get port(): number {
    return this.#port;
  }

  /** A stream's address, with the given host. */
  url(host: string, stream: StreamName): string {
    const scheme = this.#options.tls === undefined ? "rtsp" : "rtsps";
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${this.#port}${targetOf(stream, this.#options.quirks)}`;
  }

  occupied(by: RtspConnection): boolean {
    const kept = this.#options.clock.monotonic() < this.#keptUntil;
    return kept || [...this.#open].some((other) => other !== by && other.holdsSession);
  }

  /** To which a stream can be had by multicast, of IPv4 alone; undefined where it cannot. */
  groupOf(stream: StreamName): string | undefined {
    const { address, groups, transports } = this.#options;
    return isIPv4(address) && transports.has("multicast") ? groups[stream] : undefined;
  }

  /** Sent from the first client on that wants it so until the camera goes off the network. */
  multicast(stream: StreamName): Promise<MulticastStream> | undefined {
    const { address, audio, feeds, quirks } = this.#options;
    const group = this.groupOf(stream);
    const running = this.#groups.get(stream);
    if (group === undefined || running !== undefined) return running;
    const feed = feeds[stream] ?? feeds.main;
    const opening = MulticastStream.open({ address, group, feed, media: mediaOf(audio, quirks), quirks });
    this.#groups.set(stream, opening);
    opening.catch(() => this.#groups.delete(stream));
    return opening;
  }

  /** Looks at a connection to the camera's web service, and takes it where it is of RTSP in HTTP; otherwise `serve` has it. */
  readonly first = (socket: Socket, serve: () => void): void => {
    if (this.#options.transports.has("http")) void this.#tunnels.first(socket, serve);
    else serve();
  };

  async listen(port: number): Promise<void> {
    const { tls } = this.#options;
    const accept = (socket: Socket): void => this.first(socket, () => this.#serve(socket));
    const server = tls === undefined ? createServer(accept) : createSecureServer(tls, accept);
    server.maxConnections = LIMITS.connections;
    server.listen(port, this.#options.address);
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.#timer = this.#options.clock.every(LOOK_PERIOD_MS, () => {
      for (const connection of this.#open) connection.look();
    });
  }

  /** Breaks all connections, too. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#timer?.cancel();
    const closed = once(server, "close");
    server.close();
    for (const connection of this.#open) connection.close();
    this.#tunnels.close();
    for (const opened of this.#groups.values())
      void opened.then(
        (group) => group.close(),
        () => undefined,
      );
    this.#groups.clear();
    await closed;
  }

  /** Writes what is neither RTSP nor RTP to every client. */
  sendGarbage(): void {
    for (const connection of this.#open) connection.write(GARBAGE);
  }

  #serve(socket: Socket): void {
    const connection = this.#begin(socket, false);
    socket.on("data", (chunk: Buffer) => connection.read(chunk));
  }

  #begin(socket: Socket, tunnelled: boolean): RtspConnection {
    this.#connections += 1;
    const connection = new RtspConnection(socket, tunnelled, this.#options, this);
    this.#open.add(connection);
    socket.once("close", () => {
      this.#open.delete(connection);
      connection.close();
      if (connection.holdsSession) this.#keptUntil = (this.#options.clock.monotonic() + DESERTED_MS) as MonotonicMillis;
    });
    return connection;
  }
}
